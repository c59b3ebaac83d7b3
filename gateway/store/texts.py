"""Texts: queued, claimed by a bridge, settled. Every change of state goes through the table in `core/delivery.py`."""

import sqlite3
from dataclasses import dataclass
from datetime import datetime

from config.model import E164
from gateway.core.consent import Wish
from gateway.core.delivery import TextEvent, TextState, after
from gateway.core.facts import OfText
from gateway.core.kind import TextKind
from gateway.store.instants import read, written
from gateway.store.selection import Names, Selection, where


@dataclass(frozen=True, slots=True, kw_only=True)
class NewText:
    """A text before it is written down."""

    call: int | None
    """None: it belongs to none."""
    kind: TextKind
    line: str
    recipient: E164
    sender: str
    region: str
    body: str
    segments: int
    queued_at: datetime
    due_at: datetime | None
    """None: held until a person says so."""
    expires_at: datetime
    variant: int | None = None
    held_for: str | None = None
    """The reason to hold it; None: it may go."""
    confirms: Wish | None = None
    """What a confirmation confirms."""


def add(db: sqlite3.Connection, text: NewText) -> int:
    """Add a text, queued or held; its id."""
    added = db.execute(
        "INSERT INTO texts (call, line, recipient, region, sender, body, segments, variant, state, held_for, queued_at, due_at,"
        " expires_at, kind, confirms) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
        (
            text.call,
            text.line,
            text.recipient,
            text.region,
            text.sender,
            text.body,
            text.segments,
            text.variant,
            TextState.HELD if text.held_for else TextState.QUEUED,
            text.held_for,
            written(text.queued_at),
            written(text.due_at) if text.due_at else None,
            written(text.expires_at),
            text.kind,
            text.confirms,
        ),
    )
    return int(added.lastrowid or 0)


def confirmed_since(db: sqlite3.Connection, number: E164, wish: Wish, at: datetime) -> bool:
    """Has such a wish of this number been confirmed since an instant?"""
    found = db.execute(
        f"SELECT 1 FROM texts WHERE kind = '{TextKind.CONFIRMATION}' AND recipient = ? AND queued_at > ? AND confirms = ?",
        (number, written(at), wish),
    )
    return found.fetchone() is not None


def one(db: sqlite3.Connection, text: int) -> sqlite3.Row | None:
    """One text by its id."""
    row: sqlite3.Row | None = db.execute("SELECT * FROM texts WHERE id = ?", (text,)).fetchone()
    return row


def ids_of(db: sqlite3.Connection, text: int) -> OfText:
    """Which text a fact is about; one that is not there has its id alone."""
    row = one(db, text)
    return OfText(text=text, call=row["call"], line=row["line"]) if row is not None else OfText(text=text)


def key_of(text: sqlite3.Row) -> str:
    """A text's key: `7-1795437000123`."""
    return f"{text['id']}-{int(read(text['queued_at']).timestamp() * 1000)}"


def by_key(db: sqlite3.Connection, key: str) -> sqlite3.Row | None:
    """The text with a key, or None."""
    number = key.partition("-")[0]
    text = one(db, int(number)) if number.isascii() and number.isdecimal() and len(number) < 18 else None
    return text if text is not None and key_of(text) == key else None


def settle(
    db: sqlite3.Connection, text: int, event: TextEvent, at: datetime, *, detail: str = "", bridge: str | None = None
) -> TextState | None:
    """Take a text on to its next state; the new state, or None where the event came too late to change anything."""
    row = db.execute("SELECT state FROM texts WHERE id = ?", (text,)).fetchone()
    state = after(TextState(row["state"]), event) if row else None
    if state is not None:
        db.execute(
            "UPDATE texts SET state = ?, detail = ?, settled_at = ?, bridge = coalesce(?, bridge) WHERE id = ?",
            (state, detail, written(at), bridge, text),
        )
    return state


def recover(db: sqlite3.Connection, now: datetime) -> tuple[int, ...]:
    """After a stop that nobody announced: texts that were under way may have gone, so they are `unknown`."""
    rows = db.execute("SELECT id FROM texts WHERE state = ? ORDER BY id", (TextState.SENDING,)).fetchall()
    for row in rows:
        settle(db, row["id"], TextEvent.NO_ANSWER, now, detail="the gateway stopped while it was being sent")
    return tuple(row["id"] for row in rows)


def unknown_since(db: sqlite3.Connection, at: datetime) -> list[sqlite3.Row]:
    """Texts that were handed over since an instant and whose answer was lost."""
    return db.execute("SELECT * FROM texts WHERE state = 'unknown' AND claimed_at >= ? ORDER BY id", (written(at),)).fetchall()


def cancel_for(db: sqlite3.Connection, number: E164, at: datetime, detail: str) -> int:
    """Cancel whatever is still queued or held for a number; how many that were."""
    rows = db.execute("SELECT id FROM texts WHERE recipient = ? AND state IN ('queued', 'held')", (number,)).fetchall()
    return sum(settle(db, row["id"], TextEvent.CANCELLED, at, detail=detail) is not None for row in rows)


def under_way_to(db: sqlite3.Connection, number: E164) -> int:
    """How many texts to a number a bridge holds, without having said what became of them."""
    row = db.execute("SELECT count(*) AS n FROM texts WHERE recipient = ? AND state = 'sending'", (number,)).fetchone()
    return int(row["n"])


_FIRST_PART = "(SELECT provider_id FROM parts WHERE parts.text = texts.id ORDER BY number LIMIT 1)"
_SHOWN = f"SELECT texts.*, {_FIRST_PART} AS provider_id FROM texts"
"""A text as it is shown: with the provider's id of its first part."""
_NAMES = Names(table="texts", at="queued_at", caller="recipient", as_sent=None, state="state")


def selected(db: sqlite3.Connection, selection: Selection) -> list[sqlite3.Row]:
    """Texts by what is asked of them, the newest first."""
    asked, values = where(selection, _NAMES)
    limit = -1 if selection.limit is None else selection.limit
    return db.execute(f"{_SHOWN} {asked} ORDER BY texts.id DESC LIMIT ?", (*values, limit)).fetchall()


def shown(db: sqlite3.Connection, text: int) -> sqlite3.Row | None:
    """One text by its id, as it is shown."""
    row: sqlite3.Row | None = db.execute(f"{_SHOWN} WHERE id = ?", (text,)).fetchone()
    return row


def of_call(db: sqlite3.Connection, call: int) -> list[sqlite3.Row]:
    """The texts of one call, oldest first."""
    return db.execute(f"{_SHOWN} WHERE call = ? ORDER BY texts.id", (call,)).fetchall()


def line_that_texted(db: sqlite3.Connection, number: E164, bridge: str) -> str | None:
    """The line whose text to a number was the last to be handed over; one by this bridge comes before any other."""
    row = db.execute(
        "SELECT line FROM texts WHERE recipient = ? AND claimed_at IS NOT NULL ORDER BY bridge = ? DESC, id DESC LIMIT 1",
        (number, bridge),
    ).fetchone()
    return row["line"] if row else None


def bridge_of(db: sqlite3.Connection, text: int) -> str | None:
    """The bridge that holds or held a text."""
    row = db.execute("SELECT bridge FROM texts WHERE id = ?", (text,)).fetchone()
    return row["bridge"] if row else None
