"""A call as the rules see it, and which outcomes count as missed."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum

from config.model import E164, Line


class Outcome(StrEnum):
    """How a call ended. The words are those of the database, the log and `textback calls`."""

    ANSWERED_HERE = "answered_here"
    ANSWERED_ELSEWHERE = "answered_elsewhere"
    ABANDONED = "abandoned"
    """The caller hung up while it rang."""
    NO_ANSWER = "no_answer"
    """Our ring time ran out."""
    BUSY = "busy"
    """More calls at once than could be rung, or one that the SIP stack could not take."""
    REFUSED = "refused"
    """Not for any line of ours, or with something in its INVITE that the SIP stack refuses."""
    INTERRUPTED = "interrupted"
    """The agent or the gateway stopped while it rang."""


MISSED = frozenset({Outcome.ABANDONED, Outcome.NO_ANSWER, Outcome.BUSY, Outcome.INTERRUPTED})
"""The outcomes that may be texted."""

UNANSWERED = MISSED - {Outcome.ABANDONED}
"""The caller waited for somebody, and nobody came."""

ANSWERED = frozenset({Outcome.ANSWERED_HERE, Outcome.ANSWERED_ELSEWHERE})
"""The caller got through."""


@dataclass(frozen=True, slots=True, kw_only=True)
class EarlierCaller:
    """Whom the trunk named first, and until when."""

    as_sent: str | None
    until: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class Call:
    """One call that has ended (for the rules: the moment it was missed)."""

    caller: E164 | None
    """None: withheld, or not a telephone number; `caller_as_sent` tells which."""
    caller_as_sent: str | None
    """What the trunk wrote; None: withheld."""
    outcome: Outcome
    arrived_at: datetime
    rang: timedelta
    missed_at: datetime
    """When the outcome fell: from then on a text is owed."""
    verstat: str = ""
    """The trunk's STIR/SHAKEN verdict; empty where it gave none."""
    earlier: tuple[EarlierCaller, ...] = ()
    """Who called before, where the trunk said in mid-ring that somebody else does; the oldest first."""


def is_too_short(line: Line, call: Call, before: timedelta = timedelta(0)) -> bool:
    """Did the caller hang up too soon to have meant it? Not asked where the call had rung elsewhere before.

    `before`: how long earlier rounds of it rang here.
    """
    return call.outcome is Outcome.ABANDONED and line.arrives != "missed" and before + call.rang < line.min_ring


def ring_time(line: Line) -> timedelta:
    """How long the gateway rings at most: in a ring group that the PBX ends, longer than any PBX does."""
    return line.ring_most if line.arrives == "group" else timedelta(seconds=line.ring_seconds)
