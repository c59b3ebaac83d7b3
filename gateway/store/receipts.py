"""Delivery receipts: kept as they came, matched to the parts of texts, applied once."""

import sqlite3
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime

from config.model import E164
from gateway.core.delivery import Event, TextState
from gateway.store import texts, undeliverable
from gateway.store.instants import read, written
from sms.text import Receipt, ReceiptState

Match = Callable[[str, Sequence[str]], int | None]
"""Finds a network's id among ours, however the network wrote it: the index, or None."""

SEEN = (
    "SELECT text FROM receipts WHERE bridge = ? AND provider_id = ? AND recipient IS ? AND state = ? AND code = ? AND text IS ?"
)
CANDIDATES = 100
"""Parts to one number that a receipt is compared with, newest first."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Kept:
    """What became of a receipt."""

    text: int | None
    """The text that it belongs to; None where none is known (yet)."""
    is_new: bool
    """Not a repetition, of which nothing more follows."""


def add(db: sqlite3.Connection, receipt: Receipt, match: Match) -> Kept:
    """Keep a receipt and apply it, once however often it comes."""
    found = _part_by_key(db, receipt) or _part_of(db, receipt, match)
    text = found[0] if found else _only_unknown(db, receipt)
    if _is_repeated(db, receipt, text):
        return Kept(text=text, is_new=False)
    db.execute(
        "INSERT INTO receipts (bridge, provider_id, recipient, state, code, at, text) VALUES (?, ?, ?, ?, ?, ?, ?)",
        (
            receipt.bridge,
            receipt.provider_id,
            receipt.to,
            receipt.state,
            receipt.code,
            written(receipt.at),
            text,
        ),
    )
    if receipt.is_number_dead and receipt.to is not None:
        undeliverable.add(db, E164(receipt.to), receipt.at, f"{receipt.bridge} {receipt.code}")
    if found:
        _apply(db, found[0], found[1], ReceiptState(receipt.state), receipt.code, receipt.at)
    elif text is not None:
        event = Event.DELIVERED if receipt.state is ReceiptState.DELIVERED else Event.UNDELIVERED
        if receipt.state is ReceiptState.ON_ITS_WAY:
            event = Event.ACCEPTED
        texts.settle(db, text, event, receipt.at, detail=f"settled by a receipt for this number: {receipt.code}")
    return Kept(text=text, is_new=True)


def accept(db: sqlite3.Connection, text: int, bridge: str, provider_ids: Sequence[str], at: datetime, match: Match) -> None:
    """Write down the network's yes and apply the receipts that were faster than it."""
    texts.settle(db, text, Event.ACCEPTED, at, bridge=bridge)
    for number, provider_id in enumerate(provider_ids, start=1):
        db.execute(
            "INSERT INTO parts (text, number, bridge, provider_id) VALUES (?, ?, ?, ?) ON CONFLICT DO NOTHING",
            (text, number, bridge, provider_id),
        )
        _apply_early(db, text, number, bridge, provider_id, match)


def _is_repeated(db: sqlite3.Connection, receipt: Receipt, text: int | None) -> bool:
    """Has this text had the same receipt before? Of another text it is another receipt: SMSCs begin their ids anew."""
    values = (receipt.bridge, receipt.provider_id, receipt.to, receipt.state, receipt.code, text)
    return db.execute(SEEN, values).fetchone() is not None


def _part_by_key(db: sqlite3.Connection, receipt: Receipt) -> tuple[int, int] | None:
    """The text whose key the network gave back. It settles a text whose answer was lost, even one of several to a number."""
    text = texts.by_key(db, receipt.key) if receipt.key else None
    if text is None or text["bridge"] != receipt.bridge or receipt.to not in (None, text["recipient"]):
        return None
    rows = db.execute("SELECT number, provider_id FROM parts WHERE text = ?", (text["id"],)).fetchall()
    if not rows:
        db.execute(
            "INSERT INTO parts (text, number, bridge, provider_id) VALUES (?, 1, ?, ?)",
            (text["id"], receipt.bridge, receipt.provider_id),
        )
    return text["id"], next((row["number"] for row in rows if row["provider_id"] == receipt.provider_id), 1)


def _part_of(db: sqlite3.Connection, receipt: Receipt, match: Match) -> tuple[int, int] | None:
    if receipt.to is not None:
        rows = db.execute(
            "SELECT parts.text, parts.number, parts.provider_id FROM texts JOIN parts ON parts.text = texts.id"
            " WHERE texts.recipient = ? AND parts.bridge = ? ORDER BY texts.id DESC LIMIT ?",
            (receipt.to, receipt.bridge, CANDIDATES),
        ).fetchall()
    else:
        rows = db.execute(
            "SELECT text, number, provider_id FROM parts WHERE provider_id = ? AND bridge = ? ORDER BY text DESC LIMIT 1",
            (receipt.provider_id, receipt.bridge),
        ).fetchall()
    at = match(receipt.provider_id, [row["provider_id"] for row in rows])
    return None if at is None else (rows[at]["text"], rows[at]["number"])


def _only_unknown(db: sqlite3.Connection, receipt: Receipt) -> int | None:
    """The one text to this number whose answer was lost: a receipt can only be its. Two such texts: nobody knows."""
    rows = db.execute(
        "SELECT id FROM texts WHERE state = 'unknown' AND recipient = ? AND bridge = ? AND claimed_at <= ?"
        " AND id NOT IN (SELECT text FROM parts) LIMIT 2",
        (receipt.to, receipt.bridge, written(receipt.at)),
    ).fetchall()
    return rows[0]["id"] if len(rows) == 1 else None


def _apply_early(db: sqlite3.Connection, text: int, number: int, bridge: str, provider_id: str, match: Match) -> None:
    rows = db.execute(
        "SELECT receipts.id, receipts.provider_id, receipts.state, receipts.code, receipts.at FROM receipts"
        " JOIN texts ON texts.id = ? WHERE receipts.text IS NULL AND receipts.bridge = ?"
        " AND receipts.recipient = texts.recipient AND receipts.at >= texts.claimed_at ORDER BY receipts.id",
        (text, bridge),
    ).fetchall()
    for row in rows:
        if match(row["provider_id"], [provider_id]) is None:
            continue
        db.execute("UPDATE receipts SET text = ? WHERE id = ?", (text, row["id"]))
        _apply(db, text, number, ReceiptState(row["state"]), row["code"], read(row["at"]))


def _apply(db: sqlite3.Connection, text: int, number: int, state: ReceiptState, code: str, at: datetime) -> None:
    """One part's receipt: a text is delivered when all its parts are, undelivered when one is not."""
    if state is ReceiptState.ON_ITS_WAY:
        texts.settle(db, text, Event.ACCEPTED, at)
        return
    db.execute("UPDATE parts SET receipt = ? WHERE text = ? AND number = ?", (state, text, number))
    if state is ReceiptState.UNDELIVERED:
        texts.settle(db, text, Event.UNDELIVERED, at, detail=code)
        return
    open_parts = db.execute(
        "SELECT count(*) FROM parts WHERE text = ? AND receipt IS NOT ?", (text, ReceiptState.DELIVERED)
    ).fetchone()[0]
    if open_parts == 0 and texts.settle(db, text, Event.DELIVERED, at, detail=code) is TextState.DELIVERED:
        return
