"""The ledger of opt-outs and opt-ins. Rows are added, never changed."""

import sqlite3
from dataclasses import dataclass
from datetime import datetime

from config.model import E164
from gateway.core.consent import Wish
from gateway.store.instants import read, written

_ENTRIES = "SELECT consent.*, replies.body AS words FROM consent LEFT JOIN replies ON consent.source = 'reply:' || replies.id"
_OPTED_IN_LAST = "(SELECT coalesce(max(id), 0) FROM consent AS back WHERE back.number = newest.number AND back.wish = 'opt_in')"
_SAYS_HOW = (
    "SELECT max(id) FROM consent AS said WHERE said.number = newest.number AND (said.note != '' OR said.source LIKE 'reply:%')"
    f" AND said.id > {_OPTED_IN_LAST}"
)
_IN_FORCE = (
    f"consent.id IN (SELECT coalesce(({_SAYS_HOW}), newest.id) FROM consent AS newest"
    " WHERE newest.id IN (SELECT max(id) FROM consent GROUP BY number) AND newest.wish = 'opt_out')"
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Entry:
    """One row of the ledger."""

    number: E164
    wish: Wish
    at: datetime
    source: str
    """Where it was said: `reply:12`, `bridge:primary`, `person`."""
    line: str | None
    """Where a person heard it. An opt-out counts for every line."""
    note: str
    """In that person's words."""
    words: str | None
    """In the caller's own, where it was a reply."""


def add(
    db: sqlite3.Connection,
    *,
    number: E164,
    wish: Wish,
    at: datetime,
    source: str,
    line: str | None = None,
    note: str = "",
) -> None:
    """Write down what a caller wants from now on."""
    db.execute(
        "INSERT INTO consent (number, wish, at, source, line, note) VALUES (?, ?, ?, ?, ?, ?)",
        (number, wish, written(at), source, line, note),
    )


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


def opted_out(db: sqlite3.Connection) -> list[Entry]:
    """The opt-outs that hold, the newest first: of each number the newest entry that says how, where one does."""
    return [_entry(row) for row in db.execute(f"{_ENTRIES} WHERE {_IN_FORCE} ORDER BY consent.id DESC")]


def of_number(db: sqlite3.Connection, number: E164) -> list[Entry]:
    """All that one caller ever wanted, the newest first."""
    return [_entry(row) for row in db.execute(f"{_ENTRIES} WHERE consent.number = ? ORDER BY consent.id DESC", (number,))]


def _entry(row: sqlite3.Row) -> Entry:
    return Entry(
        number=E164(row["number"]),
        wish=Wish(row["wish"]),
        at=read(row["at"]),
        source=row["source"],
        line=row["line"],
        note=row["note"],
        words=row["words"],
    )
