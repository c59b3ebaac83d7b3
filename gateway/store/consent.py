"""The ledger of opt-outs and opt-ins. Rows are added, never changed."""

import sqlite3
from datetime import datetime

from config.model import E164
from gateway.core.consent import Wish
from gateway.store.instants import read, written


def add(db: sqlite3.Connection, *, number: E164, wish: Wish, at: datetime, source: str) -> None:
    """Write down what a caller wants from now on."""
    db.execute("INSERT INTO consent (number, wish, at, source) VALUES (?, ?, ?, ?)", (number, wish, written(at), source))


def opted_out_at(db: sqlite3.Connection, number: E164) -> datetime | None:
    """When the number opted out, or None where it did not or has opted in since."""
    row = db.execute("SELECT wish, at FROM consent WHERE number = ? ORDER BY id DESC LIMIT 1", (number,)).fetchone()
    return read(row["at"]) if row and row["wish"] == Wish.OPT_OUT else None


def everything(db: sqlite3.Connection) -> dict[E164, list[tuple[datetime, bool]]]:
    """The whole ledger by number, oldest first: when, and whether it was an opt-out."""
    found: dict[E164, list[tuple[datetime, bool]]] = {}
    for row in db.execute("SELECT number, wish, at FROM consent ORDER BY id"):
        found.setdefault(E164(row["number"]), []).append((read(row["at"]), row["wish"] == Wish.OPT_OUT))
    return found
