"""Held texts are decided once more, on a real database: with the message of the hour at which they go."""

import sqlite3
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from config.load import load
from config.model import E164
from gateway.cli.explain import in_words
from gateway.core.call import Outcome
from gateway.knowledge import Knowledge
from gateway.ruling import Ruling
from gateway.store import calls, holds, texts
from gateway.store.calls import Arrival, Ending

CONFIG = """\
timezone = "America/Los_Angeles"
region = "US"
[trunk.pbx]
peers = ["192.0.2.10"]
[sms.spool]
kind = "spool"
[hours.office]
mon-fri = "08:00-17:00"
{consent}
[line.front]
number = "+14155550100"
hours = "office"
[line.front.text]
message = "We are open"
expires = "15m"
[[line.front.text.variant]]
hours = "closed"
message = "We open {{opens}}"
"""
NIGHT = datetime(2026, 11, 24, 6, 0, tzinfo=UTC)  # 22:00 in Los Angeles
MORNING = datetime(2026, 11, 24, 16, 0, tzinfo=UTC)


@pytest.mark.parametrize("consent", ["", '[consent]\nwhen_quiet = "hold"', '[consent]\nquiet_hours = "21:00-08:00"'])
def test_text_held_over_night_says_in_the_morning_what_holds_then(db: sqlite3.Connection, tmp_path: Path, consent: str) -> None:
    path = tmp_path / "textback.toml"
    path.write_text(CONFIG.format(consent=consent))
    ruling = Ruling(Knowledge().directory(load(path), NIGHT))
    arrival = Arrival(
        key="1", call_id="1", trunk="pbx", source="192.0.2.10:5060", line="front", caller=E164("+14155550123"),
        caller_as_sent="+14155550123", caller_name="", caller_header="From", dialled=("+14155550100",), diversions=(), verstat="",
        arrived_at=NIGHT - timedelta(seconds=20),
    )  # fmt: skip
    ending = Ending(outcome=Outcome.NO_ANSWER, at=NIGHT, rang=timedelta(seconds=20))
    verdict = ruling.on_ended(db, arrival, ending, NIGHT)
    assert verdict is not None
    assert (verdict.decision, verdict.reason.value, verdict.due_at) == ("hold", "quiet_hours", MORNING)
    held = texts.one(db, verdict.text or 0)
    assert held is not None
    assert (held["state"], held["body"]) == ("held", "We open tomorrow at 8:00 AM")
    call = calls.one(db, verdict.call)
    told = in_words(call, calls.decisions(db, verdict.call), texts.of_call(db, verdict.call), ruling.directory.config)
    assert f"Text {verdict.text} to +14155550123: held" in told
    assert holds.held_due(db, MORNING - timedelta(seconds=1), 10) == []
    assert holds.held_due(db, MORNING, 10) == [verdict.text]
    assert ruling.on_ended(db, arrival, ending, NIGHT) is None  # told twice, decided once
    again = ruling.on_due(db, verdict.text or 0, MORNING)
    assert again is not None
    assert again.decision == "send"
    sent = texts.one(db, verdict.text or 0)
    assert sent is not None
    assert (sent["state"], sent["body"], sent["held_for"]) == ("queued", "We are open", None)
    assert sent["expires_at"] == "2026-11-24T16:15:00.000Z"
    assert [row["decision"] for row in calls.decisions(db, verdict.call)] == ["hold", "send"]


def decided(
    db: sqlite3.Connection, tmp_path: Path, caller: str, *, limits: str = "", number: str = "+14155550100", key: str = "1"
) -> str:
    """The decision about a call at ten in the morning by the clock of the line, with its reason."""
    path = tmp_path / "textback.toml"
    path.write_text(CONFIG.format(consent="").replace("+14155550100", number) + f"[limits]\n{limits}\n")
    ruling = Ruling(Knowledge().directory(load(path), MORNING))
    at = MORNING + timedelta(hours=2)
    arrival = Arrival(
        key=key, call_id=key, trunk="pbx", source="192.0.2.10:5060", line="front", caller=E164(caller),
        caller_as_sent=caller, caller_name="", caller_header="From", dialled=(number,), diversions=(), verstat="",
        arrived_at=at - timedelta(seconds=20),
    )  # fmt: skip
    verdict = ruling.on_ended(db, arrival, Ending(outcome=Outcome.NO_ANSWER, at=at, rang=timedelta(seconds=20)), at)
    assert verdict is not None
    return f"{verdict.decision} {verdict.reason.value}"


PUERTO_RICO = "+17875550123"


@pytest.mark.parametrize(
    ("caller", "limits", "number", "expected"),
    [
        (PUERTO_RICO, "", "+14155550100", "send missed_call"),
        ("+13405550123", "", "+14155550100", "send missed_call"),
        (PUERTO_RICO, "per_region_abroad = 0", "+14155550100", "send missed_call"),
        (PUERTO_RICO, 'regions = ["US"]', "+14155550100", "skip region"),
        (PUERTO_RICO, 'regions = ["US", "PR"]\nper_region_abroad = 0', "+14155550100", "send missed_call"),
        ("+14155550123", "", PUERTO_RICO, "send missed_call"),
        ("+16135550123", "", "+14155550100", "skip region"),
        ("+16135550123", 'regions = ["US", "CA"]\nper_region_abroad = 0', "+14155550100", "hold limit"),
        ("+16135550123", "per_region_abroad = 0", "+16135550100", "send missed_call"),  # to a Canadian line of a US office
        ("+18765550123", "", "+14155550100", "skip region"),
    ],
)
def test_territories_are_the_country(
    db: sqlite3.Connection, tmp_path: Path, caller: str, limits: str, number: str, expected: str
) -> None:
    assert decided(db, tmp_path, caller, limits=limits, number=number) == expected


@pytest.mark.parametrize("caller", ["+16715550123", "+16705550123", "+16847331234"])
def test_guam_saipan_and_samoa_are_texted_by_their_own_clock(db: sqlite3.Connection, tmp_path: Path, caller: str) -> None:
    """It is ten in Los Angeles: the small hours in Guam and Saipan, seven in American Samoa."""
    assert decided(db, tmp_path, caller) == "hold quiet_hours"
