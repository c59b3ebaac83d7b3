"""Replies, kept as they came."""

import sqlite3
from datetime import datetime

from config.model import E164
from gateway.store.instants import read, written
from sms.text import Reply


def add(db: sqlite3.Connection, reply: Reply, wish: str | None = None) -> int:
    """Keep a reply; its id."""
    added = db.execute(
        "INSERT INTO replies (bridge, sender, recipient, body, at, wish) VALUES (?, ?, ?, ?, ?, ?)",
        (reply.bridge, reply.sender, reply.to, reply.body, written(reply.at), wish),
    )
    return int(added.lastrowid or 0)


def instants(db: sqlite3.Connection) -> dict[E164, list[datetime]]:
    """When each number wrote, oldest first."""
    found: dict[E164, list[datetime]] = {}
    for row in db.execute("SELECT sender, at FROM replies ORDER BY at"):
        found.setdefault(E164(row["sender"]), []).append(read(row["at"]))
    return found


def newest(db: sqlite3.Connection, limit: int) -> list[sqlite3.Row]:
    """The newest replies first."""
    return db.execute("SELECT * FROM replies ORDER BY id DESC LIMIT ?", (limit,)).fetchall()
