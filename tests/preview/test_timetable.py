"""`textback check --week`: in quiet hours the message of the hour at which they end, or none."""

from pathlib import Path

import pytest

from config.load import load
from gateway.core.schedule import local
from gateway.office.knowledge import Knowledge
from gateway.preview.timetable import week
from tests.preview.test_advice import CLOSED, GOOD, NOW, configured

OPEN = "the line's message"
SHUT = "variant 1 (hours = closed)"
HELD = "held until 08:00 (quiet hours)"


@pytest.mark.parametrize(
    ("consent", "variant", "monday", "sunday"),
    [
        (
            "",
            CLOSED,
            [f"00:00 {OPEN}, {HELD}", f"08:00 {OPEN}", f"12:00 {SHUT}", f"13:00 {OPEN}", f"17:00 {SHUT}", f"21:00 {OPEN}, {HELD}"],
            [f"00:00 {SHUT}, {HELD}", f"08:00 {SHUT}", f"21:00 {OPEN}, {HELD}"],
        ),
        (
            'when_quiet = "skip"',
            CLOSED,
            ["00:00 no text (quiet hours)", f"08:00 {OPEN}", f"12:00 {SHUT}", f"13:00 {OPEN}", f"17:00 {SHUT}", "21:00 no text (quiet hours)"],
            ["00:00 no text (quiet hours)", f"08:00 {SHUT}", "21:00 no text (quiet hours)"],
        ),
        (
            'quiet_hours = "off"',
            CLOSED,
            [f"00:00 {SHUT}", f"08:00 {OPEN}", f"12:00 {SHUT}", f"13:00 {OPEN}", f"17:00 {SHUT}"],
            [f"00:00 {SHUT}"],
        ),
        (
            "",
            '[[line.front.text.variant]]\nhours = "closed"\nsend = false\n',
            [f"00:00 {SHUT}, no text", f"08:00 {OPEN}", f"12:00 {SHUT}, no text", f"13:00 {OPEN}", f"17:00 {SHUT}, no text"],
            [f"00:00 {SHUT}, no text"],
        ),
    ],
)  # fmt: skip
def test_week(tmp_path: Path, consent: str, variant: str, monday: list[str], sunday: list[str]) -> None:
    text = GOOD.replace("[limits]", f"[consent]\n{consent}\n[limits]") + variant
    loaded = load(configured(tmp_path, text))
    stretches = week(loaded.line["front"], Knowledge().directory(loaded, NOW), NOW)
    shown = [f"{local(s.start, 'America/Chicago'):%a %H:%M} {s.says}" for s in stretches]
    assert [line[4:] for line in shown if line.startswith("Mon")] == monday
    assert [line[4:] for line in shown if line.startswith("Sun")] == sunday
