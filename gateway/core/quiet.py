"""Quiet hours in the caller's own time zone. PURE.

A number's zone comes from `phonenumbers`. Where a number may lie in several zones, all of them must allow a text; where nothing
is known of it, the line's zone counts.
"""

from datetime import UTC, datetime, timedelta
from functools import lru_cache

import phonenumbers
from phonenumbers.timezone import time_zones_for_number

from config.model import E164, Span
from gateway.core.schedule import local, zone

UNKNOWN = "Etc/Unknown"


@lru_cache(maxsize=4096)
def zones_of(number: E164) -> tuple[str, ...]:
    """Every zone that a number may lie in; empty where nothing is known."""
    zones = time_zones_for_number(phonenumbers.parse(number))
    return tuple(name for name in zones if name != UNKNOWN)


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
