"""One call as the agent holds it, what the end of its dialog means, and the event that tells its outcome."""

import time
from collections.abc import Sequence
from math import inf

from sip.call.call_state import Happening, Outcome, Stage, after
from sip.protocol import (
    AgentEvent,
    AnsweredElsewhere,
    Busy,
    CallerHungUp,
    Interrupted,
    Refused,
    RingTimedOut,
    Trunk,
)
from sip.stack.legs import Leg
from sip.wire.headers import ReasonHeader, is_answered_elsewhere
from sip.wire.identity import NOBODY, Identity

UNAVAILABLE = 480
"""Temporarily Unavailable: the agent is leaving."""
TERMINATED = 487
"""Request Terminated: the INVITE has expired."""


class Session:
    """A call from its INVITE until its dialog is over; not its media, which RFC 3261 calls a session.

    All times are seconds on the monotonic clock.
    """

    __slots__ = ("arrived", "deadline", "dialog", "expires", "identity", "key", "leg", "reasons", "source", "stage", "trunk")

    def __init__(
        self,
        *,
        key: str,
        trunk: Trunk,
        source: str,
        leg: Leg,
        expires: float | None = None,
        dialog: tuple[str, str] = ("", ""),
        identity: Identity = NOBODY,
    ) -> None:
        self.key = key
        self.trunk = trunk
        self.source = source
        """Where the INVITE came from: `host:port`, `[host]:port`."""
        self.leg = leg
        self.dialog = dialog
        """Call-ID and the caller's tag."""
        self.identity = identity
        """Who calls, by the last request that said so."""
        self.arrived = time.monotonic()
        self.expires = self.arrived + (inf if expires is None else expires)
        """When the INVITE expires by its own header (RFC 3261 §13.3.1)."""
        self.deadline = self.arrived
        """When the ring time runs out, or the INVITE expires."""
        self.ring_for(trunk.ring_seconds)
        self.stage = Stage.RINGING
        self.reasons: tuple[ReasonHeader, ...] = ()
        """Out of the CANCEL; none until one came."""

    @property
    def is_ringing(self) -> bool:
        """Has its INVITE no final response yet?"""
        return self.stage is Stage.RINGING

    def ring_for(self, seconds: float) -> None:
        """So long from its arrival, but never beyond its expiry."""
        self.deadline = min(self.arrived + seconds, self.expires)

    @property
    def status_at_deadline(self) -> int:
        """The final response when nobody has taken it by then."""
        return TERMINATED if self.deadline >= self.expires else self.trunk.no_answer

    @property
    def rang(self) -> float:
        """Seconds since it arrived: while it rings, and in the moment that it no longer does, how long it has rung."""
        return time.monotonic() - self.arrived

    def take(self, happening: Happening) -> Outcome | None:
        """Step the table; the outcome where it falls now."""
        self.stage, outcome = after(self.stage, happening)
        return outcome


def happening_at_end(status: int, reasons: Sequence[ReasonHeader], *, is_trusted: bool) -> Happening:
    """What the end of a dialog means for a call that still rang, by the status that the SIP stack gives it.

    487 is a CANCEL, 200 an early BYE, any other 4xx a response of the stack's own. `is_trusted`: a Reason is believed.
    """
    if status in (200, 487):
        is_elsewhere = is_trusted and is_answered_elsewhere(reasons)
        return Happening.ANSWERED_ELSEWHERE if is_elsewhere else Happening.CALLER_HUNG_UP
    return Happening.REFUSED if 400 <= status < 500 else Happening.STOPPED


def event_of(session: Session, outcome: Outcome, status: int) -> AgentEvent:
    """What tells the gateway that a call's outcome fell now, with the INVITE's final status."""
    key, now, rang = session.key, time.time(), session.rang
    match outcome:
        case Outcome.NO_ANSWER:
            return RingTimedOut(key=key, at=now, rang=rang)
        case Outcome.ABANDONED:
            return CallerHungUp(key=key, at=now, rang=rang, reason=_in_words(session))
        case Outcome.ANSWERED_ELSEWHERE:
            return AnsweredElsewhere(key=key, at=now, rang=rang, reason=_in_words(session))
        case Outcome.BUSY:
            return Busy(key=key, at=now, status=status)
        case Outcome.REFUSED:
            return Refused(key=key, at=now, status=status)
        case Outcome.INTERRUPTED:
            return Interrupted(key=key, at=now, rang=rang)
        case Outcome.ANSWERED_HERE:
            raise LookupError("no event tells that a phone of ours took a call")


def _in_words(session: Session) -> str:
    return "; ".join(map(str, session.reasons))
