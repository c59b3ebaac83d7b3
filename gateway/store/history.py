"""What the rules want to know of a caller, loaded by index: never a scan, however long the office has kept its calls."""

import sqlite3
from datetime import datetime, timedelta

from config.model import E164, Limits
from gateway.core.call import ANSWERED, CALL_TEST, MISSED
from gateway.core.case import History, Traffic, Twin
from gateway.core.delivery import COUNTS_AS_SENT, COUNTS_AS_TEXTED, TextState
from gateway.core.kind import COUNTED
from gateway.core.reason import Reason
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
EARLIER_CALLS = (
    "SELECT arrived_at, outcome, reason, done_at FROM calls WHERE caller = ? AND line = ? AND arrived_at BETWEEN ? AND ?"
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
_COUNTED_BY_LIMITS = f"FROM texts WHERE queued_at >= ? AND state IN ({_SENT}) AND {_COUNTED}"
SENT_SINCE = f"SELECT count(*) AS n FROM (SELECT 1 {_COUNTED_BY_LIMITS} LIMIT ?)"
SENT_TO_REGION = f"SELECT count(*) AS n FROM (SELECT 1 {_COUNTED_BY_LIMITS} AND region = ? LIMIT ?)"


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
) -> History:
    """What is known of a caller, without the call itself (`call`, its id).

    `calls_since`, `texts_since`: when the `once_per` of the call began, and the one that runs now; None: each call has its own.
    """
    return History(
        last_text_at=_instant(db, LAST_TEXT, number, line, call),
        variants_texted=_variants(db, number, line, call, texts_since) if texts_since else frozenset(),
        is_overtaken=db.execute(LATER_TEXT, (number, line, call, written(arrived_at))).fetchone() is not None,
        missed_at=_missed_at(db, number, line, call, calls_since, arrived_at) if calls_since else (),
        opted_out_at=consent.opted_out_at(db, number),
        undeliverable_at=undeliverable.said_at(db, number, arrived_at),
        last_reply_at=_instant(db, LAST_REPLY, number),
        reached_at=reached_at(db, number, line, arrived_at),
        twin=_twin(db, number, line, call, call_id, arrived_at),
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


def _missed_at(
    db: sqlite3.Connection, number: E164, line: str, call: int, since: datetime, until: datetime
) -> tuple[datetime, ...]:
    """Missed calls up to an instant, since the caller last got through or was called back; test calls for test calls alone."""
    rows = db.execute(EARLIER_CALLS, (number, line, written(since), written(until), call, call)).fetchall()
    reached = [row["arrived_at"] for row in rows if row["outcome"] in ANSWERED]
    reached += [row["done_at"] for row in rows if row["done_at"] and row["done_at"] < written(until)]
    counted = [row for row in rows if row["outcome"] in MISSED and row["reason"] not in _NEVER_MEANT]
    return tuple(read(row["arrived_at"]) for row in counted if row["arrived_at"] > max(reached, default=""))


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
