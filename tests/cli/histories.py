"""Databases for the commands that show: an empty one, a full one, and one with everything odd in it."""

import sqlite3
from datetime import UTC, datetime, timedelta
from pathlib import Path

from config.model import E164
from gateway.core.call import Outcome
from gateway.core.consent import Wish
from gateway.core.decision import TraceEntry
from gateway.core.delivery import TextState
from gateway.core.kind import TextKind
from gateway.core.reason import Reason
from gateway.store import calls, consent, replies, texts, undeliverable
from gateway.store.calls import Arrival, Ending
from gateway.store.database import migrate
from gateway.store.schema import MIGRATIONS
from gateway.store.texts import NewText
from sms.text import Reply

BEGIN = datetime(2026, 10, 31, 12, tzinfo=UTC)
"""The first call comes then, another one each hour."""
CALLER = E164("+14155550123")
ODD = "\x00\x1b[2J\x7f\x9b\n\u202e\u2028 ü🙂\\"


def caller(number: int) -> E164:
    """One of many callers."""
    return E164(f"+1415555{1000 + number}")


def add_call(
    db: sqlite3.Connection, number: int, *, at: datetime | None = None, who: str | None = None, line: str | None = "front"
) -> int:
    """A call that rings."""
    arrival = Arrival(
        key=str(number), call_id=f"id-{number}", trunk="pbx", source="192.0.2.10:5060", line=line,
        caller=E164(who) if who and who.startswith("+") else None, caller_as_sent=who, caller_name="", caller_header="From",
        dialled=("+14155550100",), diversions=(), verstat="", arrived_at=at or BEGIN + timedelta(hours=number),
    )  # fmt: skip
    return calls.arrive(db, arrival)


def add_text(
    db: sqlite3.Connection, call: int | None, to: E164, at: datetime, *, due_at: datetime | None = None, **changes: object
) -> int:
    """A text that is queued, or held where `held_for` says so."""
    values: dict[str, object] = {
        "call": call, "kind": TextKind.MISSED_CALL,
        "line": "front", "recipient": to, "sender": "+14155550100", "region": "US", "body": "Sorry we missed you",
        "segments": 1, "queued_at": at, "due_at": due_at, "expires_at": at + timedelta(minutes=15), **changes,
    }  # fmt: skip
    return texts.add(db, NewText(**values))  # type: ignore[arg-type]


def full(db: sqlite3.Connection) -> None:
    """Calls of every outcome, texts in every state, replies of every wish, and numbers that are dead."""
    for number, outcome in enumerate([*Outcome, *Outcome, *Outcome]):
        at = BEGIN + timedelta(hours=number, seconds=20)
        call = add_call(db, number, who=caller(number))
        calls.end(db, call, Ending(outcome=outcome, at=at, rang=timedelta(seconds=20), sip_reason="Q.850;cause=16"))
        entry = TraceEntry(rule="missed", saw=outcome.value, verdict="pass", config="line.front.arrives")
        calls.record(db, call, "send", Reason.MISSED_CALL, (entry,), at, "another")
    add_call(db, 90, who=None)
    add_call(db, 91, who="101", line=None)
    for number, state in enumerate(TextState):
        at = BEGIN + timedelta(hours=number, seconds=20)
        held_for = "quiet_hours" if state is TextState.HELD else None
        text = add_text(db, number + 1, caller(number), at, due_at=at, variant=number % 2 or None, held_for=held_for)
        db.execute("UPDATE texts SET state = ?, bridge = 'spool', detail = 'as it is' WHERE id = ?", (state, text))
    add_text(db, None, CALLER, BEGIN, due_at=BEGIN, kind=TextKind.TEST)
    add_text(db, None, CALLER, BEGIN, due_at=BEGIN, kind=TextKind.CONFIRMATION, confirms=Wish.OPT_OUT)
    db.execute("INSERT INTO parts (text, number, bridge, provider_id) VALUES (3, 1, 'spool', 'abc')")
    for wish in (*Wish, None):
        replies.add(db, Reply(bridge="spool", sender=CALLER, to="+14155550100", body="Hello", at=BEGIN), wish)
    undeliverable.add(db, caller(500), BEGIN, "spool 30006")
    undeliverable.refused(db, caller(501), BEGIN, "spool", "0x0000000B")
    consent.add(db, number=caller(502), wish=Wish.OPT_OUT, at=BEGIN, source="reply:1")


def odd(path: Path) -> None:
    """Rows that an older version wrote, and rows with every null, unknown words and control characters."""
    db = sqlite3.connect(path, isolation_level=None)
    db.row_factory = sqlite3.Row
    for statement in MIGRATIONS[0]:
        db.execute(statement)
    db.execute("PRAGMA user_version = 1")
    for number in (1, 2):
        db.execute(
            "INSERT INTO calls (id, key, call_id, trunk, source, caller_name, caller_header, dialled, diversions, verstat,"
            " arrived_at) VALUES (?, ?, ?, ?, ?, ?, ?, '[]', '[]', ?, '2025-01-01T00:00:00.000Z')",
            (number, str(number), *[ODD] * 6),
        )
    db.execute("UPDATE calls SET outcome = 'no_answer', decision = 'skip', reason = 'a_word_of_old' WHERE id = 2")
    db.execute(
        "INSERT INTO decisions (call, at, decision, reason, trace, config_hash) VALUES (2, '2025-01-01T00:00:00.000Z', 'skip',"
        """ 'a_word_of_old', '[{"rule": "missed", "saw": "\\u001b[2J"}]', '')"""
    )
    db.execute(
        "INSERT INTO texts (id, call, line, recipient, sender, body, segments, state, detail, queued_at, due_at, expires_at)"
        " VALUES (7, 2, 'gone', '+000', '', ?, 0, 'held', ?, '2025-01-01T00:00:00.000Z', '2025-01-01T00:00:00.000Z',"
        " '2025-01-01T00:00:00.000Z')",
        (ODD, ODD),
    )
    db.execute(
        "INSERT INTO replies (bridge, sender, recipient, body, at) VALUES (?, ?, '', ?, '2025-01-01T00:00:00.000Z')",
        (ODD, ODD, ODD),
    )
    migrate(db, path)
    db.execute("UPDATE texts SET due_at = NULL, held_for = NULL, bridge = NULL, variant = 12 WHERE id = 7")
    db.execute("INSERT INTO undeliverable VALUES ('+000', '2025-01-01T00:00:00.000Z', ?)", (ODD,))
    db.close()
