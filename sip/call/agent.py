"""The SIP agent: pjsua2's endpoint and its one owner thread.

This thread alone touches pjsua2: it polls the stack, carries out commands, fires its own ring timers, and writes events. No
pjsua2 object leaves it. A caller hears ringing before anybody has been asked what to do with the call.
"""

import itertools
import secrets
import time
from typing import Any

from sip.call.call_state import CallState, Happening
from sip.call.refusals import Refusals, told
from sip.call.screening import Screening
from sip.call.session import PROVISIONAL_EVERY_S, Leg, Session, event_at_end, happening_at_end
from sip.call.timers import Timers
from sip.faults import guarded, say, say_fault
from sip.pipe.pipes import CommandReader, EventWriter
from sip.protocol import (
    Busy,
    CallEnded,
    Command,
    Interrupted,
    Pulse,
    Refuse,
    Refused,
    Ring,
    RingTimedOut,
    Start,
    Stop,
    Trunk,
    UseTrunks,
)
from sip.stack.connections import Connections
from sip.stack.descriptors import descriptor_limit, descriptors
from sip.stack.endpoint import Endpoint
from sip.wire import headers
from sip.wire.arrival import arrival

POLL_MS = 10
PULSE_EVERY_S = 1.0
LAST_EVENTS_WITHIN_S = 2.0
"""At the end; a gateway that is gone needs none, one that is busy may need so long."""


class Agent:
    """Rings what its trunks send, by plan, and tells what became of it."""

    def __init__(self, start: Start, reader: CommandReader, writer: EventWriter) -> None:
        self._reader = reader
        self._writer = writer
        self._screening = Screening(start)
        self._timers = Timers()
        self._sessions: dict[str, Session] = {}
        self._legs: dict[str, Leg] = {}
        """Every pjsua2 call object alive, refused ones too."""
        self._boot = secrets.token_hex(6)
        self._numbers = itertools.count(1)
        self._ringing = 0
        self._disconnected = 0
        self._last_disconnected = ""
        self._connections = Connections(start.listen)
        self._is_stopping = False
        self._refusals = Refusals()
        self._endpoint = Endpoint(start, self._incoming, self._refused_by_stack)

    def run(self) -> None:
        """Listen until told to stop or until the gateway is gone."""
        self._writer.write(self._endpoint.open())
        self._pulse()
        while not self._is_stopping:
            self._turn()
        self._interrupt_all()
        until = time.monotonic() + 0.5
        while self._legs and time.monotonic() < until:
            self._turn()
        self._writer.flush_all(LAST_EVENTS_WITHIN_S)
        self._legs.clear()
        self._sessions.clear()
        self._endpoint.close()

    def _turn(self) -> None:
        """Once round: the network, the commands, the timers, the events."""
        self._endpoint.poll(self._timers.milliseconds_to_next(POLL_MS))
        while self._reader.commands:
            self._obey(self._reader.commands.popleft())
        self._fire()
        self._look_at_connections()
        try:
            self._writer.flush()
        except OSError:
            self._is_stopping = True
        if self._reader.is_closed:
            self._is_stopping = True

    @guarded
    def _fire(self) -> None:
        """A timer that fails is gone; those after it are called in the next turn."""
        self._timers.fire()

    @guarded
    def _look_at_connections(self) -> None:
        now, accepted = time.monotonic(), self._endpoint.accepted
        if not self._connections.is_due(now, accepted):
            return
        busy = frozenset(session.source for session in self._sessions.values())
        for closed in self._connections.look(now, accepted, is_known=self._screening.is_known, busy=busy):
            self._disconnected += 1
            self._last_disconnected = str(closed)

    # --- calls come in ---

    @guarded
    def _incoming(self, account: Any, prm: Any) -> None:
        key = self._next_key()
        leg = self._legs[key] = Leg(account, prm.callId, key, self)
        try:
            self._admit(key, leg, prm.rdata.srcAddress, headers.parse(prm.rdata.wholeMsg))
        except Exception as error:
            say_fault(error)
            leg.respond(500)

    @guarded
    def _refused_by_stack(self, status: int, source: str, raw: str) -> None:
        """It never rang, and is told all the same."""
        message = headers.parse(raw)
        trunk = self._screening.screen(source, message)
        if isinstance(trunk, int):
            return
        if self._writer.is_full:
            say(f"a call that the SIP stack refused with {status} is not told: the gateway has not read events for long")
        elif self._refusals.take(message, status, trunk=trunk.name, source=source, now=time.monotonic()):
            arrived = arrival(message, key=self._next_key(), trunk=trunk.name, source=source, at=time.time())
            for event in told(arrived, status):
                self._writer.write(event)

    def _next_key(self) -> str:
        return f"{self._boot}-{next(self._numbers)}"

    def _admit(self, key: str, leg: Leg, source: str, message: headers.SipMessage) -> None:
        trunk = self._screening.screen(source, message)
        if isinstance(trunk, int):
            leg.respond(trunk)
        elif (refused_with := self._refusals.status_of(message, time.monotonic())) is not None:
            leg.respond(refused_with)
        elif self._reader.is_closed:
            leg.respond(503)  # the gateway is gone: whoever rang now would be heard by nobody
        elif self._writer.is_full:
            say("a call was refused with 503: the gateway has not read events for long; is it stopped?")
            leg.respond(503)
        else:
            self._take(key, leg, trunk, source, message)

    def _take(self, key: str, leg: Leg, trunk: Trunk, source: str, message: headers.SipMessage) -> None:
        """A proper call from a trunk: ring at once, then tell; without room for it: busy, and tell all the same."""
        now = time.monotonic()
        arrived = arrival(message, key=key, trunk=trunk.name, source=source, at=time.time())
        session = Session(key=key, trunk=trunk, source=source, leg=leg, arrived=now, deadline=now + trunk.ring_seconds)
        self._sessions[key] = session
        self._writer.write(arrived)
        if self._ringing >= self._endpoint.max_calls or self._is_stopping:
            session.take(Happening.NO_ROOM)
            self._writer.write(Busy(key=key, at=time.time()))
            leg.respond(486)
            return
        self._ringing += 1
        leg.respond(180)
        self._timers.at(session.deadline, lambda: self._ring_timer(key))
        self._timers.at(now + PROVISIONAL_EVERY_S, lambda: self._repeat_provisional(key))

    # --- plans ---

    @guarded
    def _obey(self, command: Command) -> None:
        match command:
            case Ring(key=key, seconds=seconds):
                self._ring_for(key, seconds)
            case Refuse(key=key, status=status, reason=reason):
                self._refuse(key, status, reason)
            case UseTrunks(trunks=trunks):
                self._screening.use(trunks)
            case Stop():
                self._is_stopping = True
            case Start():
                say("a second Start was ignored")

    def _ring_for(self, key: str, seconds: float) -> None:
        session = self._sessions.get(key)
        if session is not None and session.is_ringing:
            session.deadline = session.arrived + seconds
            self._timers.at(session.deadline, lambda: self._ring_timer(key))

    def _refuse(self, key: str, status: int, reason: str) -> None:
        session = self._sessions.get(key)
        if session is not None and self._ends(session, Happening.REFUSED_BY_PLAN):
            self._writer.write(Refused(key=key, at=time.time(), status=status))
            session.leg.respond(status, reason)

    def _ring_timer(self, key: str) -> None:
        session = self._sessions.get(key)
        if session is None or session.deadline > time.monotonic():
            return
        rang = time.monotonic() - session.arrived
        if self._ends(session, Happening.RING_TIME_RAN_OUT):
            self._writer.write(RingTimedOut(key=key, at=time.time(), rang=rang))
            session.leg.respond(480)

    def _repeat_provisional(self, key: str) -> None:
        session = self._sessions.get(key)
        if session is not None and session.is_ringing:
            session.leg.respond(180)
            self._timers.at(time.monotonic() + PROVISIONAL_EVERY_S, lambda: self._repeat_provisional(key))

    def _interrupt_all(self) -> None:
        for session in list(self._sessions.values()):
            self._interrupt(session)

    @guarded
    def _interrupt(self, session: Session) -> None:
        rang = time.monotonic() - session.arrived
        if self._ends(session, Happening.STOPPED):
            self._writer.write(Interrupted(key=session.key, at=time.time(), rang=rang))
            session.leg.respond(480)

    # --- what pjsua2 says of a call (LegEvents) ---

    def cancelled(self, key: str, raw: str) -> None:
        """Keep the CANCEL's Reason; the dialog's end follows and is what counts."""
        session = self._sessions.get(key)
        if session is not None:
            session.reasons = headers.reasons(headers.parse(raw))

    def gone(self, key: str, status: int) -> None:
        """The dialog is over: the outcome, if it has none yet, and the last of the call."""
        session = self._sessions.pop(key, None)
        try:
            if session is not None:
                self._outcome_at_end(session, status)
                self._writer.write(CallEnded(key=key, at=time.time(), status=status))
        finally:
            self._legs.pop(key, None)

    def _outcome_at_end(self, session: Session, status: int) -> None:
        rang = time.monotonic() - session.arrived
        happening = happening_at_end(status)
        reasons = session.reasons or ()
        if happening is Happening.CANCELLED and session.trunk.trust_answered_elsewhere:
            happening = Happening.CANCELLED_ELSEWHERE if headers.is_answered_elsewhere(reasons) else happening
        outcome = self._ends(session, happening)
        if outcome is not None:
            self._writer.write(event_at_end(session.key, outcome, rang, "; ".join(map(str, reasons)), status))

    def _ends(self, session: Session, happening: Happening) -> CallState | None:
        rang_before = session.is_ringing
        outcome = session.take(happening)
        if outcome is not None and rang_before:
            self._ringing -= 1
        return outcome

    def _pulse(self) -> None:
        self._timers.at(time.monotonic() + PULSE_EVERY_S, self._pulse)
        self._writer.write(
            Pulse(
                calls=self._ringing,
                strangers=self._screening.strangers,
                malformed=self._screening.malformed,
                disconnected=self._disconnected,
                descriptors=descriptors(),
                descriptor_limit=descriptor_limit(),
                last_stranger=self._screening.last_stranger,
                last_malformed=self._screening.last_malformed,
                last_disconnected=self._last_disconnected,
                stack_refused=self._refusals.count,
                last_stack_refused=self._refusals.last,
            )
        )
