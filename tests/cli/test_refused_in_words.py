"""`explain` of a call that never rang says whose doing it was."""

import sqlite3
from datetime import timedelta
from pathlib import Path

from gateway.core.call import Outcome
from gateway.store import calls
from gateway.store.calls import Ending
from tests.cli.histories import BEGIN, add_call
from tests.peers.commands import configured, run

ENDED = [
    (Outcome.BUSY, "front", "", "more calls came at once than can be rung (busy)"),
    (Outcome.BUSY, "front", "SIP;cause=486", "more calls came at once than can be rung (busy); Reason: SIP;cause=486"),
    (
        Outcome.BUSY, "front", 'SIP;cause=503;text="no room"',
        'more calls came at once than can be rung (busy); Reason: SIP;cause=503;text="no room"',
    ),
    (
        Outcome.BUSY, "front", "SIP;cause=488",
        "the SIP stack could not take its INVITE: it offers no media that is known here (busy); Reason: SIP;cause=488",
    ),
    (Outcome.BUSY, "front", "SIP;cause=500", "the SIP stack could not take its INVITE (busy); Reason: SIP;cause=500"),
    (
        Outcome.REFUSED, "front", "SIP;cause=481",
        "the SIP stack refused its INVITE: it replaces a call that is not here (refused); Reason: SIP;cause=481",
    ),
    (
        Outcome.REFUSED, None, "SIP;cause=404",
        "the number dialled is no line of this gateway (refused); Reason: SIP;cause=404",
    ),
]  # fmt: skip


def test_why_a_call_never_rang(tmp_path: Path, db: sqlite3.Connection) -> None:
    for number, (outcome, line, reason, _) in enumerate(ENDED):
        call = add_call(db, number, who="+14155550123", line=line)
        calls.end(db, call, Ending(outcome=outcome, at=BEGIN, rang=timedelta(), sip_reason=reason))
    path = configured(tmp_path)
    said = run(path, *(["explain", str(number + 1)] for number in range(len(ENDED))))
    assert [done.out.splitlines()[2].strip() for done in said] == [words for *_, words in ENDED]
