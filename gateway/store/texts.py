"""Texts: queued, claimed by a bridge, settled. Every change of state goes through the table in `core/delivery.py`."""

import json
import sqlite3
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from config.model import E164
from gateway.core.delivery import Event, TextState, after
from gateway.store import consent
from gateway.store.history import reached_at
from gateway.store.instants import read, written

CLAIM_AT_MOST = 500
"""Texts looked at in one round."""
PAGE = 20
DUE = "SELECT * FROM texts WHERE state = 'queued' AND due_at <= ? AND (due_at, id) > (?, ?) ORDER BY due_at, id LIMIT ?"
EXPIRED = "SELECT id, detail FROM texts WHERE state = 'queued' AND expires_at <= ?"
NEXT_AT = (
    "SELECT min(at) AS at FROM (SELECT min(due_at) AS at FROM texts WHERE state = 'queued' AND due_at > ?"
    " UNION ALL SELECT min(expires_at) FROM texts WHERE state = 'queued')"
)


@dataclass(frozen=True, slots=True, kw_only=True)
class NewText:
    """A text as a decision makes it."""

    call: int | None
    """None: a test text."""
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
    is_test: bool = False
    """Counts for nobody."""
    is_answer: bool = False
    """To STOP, START or HELP: counts for nobody, and goes to those who opted out too."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Claimed:
    """A text that one bridge may now submit; committed as `sending` before anybody sees this."""

    id: int
    key: str
    """The same at every attempt, and no other text's, not even of another database: id and instant."""
    call: int | None
    line: str
    bridge: str
    recipient: E164
    sender: str
    body: str
    attempts: int
    tried: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Round:
    """What one look at the queue brought."""

    claimed: tuple[Claimed, ...]
    expired: tuple[int, ...]
    cancelled: tuple[int, ...]
    next_at: datetime | None
    """When the queue is to be looked at again, whatever else happens."""


def add(db: sqlite3.Connection, text: NewText) -> int:
    """Add a text, queued or held; its id."""
    added = db.execute(
        "INSERT INTO texts (call, line, recipient, region, sender, body, segments, variant, state, held_for, queued_at, due_at,"
        " expires_at, is_test, is_answer) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
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
            text.is_test,
            text.is_answer,
        ),
    )
    return int(added.lastrowid or 0)


def answered_since(db: sqlite3.Connection, number: E164, at: datetime) -> bool:
    """Has this number had an answer of ours to a word of theirs since an instant?"""
    row = db.execute("SELECT 1 FROM texts WHERE is_answer AND recipient = ? AND queued_at > ? LIMIT 1", (number, written(at)))
    return row.fetchone() is not None


def one(db: sqlite3.Connection, text: int) -> sqlite3.Row | None:
    """One text by its id."""
    row: sqlite3.Row | None = db.execute("SELECT * FROM texts WHERE id = ?", (text,)).fetchone()
    return row


def key_of(text: sqlite3.Row) -> str:
    """A text's key: `7-1795437000123`."""
    return f"{text['id']}-{int(read(text['queued_at']).timestamp() * 1000)}"


def by_key(db: sqlite3.Connection, key: str) -> sqlite3.Row | None:
    """The text with a key, or None."""
    number = key.partition("-")[0]
    text = one(db, int(number)) if number.isascii() and number.isdecimal() and len(number) < 18 else None
    return text if text is not None and key_of(text) == key else None


def claim_due(db: sqlite3.Connection, now: datetime, routes: Mapping[str, Sequence[str]], room: Mapping[str, int]) -> Round:
    """Give due texts to bridges that have room: expired and opted-out ones are settled, the rest become `sending`.

    `routes` names each line's bridges in order; `room` holds the bridges that are up, with how many texts each takes now. A
    text waits for the first bridge of its route that is up and has not declined it in this round.
    """
    expired = _expire(db, now)
    left = dict(room)
    claimed: list[Claimed] = []
    cancelled: list[int] = []
    for row in _due(db, now):
        if not any(left.values()):
            break
        tried = tuple(json.loads(row["tried"]))
        up = [bridge for bridge in routes.get(row["line"], ()) if bridge in left and bridge not in tried]
        if not up or not left[up[0]]:
            continue
        if against := _speaks_against(db, row):
            settle(db, row["id"], Event.CANCELLED, now, detail=against)
            cancelled.append(row["id"])
            continue
        left[up[0]] -= 1
        claimed.append(_claim(db, row, up[0], tried, now))
    return Round(claimed=tuple(claimed), expired=expired, cancelled=tuple(cancelled), next_at=_next_at(db, now))


def settle(
    db: sqlite3.Connection, text: int, event: Event, at: datetime, *, detail: str = "", bridge: str | None = None
) -> TextState | None:
    """Take a text one step further; the new state, or None where the event came too late to change anything."""
    row = db.execute("SELECT state FROM texts WHERE id = ?", (text,)).fetchone()
    state = after(TextState(row["state"]), event) if row else None
    if state is not None:
        db.execute(
            "UPDATE texts SET state = ?, detail = ?, settled_at = ?, bridge = coalesce(?, bridge) WHERE id = ?",
            (state, detail, written(at), bridge, text),
        )
    return state


def put_back(db: sqlite3.Connection, text: int, at: datetime, *, due_at: datetime, tried: Sequence[str], detail: str) -> None:
    """Return a text that was certainly not sent to the queue, due again at an instant."""
    if settle(db, text, Event.NOT_NOW, at, detail=detail) is TextState.QUEUED:
        db.execute(
            "UPDATE texts SET due_at = ?, tried = ?, settled_at = NULL WHERE id = ?",
            (written(due_at), json.dumps(list(tried)), text),
        )


def recover(db: sqlite3.Connection, now: datetime) -> tuple[int, ...]:
    """After a stop that nobody announced: texts that were under way may have gone, so they are held as `unknown`."""
    rows = db.execute("SELECT id FROM texts WHERE state = ? ORDER BY id", (TextState.SENDING,)).fetchall()
    for row in rows:
        settle(db, row["id"], Event.NO_ANSWER, now, detail="the gateway stopped while it was being sent")
    return tuple(row["id"] for row in rows)


def unknown_since(db: sqlite3.Connection, at: datetime) -> list[sqlite3.Row]:
    """Texts that were handed over since an instant and whose answer was lost."""
    return db.execute("SELECT * FROM texts WHERE state = 'unknown' AND claimed_at >= ? ORDER BY id", (written(at),)).fetchall()


def cancel_for(db: sqlite3.Connection, number: E164, at: datetime, detail: str) -> int:
    """Cancel whatever is still queued or held for a number; how many that were."""
    rows = db.execute("SELECT id FROM texts WHERE recipient = ? AND state IN ('queued', 'held')", (number,)).fetchall()
    return sum(settle(db, row["id"], Event.CANCELLED, at, detail=detail) is not None for row in rows)


def count(db: sqlite3.Connection, state: TextState) -> int:
    """How many texts are in a state that the database has an index for: held, queued, sending, unknown."""
    return int(db.execute("SELECT count(*) FROM texts WHERE state = ?", (state,)).fetchone()[0])


_FIRST_PART = "(SELECT provider_id FROM parts WHERE parts.text = texts.id ORDER BY number LIMIT 1)"
_SHOWN = f"SELECT texts.*, {_FIRST_PART} AS provider_id FROM texts"
"""A text as it is shown: with the provider's id of its first part."""


def newest(db: sqlite3.Connection, limit: int) -> list[sqlite3.Row]:
    """The newest texts first."""
    return db.execute(f"{_SHOWN} ORDER BY texts.id DESC LIMIT ?", (limit,)).fetchall()


def of_call(db: sqlite3.Connection, call: int) -> list[sqlite3.Row]:
    """The texts of one call, oldest first."""
    return db.execute(f"{_SHOWN} WHERE call = ? ORDER BY texts.id", (call,)).fetchall()


def _expire(db: sqlite3.Connection, now: datetime) -> tuple[int, ...]:
    rows = db.execute(EXPIRED, (written(now),)).fetchall()
    for row in rows:
        why = f"not sent in time; last: {row['detail']}" if row["detail"] else "not sent in time: no bridge was ready"
        settle(db, row["id"], Event.EXPIRED, now, detail=why)
    return tuple(row["id"] for row in rows)


def _speaks_against(db: sqlite3.Connection, row: sqlite3.Row) -> str:
    """What has happened since the text was queued that makes it wrong to send; empty: nothing."""
    if row["is_answer"]:
        return ""
    if consent.opted_out_at(db, row["recipient"]) is not None:
        return "opted out before it was sent"
    call = db.execute("SELECT arrived_at FROM calls WHERE id = ?", (row["call"],)).fetchone()
    if call is not None and reached_at(db, row["recipient"], row["line"], read(call["arrived_at"])) is not None:
        return "resolved: the caller got through, wrote, or was called back before it was sent"
    return ""


def _due(db: sqlite3.Connection, now: datetime) -> Iterator[sqlite3.Row]:
    """What is due, in order, a page at a time: a round takes as many as there is room for, and the queue may be long."""
    after_due, after_id = "", 0
    for _ in range(0, CLAIM_AT_MOST, PAGE):
        page = db.execute(DUE, (written(now), after_due, after_id, PAGE)).fetchall()
        yield from page
        if len(page) < PAGE:
            return
        after_due, after_id = page[-1]["due_at"], page[-1]["id"]


def _claim(db: sqlite3.Connection, row: sqlite3.Row, bridge: str, tried: tuple[str, ...], now: datetime) -> Claimed:
    state = after(TextState(row["state"]), Event.CLAIMED)
    db.execute(
        "UPDATE texts SET state = ?, bridge = ?, claimed_at = ?, attempts = attempts + 1 WHERE id = ?",
        (state, bridge, written(now), row["id"]),
    )
    return Claimed(
        id=row["id"],
        key=key_of(row),
        call=row["call"],
        line=row["line"],
        bridge=bridge,
        recipient=row["recipient"],
        sender=row["sender"],
        body=row["body"],
        attempts=row["attempts"] + 1,
        tried=tried,
    )


def _next_at(db: sqlite3.Connection, now: datetime) -> datetime | None:
    """The next instant at which a queued text falls due or expires; what is due already waits for a bridge's room."""
    row = db.execute(NEXT_AT, (written(now),)).fetchone()
    return read(row["at"]) if row["at"] else None


def bridge_of(db: sqlite3.Connection, text: int) -> str | None:
    """The bridge that holds or held a text."""
    row = db.execute("SELECT bridge FROM texts WHERE id = ?", (text,)).fetchone()
    return row["bridge"] if row else None
