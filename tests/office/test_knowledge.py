"""Calendars and contacts: files that people and programs write, and that break."""

import os
from datetime import UTC, date, datetime
from pathlib import Path

import pytest
from structlog.testing import capture_logs

from config.load import ConfigError, load
from config.model import E164, Config
from gateway.core.hours import Standing, standing
from gateway.office.knowledge import Knowledge

NOW = datetime(2026, 11, 23, 18, tzinfo=UTC)
CONFIG = """\
timezone = "America/Chicago"
region = "US"
[trunk.pbx]
peers = ["192.0.2.10"]
[sms.spool]
kind = "spool"
[hours.office]
mon-fri = ["08:00-12:00", "13:00-17:00"]
holidays = [{holidays}]
[line.front]
number = "+14155550100"
hours = "office"
[contacts]
file = "contacts.csv"
"""
ICS = """BEGIN:VCALENDAR
VERSION:2.0
PRODID:-//office//EN
BEGIN:VEVENT
UID:1
DTSTART;VALUE=DATE:20261127
SUMMARY:Bridge day
END:VEVENT
BEGIN:VEVENT
UID:2
DTSTART;TZID=America/Chicago:20261125T150000
DTEND;TZID=America/Chicago:20261125T170000
RRULE:FREQ=WEEKLY;COUNT=3
SUMMARY:Training
END:VEVENT
BEGIN:VEVENT
UID:3
DTSTART;VALUE=DATE:20261201
STATUS:CANCELLED
END:VEVENT
END:VCALENDAR
""".replace("\n", "\r\n")


def config(tmp_path: Path, holidays: str) -> Config:
    path = tmp_path / "textback.toml"
    path.write_text(CONFIG.format(holidays=holidays))
    return load(path)


def write_contacts(tmp_path: Path, text: str) -> None:
    (tmp_path / "contacts.csv").write_text(text)


def test_holidays_of_a_state_and_dates(tmp_path: Path) -> None:
    office = Knowledge().directory(config(tmp_path, '"US-TX", "2026-12-24"'), NOW).hours["office"]
    assert {date(2026, 11, 26), date(2026, 12, 24), date(2026, 12, 25), date(2027, 1, 1)} <= office.days_off


@pytest.mark.parametrize("entry", ["US-XX", "Texas", "2026-13-01", "XX"])
def test_unknown_holidays_are_an_error_with_their_line(tmp_path: Path, entry: str) -> None:
    with pytest.raises(ConfigError) as caught:
        config(tmp_path, f'"{entry}"')
    assert "textback.toml:9: hours.office.holidays.1: " in str(caught.value)
    assert entry in str(caught.value)


def test_calendar_file(tmp_path: Path) -> None:
    (tmp_path / "closures.ics").write_text(ICS)
    office = Knowledge().directory(config(tmp_path, '"closures.ics"'), NOW).hours["office"]
    assert office.days_off == {date(2026, 11, 27)}
    assert len(office.closures) == 3
    assert standing(office, datetime(2026, 12, 9, 22, tzinfo=UTC), "America/Chicago") is Standing.HOLIDAY
    assert standing(office, datetime(2026, 12, 9, 20, tzinfo=UTC), "America/Chicago") is Standing.OPEN


@pytest.mark.parametrize(
    "broken", ["", "no calendar at all", "BEGIN:VCALENDAR\r\nBEGIN:VEVENT\r\nDTSTART:x\r\n", None, "\0\xff"]
)
def test_broken_calendar_keeps_the_last_good_copy_and_says_so_once(tmp_path: Path, broken: str | None) -> None:
    file = tmp_path / "closures.ics"
    file.write_text(ICS)
    write_contacts(tmp_path, "")
    loaded, knowledge = config(tmp_path, '"closures.ics"'), Knowledge()
    good = knowledge.directory(loaded, NOW).hours["office"]
    if broken is None:
        file.unlink()
    else:
        file.write_text(broken)
        os.utime(file, (1, 1))
    with capture_logs() as logs:
        assert knowledge.directory(loaded, NOW).hours["office"] == good
        assert knowledge.directory(loaded, NOW).hours["office"] == good
    assert [log["event"] for log in logs] == ["calendar_unusable"]
    assert logs[0]["meanwhile"] == "its last good copy counts"


def test_missing_calendar_from_the_start(tmp_path: Path) -> None:
    office = Knowledge().directory(config(tmp_path, '"none.ics"'), NOW).hours["office"]
    assert office.days_off == frozenset()


def test_contacts_that_vanish_are_kept(tmp_path: Path) -> None:
    write_contacts(tmp_path, "4155550123,Sam,staff\n")
    loaded, knowledge = config(tmp_path, ""), Knowledge()
    assert knowledge.directory(loaded, NOW).contact(E164("+14155550123")) is not None
    (tmp_path / "contacts.csv").unlink()
    with capture_logs() as logs:
        assert knowledge.directory(loaded, NOW).contact(E164("+14155550123")) is not None
        knowledge.directory(loaded, NOW)
    assert [log["event"] for log in logs] == ["contacts_unreadable"]
