"""Days off out of the configuration: countries and their parts, dates, and calendar files, worked out for the rules.

A calendar file that is broken or gone never stops a text: the last good copy is kept, and it is said once in the log.
Public holidays come from `holidays`, files are read by `icalendar` and `recurring-ical-events`.
"""

import itertools
import re
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from pathlib import Path

import holidays
import icalendar
import recurring_ical_events
import structlog

from config.model import Config, Hours, Span
from config.values import days
from gateway.core.hours import OfficeHours
from gateway.core.schedule import local_day, zone

YEARS_AHEAD = 2
LARGEST_FILE = 5_000_000
EVENTS_AT_MOST = 20_000
_DATE = re.compile(r"\d{4}-\d{2}-\d{2}")


class CalendarError(Exception):
    """A calendar file cannot be used; the sentence says why."""


@dataclass(frozen=True, slots=True, kw_only=True)
class _TimeOff:
    days: frozenset[date]
    closures: tuple[tuple[datetime, datetime], ...] = ()


@dataclass(slots=True)
class _File:
    """The last good copy of a calendar file, and what it meant for one time zone and certain years."""

    stamp: tuple[int, int]
    content: bytes
    read_as: tuple[str, range]
    time_off: _TimeOff


class Calendars:
    """Works out office hours, and keeps the last good copy of every calendar file."""

    def __init__(self) -> None:
        self._good: dict[Path, _File] = {}
        self._complained: set[str] = set()
        self._log = structlog.get_logger()

    def office_hours(self, config: Config, now: datetime) -> dict[str, OfficeHours]:
        """Every `[hours.NAME]`, with the days off of last year to the year after next, in the office's time zone."""
        first, last = now.year - 1, now.year + YEARS_AHEAD
        return {
            name: self._one(name, hours, config.path.parent, config.timezone, range(first, last + 1))
            for name, hours in config.hours.items()
        }

    def _one(self, name: str, hours: Hours, beside: Path, timezone: str, years: range) -> OfficeHours:
        days_off: set[date] = set()
        closures: list[tuple[datetime, datetime]] = []
        for entry in hours.holidays:
            off = self._time_off(entry, beside, timezone, years)
            days_off |= off.days
            closures += off.closures
        return OfficeHours(name=name, week=week_of(hours), days_off=frozenset(days_off), closures=tuple(sorted(closures)))

    def _time_off(self, entry: str, beside: Path, timezone: str, years: range) -> _TimeOff:
        if not entry.endswith(".ics"):
            return _TimeOff(days=frozenset(dates_of(entry, years)))
        path = beside / entry
        try:
            self._look_at(path, (timezone, years))
            self._complained.discard(str(path))
        except (OSError, CalendarError) as error:
            self._complain(path, error)
        return self._kept(path, (timezone, years))

    def _look_at(self, path: Path, read_as: tuple[str, range]) -> None:
        """Read a file that is new or has changed; the old copy stays where it cannot be read."""
        status = path.stat()
        stamp = (status.st_mtime_ns, status.st_size)
        kept = self._good.get(path)
        if kept is None or kept.stamp != stamp:
            content = content_of(path)
            self._good[path] = _File(stamp, content, read_as, read_calendar(content, *read_as))

    def _kept(self, path: Path, read_as: tuple[str, range]) -> _TimeOff:
        """The last good copy, read for the time zone and the years of now."""
        kept = self._good.get(path)
        if kept is None:
            return _TimeOff(days=frozenset())
        if kept.read_as != read_as:
            kept.read_as = read_as
            try:
                kept.time_off = read_calendar(kept.content, *read_as)
            except CalendarError as error:
                self._complain(path, error)
        return kept.time_off

    def _complain(self, path: Path, error: Exception) -> None:
        if str(path) not in self._complained:
            self._complained.add(str(path))
            detail = error.strerror if isinstance(error, OSError) else str(error)
            kept = "its last good copy counts" if path in self._good else "its days off are not known"
            self._log.warning("calendar_unusable", file=str(path), detail=detail, meanwhile=kept)


def week_of(hours: Hours) -> tuple[tuple[Span, ...], ...]:
    """Seven tuples of spans, Monday first."""
    return tuple(tuple(s for key, spans in hours.week.items() if day in days(key) for s in spans) for day in range(7))


def dates_of(entry: str, years: range) -> set[date]:
    """The dates of `US-TX`, `DE`, or `2026-12-24` (the configuration has checked that it is one of these)."""
    if _DATE.fullmatch(entry):
        return {date.fromisoformat(entry)}
    country, _, part = entry.partition("-")
    return set(holidays.country_holidays(country, subdiv=part or None, years=list(years)))


def read_ics(path: Path, timezone: str, years: range) -> _TimeOff:
    """A calendar file's time off; `OSError` where it cannot be read, `CalendarError` where it is no calendar."""
    return read_calendar(content_of(path), timezone, years)


def content_of(path: Path) -> bytes:
    """A file's content, if it is not larger than any calendar is."""
    if path.stat().st_size > LARGEST_FILE:
        raise CalendarError(f"is larger than {LARGEST_FILE // 1_000_000} MB")
    return path.read_bytes()


def read_calendar(content: bytes, timezone: str, years: range) -> _TimeOff:
    """Whole-day events as days, others as closures; recurring ones worked out. `CalendarError` where it is no calendar."""
    try:
        return _of_events(_events(icalendar.Calendar.from_ical(content), years), timezone)
    except CalendarError:
        raise
    except Exception as error:  # whatever the libraries make of a broken file, it must not stop a text
        raise CalendarError(f"is no calendar that can be read: {error}") from None


def _events(calendar: icalendar.Calendar, years: range) -> list[icalendar.Event]:
    """Every event of these years, month by month, so that a file that repeats without sense is noticed early."""
    found: dict[object, icalendar.Event] = {}
    query = recurring_ical_events.of(calendar)
    for year, month in itertools.product(years, range(1, 13)):
        following = date(year + month // 12, month % 12 + 1, 1)
        for event in query.between(date(year, month, 1), following):
            found[event.get("UID"), event.start] = event
        if len(found) > EVENTS_AT_MOST:
            raise CalendarError(f"has more than {EVENTS_AT_MOST} events")
    return list(found.values())


def _of_events(events: list[icalendar.Event], timezone: str) -> _TimeOff:
    off: set[date] = set()
    closures = []
    for event in events:
        if str(event.get("STATUS", "")).upper() == "CANCELLED" or str(event.get("TRANSP", "")).upper() == "TRANSPARENT":
            continue
        start, end = event.start, event.end
        if isinstance(start, datetime):
            closures.append((_utc(start, timezone), _utc(end, timezone)))
        else:
            off |= {start + timedelta(days=n) for n in range(max(1, (end - start).days))}
    return _TimeOff(days=frozenset(off), closures=tuple(closures))


def _utc(instant: datetime | date, timezone: str) -> datetime:
    """A floating time is the office's."""
    if not isinstance(instant, datetime):
        instant = datetime.combine(instant, time())
    return (instant if instant.tzinfo else instant.replace(tzinfo=zone(timezone))).astimezone(UTC)


def problems(config: Config, now: datetime, say: Callable[[str, str], None]) -> None:
    """Tell `say(key, sentence)` of entries that are wrong, files that cannot be read, and holidays that are all past."""
    years = range(now.year - 1, now.year + YEARS_AHEAD + 1)
    for name, hours in config.hours.items():
        upcoming: set[date] = set()
        for index, entry in enumerate(hours.holidays):
            key = f"hours.{name}.holidays.{index}"
            try:
                if entry.endswith(".ics"):
                    off = read_ics(config.path.parent / entry, config.timezone, years)
                    upcoming |= off.days | {end.date() for _, end in off.closures}
                else:
                    upcoming |= dates_of(entry, years)
            except (OSError, CalendarError) as error:
                say(key, f"{entry} {error.strerror or error}" if isinstance(error, OSError) else f"{error}")
                continue
        if hours.holidays and upcoming and max(upcoming) < local_day(now, config.timezone):
            say(f"hours.{name}.holidays", "all its days off lie in the past")
