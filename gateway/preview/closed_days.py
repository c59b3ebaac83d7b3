"""The closed days of the coming twelve months, for people: what each is called and whence it is, and what is odd about them."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import date, datetime, timedelta

from config.exceptions import is_date, regions_of
from config.model import Config, Hours
from config.public_holidays import name_of
from gateway.core.schedule import local, local_day
from gateway.office.calendars import CalendarKnown, closed_by
from gateway.office.days_off import days_of, years_around
from gateway.office.time_off import Closed, Closure, DayOff

AHEAD = timedelta(days=366)
PARTS_MORE = 5
"""A part of a country with so many more holidays than the country has keeps days that most offices work."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ClosedDay:
    """A day, or a stretch of one (`times`), on which the office of some hours is closed, or open all the same."""

    hours: str
    day: date
    times: str
    name: str
    whence: str
    key: str
    """The key of the configuration that says so."""
    is_open: bool = False
    also: str = ""
    """Its English name, where that is another one."""


def coming(config: Config, calendars: Mapping[str, CalendarKnown], now: datetime) -> list[ClosedDay]:
    """Of every `[hours.NAME]`, in order, from today on."""
    found: list[ClosedDay] = []
    first = local_day(now, config.timezone)
    for name, closed in closed_by(config, dict(calendars), years_around(now)).items():
        hours = config.hours[name]
        days = [_day(name, off, _key(name, hours, off.whence, calendars)) for off in closed.days]
        days += [_day(name, off, f"hours.{name}.holidays_except", is_open=True) for off in closed.excepted]
        for closure in closed.closures:
            days += _stretches(name, closure, _key(name, hours, closure.whence, calendars), config.timezone)
        coming_days = [day for day in days if first <= day.day < first + AHEAD]
        found += sorted(coming_days, key=lambda day: (day.day, day.times, day.name))
    return found


def remarks_on(config: Config, calendars: Mapping[str, CalendarKnown], now: datetime) -> Iterator[tuple[str, str]]:
    """Keys, and what is odd about the holidays that they name."""
    today = local_day(now, config.timezone)
    for name, closed in closed_by(config, dict(calendars), years_around(now)).items():
        hours = config.hours[name]
        ends = [off.day for off in closed.days] + [local_day(closure.end, config.timezone) for closure in closed.closures]
        if ends and max(ends) < today:
            yield f"hours.{name}.holidays", "all its days off lie in the past"
        yield from _of_exceptions(name, hours, closed, today)
        yield from _of_parts(name, hours, closed, today)
        yield from _of_countries(name, hours, config.region)


def _of_exceptions(name: str, hours: Hours, closed: Closed, today: date) -> Iterator[tuple[str, str]]:
    days = {off.day for off in closed.excepted}
    for index, entry in enumerate(hours.holidays_except, start=1):
        if is_date(entry) and date.fromisoformat(entry) >= today and date.fromisoformat(entry) not in days:
            yield f"hours.{name}.holidays_except.{index}", f"{entry} is no day off in any case"


def _of_parts(name: str, hours: Hours, closed: Closed, today: date) -> Iterator[tuple[str, str]]:
    """A state's list is that of its own offices."""
    for entry in regions_of(hours):
        country, _, part = entry.partition("-")
        years = range(today.year, today.year + 2)
        is_coming = range(AHEAD.days)
        own = {off.day for off in closed.days if off.whence == entry and (off.day - today).days in is_coming}
        general = {off.day for off in days_of(country, years) if (off.day - today).days in is_coming}
        if part and len(own) >= len(general) + PARTS_MORE:
            index = hours.holidays.index(entry) + 1
            says = (
                f"{entry} closes the office on {len(own)} days in the coming twelve months, {country} alone on"
                f" {len(general)}; textback check --holidays lists them, holidays_except takes days out"
            )
            yield f"hours.{name}.holidays.{index}", says


def _of_countries(name: str, hours: Hours, region: str) -> Iterator[tuple[str, str]]:
    """Two letters that are another country, and a part of the office's own."""
    for entry in regions_of(hours):
        part = f"{region}-{entry}"
        if entry != region and (part_name := name_of(part)):
            says = f"{entry} is {name_of(entry)}; {part_name} is {part}"
            yield f"hours.{name}.holidays.{hours.holidays.index(entry) + 1}", says


def _key(name: str, hours: Hours, whence: str, calendars: Mapping[str, CalendarKnown]) -> str:
    """Where the configuration names what a day comes from."""
    for index, entry in enumerate(hours.holidays, start=1):
        if entry == whence or (entry in calendars and calendars[entry].path.name == whence):
            return f"hours.{name}.holidays.{index}"
    return f"hours.{name}.holidays"


def _day(name: str, off: DayOff, key: str, *, is_open: bool = False) -> ClosedDay:
    return ClosedDay(
        hours=name, day=off.day, times="", name=off.name, whence=off.whence, key=key, is_open=is_open, also=off.also
    )


def _stretches(name: str, closure: Closure, key: str, timezone: str) -> Iterator[ClosedDay]:
    """A closure day by day, as the clock on the wall shows it."""
    start, end = local(closure.start, timezone), local(closure.end, timezone)
    day = start.date()
    while day < end.date() or (day == end.date() and f"{end:%H:%M}" != "00:00") or day == start.date():
        begins = f"{start:%H:%M}" if day == start.date() else "00:00"
        ends = f"{end:%H:%M}" if day == end.date() else "24:00"
        yield ClosedDay(hours=name, day=day, times=f"{begins}-{ends}", name=closure.name, whence=closure.whence, key=key)
        day += timedelta(days=1)
