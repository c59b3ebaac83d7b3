"""Replies, kept as they came."""

import sqlite3

from gateway.store.instants import written
from sms.text import Reply


def add(db: sqlite3.Connection, reply: Reply) -> int:
    """Keep a reply; its id."""
    added = db.execute(
        "INSERT INTO replies (bridge, sender, recipient, body, at) VALUES (?, ?, ?, ?, ?)",
        (reply.bridge, reply.sender, reply.to, reply.body, written(reply.at)),
    )
    return int(added.lastrowid or 0)
