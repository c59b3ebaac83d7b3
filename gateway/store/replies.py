"""Replies, kept as they came; the parts of long ones until they are whole."""

import sqlite3
from dataclasses import replace
from datetime import datetime

from config.model import E164
from gateway.store.instants import read, written
from gateway.store.selection import Names, Selection, where
from sms.text import Part, Reply

MISSING = "[…]"
"""In the place of parts that never came."""


def add(db: sqlite3.Connection, reply: Reply, wish: str | None = None) -> int | None:
    """Keep a reply; its id, or None where the network has only repeated one."""
    if reply.provider_id and _has(db, reply):
        return None
    added = db.execute(
        "INSERT INTO replies (bridge, sender, recipient, body, at, wish, provider_id) VALUES (?, ?, ?, ?, ?, ?, ?)",
        (reply.bridge, reply.sender, reply.to, reply.body, written(reply.at), wish, reply.provider_id),
    )
    return int(added.lastrowid or 0)


def add_part(db: sqlite3.Connection, reply: Reply, part: Part) -> Reply | None:
    """Keep a part, in whatever order they come; the whole reply once it is there."""
    db.execute(
        "INSERT INTO reply_parts (bridge, sender, recipient, reference, total, number, body, at)"
        " VALUES (?, ?, ?, ?, ?, ?, ?, ?) ON CONFLICT DO NOTHING",
        (reply.bridge, reply.sender, reply.to, part.reference, part.total, part.number, reply.body, written(reply.at)),
    )
    rows = _parts(db, reply.bridge, reply.sender, reply.to, part.reference, part.total)
    return replace(_joined(db, rows), provider_id=reply.provider_id) if len(rows) == part.total else None


def take_incomplete(db: sqlite3.Connection, before: datetime) -> list[Reply]:
    """Replies of which some part did not come and all that did came before an instant; they are no longer waited for."""
    groups = db.execute(
        "SELECT bridge, sender, recipient, reference, total FROM reply_parts"
        " GROUP BY bridge, sender, recipient, reference, total HAVING max(at) < ?",
        (written(before),),
    ).fetchall()
    return [_joined(db, _parts(db, *group)) for group in groups]


def instants(db: sqlite3.Connection) -> dict[E164, list[datetime]]:
    """When each number wrote, oldest first."""
    found: dict[E164, list[datetime]] = {}
    for row in db.execute("SELECT sender, at FROM replies ORDER BY at"):
        found.setdefault(E164(row["sender"]), []).append(read(row["at"]))
    return found


_NAMES = Names(table="replies", at="at", caller="sender", as_sent=None, state="wish")


def selected(db: sqlite3.Connection, selection: Selection) -> list[sqlite3.Row]:
    """Replies by what is asked of them, the newest first."""
    asked, values = where(selection, _NAMES)
    limit = -1 if selection.limit is None else selection.limit
    return db.execute(f"SELECT * FROM replies {asked} ORDER BY id DESC LIMIT ?", (*values, limit)).fetchall()


def _has(db: sqlite3.Connection, reply: Reply) -> bool:
    found = db.execute("SELECT 1 FROM replies WHERE bridge = ? AND provider_id = ?", (reply.bridge, reply.provider_id))
    return found.fetchone() is not None


_GROUP = "bridge = ? AND sender = ? AND recipient = ? AND reference = ? AND total = ?"


def _parts(db: sqlite3.Connection, bridge: str, sender: str, recipient: str, reference: int, total: int) -> list[sqlite3.Row]:
    return db.execute(
        f"SELECT * FROM reply_parts WHERE {_GROUP} ORDER BY number", (bridge, sender, recipient, reference, total)
    ).fetchall()


def _joined(db: sqlite3.Connection, rows: list[sqlite3.Row]) -> Reply:
    """The parts as one reply, and out of the table."""
    first = rows[0]
    db.execute(
        f"DELETE FROM reply_parts WHERE {_GROUP}",
        (first["bridge"], first["sender"], first["recipient"], first["reference"], first["total"]),
    )
    bodies = {row["number"]: row["body"] for row in rows}
    return Reply(
        bridge=first["bridge"],
        sender=first["sender"],
        to=first["recipient"],
        body="".join(bodies.get(number, MISSING) for number in range(1, first["total"] + 1)),
        at=max(read(row["at"]) for row in rows),
    )
