"""The calls under way: each is rung when its plan comes, and its outcome is told the moment that it falls.

The plan says also that the call is written down. A caller thus hears no ringing of which nothing would be known after a crash.

Used by the owner thread only. A command or a timer for a call that is over, or no longer rings, does nothing.
"""

import time
from collections.abc import Callable

from sip.call.call_state import Happening
from sip.call.refusals import OUT_OF_ORDER
from sip.call.session import TERMINATED, UNAVAILABLE, Session, event_of, happening_at_end
from sip.call.timers import Timers
from sip.faults import guarded
from sip.protocol import AgentEvent, CallEnded
from sip.wire.headers import ReasonHeader

RINGING = 180
UNASKED_AFTER_S = 0.1
"""After its INVITE a call rings without a plan; RFC 3261 §17.2.1 wants some response within 0.2 s."""
PROVISIONAL_EVERY_S = 60.0
"""A 180 is repeated so that no proxy gives the call up (RFC 3261 §13.3.1.1)."""


class Calls:
    """Every call whose dialog is not over, by its key."""

    def __init__(
        self, *, timers: Timers, tell: Callable[[AgentEvent], None], keep: Callable[[str], None], max_calls: int
    ) -> None:
        """`keep` is called with the key of a call that is about to ring before the gateway has it."""
        self._timers = timers
        self._tell = tell
        self._keep = keep
        self._max_calls = max_calls
        self._sessions: dict[str, Session] = {}
        self.ringing = 0
        """How many ring, or are about to."""
        self.unasked: set[str] = set()
        """The keys of those that are about to."""

    @property
    def sources(self) -> frozenset[str]:
        """The addresses, `host:port`, that they came from."""
        return frozenset(session.source for session in self._sessions.values())

    # --- what the gateway and the clock want ---

    def begin(self, session: Session) -> None:
        """Take a call that has just arrived, at first for as long as its trunk says; where there is no room, it is busy."""
        self._sessions[session.key] = session
        self.ringing += 1
        if self.ringing > self._max_calls:
            self._end(session, Happening.NO_ROOM, session.trunk.busy_answer)
            return
        self._time_ring(session)
        key = session.key
        self.unasked.add(key)
        self._timers.at(session.arrived + UNASKED_AFTER_S, lambda: self._ring_unasked(key))

    def ring_for(self, key: str, seconds: float) -> None:
        """Its plan: ring so long, counted from its arrival."""
        session = self._sessions.get(key)
        if session is not None and session.is_ringing:
            session.ring_for(seconds)
            self._time_ring(session)
            self._ring(session)

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

    def leave(self) -> None:
        """The gateway is gone: what rings is over; what has not rung, and is sent again, is left to the next gateway."""
        for session in list(self._sessions.values()):
            if session.has_rung or not session.is_repeated:
                self._interrupt(session)
            else:
                self._step(session, Happening.REFUSED, OUT_OF_ORDER)

    @guarded
    def _interrupt(self, session: Session) -> None:
        if session.has_rung:
            self._end(session, Happening.STOPPED, UNAVAILABLE)
        else:
            self._end(session, Happening.REFUSED, OUT_OF_ORDER)

    def _ring_unasked(self, key: str) -> None:
        session = self._sessions.get(key)
        if session is not None and session.is_ringing and not session.has_rung:
            self._keep(key)
            self._ring(session)

    def _ring(self, session: Session) -> None:
        if not session.has_rung:
            session.has_rung = True
            self.unasked.discard(session.key)
            session.leg.respond(RINGING)
            self._time_provisional(session.key, time.monotonic())

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
        if session is None:
            return
        session.reasons = reasons
        if not session.has_rung:  # the SIP stack itself ends only what has had some response
            self._timers.at(session.arrived, lambda: self._end_cancelled(key))

    def _end_cancelled(self, key: str) -> None:
        session = self._sessions.get(key)
        if session is not None and session.is_ringing:
            self._end(session, _at_end(session, TERMINATED), TERMINATED)

    def ended(self, key: str, status: int) -> None:
        """The dialog is over: the outcome, if the call has none yet, and the last event of the call."""
        session = self._sessions.pop(key, None)
        if session is not None:
            self._step(session, _at_end(session, status), status)
            self._tell(CallEnded(key=key, at=time.time(), status=status))

    def _step(self, session: Session, happening: Happening, status: int) -> bool:
        """Step the call's table, count, and tell the outcome where it falls now; did it?"""
        outcome = session.take(happening)
        if outcome is None:
            return False
        self.ringing -= 1
        self.unasked.discard(session.key)
        self._tell(event_of(session, outcome, status))
        return True


def _at_end(session: Session, status: int) -> Happening:
    return happening_at_end(status, session.reasons, is_trusted=session.trunk.trust_answered_elsewhere)
