"""Hours on the wall clock: spans past midnight, days off, closures, and every change of the clocks in two years."""

from datetime import UTC, date, datetime, time, timedelta
from itertools import pairwise
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from config.model import E164, Span
from gateway.core.hours import OfficeHours, Standing, opens_at, standing
from gateway.core.quiet import quiet_until
from gateway.core.schedule import day_start, instants_of, local, local_day
from gateway.core.zones import zones_of

ZONES = ("America/Chicago", "Europe/Berlin", "Australia/Lord_Howe")
"""An hour in spring and autumn, the other way about, and half an hour."""


def span(text: str) -> Span:
    """`08:00-12:00`."""
    start, end = (time.fromisoformat(part) for part in text.split("-"))
    return Span(start=start, end=end)


def office(*weekdays: str, weekend: tuple[str, ...] = (), days_off: tuple[date, ...] = (), closures=()) -> OfficeHours:
    """Weekdays alike, weekends alike."""
    five, two = (tuple(span(text) for text in texts) for texts in (weekdays, weekend))
    return OfficeHours(name="office", week=(five,) * 5 + (two,) * 2, days_off=frozenset(days_off), closures=tuple(closures))


def at(text: str, zone: str = "America/Chicago") -> datetime:
    """A time on a wall clock as an instant."""
    return datetime.fromisoformat(text).replace(tzinfo=ZoneInfo(zone)).astimezone(UTC)


SPLIT = office("08:00-12:00", "13:00-17:00", weekend=("22:00-02:00",), days_off=(date(2026, 11, 26),))


@pytest.mark.parametrize(
    ("when", "expected"),
    [
        ("2026-11-23T07:59:59", "closed"),
        ("2026-11-23T08:00", "open"),
        ("2026-11-23T12:00", "closed"),
        ("2026-11-23T13:00", "open"),
        ("2026-11-23T17:00", "closed"),
        ("2026-11-26T10:00", "holiday"),
        ("2026-11-26T23:59", "holiday"),
        ("2026-11-28T22:00", "open"),
        ("2026-11-29T01:59", "open"),
        ("2026-11-29T02:00", "closed"),
        ("2026-11-30T01:00", "open"),
    ],
)
def test_standing(when: str, expected: str) -> None:
    assert standing(SPLIT, at(when), "America/Chicago") is Standing(expected)


def test_span_past_midnight_is_of_the_day_that_it_starts_on() -> None:
    hours = office("20:00-02:00", days_off=(date(2026, 11, 25),))
    assert standing(hours, at("2026-11-25T01:00"), "America/Chicago") is Standing.OPEN  # Tuesday's evening
    assert standing(hours, at("2026-11-25T21:00"), "America/Chicago") is Standing.HOLIDAY
    assert standing(hours, at("2026-11-26T01:00"), "America/Chicago") is Standing.CLOSED


def test_closure_is_a_holiday_and_opens_when_it_ends() -> None:
    closed = (at("2026-11-23T09:00"), at("2026-11-23T11:00"))
    hours = office("08:00-12:00", closures=(closed,))
    assert standing(hours, at("2026-11-23T10:00"), "America/Chicago") is Standing.HOLIDAY
    assert opens_at(hours, at("2026-11-23T10:00"), "America/Chicago") == closed[1]


@pytest.mark.parametrize(
    ("now", "expected"),
    [
        ("2026-11-23T06:00", "2026-11-23T08:00"),
        ("2026-11-23T09:00", "2026-11-23T09:00"),
        ("2026-11-23T12:30", "2026-11-23T13:00"),
        ("2026-11-25T18:00", "2026-11-27T08:00"),
        ("2026-11-27T18:00", "2026-11-28T22:00"),
    ],
)
def test_opens_at(now: str, expected: str) -> None:
    assert opens_at(SPLIT, at(now), "America/Chicago") == at(expected)


def test_never_open() -> None:
    assert opens_at(office(), at("2026-11-23T06:00"), "America/Chicago") is None


def changes(zone: str) -> list[datetime]:
    """Every change of the clocks in the next two years."""
    hour = timedelta(minutes=30)
    instants = [datetime(2026, 11, 1, tzinfo=UTC) + n * hour for n in range(2 * 365 * 48)]
    local = ZoneInfo(zone)
    return [b for a, b in pairwise(instants) if a.astimezone(local).utcoffset() != b.astimezone(local).utcoffset()]


@pytest.mark.parametrize("zone", ZONES)
def test_every_change_of_the_clocks(zone: str) -> None:
    """Around each change the office is open by the wall clock, to the minute."""
    found = changes(zone)
    assert len(found) >= 4
    hours = office("00:30-03:30", "08:00-17:00", weekend=("00:30-03:30", "08:00-17:00"))
    for change in found:
        for minutes in range(-24 * 60, 24 * 60, 5):
            now = change + timedelta(minutes=minutes)
            clock = now.astimezone(ZoneInfo(zone)).time()
            by_the_clock = time(0, 30) <= clock < time(3, 30) or time(8) <= clock < time(17)
            assert (standing(hours, now, zone) is Standing.OPEN) == by_the_clock, now.astimezone(ZoneInfo(zone))


@pytest.mark.parametrize(
    ("spans", "when", "expected"),
    [
        ("20:00-02:30", "2027-03-14T01:59", "open"),  # the next minute is 3:00
        ("20:00-02:30", "2027-03-14T03:29", "open"),
        ("20:00-02:30", "2027-03-14T03:30", "closed"),
        ("02:30-05:00", "2027-03-14T03:29", "closed"),
        ("02:30-05:00", "2027-03-14T03:30", "open"),
        ("20:00-01:30", "2026-11-01T01:29", "open"),
    ],
)
def test_time_that_is_skipped_is_read_on_the_clock_from_before(spans: str, when: str, expected: str) -> None:
    assert standing(office(spans, weekend=(spans,)), at(when), "America/Chicago") is Standing(expected)


@pytest.mark.parametrize("zone", ZONES)
def test_day_hours_last_as_long_as_they_say_on_days_of_change(zone: str) -> None:
    hours = office("08:00-17:00", weekend=("08:00-17:00",))
    for change in changes(zone):
        opens = opens_at(hours, change, zone)
        assert opens is not None
        assert opens.astimezone(ZoneInfo(zone)).time() == time(8)
        assert standing(hours, opens + timedelta(hours=8, minutes=59), zone) is Standing.OPEN
        assert standing(hours, opens + timedelta(hours=9), zone) is Standing.CLOSED


@pytest.mark.parametrize(
    "zone",
    ["America/Havana", "America/Santiago", "Africa/Cairo", "Asia/Beirut", "Atlantic/Azores", "America/Nuuk", *ZONES],
)
def test_day_begins_with_its_first_moment(zone: str) -> None:
    """For once_per = "day" and the limits; some clocks change at midnight, which then comes twice or not at all."""
    for days in range(2 * 365):
        now = datetime(2026, 1, 1, 12, tzinfo=UTC) + timedelta(days=days)
        begins = day_start(now, zone)
        assert local_day(begins, zone) == local_day(now, zone)
        assert local_day(begins - timedelta(seconds=1), zone) == local_day(now, zone) - timedelta(days=1)


INSTANTS = st.datetimes(datetime(2026, 1, 1), datetime(2028, 1, 1), timezones=st.just(UTC))  # noqa: DTZ001
CLOCKS = st.builds(time, st.integers(0, 23), st.sampled_from([0, 15, 30, 45]))
SPANS = st.builds(Span, start=CLOCKS, end=CLOCKS).filter(lambda s: s.start != s.end)
OFFICES = st.builds(
    OfficeHours,
    name=st.just("x"),
    week=st.lists(st.lists(SPANS, max_size=2).map(tuple), min_size=7, max_size=7).map(tuple),
    days_off=st.frozensets(st.dates(date(2026, 1, 1), date(2028, 1, 1)), max_size=5),
)


@given(OFFICES, INSTANTS, st.sampled_from(ZONES))
def test_it_is_open_when_it_opens_and_closed_until_then(hours: OfficeHours, now: datetime, zone: str) -> None:
    opens = opens_at(hours, now, zone)
    if opens is None:
        assert standing(hours, now, zone) is not Standing.OPEN
        return
    assert standing(hours, opens, zone) is Standing.OPEN
    if opens > now:
        assert standing(hours, now, zone) is not Standing.OPEN
        assert standing(hours, now + (opens - now) / 2, zone) is not Standing.OPEN


QUIET = span("21:00-08:00")


@pytest.mark.parametrize(
    ("now", "zones", "until"),
    [
        ("2026-11-23T20:59", ("America/Chicago",), None),
        ("2026-11-23T21:00", ("America/Chicago",), "2026-11-24T08:00"),
        ("2026-11-24T07:59", ("America/Chicago",), "2026-11-24T08:00"),
        ("2026-11-24T08:00", ("America/Chicago",), None),
        ("2026-11-24T08:00", ("America/Chicago", "America/Los_Angeles"), "2026-11-24T10:00"),
        ("2026-11-23T20:30", ("America/Chicago", "America/New_York"), "2026-11-24T08:00"),
        ("2026-11-23T20:30", (), None),
    ],
)
def test_quiet_hours(now: str, zones: tuple[str, ...], until: str | None) -> None:
    assert quiet_until(at(now), QUIET, zones) == (at(until) if until else None)


def test_quiet_hours_that_end_in_a_time_that_is_skipped() -> None:
    """On that night the clock goes from 2:00 to 3:00; it is quiet until half past two, and so until three at the least."""
    for when in ("2027-03-13T23:00", "2027-03-14T01:29", "2027-03-14T01:50"):
        assert quiet_until(at(when), span("22:00-02:30"), ("America/Chicago",)) == at("2027-03-14T03:30")
    assert quiet_until(at("2027-03-14T03:30"), span("22:00-02:30"), ("America/Chicago",)) is None


@given(INSTANTS, SPANS, st.lists(st.sampled_from([*ZONES, "America/Los_Angeles"]), min_size=1, max_size=3, unique=True))
def test_after_quiet_hours_it_is_quiet_nowhere(now: datetime, quiet: Span, zones: list[str]) -> None:
    until = quiet_until(now, quiet, tuple(zones))
    if until is not None:
        assert until > now
        assert quiet_until(until, quiet, tuple(zones)) is None


def test_zones_of_numbers() -> None:
    assert zones_of(E164("+14155550123")) == ("America/Los_Angeles",)
    assert zones_of(E164("+12085550123")) == ("America/Boise", "America/Los_Angeles")  # Idaho lies in two


@pytest.mark.parametrize("zone", ZONES)
@given(at=st.datetimes(min_value=datetime(2026, 1, 1), max_value=datetime(2028, 1, 1), timezones=st.just(UTC)))  # noqa: DTZ001
def test_what_a_clock_shows_is_read_as_every_instant_that_it_may_be(zone: str, at: datetime) -> None:
    wall = local(at, zone).replace(tzinfo=None)
    assert at in instants_of(wall, zone)


@pytest.mark.parametrize(
    ("wall", "zone", "hours"),
    [
        ("2026-03-08T02:30", "America/Chicago", ()),
        ("2026-11-01T01:30", "America/Chicago", (6.5, 7.5)),
        ("2026-11-01T02:00", "America/Chicago", (8,)),
        ("2026-03-29T02:00", "Europe/Berlin", ()),
        ("2026-10-25T02:00", "Europe/Berlin", (0, 1)),
        ("2026-10-04T02:15", "Australia/Lord_Howe", ()),
    ],
)
def test_times_that_come_never_or_twice(wall: str, zone: str, hours: tuple[float, ...]) -> None:
    day = datetime.fromisoformat(wall).replace(hour=0, minute=0, tzinfo=UTC)
    assert instants_of(datetime.fromisoformat(wall), zone) == tuple(day + timedelta(hours=one) for one in hours)
