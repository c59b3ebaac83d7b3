"""Texts that went, each with when its caller got through after it; and what trunks wrote for callers."""

import sqlite3
from collections import defaultdict
from datetime import datetime

from config.reserved import CALL_TEST
from gateway.core.call import ANSWERED
from gateway.core.callers import Sent
from gateway.core.hindsight import Texted
from gateway.core.kind import COUNTED
from gateway.store.instants import read, written

_ANSWERED = ", ".join(f"'{outcome}'" for outcome in sorted(ANSWERED))
_KINDS = ", ".join(f"'{kind}'" for kind in sorted(COUNTED))
WENT = (
    "SELECT texts.line, calls.outcome_at AS missed_at, texts.claimed_at AS went_at, ("
    " SELECT min(later.outcome_at) FROM calls AS later WHERE later.caller = texts.recipient AND later.line = texts.line"
    f" AND later.arrived_at > calls.arrived_at AND later.outcome IN ({_ANSWERED}) AND later.outcome_at > texts.claimed_at"
    ") AS answered_at FROM texts JOIN calls ON calls.id = texts.call WHERE texts.queued_at >= ?"
    " AND texts.claimed_at IS NOT NULL"
    f" AND texts.kind IN ({_KINDS}) AND texts.state != 'cancelled' AND calls.trunk != '{CALL_TEST}'"
)

SENT = (
    "SELECT trunk, caller_as_sent, count(*) AS calls FROM calls WHERE arrived_at >= ?"
    f" AND trunk != '{CALL_TEST}' GROUP BY trunk, caller_as_sent ORDER BY max(id) DESC LIMIT ?"
)
MOST_CALLERS = 2000
"""Of all trunks, the newest: reading a number takes a moment."""


def callers(db: sqlite3.Connection, since: datetime) -> dict[str, list[Sent]]:
    """What each trunk wrote for the callers of real calls since an instant."""
    found: dict[str, list[Sent]] = defaultdict(list)
    for row in db.execute(SENT, (written(since), MOST_CALLERS)):
        found[row["trunk"]].append(Sent(as_sent=row["caller_as_sent"], calls=row["calls"]))
    return found


def texted(db: sqlite3.Connection, since: datetime) -> list[Texted]:
    """Those of real calls, since an instant; of every line."""
    return [
        Texted(
            line=row["line"],
            missed_at=read(row["missed_at"]),
            went_at=read(row["went_at"]),
            answered_at=read(row["answered_at"]) if row["answered_at"] else None,
        )
        for row in db.execute(WENT, (written(since),))
    ]
