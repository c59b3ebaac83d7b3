"""What the rules want to know of a caller, loaded by index: never a scan, however long the office has kept its calls."""

import sqlite3
from datetime import datetime, timedelta

from config.model import E164, Limits
from gateway.core.call import MISSED, Outcome
from gateway.core.case import History, Traffic, Twin
from gateway.core.delivery import COUNTS_AS_TEXTED, TextState
from gateway.core.reason import Reason
from gateway.store import consent, undeliverable
from gateway.store.instants import read, written

FORKED_WITHIN = timedelta(seconds=10)
"""INVITEs of one call arrive so close together."""

_COUNTED = ", ".join(f"'{state}'" for state in sorted(COUNTS_AS_TEXTED))
_SENT = ", ".join(f"'{state}'" for state in sorted(COUNTS_AS_TEXTED - {TextState.HELD}))
_REAL = "is_test = 0 AND is_answer = 0"
_MISSED = ", ".join(f"'{outcome}'" for outcome in sorted(MISSED))

LAST_TEXT = (
    f"SELECT queued_at FROM texts WHERE recipient = ? AND line = ? AND state IN ({_COUNTED}) AND {_REAL}"
    " AND call IS NOT ? ORDER BY queued_at DESC LIMIT 1"
)
MISSED_CALLS = (
    f"SELECT arrived_at FROM calls WHERE caller = ? AND line = ? AND arrived_at >= ? AND outcome IN ({_MISSED})"
    f" AND reason IS NOT '{Reason.DUPLICATE}' AND id != ? ORDER BY arrived_at"
)
KNOWN = "SELECT 1 FROM texts WHERE recipient = ?1 UNION ALL SELECT 1 FROM calls WHERE caller = ?1 LIMIT 1"
LAST_REPLY = "SELECT max(at) AS at FROM replies WHERE sender = ?"
GOT_THROUGH = (
    "SELECT max(arrived_at) AS at FROM calls WHERE caller = ? AND line = ? AND arrived_at > ?"
    f" AND outcome IN ('{Outcome.ANSWERED_HERE}', '{Outcome.ANSWERED_ELSEWHERE}')"
)
DONE = "SELECT max(done_at) AS at FROM calls WHERE caller = ? AND line = ? AND done_at IS NOT NULL"
TWINS = (
    "SELECT outcome, reason, call_id, arrived_at, outcome_at FROM calls"
    " WHERE caller = ? AND line = ? AND arrived_at BETWEEN ? AND ? AND id != ?"
)
SENT_SINCE = f"SELECT count(*) AS n FROM (SELECT 1 FROM texts WHERE queued_at >= ? AND state IN ({_SENT}) AND {_REAL} LIMIT ?)"
SENT_TO_REGION = (
    f"SELECT count(*) AS n FROM (SELECT 1 FROM texts WHERE queued_at >= ? AND state IN ({_SENT}) AND {_REAL}"
    " AND region = ? LIMIT ?)"
)


def history(
    db: sqlite3.Connection, *, number: E164, line: str, call: int, call_id: str, arrived_at: datetime, since: datetime | None
) -> History:
    """What is known of a caller, without the call itself (`call`, its id). `since`: when the running `once_per` began."""
    last_text = db.execute(LAST_TEXT, (number, line, call)).fetchone()
    missed = db.execute(MISSED_CALLS, (number, line, written(since), call)).fetchall() if since else []
    return History(
        last_text_at=read(last_text["queued_at"]) if last_text else None,
        missed_at=tuple(read(row["arrived_at"]) for row in missed),
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


def _twin(db: sqlite3.Connection, number: E164, line: str, call: int, call_id: str, arrived_at: datetime) -> Twin | None:
    """Another INVITE of the same call: the same Call-ID, or one that rang at the same time and came within ten seconds."""
    around = (written(arrived_at - FORKED_WITHIN), written(arrived_at + FORKED_WITHIN))
    found: Twin | None = None
    for row in db.execute(TWINS, (number, line, *around, call)):
        if row["call_id"] != call_id and not _overlaps(row, arrived_at):
            continue
        if row["outcome"] is None:
            return Twin.RINGS
        if row["reason"] != Reason.DUPLICATE:
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
