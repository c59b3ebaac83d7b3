"""Office hours out of the configuration, with their days off: public holidays, dates, and calendar files.

A calendar file that is broken or gone never stops a text: its last good copy counts, and where there is none the office is
taken to keep its hours. Both are said in the log and in `textback status`.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from config.hours import days
from config.model import Config, Hours, Span
from gateway.core.hours import OfficeHours
from gateway.files.last_good import Copies
from gateway.files.watched import Known, Watched
from gateway.office.days_off import closed, years_around
from gateway.office.time_off import Closed, TimeOff

LARGEST_FILE = 5_000_000
ReadAs = tuple[str, range]


@dataclass(frozen=True, slots=True, kw_only=True)
class CalendarKnown:
    """A calendar file and what is known of it. `key` is where the configuration names it first."""

    key: str
    path: Path
    known: Known[TimeOff]


class Calendars:
    """Every calendar file of a configuration, each with its last good copy."""

    def __init__(self, *, waits: bool) -> None:
        self._files: dict[Path, Watched[TimeOff, ReadAs]] = {}
        self._waits = waits

    def look(self, config: Config, now: datetime, copies: Copies) -> dict[str, CalendarKnown]:
        """Every calendar file as it is now, by what it is called in the configuration."""
        named = named_in(config)
        paths = {config.path.parent / entry for entry in named}
        self._files = {path: file for path, file in self._files.items() if path in paths}
        return {entry: self._one(config, entry, key, now, copies) for entry, key in named.items()}

    def _one(self, config: Config, entry: str, key: str, now: datetime, copies: Copies) -> CalendarKnown:
        path = config.path.parent / entry
        file = self._files.get(path)
        if file is None:
            file = Watched(
                path,
                at_most=LARGEST_FILE,
                parse=lambda content, read_as: _read(content, *read_as, path.name),
                copies=copies,
                waits=self._waits,
            )
            self._files[path] = file
        return CalendarKnown(key=key, path=path, known=file.look((config.timezone, years_around(now))))


def _read(content: bytes, timezone: str, years: range, whence: str) -> TimeOff:
    from gateway.office import ics  # noqa: PLC0415 — the library takes a while, and few offices have calendar files

    return ics.read(content, timezone, years, whence)


def named_in(config: Config) -> dict[str, str]:
    """Every calendar file of a configuration, and the key that names it first."""
    named: dict[str, str] = {}
    for name, hours in config.hours.items():
        for index, entry in enumerate(hours.holidays, start=1):
            if entry.endswith(".ics"):
                named.setdefault(entry, f"hours.{name}.holidays.{index}")
    return named


def closed_by(config: Config, files: dict[str, CalendarKnown], years: range) -> dict[str, Closed]:
    """When each of the offices' hours is closed, and why."""

    def calendar(entry: str) -> TimeOff | None:
        return files[entry].known.value

    return {name: closed(hours, years, calendar) for name, hours in config.hours.items()}


def office_hours(config: Config, files: dict[str, CalendarKnown], now: datetime) -> dict[str, OfficeHours]:
    """Every `[hours.NAME]`, with the days off of last year to the year after next, in the office's time zone."""
    return {
        name: OfficeHours(
            name=name,
            week=week_of(config.hours[name]),
            days_off=frozenset(off.day for off in found.days),
            closures=tuple((closure.start, closure.end) for closure in found.closures),
            unknown=found.unknown,
        )
        for name, found in closed_by(config, files, years_around(now)).items()
    }


def week_of(hours: Hours) -> tuple[tuple[Span, ...], ...]:
    """Seven tuples of spans, Monday first."""
    return tuple(tuple(s for key, spans in hours.week.items() if day in days(key) for s in spans) for day in range(7))


def remarks_on(files: dict[str, CalendarKnown], now: datetime) -> Iterator[tuple[str, str]]:
    """Keys, and what there is to say of the files that they name: events that cannot be read, or close nothing."""
    for entry, file in files.items():
        off = file.known.value
        if off is None or file.known.why_not:
            continue
        for remark in (*off.problems, *off.remarks):
            yield file.key, f"{entry}:{remark.line}: {remark.says}"
        if not (off.days or off.closures or off.problems or off.remarks):
            years = years_around(now)
            yield file.key, f"{entry} closes nothing between {years.start} and {years.stop - 1}"
