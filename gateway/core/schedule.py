"""Local time: the only place where an office's clock on the wall is known. Instants are aware UTC everywhere else."""

from datetime import UTC, date, datetime, time
from functools import cache
from zoneinfo import ZoneInfo


@cache
def zone(name: str) -> ZoneInfo:
    """The time zone of that name (the configuration has checked that it exists)."""
    return ZoneInfo(name)


def local_day(instant: datetime, timezone: str) -> date:
    """The calendar day on which an instant falls in a time zone."""
    return instant.astimezone(zone(timezone)).date()


def day_start(instant: datetime, timezone: str) -> datetime:
    """The instant (UTC) at which the calendar day began that an instant falls on."""
    return datetime.combine(local_day(instant, timezone), time(), zone(timezone)).astimezone(UTC)


def local(instant: datetime, timezone: str) -> datetime:
    """The instant as the wall clock of a time zone shows it; for showing, never for reckoning."""
    return instant.astimezone(zone(timezone))
