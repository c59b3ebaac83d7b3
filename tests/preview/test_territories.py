"""Who is abroad, and whose clock counts: callers of territories and neighbours, on a real database."""

import sqlite3
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from config.load import load
from config.model import E164
from gateway.core.call import Outcome
from gateway.decisions.ruling import Ruling
from gateway.office.knowledge import Knowledge
from gateway.store.calls import Arrival, Ending

CONFIG = """\
timezone = "America/Los_Angeles"
region = "US"
[trunk.pbx]
peers = ["192.0.2.10"]
[sms.spool]
kind = "spool"
[consent]
quiet_hours = "21:00-08:00"
[line.front]
number = "{number}"
[limits]
{limits}
"""
TEN = datetime(2026, 11, 24, 18, 0, tzinfo=UTC)
"""Ten o'clock in Los Angeles."""


def decided(db: sqlite3.Connection, tmp_path: Path, caller: str, *, limits: str = "", number: str = "+14155550100") -> str:
    """The decision about a call at ten in the morning by the clock of the line, with its reason."""
    path = tmp_path / "textback.toml"
    path.write_text(CONFIG.format(number=number, limits=limits))
    ruling = Ruling(Knowledge().directory(load(path), TEN))
    arrival = Arrival(
        key="1", call_id="1", trunk="pbx", source="192.0.2.10:5060", line="front", caller=E164(caller),
        caller_as_sent=caller, caller_name="", caller_header="From", dialled=(number,), diversions=(), verstat="",
        arrived_at=TEN - timedelta(seconds=20),
    )  # fmt: skip
    verdict = ruling.on_ended(db, arrival, Ending(outcome=Outcome.NO_ANSWER, at=TEN, rang=timedelta(seconds=20)), TEN)
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
