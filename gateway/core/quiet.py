"""Quiet hours in the caller's own time zone. PURE.

Where a caller may be in several zones (`zones.py`), all of them must allow a text.
"""

from datetime import UTC, datetime, timedelta

from config.model import Span
from gateway.core.schedule import local, zone


def quiet_until(now: datetime, quiet: Span, zones: tuple[str, ...]) -> datetime | None:
    """When the first moment comes at which it is quiet nowhere; None where that is now (or never)."""
    at = now
    for _ in range(4 * len(zones) + 1):
        ends = [end for name in zones if (end := _end_of_quiet(at, quiet, name)) is not None]
        if not ends:
            return None if at == now else at
        at = max(ends)
    return None


def _end_of_quiet(at: datetime, quiet: Span, timezone: str) -> datetime | None:
    """The end of the quiet hours that hold an instant in one zone, or None where it is not quiet then."""
    clock = local(at, timezone).time()
    runs_past_midnight = quiet.end <= quiet.start
    is_quiet = clock >= quiet.start or clock < quiet.end if runs_past_midnight else quiet.start <= clock < quiet.end
    if not is_quiet:
        return None
    day = local(at, timezone).date()
    if runs_past_midnight and clock >= quiet.start:
        day += timedelta(days=1)
    end = datetime.combine(day, quiet.end, zone(timezone))
    return max(end.astimezone(UTC), end.replace(fold=1).astimezone(UTC), at + timedelta(minutes=1))
