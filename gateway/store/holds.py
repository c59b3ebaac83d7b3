"""Texts that wait for their time or for a person: held ones, and those whose fate is unknown."""

import sqlite3
from collections.abc import Sequence
from datetime import datetime, timedelta

from gateway.core.delivery import TextEvent, TextState
from gateway.core.reason import Reason
from gateway.store import receipts
from gateway.store.instants import read, written
from gateway.store.texts import NewText, settle


def release(db: sqlite3.Connection, text: int, fresh: NewText) -> None:
    """A held text goes: with the message that applies now, and due at once."""
    if settle(db, text, TextEvent.RELEASED, fresh.queued_at) is TextState.QUEUED:
        db.execute("UPDATE texts SET settled_at = NULL WHERE id = ?", (text,))
        _renew(db, text, fresh)


def postpone(db: sqlite3.Connection, text: int, now: datetime, reason: Reason) -> None:
    """A queued text may not go now: it is held, and decided anew at once."""
    if settle(db, text, TextEvent.POSTPONED, now) is TextState.HELD:
        db.execute("UPDATE texts SET due_at = ?, held_for = ?, settled_at = NULL WHERE id = ?", (written(now), reason, text))


def hold_on(db: sqlite3.Connection, text: int, fresh: NewText) -> None:
    """A held text stays held, for another reason or longer."""
    _renew(db, text, fresh)


def _renew(db: sqlite3.Connection, text: int, fresh: NewText) -> None:
    db.execute(
        "UPDATE texts SET body = ?, segments = ?, variant = ?, sender = ?, held_for = ?, due_at = ?, expires_at = ?,"
        " queued_at = ? WHERE id = ?",
        (
            fresh.body,
            fresh.segments,
            fresh.variant,
            fresh.sender,
            fresh.held_for,
            written(fresh.due_at) if fresh.due_at else None,
            written(fresh.expires_at),
            written(fresh.queued_at),
            text,
        ),
    )


def resend(db: sqlite3.Connection, text: int, now: datetime, expires: timedelta) -> bool:
    """A person wants a text whose fate is unknown to be sent (again); False where its fate is known."""
    if settle(db, text, TextEvent.RESENT, now, detail="a person had it sent again") is not TextState.QUEUED:
        return False
    receipts.forget_parts(db, text)
    db.execute(
        "UPDATE texts SET due_at = ?, expires_at = ?, tried = '[]', settled_at = NULL WHERE id = ?",
        (written(now), written(now + expires), text),
    )
    return True


def held_due(
    db: sqlite3.Connection, now: datetime, limit: int, without: Sequence[int] = (), over: Reason | None = None
) -> list[int]:
    """Held texts whose time has come, but for some; and those held for a reason that is over."""
    rows = db.execute(
        f"SELECT id FROM texts WHERE state = 'held' AND (due_at <= ? OR held_for = ?) AND id NOT IN ({_listed(without)})"
        " ORDER BY due_at, id LIMIT ?",
        (written(now), over, limit),
    ).fetchall()
    return [row["id"] for row in rows]


def next_held_at(db: sqlite3.Connection, without: Sequence[int] = ()) -> datetime | None:
    """When the next held text falls due; None where all wait for a person, or there is none."""
    row = db.execute(
        f"SELECT min(due_at) AS at FROM texts WHERE state = 'held' AND due_at IS NOT NULL AND id NOT IN ({_listed(without)})"
    ).fetchone()
    return read(row["at"]) if row["at"] else None


def is_of_no_call(db: sqlite3.Connection, text: int) -> bool:
    """Is a text held whose call, or whose caller, is not there? The rules decide about calls alone."""
    row = db.execute(
        "SELECT 1 FROM texts LEFT JOIN calls ON calls.id = texts.call"
        " WHERE texts.id = ? AND texts.state = 'held' AND (calls.outcome IS NULL OR calls.caller IS NULL)",
        (text,),
    )
    return row.fetchone() is not None


def _listed(texts: Sequence[int]) -> str:
    """Ids for a query; however many, they need no variables."""
    return ", ".join(str(int(text)) for text in texts)


def held_since(db: sqlite3.Connection, line: str | None, since: datetime | None) -> list[int]:
    """Held texts of one line or of all, whose call came at an instant or later; oldest first."""
    rows = db.execute(
        "SELECT texts.id FROM texts LEFT JOIN calls ON calls.id = texts.call WHERE texts.state = 'held'"
        " AND (?1 IS NULL OR texts.line = ?1) AND (?2 IS NULL OR coalesce(calls.arrived_at, texts.queued_at) >= ?2)"
        " ORDER BY texts.id",
        (line, written(since) if since else None),
    ).fetchall()
    return [row["id"] for row in rows]


def lines_held(db: sqlite3.Connection) -> list[str]:
    """The lines that held texts are of, also those that the configuration no longer has."""
    return [row["line"] for row in db.execute("SELECT DISTINCT line FROM texts WHERE state = 'held' ORDER BY line")]


def held_of_caller(db: sqlite3.Connection, call: int) -> list[int]:
    """Held texts to the caller of a call, on its line."""
    rows = db.execute(
        "SELECT texts.id FROM calls JOIN texts ON texts.recipient = calls.caller AND texts.line = calls.line"
        " WHERE calls.id = ? AND texts.state = 'held'",
        (call,),
    ).fetchall()
    return [row["id"] for row in rows]
