"""Calendar files, event by event: what closes the office, and what in a file spoils nothing else."""

import contextlib
import time
from datetime import UTC, date, datetime

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gateway.files.whole_file import Unusable
from gateway.office import ics
from gateway.office.time_off import TimeOff

YEARS = range(2025, 2029)
GOOD = "BEGIN:VEVENT\nUID:good\nSUMMARY:Bridge day\nDTSTART;VALUE=DATE:20261127\nEND:VEVENT\n"


def event(body: str, name: str = "Odd") -> str:
    return f"BEGIN:VEVENT\nUID:{name}\nSUMMARY:{name}\n{body}\nEND:VEVENT\n"


def calendar(*events: str) -> bytes:
    return f"BEGIN:VCALENDAR\nVERSION:2.0\nPRODID:x\n{''.join(events)}END:VCALENDAR\n".replace("\n", "\r\n").encode()


def read(*events: str, zone: str = "America/Chicago") -> TimeOff:
    return ics.read(calendar(*events), zone, YEARS, "x.ics")


@pytest.mark.parametrize(
    ("body", "says"),
    [
        ("DTSTART:20260101T100000\nRRULE:FREQ=SECONDLY", "repeats every second (FREQ=SECONDLY)"),
        ("DTSTART:20260101T100000\nRRULE:INTERVAL=5;FREQ=MINUTELY", "repeats every minute"),
        ("DTSTART:20260101T100000\nRRULE:FREQ=HOURLY;COUNT=9", "repeats every hour"),
        ("DTSTART:20260101T100000\nRRULE:FREQ=DAILY;INTERVAL=0", "repeats without end or sense"),
        ("DTSTART;VALUE=DATE:20260102\nRRULE:FREQ=DAILY;BYMONTH=2;BYMONTHDAY=30", "repeats without end or sense"),
        ("DTSTART:20260101T100000\nRRULE:FREQ=SOMETIMES", "cannot be read"),
        ("DTSTART:tomorrow", "cannot be read"),
        ("DESCRIPTION:no start", "cannot be read"),
        ("DTSTART;VALUE=DATE:99991231", "cannot be read"),
    ],
)
def test_a_bad_event_is_named_and_spoils_no_other(body: str, says: str) -> None:
    before = time.thread_time()
    off = read(event(body, "Never"), GOOD)
    assert time.thread_time() - before < 20  # without a bound some of these take minutes, some never end
    assert [day.day for day in off.days] == [date(2026, 11, 27)]
    (problem,) = off.problems
    assert (problem.line, problem.says.startswith('the event "Never" ')) == (4, True)
    assert says in problem.says


def test_properties_of_an_event_that_nobody_needs_may_be_broken() -> None:
    off = read(event("DTSTART;VALUE=DATE:20260102\nCREATED:yesterday\nATTENDEE;;;:x"))
    assert [day.day for day in off.days] == [date(2026, 1, 2)]


@pytest.mark.parametrize(
    ("content", "says"),
    [
        (b"", "is empty"),
        (b"\r\n \r\n", "is empty"),
        (b"no calendar at all", "line 1 stands in none"),
        (b"<!DOCTYPE html>\n<html>", "is no calendar"),
        (b"\0\xff", "is no text"),
        (calendar(GOOD)[:-15], "stops in the middle of the VCALENDAR of line 1"),
        (calendar(GOOD)[:-40], "stops in the middle of the VEVENT of line 4"),
        (calendar(GOOD).replace(b"END:VEVENT\r\n", b""), "line 8 ends a VCALENDAR that is not open"),
    ],
)
def test_what_is_no_calendar_or_half_of_one(content: bytes, says: str) -> None:
    with pytest.raises(Unusable, match=says):
        ics.read(content, "UTC", YEARS, "x.ics")


def test_too_many_closures_are_told(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(ics, "CLOSURES_AT_MOST", 1000)
    with pytest.raises(Unusable, match="closes more than 1000 times"):
        read(event("DTSTART:20250101T080000\nDURATION:PT1H\nRRULE:FREQ=DAILY"))


def test_other_calendars_than_the_textbooks() -> None:
    """Two calendars in one file, old line ends, a mark in front, Latin letters."""
    both = (calendar(GOOD) + calendar(event("DTSTART;VALUE=DATE:20261128", "Brücke"))).replace(b"\r\n", b"\n")
    for content in (both, b"\xef\xbb\xbf" + both, both.decode().encode("latin-1")):
        assert [(off.day.day, off.name) for off in ics.read(content, "UTC", YEARS, "x").days] == [
            (27, "Bridge day"),
            (28, "Brücke"),
        ]


@pytest.mark.parametrize(
    ("body", "days"),
    [
        ("DTSTART;VALUE=DATE:20261224\nDTEND;VALUE=DATE:20261227", ["12-24", "12-25", "12-26"]),
        ("DTSTART;VALUE=DATE:20261224\nDTEND;VALUE=DATE:20261224", ["12-24"]),
        ("DTSTART;VALUE=DATE:20261224\nDURATION:P2D", ["12-24", "12-25"]),
        ("DTSTART;VALUE=DATE:20240229\nRRULE:FREQ=YEARLY", ["02-29"]),
        ("DTSTART;VALUE=DATE:20260105\nRRULE:FREQ=WEEKLY;COUNT=3\nEXDATE;VALUE=DATE:20260112", ["01-05", "01-19"]),
        ("DTSTART;VALUE=DATE:20281230\nDTEND;VALUE=DATE:99991231", ["12-30", "12-31"]),
        ("DTSTART;VALUE=DATE:00010101\nDTEND;VALUE=DATE:20250103", ["01-01", "01-02"]),
        ("DTSTART;VALUE=DATE:20241231", []),
        ("DTSTART;VALUE=DATE:20261224\nSTATUS:CANCELLED", []),
    ],
)
def test_whole_days(body: str, days: list[str]) -> None:
    off = read(event(body))
    assert (off.problems, [f"{one.day:%m-%d}" for one in off.days]) == ((), days)


ZONE = (
    "BEGIN:VTIMEZONE\nTZID:Ours\nBEGIN:STANDARD\nDTSTART:19700101T000000\nTZOFFSETFROM:-0500\nTZOFFSETTO:-0500\n"
    "END:STANDARD\nEND:VTIMEZONE\n"
)


@pytest.mark.parametrize(
    ("body", "start", "end"),
    [
        ("DTSTART:20261209T150000\nDTEND:20261209T170000", "2026-12-09T21:00", "2026-12-09T23:00"),
        ("DTSTART:20261209T150000Z\nDURATION:PT90M", "2026-12-09T15:00", "2026-12-09T16:30"),
        ("DTSTART;TZID=Europe/Berlin:20261209T150000\nDURATION:PT1H", "2026-12-09T14:00", "2026-12-09T15:00"),
        ("DTSTART;TZID=Central Standard Time:20261209T150000\nDURATION:PT1H", "2026-12-09T21:00", "2026-12-09T22:00"),
        ("DTSTART;TZID=Ours:20261209T150000\nDURATION:PT1H", "2026-12-09T20:00", "2026-12-09T21:00"),
        ("DTSTART:20281231T120000\nDTEND:99991231T120000Z", "2028-12-31T18:00", "2029-01-01T00:00"),
        # the clock springs from 02:00 to 03:00: what begins in the hour that is not there is read on the clock from before
        ("DTSTART:20260308T023000\nDTEND:20260308T050000", "2026-03-08T08:30", "2026-03-08T10:00"),
        ("DTSTART:20260308T010000\nDTEND:20260308T033000", "2026-03-08T07:00", "2026-03-08T08:30"),
        # it falls from 02:00 to 01:00: a time that comes twice is the first of the two (RFC 5545, 3.3.5)
        ("DTSTART:20261101T013000\nDTEND:20261101T040000", "2026-11-01T06:30", "2026-11-01T10:00"),
        ("DTSTART:20261101T000000\nDTEND:20261102T000000", "2026-11-01T05:00", "2026-11-02T06:00"),
    ],
)
def test_times(body: str, start: str, end: str) -> None:
    off = read(ZONE, event(body))
    assert [(f"{one.start:%Y-%m-%dT%H:%M}", f"{one.end:%Y-%m-%dT%H:%M}") for one in off.closures] == [(start, end)]
    assert off.problems == ()
    assert off.closures[0].start.tzinfo is UTC


def test_recurring_times_keep_the_clock_on_the_wall() -> None:
    off = read(event("DTSTART;TZID=America/Chicago:20261028T150000\nDURATION:PT1H\nRRULE:FREQ=WEEKLY;COUNT=2"))
    assert [one.start for one in off.closures] == [
        datetime(2026, 10, 28, 20, tzinfo=UTC),
        datetime(2026, 11, 4, 21, tzinfo=UTC),
    ]


def test_a_moved_occurrence_belongs_to_its_series() -> None:
    series = event("DTSTART;VALUE=DATE:20260105\nRRULE:FREQ=WEEKLY;COUNT=2", "Tidy")
    moved = (
        "BEGIN:VEVENT\nUID:Tidy\nRECURRENCE-ID;VALUE=DATE:20260112\nDTSTART;VALUE=DATE:20260113\nSUMMARY:Later\nEND:VEVENT\n"
    )
    assert [(off.day.day, off.name) for off in read(series, moved).days] == [(5, "Tidy"), (13, "Later")]


def test_what_means_something_else_than_it_seems_is_told() -> None:
    free = event("DTSTART;VALUE=DATE:20261224\nTRANSP:TRANSPARENT", "Xmas eve")
    far = event("DTSTART;TZID=Ours:20261209T150000\nDURATION:PT1H", "Far")
    off = read(free, free.replace("Xmas eve", "Gym"), event("DTSTART:20261209T150000", "Ping"), far)
    assert (off.days, len(off.closures), off.problems) == ((), 1, ())
    assert [(remark.line, remark.says) for remark in off.remarks] == [
        (4, "2 events marked as free time (TRANSP:TRANSPARENT): closes nothing (Xmas eve, Gym)"),
        (16, "an event of no length: closes nothing (Ping)"),
        (21, "an event in a time zone that is not known: read on the office's clock (Far)"),
    ]


def test_years_at_the_end_of_time() -> None:
    for years in (range(1, 4), range(9997, 9999)):
        ics.read(calendar(GOOD, event("DTSTART:00010101T000000\nDURATION:PT1H\nRRULE:FREQ=YEARLY")), "Asia/Tokyo", years, "x")


def test_ten_years_of_an_office_cost_little() -> None:
    """Seen: 1 s of the processor's time."""
    many = [event(f"DTSTART;VALUE=DATE:20{16 + n % 12:02}{1 + n % 12:02}{1 + n % 28:02}", f"n{n}") for n in range(3000)]
    before = time.thread_time()
    assert len(read(*many).days) == sum(n % 12 >= 9 for n in range(3000))
    assert time.thread_time() - before < 15


PARTS = ["BEGIN:VCALENDAR", "END:VCALENDAR", "BEGIN:VEVENT", "END:VEVENT", "DTSTART:20261209T150000", "DTSTART;VALUE=DATE:20261209",
         "DTEND:20261208T150000", "DURATION:-P1D", "RRULE:FREQ=WEEKLY;COUNT=2", "RDATE:20261231T100000", "UID:1", "SUMMARY:x",
         "RECURRENCE-ID:20261209T150000", "EXDATE:x", "TRANSP:OPAQUE", "BEGIN:VALARM", "END:VALARM", " folded", "", "x"]  # fmt: skip


@settings(max_examples=150, deadline=None)
@given(st.lists(st.sampled_from(PARTS), max_size=12), st.booleans())
def test_whatever_lies_there_is_a_calendar_or_told(lines: list[str], is_wrapped: bool) -> None:
    body = ["BEGIN:VCALENDAR", "BEGIN:VEVENT", *lines, "END:VEVENT", "END:VCALENDAR"] if is_wrapped else lines
    with contextlib.suppress(Unusable):
        off = ics.read("\r\n".join(body).encode(), "America/Chicago", YEARS, "x.ics")
        assert all(closure.start < closure.end for closure in off.closures)
