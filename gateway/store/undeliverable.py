"""Numbers that a network said cannot be texted: landlines, numbers out of service. Remembered for 180 days."""

import sqlite3
from dataclasses import dataclass
from datetime import datetime, timedelta

from config.model import E164
from gateway.store.instants import read, written

REMEMBERED = timedelta(days=180)
QUERY = "SELECT at FROM undeliverable WHERE number = ? AND at > ?"


@dataclass(frozen=True, slots=True, kw_only=True)
class Known:
    """What networks have said of one number."""

    number: E164
    is_dead: bool
    """It is not texted."""
    refusals: int
    last_at: datetime
    source: str
    """Who said so last, and by which code: `primary 30006`."""


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


def known(db: sqlite3.Connection, now: datetime) -> list[Known]:
    """Every number of which a network has said so, the newest first."""
    rows = db.execute("SELECT number, at, source FROM undeliverable ORDER BY at DESC, number").fetchall()
    return [
        Known(
            number=E164(row["number"]),
            is_dead=read(row["at"]) > now - REMEMBERED,
            refusals=1,
            last_at=read(row["at"]),
            source=row["source"],
        )
        for row in rows
    ]


def forget(db: sqlite3.Connection, number: E164) -> bool:
    """Nothing is known of a number any more; False where nothing was."""
    return db.execute("DELETE FROM undeliverable WHERE number = ?", (number,)).rowcount > 0
