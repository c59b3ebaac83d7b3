"""Numbers that cannot be texted: landlines, numbers out of service. What networks said of them, and for how long it counts.

A receipt that says so is believed at once: the network tried. A refusal is evidence only: a number counts as dead after two of
them on different days. A bridge that refuses one number after the other and accepts none in between is at fault itself (a wrong
`dest_ton`, a missing route), and marks nobody.
"""

import sqlite3
from dataclasses import dataclass
from datetime import datetime, timedelta

from config.model import E164
from gateway.store.instants import read, written

REMEMBERED = timedelta(days=180)
DAYS_APART = timedelta(hours=20)
"""Two refusals so far apart were on different days, whatever the office's hours."""
RUN = 3
"""A bridge that refuses so many numbers and accepts none in between is at fault, not the numbers."""
BY_RECEIPT = "SELECT at FROM undeliverable WHERE number = ? AND at > ?"
PENDING = "SELECT count(DISTINCT number) AS numbers FROM number_refusals WHERE bridge = ? AND counts IS NULL"
BY_REFUSALS = (
    "SELECT min(at) AS first, max(at) AS last FROM number_refusals AS refusal WHERE number = ? AND at > ? AND (counts = 1"
    " OR counts IS NULL AND (SELECT count(DISTINCT number) FROM number_refusals AS pending"
    f" WHERE pending.bridge = refusal.bridge AND pending.counts IS NULL) < {RUN})"
)
EVERYTHING = (
    "SELECT number, max(at) AS at, source, sum(is_refusal) AS refusals FROM ("
    "SELECT number, at, source, 0 AS is_refusal FROM undeliverable"
    " UNION ALL SELECT number, at, bridge || ' ' || code, 1 FROM number_refusals)"
    " GROUP BY number ORDER BY at DESC, number"
)
"""The columns beside `max(at)` are of that row (SQLite)."""


@dataclass(frozen=True, slots=True, kw_only=True)
class NumberReport:
    """What networks have said of one number."""

    number: E164
    is_dead: bool
    """It is not texted."""
    refusals: int
    """Texts that bridges refused because of it; two on different days, from a bridge that is well, make it dead."""
    last_at: datetime
    source: str
    """Who said so last, and by which code: `primary 30006`."""


def add(db: sqlite3.Connection, number: E164, at: datetime, source: str) -> None:
    """A receipt has said so, now or again."""
    db.execute(
        "INSERT INTO undeliverable (number, at, source) VALUES (?, ?, ?)"
        " ON CONFLICT (number) DO UPDATE SET at = excluded.at, source = excluded.source",
        (number, written(at), source),
    )


def refused(db: sqlite3.Connection, number: E164, at: datetime, bridge: str, code: str) -> int:
    """A bridge has refused a text because of its number; how many numbers it has refused without accepting one."""
    db.execute(
        "INSERT INTO number_refusals (number, at, bridge, code) VALUES (?, ?, ?, ?)", (number, written(at), bridge, code)
    )
    return int(db.execute(PENDING, (bridge,)).fetchone()["numbers"])


def accepted(db: sqlite3.Connection, number: E164, bridge: str) -> None:
    """A bridge has accepted a text: it is well, so that what it refused before counts, unless it had refused everybody.

    What was held against the number itself does not count any more.
    """
    numbers = db.execute(PENDING, (bridge,)).fetchone()["numbers"]
    if numbers:
        db.execute("UPDATE number_refusals SET counts = ? WHERE bridge = ? AND counts IS NULL", (numbers < RUN, bridge))
    db.execute("UPDATE number_refusals SET counts = 0 WHERE number = ? AND counts = 1", (number,))


def said_at(db: sqlite3.Connection, number: E164, now: datetime) -> datetime | None:
    """Since when a number is known to be dead, or None where it is not, or not lately."""
    since = written(now - REMEMBERED)
    row = db.execute(BY_RECEIPT, (number, since)).fetchone()
    if row is not None:
        return read(row["at"])
    row = db.execute(BY_REFUSALS, (number, since)).fetchone()
    if row["first"] is None or read(row["last"]) - read(row["first"]) < DAYS_APART:
        return None
    return read(row["last"])


def known(db: sqlite3.Connection, now: datetime) -> list[NumberReport]:
    """Every number of which a network has said so, the newest first."""
    rows = db.execute(EVERYTHING).fetchall()
    return [
        NumberReport(
            number=E164(row["number"]),
            is_dead=said_at(db, row["number"], now) is not None,
            refusals=row["refusals"],
            last_at=read(row["at"]),
            source=row["source"],
        )
        for row in rows
    ]


def forget(db: sqlite3.Connection, number: E164) -> bool:
    """Nothing is known of a number any more; False where nothing was."""
    tables = ("undeliverable", "number_refusals")
    return sum(db.execute(f"DELETE FROM {table} WHERE number = ?", (number,)).rowcount for table in tables) > 0
