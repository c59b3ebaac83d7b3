"""Quiet hours that no configuration names: those of the caller's country, in the caller's time zone."""

from dataclasses import replace
from datetime import UTC, datetime
from typing import Any
from zoneinfo import ZoneInfo

import pytest

from config.model import E164, Consent
from gateway.core.case import History
from tests.core.test_decision import call, decide, policy

CALLERS = {
    "US": (E164("+14155550123"), "America/Los_Angeles"),
    "PR": (E164("+17872345678"), "America/Puerto_Rico"),
    "CA": (E164("+16045550123"), "America/Vancouver"),
    "GB": (E164("+447400123456"), "Europe/London"),
}


def found(country: str, clock: str, **consent: Any) -> tuple[str, str, str]:
    """Decision, reason, and what the last rule saw, of a call from a country at a time of the caller's own clock."""
    number, timezone = CALLERS[country]
    now = datetime.fromisoformat(f"2026-11-21T{clock}").replace(tzinfo=ZoneInfo(timezone)).astimezone(UTC)
    at = replace(policy(), regions=frozenset(CALLERS), consent=Consent(**consent))
    decision = decide(call(caller=number, arrived_at=now, missed_at=now), History(), at, now)
    return type(decision).__name__.lower(), decision.reason.value, decision.trace[-1].saw


@pytest.mark.parametrize(
    ("country", "clock", "is_quiet"),
    [
        ("US", "20:59", False),
        ("US", "21:00", True),
        ("US", "07:59", True),
        ("US", "08:00", False),
        ("PR", "21:00", True),
        ("CA", "21:29", False),
        ("CA", "21:30", True),
        ("CA", "08:59", True),
        ("CA", "09:00", False),
        ("GB", "03:00", False),
    ],
)
def test_the_callers_country_has_quiet_hours(country: str, clock: str, is_quiet: bool) -> None:
    assert found(country, clock)[:2] == (("hold", "quiet_hours") if is_quiet else ("send", "missed_call"))


@pytest.mark.parametrize(
    ("consent", "expected", "saw"),
    [
        ({}, "hold", "quiet from 21:00 to 08:00 in US: it is 22:00 in America/Los_Angeles; until"),
        ({"when_quiet": "hold"}, "hold", "quiet from 21:00 to 08:00"),
        ({"when_quiet": "skip"}, "skip", "quiet from 21:00 to 08:00"),
        ({"when_quiet": "send"}, "send", 'when_quiet = "send"'),
        ({"quiet_hours": "off"}, "send", "quiet hours are off"),
        ({"quiet_hours": "off", "when_quiet": "hold"}, "send", "quiet hours are off"),
        ({"quiet_hours": "23:00-06:00"}, "send", "it is 22:00 in America/Los_Angeles; quiet from 23:00 to 06:00"),
        ({"quiet_hours": "20:00-06:00"}, "hold", "quiet from 20:00 to 06:00: it is 22:00"),
    ],
)
def test_what_the_configuration_says_goes_first(consent: dict[str, str], expected: str, saw: str) -> None:
    decision, _, seen = found("US", "22:00", **consent)
    assert decision == expected
    assert saw in seen


def test_country_without_quiet_hours_is_named() -> None:
    assert found("GB", "03:00")[2] == "no quiet hours are known for GB, and none are set"
    assert found("GB", "03:00", quiet_hours="21:00-08:00")[0] == "hold"
