"""Calls and the decisions about them."""

import json
import sqlite3
from dataclasses import dataclass
from datetime import datetime, timedelta

from config.model import E164
from gateway.core.call import Outcome
from gateway.core.decision import TraceEntry
from gateway.core.reason import Reason
from gateway.store.instants import read, written
from gateway.store.selection import Names, Selection, where


@dataclass(frozen=True, slots=True, kw_only=True)
class Arrival:
    """A call as it came in, with the line it was found to be for."""

    key: str
    call_id: str
    trunk: str
    source: str
    line: str | None
    caller: E164 | None
    caller_as_sent: str | None
    caller_name: str
    caller_header: str
    dialled: tuple[str, ...]
    diversions: tuple[dict[str, str], ...]
    verstat: str
    arrived_at: datetime
    earlier_callers: tuple[dict[str, str | None], ...] = ()
    """Who called before the trunk said, in mid-ring, that it is `caller`: caller, as_sent, header, until; the oldest first."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Ending:
    """How and when a call's outcome fell. For a missed call this is the moment that a text is owed from."""

    outcome: Outcome
    at: datetime
    rang: timedelta
    sip_reason: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Ended:
    """A journalled call with its outcome."""

    id: int
    arrival: Arrival
    ending: Ending


def arrive(db: sqlite3.Connection, call: Arrival) -> int:
    """Write down that a call rings, once however often it is told, or that its caller has changed since; the call's id."""
    db.execute(
        "INSERT INTO calls (key, call_id, trunk, source, line, caller, caller_as_sent, caller_name, caller_header, dialled,"
        " diversions, verstat, arrived_at, earlier_callers) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)"
        " ON CONFLICT (key) DO UPDATE SET caller = excluded.caller, caller_as_sent = excluded.caller_as_sent,"
        " caller_name = excluded.caller_name, caller_header = excluded.caller_header, verstat = excluded.verstat,"
        " earlier_callers = excluded.earlier_callers WHERE outcome IS NULL"
        " AND json_array_length(excluded.earlier_callers) > json_array_length(calls.earlier_callers)",
        (
            call.key,
            call.call_id,
            call.trunk,
            call.source,
            call.line,
            call.caller,
            call.caller_as_sent,
            call.caller_name,
            call.caller_header,
            _ASCII.encode(call.dialled),
            _ASCII.encode(call.diversions),
            call.verstat,
            written(call.arrived_at),
            json.dumps(call.earlier_callers),
        ),
    )
    return int(db.execute("SELECT id FROM calls WHERE key = ?", (call.key,)).fetchone()["id"])


def end(db: sqlite3.Connection, call: int, ending: Ending) -> bool:
    """Write down a call's outcome; False where it already has one (which then stands)."""
    changed = db.execute(
        "UPDATE calls SET outcome = ?, outcome_at = ?, rang_seconds = ?, sip_reason = ? WHERE id = ? AND outcome IS NULL",
        (ending.outcome, written(ending.at), round(ending.rang.total_seconds(), 3), ending.sip_reason, call),
    )
    return changed.rowcount == 1


def same_call(db: sqlite3.Connection, call: int, first: int) -> None:
    """Write down that a call is a later round of another."""
    db.execute("UPDATE calls SET same_call_as = ? WHERE id = ?", (first, call))


def record(
    db: sqlite3.Connection,
    call: int,
    word: str,
    reason: Reason,
    trace: tuple[TraceEntry, ...],
    at: datetime,
    config_hash: str,
) -> None:
    """Write down a decision's word, reason and trace."""
    db.execute(
        "INSERT INTO decisions (call, at, decision, reason, trace, config_hash) VALUES (?, ?, ?, ?, ?, ?)",
        (call, written(at), word, reason, _TRACE.encode([_plain(entry) for entry in trace]), config_hash),
    )
    db.execute("UPDATE calls SET decision = ?, reason = ? WHERE id = ?", (word, reason, call))


def ended(db: sqlite3.Connection, call: int) -> Ended | None:
    """A call that has its outcome, by its id."""
    row = one(db, call)
    return ended_from(row) if row is not None and row["outcome"] is not None else None


def ended_from(row: sqlite3.Row) -> Ended:
    """A row of `calls` that has an outcome."""
    ending = Ending(
        outcome=Outcome(row["outcome"]),
        at=read(row["outcome_at"] or row["arrived_at"]),
        rang=timedelta(seconds=row["rang_seconds"] or 0),
        sip_reason=row["sip_reason"],
    )
    return Ended(id=row["id"], arrival=_arrival(row), ending=ending)


def since(db: sqlite3.Connection, at: datetime) -> list[sqlite3.Row]:
    """Every ended call that came since an instant, oldest first."""
    return db.execute(
        "SELECT * FROM calls WHERE arrived_at >= ? AND outcome IS NOT NULL ORDER BY arrived_at, id", (written(at),)
    ).fetchall()


def done(db: sqlite3.Connection, call: int, at: datetime) -> bool:
    """A person has dealt with this call; False where there is no such call."""
    return db.execute("UPDATE calls SET done_at = ? WHERE id = ?", (written(at), call)).rowcount == 1


def open_calls(db: sqlite3.Connection) -> list[tuple[int, Arrival]]:
    """Calls without an outcome: ringing now, or cut off when the program last stopped."""
    rows = db.execute("SELECT * FROM calls WHERE outcome IS NULL ORDER BY id").fetchall()
    return [(row["id"], _arrival(row)) for row in rows]


_NEWEST_TEXT = "FROM texts WHERE texts.call = calls.id ORDER BY texts.id DESC LIMIT 1"
_SHOWN = f"SELECT calls.*, (SELECT id {_NEWEST_TEXT}) AS text, (SELECT state {_NEWEST_TEXT}) AS text_state FROM calls"
"""A call as it is shown: with its newest text's id and state."""
_NAMES = Names(table="calls", at="arrived_at", caller="caller", as_sent="caller_as_sent", state="outcome")


def selected(db: sqlite3.Connection, selection: Selection) -> list[sqlite3.Row]:
    """Calls by what is asked of them, the newest first; the state of one without an outcome is `ringing`."""
    asked, values = where(selection, _NAMES)
    limit = -1 if selection.limit is None else selection.limit
    return db.execute(f"{_SHOWN} {asked} ORDER BY calls.id DESC LIMIT ?", (*values, limit)).fetchall()


def one(db: sqlite3.Connection, call: int) -> sqlite3.Row | None:
    """One call by its id."""
    row: sqlite3.Row | None = db.execute(f"{_SHOWN} WHERE calls.id = ?", (call,)).fetchone()
    return row


def line_called(db: sqlite3.Connection, number: E164) -> str | None:
    """The line that a number called last."""
    row = db.execute("SELECT line FROM calls WHERE caller = ? ORDER BY arrived_at DESC LIMIT 1", (number,)).fetchone()
    return row["line"] if row else None


def by_call_id(db: sqlite3.Connection, call_id: str) -> sqlite3.Row | None:
    """The newest call with this SIP Call-ID."""
    row: sqlite3.Row | None = db.execute(f"{_SHOWN} WHERE call_id = ? ORDER BY calls.id DESC LIMIT 1", (call_id,)).fetchone()
    return row


def decisions(db: sqlite3.Connection, call: int) -> list[sqlite3.Row]:
    """Every decision about one call, oldest first."""
    return db.execute("SELECT * FROM decisions WHERE call = ? ORDER BY id", (call,)).fetchall()


_ASCII = json.JSONEncoder()
"""What a trunk wrote may hold halves of characters, which are no UTF-8."""
_TRACE = json.JSONEncoder(ensure_ascii=False)


def _plain(entry: TraceEntry) -> dict[str, str]:
    return {"rule": entry.rule, "saw": entry.saw, "verdict": entry.verdict, "config": entry.config}


def _arrival(row: sqlite3.Row) -> Arrival:
    return Arrival(
        key=row["key"],
        call_id=row["call_id"],
        trunk=row["trunk"],
        source=row["source"],
        line=row["line"],
        caller=row["caller"],
        caller_as_sent=row["caller_as_sent"],
        caller_name=row["caller_name"],
        caller_header=row["caller_header"],
        dialled=tuple(json.loads(row["dialled"])),
        diversions=tuple(json.loads(row["diversions"])),
        verstat=row["verstat"],
        arrived_at=read(row["arrived_at"]),
        earlier_callers=tuple(json.loads(row["earlier_callers"])),
    )
