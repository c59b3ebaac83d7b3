"""When an office is open: spans of local time, days off, closures. PURE; instants are UTC, the wall clock is reckoned here.

A span belongs to the day on which it starts, also the part of it that runs past midnight. On a day off no span starts.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from enum import StrEnum

from config.model import Span
from gateway.core.schedule import local_day, zone

LOOK_AHEAD_DAYS = 400


class Standing(StrEnum):
    """How an office stands at an instant. A holiday is closed too."""

    OPEN = "open"
    CLOSED = "closed"
    HOLIDAY = "holiday"


@dataclass(frozen=True, slots=True, kw_only=True)
class OfficeHours:
    """The hours of one `[hours.NAME]`, with its holidays worked out."""

    name: str
    week: tuple[tuple[Span, ...], ...]
    """Seven entries, Monday first."""
    days_off: frozenset[date] = frozenset()
    """Whole local days."""
    closures: tuple[tuple[datetime, datetime], ...] = ()
    """Closed from the first instant until before the second."""
    unknown: tuple[str, ...] = ()
    """Calendar files of which nothing is known, so that a day off may be missing."""


def standing(hours: OfficeHours, now: datetime, timezone: str) -> Standing:
    """Open, closed, or closed because of a holiday."""
    if _closure_at(hours, now) is None and any(start <= now < end for start, end in _spans_around(hours, now, timezone)):
        return Standing.OPEN
    is_off = local_day(now, timezone) in hours.days_off or _closure_at(hours, now) is not None
    return Standing.HOLIDAY if is_off else Standing.CLOSED


def opens_at(hours: OfficeHours, now: datetime, timezone: str) -> datetime | None:
    """The next instant at which the office is open, `now` itself while it is; None: not within the next 400 days."""
    today = local_day(now, timezone)
    for ahead in range(-1, LOOK_AHEAD_DAYS):
        for start, end in _spans_of(hours, today + timedelta(days=ahead), timezone):
            at = max(start, now)
            while at < end and (closed := _closure_at(hours, at)) is not None:
                at = closed[1]
            if at < end:
                return at
    return None


def _spans_around(hours: OfficeHours, now: datetime, timezone: str) -> Iterator[tuple[datetime, datetime]]:
    today = local_day(now, timezone)
    yield from _spans_of(hours, today - timedelta(days=1), timezone)
    yield from _spans_of(hours, today, timezone)


def _spans_of(hours: OfficeHours, day: date, timezone: str) -> list[tuple[datetime, datetime]]:
    if day in hours.days_off:
        return []
    return sorted(_instant(day, span, timezone) for span in hours.week[day.weekday()])


def _instant(day: date, span: Span, timezone: str) -> tuple[datetime, datetime]:
    """A span of a day as two UTC instants.

    A time that summer time skips is read on the clock from before; of a time that comes twice, a span starts at the first
    and ends at the second.
    """
    last_day = day if span.end > span.start else day + timedelta(days=1)
    start = datetime.combine(day, span.start, zone(timezone))
    end = datetime.combine(last_day, span.end, zone(timezone))
    return start.astimezone(UTC), max(end.astimezone(UTC), end.replace(fold=1).astimezone(UTC))


def _closure_at(hours: OfficeHours, now: datetime) -> tuple[datetime, datetime] | None:
    return next((closure for closure in hours.closures if closure[0] <= now < closure[1]), None)
