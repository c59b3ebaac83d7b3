"""The calls under way: each is rung by its plan, and its outcome is told the moment that it falls.

Used by the owner thread only. A command or a timer for a call that is over, or no longer rings, does nothing.
"""

import time
from collections.abc import Callable

from sip.call.call_state import Happening
from sip.call.session import UNAVAILABLE, Session, event_of, happening_at_end
from sip.call.timers import Timers
from sip.faults import guarded
from sip.protocol import AgentEvent, CallEnded
from sip.wire.headers import ReasonHeader

RINGING = 180
PROVISIONAL_EVERY_S = 60.0
"""A 180 is repeated so that no proxy gives the call up (RFC 3261 §13.3.1.1)."""


class Calls:
    """Every call whose dialog is not over, by its key."""

    def __init__(self, *, timers: Timers, tell: Callable[[AgentEvent], None], max_calls: int) -> None:
        self._timers = timers
        self._tell = tell
        self._max_calls = max_calls
        self._sessions: dict[str, Session] = {}
        self.ringing = 0
        """How many ring."""

    @property
    def sources(self) -> frozenset[str]:
        """The addresses, `host:port`, that they came from."""
        return frozenset(session.source for session in self._sessions.values())

    # --- what the gateway and the clock want ---

    def begin(self, session: Session) -> None:
        """Ring a call that has just arrived, at first for as long as its trunk says; where there is no room, it is busy."""
        self._sessions[session.key] = session
        self.ringing += 1
        if self.ringing > self._max_calls:
            self._end(session, Happening.NO_ROOM, session.trunk.busy_answer)
            return
        session.leg.respond(RINGING)
        self._time_ring(session)
        self._time_provisional(session.key, session.arrived)

    def ring_for(self, key: str, seconds: float) -> None:
        """Its plan: so long, counted from its arrival."""
        session = self._sessions.get(key)
        if session is not None and session.is_ringing:
            session.ring_for(seconds)
            self._time_ring(session)

    def refuse(self, key: str, status: int, phrase: str) -> None:
        """Its plan: this final response at once."""
        session = self._sessions.get(key)
        if session is not None:
            self._end(session, Happening.REFUSED, status, phrase)

    def interrupt_all(self) -> None:
        """The agent stops: what rings is over, and nothing rings any more."""
        self._max_calls = 0
        for session in list(self._sessions.values()):
            self._interrupt(session)

    def clear(self) -> None:
        """At the very end: hold no call, so that the SIP stack can be taken down."""
        self._sessions.clear()

    @guarded
    def _interrupt(self, session: Session) -> None:
        self._end(session, Happening.STOPPED, UNAVAILABLE)

    def _time_ring(self, session: Session) -> None:
        key = session.key  # a timer that held the session would keep its leg beyond the dialog's end
        self._timers.at(session.deadline, lambda: self._ring_timer(key))

    def _ring_timer(self, key: str) -> None:
        """Due at each deadline that the call ever had; the one that holds now counts."""
        session = self._sessions.get(key)
        if session is not None and session.deadline <= time.monotonic():
            self._end(session, Happening.RING_TIME_RAN_OUT, session.status_at_deadline)

    def _time_provisional(self, key: str, now: float) -> None:
        self._timers.at(now + PROVISIONAL_EVERY_S, lambda: self._repeat_provisional(key))

    def _repeat_provisional(self, key: str) -> None:
        session = self._sessions.get(key)
        if session is not None and session.is_ringing:
            session.leg.respond(RINGING)
            self._time_provisional(key, time.monotonic())

    def _end(self, session: Session, happening: Happening, status: int, phrase: str = "") -> None:
        """Give the INVITE its final response, where the happening does not come too late."""
        if self._step(session, happening, status):
            session.leg.respond(status, phrase)

    # --- what its dialog says ---

    def ringing_in(self, dialog: tuple[str, str]) -> Session | None:
        """The call that rings with this Call-ID and caller's tag."""
        return next((one for one in self._sessions.values() if one.is_ringing and one.dialog == dialog), None)

    def cancelled(self, key: str, reasons: tuple[ReasonHeader, ...]) -> None:
        """A CANCEL came, with these Reasons; whether it counted, the end of the dialog says."""
        session = self._sessions.get(key)
        if session is not None:
            session.reasons = reasons

    def ended(self, key: str, status: int) -> None:
        """The dialog is over: the outcome, if the call has none yet, and the last event of the call."""
        session = self._sessions.pop(key, None)
        if session is not None:
            is_trusted = session.trunk.trust_answered_elsewhere
            self._step(session, happening_at_end(status, session.reasons, is_trusted=is_trusted), status)
            self._tell(CallEnded(key=key, at=time.time(), status=status))

    def _step(self, session: Session, happening: Happening, status: int) -> bool:
        """Step the call's table, count, and tell the outcome where it falls now; did it?"""
        outcome = session.take(happening)
        if outcome is None:
            return False
        self.ringing -= 1
        self._tell(event_of(session, outcome, status))
        return True
