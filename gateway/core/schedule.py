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


def instants_of(wall: datetime, timezone: str) -> tuple[datetime, ...]:
    """Every instant (UTC) at which the clock of a zone shows a time, which has no zone itself.

    One; two where the clock has gone back and shows an hour twice; none where it has gone forward and left one out.
    """
    read = (wall.replace(tzinfo=zone(timezone), fold=fold).astimezone(UTC) for fold in (0, 1))
    return tuple(dict.fromkeys(at for at in read if at.astimezone(zone(timezone)).replace(tzinfo=None) == wall))
