"""Instants as the database writes them: ISO 8601, UTC, milliseconds, so that text order is time order."""

from datetime import UTC, datetime


def written(instant: datetime) -> str:
    """`2026-11-23T14:05:09.123Z`."""
    return instant.astimezone(UTC).isoformat(timespec="milliseconds").removesuffix("+00:00") + "Z"


def read(text: str) -> datetime:
    """The aware UTC instant."""
    return datetime.fromisoformat(text)


def from_epoch(seconds: float) -> datetime:
    """The instant that the agent's clock gave."""
    return datetime.fromtimestamp(seconds, UTC)
