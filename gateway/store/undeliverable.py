"""Numbers that a network said cannot be texted: landlines, numbers out of service. Remembered for 180 days."""

import sqlite3
from datetime import datetime, timedelta

from config.model import E164
from gateway.store.instants import read, written

REMEMBERED = timedelta(days=180)
QUERY = "SELECT at FROM undeliverable WHERE number = ? AND at > ?"


def add(db: sqlite3.Connection, number: E164, at: datetime, source: str) -> None:
    """A network has said so, now or again."""
    db.execute(
        "INSERT INTO undeliverable (number, at, source) VALUES (?, ?, ?)"
        " ON CONFLICT (number) DO UPDATE SET at = excluded.at, source = excluded.source",
        (number, written(at), source),
    )


def said_at(db: sqlite3.Connection, number: E164, now: datetime) -> datetime | None:
    """When a network last said so, or None where that is too long ago, or never was."""
    row = db.execute(QUERY, (number, written(now - REMEMBERED))).fetchone()
    return read(row["at"]) if row else None
