"""Calendar files (RFC 5545): what closes an office, event by event, so that a bad event spoils no other.

An event is cut out of the file and read alone, by `icalendar` and `recurring-ical-events`, within bounds of time and count.
"""

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, time, timedelta

import icalendar
import recurring_ical_events

from gateway.core.schedule import zone
from gateway.files.cpu_limit import OutOfTime, at_most
from gateway.files.whole_file import Unusable
from gateway.office.time_off import Closure, DayOff, Remark, TimeOff

CLOSURES_AT_MOST = 20_000
EVENT_WITHIN_S = 2.0
"""Processor time for one event; one that closes every day of four years takes a twentieth of it."""
FILE_WITHIN_S = 30.0
_LINE_END = re.compile(r"\r\n|\n|\r")
_STARTS = re.compile(r"^DTSTART[^:\n]*:(\d{4})\d{4}", re.IGNORECASE | re.MULTILINE)
_ENDS = re.compile(r"^DTEND[^:\n]*:(\d{4})\d{4}", re.IGNORECASE | re.MULTILINE)
_REPEATS = re.compile(r"^(RRULE|RDATE|RECURRENCE-ID)\b", re.IGNORECASE | re.MULTILINE)
_TOO_OFTEN = {"SECONDLY": "second", "MINUTELY": "minute", "HOURLY": "hour"}


@dataclass(frozen=True, slots=True, kw_only=True)
class _Block:
    """One component as it stands in the file, from the line on which it begins."""

    line: int
    text: str

    def value(self, name: str) -> str:
        """A property's value where it stands on one line; empty where there is none."""
        found = re.search(rf"^{name}[^:\n]*:(.*)$", self.text, re.IGNORECASE | re.MULTILINE)
        return found[1].strip() if found else ""


@dataclass(slots=True)
class _Found:
    """What was found so far."""

    days: list[DayOff] = field(default_factory=list)
    closures: list[Closure] = field(default_factory=list)
    problems: list[Remark] = field(default_factory=list)
    free: list[_Block] = field(default_factory=list)
    empty: list[_Block] = field(default_factory=list)
    elsewhere: list[_Block] = field(default_factory=list)

    def as_value(self) -> TimeOff:
        remarks = [
            *_remark(self.free, "marked as free time (TRANSP:TRANSPARENT): closes nothing"),
            *_remark(self.empty, "of no length: closes nothing"),
            *_remark(self.elsewhere, "in a time zone that is not known: read on the office's clock"),
        ]
        return TimeOff(
            days=tuple(sorted(self.days, key=lambda off: (off.day, off.name))),
            closures=tuple(sorted(self.closures, key=lambda closure: (closure.start, closure.end, closure.name))),
            problems=tuple(self.problems),
            remarks=tuple(sorted(remarks, key=lambda remark: remark.line)),
        )


class _BadEvent(Exception):
    """An event cannot be used; the sentence says why."""


def read(content: bytes, timezone: str, years: range, whence: str) -> TimeOff:
    """Whole-day events as days, others as closures; recurring ones worked out. `Unusable` where it is no calendar."""
    icalendar.use_zoneinfo()  # type: ignore[no-untyped-call] # forgets the zones that another file has defined by these names
    try:
        with at_most(FILE_WITHIN_S):
            events, zones = _blocks(_text(content))
            found = _Found()
            for series in _series(events, years).values():
                _take(series, zones, timezone, years, whence, found)
                if len(found.closures) > CLOSURES_AT_MOST:
                    raise Unusable(f"closes more than {CLOSURES_AT_MOST} times; export a calendar of the closed days alone")
            return found.as_value()
    except OutOfTime:
        raise Unusable(
            f"takes longer than {FILE_WITHIN_S:.0f} s to work out; export a calendar of the closed days alone"
        ) from None


def _text(content: bytes) -> str:
    if b"\0" in content:
        raise Unusable("is no text; export the calendar as iCalendar (.ics)")
    try:
        return content.decode("utf-8-sig")
    except UnicodeDecodeError:
        return content.decode("latin-1")  # names alone can suffer


def _blocks(text: str) -> tuple[list[_Block], list[_Block]]:
    """The file's events and time zones. `Unusable` where its components do not end in the order in which they began."""
    found: dict[str, list[_Block]] = {"VEVENT": [], "VTIMEZONE": []}
    lines = _LINE_END.split(text)
    open_ones: list[tuple[str, int]] = []
    for number, line in enumerate(lines, start=1):
        word, _, name = line.rstrip().upper().partition(":")
        if word == "BEGIN":
            open_ones.append((name, number))
        elif word == "END":
            if not open_ones or open_ones[-1][0] != name:
                raise Unusable(f"is broken: line {number} ends a {name} that is not open; export the calendar again")
            _, begun = open_ones.pop()
            if name in found and [outer for outer, _ in open_ones] == ["VCALENDAR"]:
                found[name].append(_Block(line=begun, text="\n".join(lines[begun - 1 : number])))
        elif line.strip() and not open_ones:
            raise Unusable(f"is no calendar: line {number} stands in none; export the calendar as iCalendar (.ics)")
    if open_ones:
        raise Unusable(f"stops in the middle of the {open_ones[-1][0]} of line {open_ones[-1][1]}; it may be half written")
    if not text.strip():
        raise Unusable("is empty; it may be half written")
    return found["VEVENT"], found["VTIMEZONE"]


def _series(events: Sequence[_Block], years: range) -> Mapping[object, list[_Block]]:
    """Events by UID: a recurring one and its exceptions belong together. What is over long since is left out."""
    series: dict[object, list[_Block]] = {}
    for event in events:
        if not _is_over(event, years):
            series.setdefault(event.value("UID") or event.line, []).append(event)
    return series


def _is_over(event: _Block, years: range) -> bool:
    starts, ends = _STARTS.search(event.text), _ENDS.search(event.text)
    last = max((int(found[1]) for found in (starts, ends) if found), default=9999)
    is_dated = starts is not None and not event.value("DURATION")
    return is_dated and last < years.start - 1 and _REPEATS.search(event.text) is None


def _take(series: list[_Block], zones: list[_Block], timezone: str, years: range, whence: str, found: _Found) -> None:
    """Add what a series closes, or say of it why it closes nothing."""
    first = series[0]
    try:
        with at_most(EVENT_WITHIN_S):
            occurrences = _occurrences(series, zones, years)
            for event in occurrences:
                _add(event, first, timezone, years, whence, found)
    except _BadEvent as error:
        found.problems.append(Remark(line=first.line, says=f"{_named(first)} {error}, so it closes nothing"))
    except OutOfTime:
        found.problems.append(
            Remark(line=first.line, says=f"{_named(first)} repeats without end or sense, so it closes nothing")
        )
    except Exception as error:  # whatever the libraries make of a broken event, it must not spoil the others
        found.problems.append(
            Remark(line=first.line, says=f"{_named(first)} cannot be read ({_in_short(error)}), so it closes nothing")
        )


def _occurrences(series: list[_Block], zones: list[_Block], years: range) -> list[icalendar.Event]:
    for event in series:
        if often := next((word for word in _TOO_OFTEN if f"FREQ={word}" in event.value("RRULE").upper()), ""):
            raise _BadEvent(f"repeats every {_TOO_OFTEN[often]} (FREQ={often})")
    needed = zones if any("TZID=" in event.text.upper() for event in series) else []
    body = "\n".join(block.text for block in (*needed, *series))
    calendar = icalendar.Calendar.from_ical(f"BEGIN:VCALENDAR\nVERSION:2.0\nPRODID:x\n{body}\nEND:VCALENDAR\n")
    if len(series) == 1 and _REPEATS.search(series[0].text) is None:
        return calendar.events
    found: list[icalendar.Event] = recurring_ical_events.of(calendar).between(*_window(years))
    return found


def _window(years: range) -> tuple[date, date]:
    return date(years.start, 1, 1), date(years.stop, 1, 1)


def _add(event: icalendar.Event, block: _Block, timezone: str, years: range, whence: str, found: _Found) -> None:
    name = " ".join(str(event.get("SUMMARY", "")).split()) or "no name"
    if str(event.get("STATUS", "")).upper() == "CANCELLED":
        return
    if str(event.get("TRANSP", "")).upper() == "TRANSPARENT":
        _once(found.free, block)
    elif isinstance(event.start, datetime):
        if event.start.tzinfo is None and "TZID=" in block.text.upper():
            _once(found.elsewhere, block)
        start, end = _utc(event.start, timezone), _utc(event.end, timezone)
        if start >= end:
            _once(found.empty, block)
        first, last = (datetime.combine(day, time(), UTC) for day in _window(years))
        if max(start, first) < min(end, last):
            found.closures.append(Closure(start=max(start, first), end=min(end, last), name=name, whence=whence))
    else:
        found.days += [DayOff(day=day, name=name, whence=whence) for day in _days(event.start, event.end, years)]


def _once(blocks: list[_Block], block: _Block) -> None:
    if block not in blocks[-1:]:
        blocks.append(block)


def _days(start: date, end: date, years: range) -> Iterator[date]:
    """The days of an event of whole days; the end is the first day after it."""
    first, last = _window(years)
    day = max(start, first)
    end = min(max(end, start + timedelta(days=1)), last)
    while day < end:
        yield day
        day += timedelta(days=1)


def _utc(instant: datetime | date, timezone: str) -> datetime:
    """A floating time is the office's."""
    if not isinstance(instant, datetime):
        instant = datetime.combine(instant, time())
    return (instant if instant.tzinfo else instant.replace(tzinfo=zone(timezone))).astimezone(UTC)


def _named(event: _Block) -> str:
    name = event.value("SUMMARY")[:60]
    return f'the event "{name}"' if name else "an event without a name"


def _in_short(error: Exception) -> str:
    """In one line: the libraries quote what they did not understand."""
    return " ".join(f"{error}".split())[:120] or type(error).__name__


def _remark(events: Sequence[_Block], what: str) -> Iterator[Remark]:
    if events:
        names = ", ".join(event.value("SUMMARY")[:40] or "no name" for event in events[:3])
        more = f" and {len(events) - 3} more" if len(events) > 3 else ""
        count = "an event" if len(events) == 1 else f"{len(events)} events"
        yield Remark(line=events[0].line, says=f"{count} {what} ({names}{more})")
