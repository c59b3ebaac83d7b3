"""What the rules want to know of a caller, loaded by index: never a scan, however long the office has kept its calls."""

import sqlite3
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta

from config.model import E164, Limits
from config.reserved import CALL_TEST
from gateway.core.call import ANSWERED, MISSED, UNANSWERED
from gateway.core.case import History, SameCall, Traffic, Twin
from gateway.core.delivery import COUNTS_AS_SENT, COUNTS_AS_TEXTED, TextState
from gateway.core.kind import COUNTED
from gateway.core.reason import Reason
from gateway.core.rounds import Round, earlier, missed_calls
from gateway.store import consent, undeliverable
from gateway.store.instants import read, written

FORKED_WITHIN = timedelta(seconds=10)
"""INVITEs of one call arrive so close together."""

_TEXTED = ", ".join(f"'{state}'" for state in sorted(COUNTS_AS_TEXTED))
_SENT = ", ".join(f"'{state}'" for state in sorted(COUNTS_AS_SENT))
_KINDS = ", ".join(f"'{kind}'" for kind in sorted(COUNTED))
_COUNTED = f"kind IN ({_KINDS})"
_ANSWERED = ", ".join(f"'{outcome}'" for outcome in sorted(ANSWERED))
_NEVER_MEANT = frozenset({Reason.DUPLICATE, Reason.TOO_SHORT})
"""Calls that count for none."""

_GOES_AT = f"max(queued_at, coalesce(CASE state WHEN '{TextState.HELD}' THEN due_at ELSE claimed_at END, queued_at))"
"""When a text went, or is to go."""
_OTHER_TEXTS = f"FROM texts WHERE recipient = ? AND line = ? AND state IN ({_TEXTED}) AND {_COUNTED} AND call IS NOT ?"
LAST_TEXT = f"SELECT max({_GOES_AT}) AS at {_OTHER_TEXTS}"
VARIANTS = f"SELECT DISTINCT variant {_OTHER_TEXTS} AND variant IS NOT NULL AND {_GOES_AT} >= ?"
LATER_TEXT = (
    f"SELECT 1 {_OTHER_TEXTS} AND state = '{TextState.HELD}' AND due_at IS NOT NULL"
    " AND (SELECT arrived_at FROM calls WHERE id = texts.call) > ? LIMIT 1"
)
_ROUND = "id, arrived_at, outcome, outcome_at, rang_seconds, reason"
EARLIER_CALLS = (
    f"SELECT {_ROUND}, done_at FROM calls WHERE caller = ? AND line = ? AND arrived_at BETWEEN ? AND ?"
    f" AND id != ? AND (trunk = '{CALL_TEST}') = (SELECT count(*) FROM calls AS own WHERE id = ? AND trunk = '{CALL_TEST}')"
    " ORDER BY arrived_at"
)
KNOWN = "SELECT 1 FROM texts WHERE recipient = ?1 UNION ALL SELECT 1 FROM calls WHERE caller = ?1 LIMIT 1"
LAST_REPLY = "SELECT max(at) AS at FROM replies WHERE sender = ?"
GOT_THROUGH = (
    f"SELECT max(arrived_at) AS at FROM calls WHERE caller = ? AND line = ? AND arrived_at > ? AND outcome IN ({_ANSWERED})"
)
DONE = "SELECT max(done_at) AS at FROM calls WHERE caller = ? AND line = ? AND done_at IS NOT NULL"
TWINS = (
    "SELECT outcome, reason, call_id, arrived_at, outcome_at FROM calls"
    " WHERE caller = ? AND line = ? AND arrived_at BETWEEN ? AND ? AND id != ?"
)
_NO_TEST = f"trunk != '{CALL_TEST}' AND (SELECT count(*) FROM calls AS own WHERE id = ? AND trunk = '{CALL_TEST}') = 0"
"""Test calls are each their own: a person placed them."""
CALLS_BEFORE = (
    f"SELECT {_ROUND} FROM calls WHERE caller = ? AND line = ? AND arrived_at <= ? AND id != ? AND {_NO_TEST}"
    " ORDER BY arrived_at DESC"
)
RINGING_SINCE = (
    f"SELECT id, arrived_at FROM calls WHERE caller = ? AND line = ? AND arrived_at > ? AND outcome IS NULL AND {_NO_TEST}"
)
TEXT_OF = f"SELECT max({_GOES_AT}) AS at FROM texts WHERE call IN ({{calls}}) AND state IN ({_TEXTED}) AND {_COUNTED}"
_COUNTED_BY_LIMITS = f"FROM texts WHERE queued_at >= ? AND state IN ({_SENT}) AND {_COUNTED}"
SENT_SINCE = f"SELECT count(*) AS n FROM (SELECT 1 {_COUNTED_BY_LIMITS} LIMIT ?)"
SENT_TO_REGION = f"SELECT count(*) AS n FROM (SELECT 1 {_COUNTED_BY_LIMITS} AND region = ? LIMIT ?)"


@dataclass(frozen=True, slots=True, kw_only=True)
class Counted:
    """Which of a caller's missed calls count: from `since` (None: none) to `until`, but for the rounds of the call itself."""

    since: datetime | None
    until: datetime
    within: timedelta | None
    without: frozenset[str]


def history(
    db: sqlite3.Connection,
    *,
    number: E164,
    line: str,
    call: int,
    call_id: str,
    arrived_at: datetime,
    calls_since: datetime | None,
    texts_since: datetime | None,
    same_within: timedelta | None = None,
) -> History:
    """What is known of a caller, without the call itself (`call`, its id).

    `calls_since`, `texts_since`: when the `once_per` of the call began, and the one that runs now; None: each call has its own.
    `same_within`: the line's `same_call_within`.
    """
    rounds = earlier(_before(db, number, line, call, arrived_at), arrived_at, same_within)
    counted = Counted(since=calls_since, until=arrived_at, within=same_within, without=frozenset(one.name for one in rounds))
    return History(
        last_text_at=_instant(db, LAST_TEXT, number, line, call),
        variants_texted=_variants(db, number, line, call, texts_since) if texts_since else frozenset(),
        is_overtaken=db.execute(LATER_TEXT, (number, line, call, written(arrived_at))).fetchone() is not None,
        missed_at=_missed_at(db, number, line, call, counted),
        opted_out_at=consent.opted_out_at(db, number),
        undeliverable_at=undeliverable.said_at(db, number, arrived_at),
        last_reply_at=_instant(db, LAST_REPLY, number),
        reached_at=reached_at(db, number, line, arrived_at),
        twin=_twin(db, number, line, call, call_id, arrived_at)
        or _later_round(db, number, line, call, arrived_at, same_within),
        same_call=_same_call(db, rounds),
    )


def reached_at(db: sqlite3.Connection, number: E164, line: str, since: datetime) -> datetime | None:
    """When the caller got through, wrote in, or was called back after an instant; None: not yet."""
    found = (
        _instant(db, GOT_THROUGH, number, line, written(since)),
        _instant(db, DONE, number, line),
        _instant(db, LAST_REPLY, number),
    )
    return max((at for at in found if at is not None and at > since), default=None)


def traffic(db: sqlite3.Connection, *, limits: Limits, abroad: str | None, now: datetime, today: datetime) -> Traffic:
    """How many texts were queued in the last minute and since `today` began, counted no further than the limits ask.

    `abroad`: the caller's region where it is no domestic one.
    """
    minute_ago = written(now - timedelta(minutes=1))
    return Traffic(
        last_minute=_count(db, SENT_SINCE, minute_ago, limits.per_minute) if limits.per_minute else 0,
        today=_count(db, SENT_SINCE, written(today), limits.per_day) if limits.per_day else 0,
        today_in_region=_count(db, SENT_TO_REGION, written(today), abroad, limits.per_region_abroad) if abroad else 0,
    )


def _variants(db: sqlite3.Connection, number: E164, line: str, call: int, since: datetime) -> frozenset[int]:
    return frozenset(row["variant"] for row in db.execute(VARIANTS, (number, line, call, written(since))))


def _missed_at(db: sqlite3.Connection, number: E164, line: str, call: int, counted: Counted) -> tuple[datetime, ...]:
    """Missed calls up to an instant, since the caller last got through or was called back; test calls for test calls alone."""
    if counted.since is None:
        return ()
    until = written(counted.until)
    rows = db.execute(EARLIER_CALLS, (number, line, written(counted.since), until, call, call)).fetchall()
    reached = [row["arrived_at"] for row in rows if row["outcome"] in ANSWERED]
    reached += [row["done_at"] for row in rows if row["done_at"] and row["done_at"] < until]
    since = max(reached, default="")
    rounds = (_round(row) for row in rows if row["arrived_at"] > since)
    return missed_calls(rounds, counted.within, counted.without)


def _before(db: sqlite3.Connection, number: E164, line: str, call: int, arrived_at: datetime) -> Iterator[Round]:
    """The caller's calls to the line before this one, the newest first; a row is read when it is asked for."""
    return map(_round, db.execute(CALLS_BEFORE, (number, line, written(arrived_at), call, call)))


def _round(row: sqlite3.Row) -> Round:
    is_over = row["outcome"] is not None
    return Round(
        name=str(row["id"]),
        arrived_at=read(row["arrived_at"]),
        ended_at=read(row["outcome_at"] or row["arrived_at"]) if is_over else None,
        rang=timedelta(seconds=row["rang_seconds"] or 0),
        is_answered=row["outcome"] in ANSWERED,
        is_missed=row["outcome"] in MISSED and row["reason"] not in _NEVER_MEANT,
        is_unanswered=row["outcome"] in UNANSWERED,
    )


def _same_call(db: sqlite3.Connection, rounds: tuple[Round, ...]) -> SameCall | None:
    if not rounds:
        return None
    query = TEXT_OF.format(calls=", ".join(one.name for one in rounds))
    rang = sum((one.rang for one in rounds), timedelta(0))
    unanswered = any(one.is_unanswered for one in rounds)
    return SameCall(first=rounds[-1].name, rang=rang, texted_at=_instant(db, query), was_unanswered=unanswered)


def _later_round(
    db: sqlite3.Connection, number: E164, line: str, call: int, arrived_at: datetime, within: timedelta | None
) -> Twin | None:
    """Does a later round of the call ring now? It decides, whether it is answered or not."""
    for row in db.execute(RINGING_SINCE, (number, line, written(arrived_at), call)).fetchall():
        came = read(row["arrived_at"])
        if any(one.name == str(call) for one in earlier(_before(db, number, line, row["id"], came), came, within)):
            return Twin.RINGS_AGAIN
    return None


def _twin(db: sqlite3.Connection, number: E164, line: str, call: int, call_id: str, arrived_at: datetime) -> Twin | None:
    """Another INVITE of the same call: the same Call-ID, or one that rang at the same time and came within ten seconds."""
    around = (written(arrived_at - FORKED_WITHIN), written(arrived_at + FORKED_WITHIN))
    found: Twin | None = None
    for row in db.execute(TWINS, (number, line, *around, call)):
        if row["call_id"] != call_id and not _overlaps(row, arrived_at):
            continue
        if row["outcome"] is None:
            return Twin.RINGS
        if row["reason"] not in _NEVER_MEANT:
            found = Twin.DECIDED
    return found


def _overlaps(row: sqlite3.Row, arrived_at: datetime) -> bool:
    """Did the other still ring when this one came? One that came later is judged when it ends itself."""
    came_first = read(row["arrived_at"]) <= arrived_at
    return came_first and (row["outcome_at"] is None or read(row["outcome_at"]) > arrived_at)


def _instant(db: sqlite3.Connection, query: str, *values: object) -> datetime | None:
    at = db.execute(query, values).fetchone()["at"]
    return read(at) if at else None


def _count(db: sqlite3.Connection, query: str, *values: object) -> int:
    return int(db.execute(query, values).fetchone()["n"])


def is_known(db: sqlite3.Connection, number: E164) -> bool:
    """Has this number called or been texted?"""
    return db.execute(KNOWN, (number,)).fetchone() is not None
