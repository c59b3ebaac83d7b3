"""Delivery receipts: kept as they came, matched to the parts of texts, applied once."""

import sqlite3
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from config.model import E164
from gateway.core.delivery import TextEvent, TextState
from gateway.store import texts, undeliverable
from gateway.store.instants import read, written
from sms.text import FindId, Receipt, ReceiptState

SEEN = (
    "SELECT text FROM receipts WHERE bridge = ? AND provider_id = ? AND recipient IS ? AND state = ? AND code = ? AND text IS ?"
)
CANDIDATES = 100
"""Parts to one number that a receipt is compared with, newest first."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ReceiptMatch:
    """What became of a receipt."""

    text: int | None
    """The text that it belongs to; None where none is known (yet)."""
    is_new: bool
    """Not a repetition, of which nothing more follows."""


def add(db: sqlite3.Connection, receipt: Receipt, find_id: FindId) -> ReceiptMatch:
    """Keep a receipt and apply it, once however often it comes."""
    found = _part_by_key(db, receipt, find_id) or _part_of(db, receipt, find_id) or _part_of_only_unknown(db, receipt)
    text = found.text if found else None
    if _is_repeated(db, receipt, text):
        return ReceiptMatch(text=text, is_new=False)
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
        _apply(db, found, receipt.provider_id, ReceiptState(receipt.state), receipt.code, receipt.at)
    return ReceiptMatch(text=text, is_new=True)


def accept(db: sqlite3.Connection, text: int, bridge: str, provider_ids: Sequence[str], at: datetime, find_id: FindId) -> None:
    """Write down the network's yes to the whole text and apply the receipts that were faster than it."""
    texts.settle(db, text, TextEvent.ACCEPTED, at, bridge=bridge)
    _keep_ids(db, text, bridge, provider_ids, len(provider_ids), find_id)


def keep_parts(
    db: sqlite3.Connection, text: int, bridge: str, provider_ids: Sequence[str], parts: int, find_id: FindId
) -> None:
    """After `NO_ANSWER`, or a late answer to one part: write down what is known of the parts of a text whose fate is not, and
    apply the receipts that were faster. Such a text is delivered when each of its parts is."""
    if parts > 1 or any(provider_ids):
        _keep_ids(db, text, bridge, provider_ids, parts, find_id)
    for row in _unmatched(db, text, bridge):
        receipt = _read_receipt(row)
        found = _part_of_only_unknown(db, receipt)
        if found and found.text == text:
            db.execute("UPDATE receipts SET text = ? WHERE id = ?", (text, row["id"]))
            _apply(db, found, receipt.provider_id, receipt.state, receipt.code, receipt.at)


def forget_parts(db: sqlite3.Connection, text: int) -> None:
    """Before a text whose fate is unknown is sent once more: the parts of the new one are others."""
    db.execute("DELETE FROM parts WHERE text = ?", (text,))


# --- the parts of a text ---


@dataclass(frozen=True, slots=True, kw_only=True)
class _Part:
    """One row of `parts`."""

    text: int
    number: int
    """From 1; 0: one of them, nobody knows which."""
    detail: str = ""
    """How its text was found, where that is worth saying."""


def _keep_ids(db: sqlite3.Connection, text: int, bridge: str, ids: Sequence[str], parts: int, find_id: FindId) -> None:
    """A row for each part. An id that a receipt has taught already stands in a row, perhaps not in its own."""
    is_new = not _has_parts(db, text)
    own = {number: provider_id for number, provider_id in enumerate(ids, start=1) if provider_id}
    for number in range(1, parts + 1):
        _add_part(db, text, number, bridge, own.get(number, "") if is_new else "")
    for number, provider_id in own.items():
        at = number if is_new else _place_for(db, text, number, provider_id, find_id)
        if at is not None:
            _apply_early(db, _Part(text=text, number=at), bridge, provider_id, find_id)


def _place_for(db: sqlite3.Connection, text: int, number: int, provider_id: str, find_id: FindId) -> int | None:
    """The part that an id was given to: its own, or the first without one. None: it has a part already, or none is left."""
    known = _ids(db, text)
    free = number if number not in known else _unknown_part(db, text)
    if free is None or find_id(provider_id, list(known.values())) is not None:
        return None
    db.execute("UPDATE parts SET provider_id = ? WHERE text = ? AND number = ?", (provider_id, text, free))
    return free


def _add_part(db: sqlite3.Connection, text: int, number: int, bridge: str, provider_id: str = "") -> None:
    db.execute(
        "INSERT INTO parts (text, number, bridge, provider_id) VALUES (?, ?, ?, ?) ON CONFLICT DO NOTHING",
        (text, number, bridge, provider_id),
    )


def _has_parts(db: sqlite3.Connection, text: int) -> bool:
    return db.execute("SELECT 1 FROM parts WHERE text = ? LIMIT 1", (text,)).fetchone() is not None


def _ids(db: sqlite3.Connection, text: int) -> dict[int, str]:
    """The ids that are known, by the number of their part."""
    rows = db.execute("SELECT number, provider_id FROM parts WHERE text = ? AND provider_id != '' ORDER BY number", (text,))
    return {row["number"]: row["provider_id"] for row in rows}


def _unknown_part(db: sqlite3.Connection, text: int) -> int | None:
    """The first part whose id is not known."""
    row = db.execute("SELECT min(number) AS number FROM parts WHERE text = ? AND provider_id = ''", (text,)).fetchone()
    number: int | None = row["number"]
    return number


def _part_for(db: sqlite3.Connection, text: sqlite3.Row, receipt: Receipt) -> int | None:
    """The part that a receipt with an id that we do not know must be of; None: every part has an id already. Where nothing was
    written down of a text's parts, it has as many as segments if the network tells of each, else one."""
    if not _has_parts(db, text["id"]):
        for number in range(1, (text["segments"] if receipt.is_of_part else 1) + 1):
            _add_part(db, text["id"], number, receipt.bridge)
    return _unknown_part(db, text["id"])


# --- whose receipt it is ---


def _is_repeated(db: sqlite3.Connection, receipt: Receipt, text: int | None) -> bool:
    """Has this text had the same receipt before? Of another text it is another receipt: SMSCs begin their ids anew."""
    values = (receipt.bridge, receipt.provider_id, receipt.to, receipt.state, receipt.code, text)
    return db.execute(SEEN, values).fetchone() is not None


def _part_by_key(db: sqlite3.Connection, receipt: Receipt, find_id: FindId) -> _Part | None:
    """The text whose key the network gave back. It settles a text whose answer was lost, even one of several to a number."""
    text = texts.by_key(db, receipt.key) if receipt.key else None
    if text is None or text["bridge"] != receipt.bridge or receipt.to not in (None, text["recipient"]):
        return None
    known = _ids(db, text["id"])
    at = find_id(receipt.provider_id, list(known.values()))
    if at is not None:
        return _Part(text=text["id"], number=list(known)[at])
    number = _part_for(db, text, receipt)
    if number is None:  # the network writes a text's id in more than one way; of several parts nobody knows which it means
        number = 1 if len(known) == 1 else 0
    return _Part(text=text["id"], number=number)


def _part_of(db: sqlite3.Connection, receipt: Receipt, find_id: FindId) -> _Part | None:
    if receipt.to is not None:
        rows = db.execute(
            "SELECT parts.text, parts.number, parts.provider_id FROM texts JOIN parts ON parts.text = texts.id"
            " WHERE texts.recipient = ? AND parts.bridge = ? AND parts.provider_id != '' ORDER BY texts.id DESC LIMIT ?",
            (receipt.to, receipt.bridge, CANDIDATES),
        ).fetchall()
    else:
        rows = db.execute(
            "SELECT text, number, provider_id FROM parts WHERE provider_id = ? AND bridge = ? ORDER BY text DESC LIMIT 1",
            (receipt.provider_id, receipt.bridge),
        ).fetchall()
    at = find_id(receipt.provider_id, [row["provider_id"] for row in rows])
    return None if at is None else _Part(text=rows[at]["text"], number=rows[at]["number"])


def _part_of_only_unknown(db: sqlite3.Connection, receipt: Receipt) -> _Part | None:
    """Of the one text to this number whose answer was lost: a receipt can only be its. Two such texts, or another that has no
    answer yet: nobody knows."""
    rows = db.execute(
        "SELECT * FROM texts WHERE state IN ('sending', 'unknown') AND recipient = ? AND bridge = ? AND claimed_at <= ?"
        " AND (EXISTS (SELECT 1 FROM parts WHERE parts.text = texts.id AND provider_id = '')"
        " OR NOT EXISTS (SELECT 1 FROM parts WHERE parts.text = texts.id)) LIMIT 2",
        (receipt.to, receipt.bridge, written(receipt.at)),
    ).fetchall()
    if len(rows) != 1 or rows[0]["state"] != TextState.UNKNOWN:
        return None
    number = _part_for(db, rows[0], receipt)
    detail = f"settled by a receipt for this number: {receipt.code}"
    return None if number is None else _Part(text=rows[0]["id"], number=number, detail=detail)


# --- what follows from it ---


def _unmatched(db: sqlite3.Connection, text: int, bridge: str) -> list[sqlite3.Row]:
    """Receipts for a text's number that came since it was claimed and belong to no text yet."""
    return db.execute(
        "SELECT receipts.* FROM receipts JOIN texts ON texts.id = ? WHERE receipts.text IS NULL AND receipts.bridge = ?"
        " AND receipts.recipient = texts.recipient AND receipts.at >= texts.claimed_at ORDER BY receipts.id",
        (text, bridge),
    ).fetchall()


def _read_receipt(row: sqlite3.Row) -> Receipt:
    """A receipt as it was kept. Whether it was of a part was not, so a text whose parts are not known has as many as it can."""
    return Receipt(
        bridge=row["bridge"],
        provider_id=row["provider_id"],
        to=row["recipient"],
        state=ReceiptState(row["state"]),
        code=row["code"],
        at=read(row["at"]),
        is_of_part=True,
    )


def _apply_early(db: sqlite3.Connection, part: _Part, bridge: str, provider_id: str, find_id: FindId) -> None:
    for row in _unmatched(db, part.text, bridge):
        if find_id(row["provider_id"], [provider_id]) is None:
            continue
        db.execute("UPDATE receipts SET text = ? WHERE id = ?", (part.text, row["id"]))
        _apply(db, part, provider_id, ReceiptState(row["state"]), row["code"], read(row["at"]))


def _apply(db: sqlite3.Connection, part: _Part, provider_id: str, state: ReceiptState, code: str, at: datetime) -> None:
    """One part's receipt: a text is delivered when all its parts are, undelivered when one is not, accepted when all are
    known."""
    db.execute(
        "UPDATE parts SET receipt = CASE WHEN ? THEN receipt ELSE ? END, provider_id = coalesce(nullif(provider_id, ''), ?)"
        " WHERE text = ? AND number = ?",
        (state is ReceiptState.ON_ITS_WAY, state, provider_id, part.text, part.number),
    )
    detail = part.detail or code
    if state is ReceiptState.UNDELIVERED:
        texts.settle(db, part.text, TextEvent.UNDELIVERED, at, detail=detail)
        return
    still = db.execute(
        "SELECT count(*) FILTER (WHERE provider_id = '') AS unknown, count(*) FILTER (WHERE receipt IS NOT ?) AS open"
        " FROM parts WHERE text = ?",
        (ReceiptState.DELIVERED, part.text),
    ).fetchone()
    if not still["open"]:
        texts.settle(db, part.text, TextEvent.DELIVERED, at, detail=detail)
    elif not still["unknown"]:
        texts.settle(db, part.text, TextEvent.ACCEPTED, at, detail=part.detail)
