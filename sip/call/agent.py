"""The SIP agent: pjsua2's endpoint and its one owner thread.

This thread alone touches pjsua2: it polls the stack, carries out commands, fires the calls' timers, and writes events. No
pjsua2 object leaves it.
"""

import itertools
import secrets
import time
from typing import Any

from sip.call.calls import Calls
from sip.call.gateway_watch import GatewayWatch
from sip.call.refusals import OUT_OF_ORDER, Refusals, events_of_refused
from sip.call.requests import Requests
from sip.call.screening import Screening
from sip.call.session import Session
from sip.call.timers import Timers
from sip.call.untaken import Untaken
from sip.faults import guarded, say, say_fault
from sip.pipe.kept_events import KeptEvents
from sip.pipe.pipes import CommandReader, EventWriter
from sip.protocol import (
    AgentEvent,
    CallArrived,
    CallEnded,
    Command,
    Failed,
    Heard,
    Pulse,
    Ready,
    Refuse,
    Ring,
    Settled,
    Start,
    Stop,
    UseTrunks,
)
from sip.stack.connections import Connections
from sip.stack.descriptors import descriptor_limit, descriptors
from sip.stack.endpoint import Endpoint
from sip.stack.legs import Leg
from sip.wire import headers
from sip.wire.arrival import arrival
from sip.wire.identity import dialog, identity

POLL_MS = 10
POLL_FOR_PLAN_MS = 1
"""While a call waits for its plan: commands do not wake the stack."""
PULSE_EVERY_S = 1.0
SETTLED_WITHIN_S = 0.1
"""What becomes of a call is written down here too where the gateway has not done it by then."""
LAST_RESPONSES_WITHIN_S = 0.5
"""At the end; so long the last dialogs may take."""
LAST_EVENTS_WITHIN_S = 2.0
"""At the end; a gateway that is gone needs none, one that is busy may need so long."""


class Agent:
    """Rings what its trunks send, by plan, and tells what became of it."""

    def __init__(self, start: Start, reader: CommandReader, writer: EventWriter) -> None:
        self._reader = reader
        self._writer = writer
        self._endpoint = Endpoint(start, self._incoming, self._refused_by_stack)
        self._timers = Timers()
        self._screening = Screening(start)
        self._refusals = Refusals()
        self._untaken = Untaken(KeptEvents(start.kept_in))
        self._calls = Calls(timers=self._timers, tell=self._tell, keep=self._untaken.write, max_calls=self._endpoint.max_calls)
        self._requests = Requests(self._screening, self._calls, self._tell)
        self._connections = Connections(start.listen)
        self._legs: dict[str, Leg] = {}
        """Every pjsua2 call object alive, those of rejected INVITEs too."""
        self._boot = secrets.token_hex(6)
        self._numbers = itertools.count(1)
        self._watch = GatewayWatch()
        self._turned_away = 0
        self._last_turned_away = ""
        self._leave_at: float | None = None
        """When it is told to stop: until then calls ring out."""
        self._is_writer_broken = False

    def run(self) -> None:
        """Listen until told to stop or until the gateway is gone; then the process has to end, whatever pjsua2 still holds."""
        self._writer.write(self._endpoint.open(self._requests))
        self._pulse()
        while not (self._is_over or self._is_gateway_gone):
            self._turn()
        if self._is_gateway_gone:
            self._leave()
        else:
            self._end()

    @property
    def _is_gateway_gone(self) -> bool:
        return self._reader.is_closed or self._is_writer_broken

    @property
    def _is_over(self) -> bool:
        """Told to stop, and nothing rings any more, or it has rung for long enough."""
        return self._leave_at is not None and (not self._calls.ringing or time.monotonic() >= self._leave_at)

    def _end(self) -> None:
        """In order: whoever rings is told so, and so is the gateway."""
        self._calls.interrupt_all()
        until = time.monotonic() + LAST_RESPONSES_WITHIN_S
        while self._legs and time.monotonic() < until:
            self._turn()
        self._writer.flush_all(LAST_EVENTS_WITHIN_S)
        self._legs.clear()
        self._calls.clear()
        self._endpoint.close()

    def _leave(self) -> None:
        """At once, so that the next gateway has the port: what has not rung yet comes again and is left to it.

        The stack is not taken down, since that would answer them.
        """
        self._calls.leave()
        self._untaken.write_all()

    def _turn(self) -> None:
        """Once round: the network, the commands, the timers, the connections, the events."""
        self._endpoint.poll(self._timers.milliseconds_to_next(POLL_FOR_PLAN_MS if self._calls.unasked else POLL_MS))
        self._watch.turn(time.monotonic())
        while self._reader.commands:
            self._obey(self._reader.commands.popleft())
        self._fire()
        self._look_at_connections()
        try:
            self._writer.flush()
        except OSError:
            self._is_writer_broken = True

    @guarded
    def _obey(self, command: Command) -> None:
        match command:
            case Ring(key=key, seconds=seconds):
                self._untaken.taken(key)
                self._calls.ring_for(key, seconds)
            case Settled(key=key):
                self._untaken.settled(key)
            case Refuse(key=key, status=status, reason=reason):
                self._untaken.taken(key)
                self._calls.refuse(key, status, reason)
            case UseTrunks(trunks=trunks):
                self._screening.use(trunks)
            case Heard(takes_calls=takes_calls):
                self._watch.heard(takes_calls=takes_calls)
            case Stop(within=within):
                self._leave_at = time.monotonic() + within
            case Start():
                say("a second Start was ignored")

    @guarded
    def _fire(self) -> None:
        """A timer that fails is gone; those after it are called in the next turn."""
        self._timers.fire()

    @guarded
    def _look_at_connections(self) -> None:
        now, accepted = time.monotonic(), self._endpoint.accepted
        if self._connections.is_due(now, accepted):
            self._connections.look(now, accepted, is_known=self._screening.is_known, busy=self._calls.sources)

    def _pulse(self) -> None:
        self._timers.at(time.monotonic() + PULSE_EVERY_S, self._pulse)
        self._writer.write(
            Pulse(
                calls=self._calls.ringing,
                strangers=self._screening.strangers,
                malformed=self._screening.malformed,
                disconnected=self._connections.closed,
                descriptors=descriptors(),
                descriptor_limit=descriptor_limit(),
                last_stranger=self._screening.last_stranger,
                last_malformed=self._screening.last_malformed,
                last_disconnected=self._connections.last_closed,
                stack_refused=self._refusals.count,
                last_stack_refused=self._refusals.last,
                not_taken=self._requests.not_taken,
                last_not_taken=self._requests.last_not_taken,
                turned_away=self._turned_away,
                last_turned_away=self._last_turned_away,
            )
        )

    def _tell(self, event: AgentEvent) -> None:
        """To the gateway, and to our own file where it is not taken soon."""
        self._writer.write(event)
        if isinstance(event, CallArrived):
            self._untaken.arrived(event)
        elif not isinstance(event, CallEnded | Pulse | Ready | Failed):
            self._untaken.went_on(event.key, event)
            key = event.key
            self._timers.at(time.monotonic() + SETTLED_WITHIN_S, lambda: self._untaken.write(key))

    # --- an INVITE comes in ---

    @guarded
    def _incoming(self, account: Any, prm: Any) -> None:
        key = self._next_key()
        leg = self._legs[key] = Leg(account, prm.callId, key, self)
        try:
            self._receive(key, leg, prm.rdata.srcAddress, headers.parse(prm.rdata.wholeMsg))
        except Exception as error:
            say_fault(error)
            leg.respond(500)

    @guarded
    def _refused_by_stack(self, status: int, source: str, raw: str) -> None:
        """It never rang, and is told all the same."""
        invite = headers.parse(raw)
        screened = self._screening.screen(source, invite)
        if isinstance(screened, int):
            return
        if self._writer.is_full:
            say(f"a call that the SIP stack refused with {status} is not told: the gateway has not read events for long")
        elif self._refusals.take(invite, status, trunk=screened.name, source=source, now=time.monotonic()):
            arrived = arrival(invite, key=self._next_key(), trunk=screened.name, source=source, at=time.time())
            for event in events_of_refused(arrived, status):
                self._tell(event)

    @property
    def _why_away(self) -> str:
        """Why no call may be begun now; empty: it may."""
        if self._leave_at is not None:
            return "the gateway stops"
        if self._writer.is_full:
            return "the gateway has not read events for long; is it stopped?"
        return self._watch.why_away

    def _next_key(self) -> str:
        return f"{self._boot}-{next(self._numbers)}"

    def _receive(self, key: str, leg: Leg, source: str, invite: headers.SipMessage) -> None:
        """Reject it, or tell of the call, whose plan follows."""
        is_repeated = headers.is_repeated(invite)
        screened = self._screening.screen(source, invite)
        if isinstance(screened, int):
            leg.respond(screened)
        elif (refused_with := self._refusals.status_of(invite, time.monotonic())) is not None:
            leg.respond(refused_with)
        elif self._is_gateway_gone and is_repeated:
            return  # it comes again, to the next gateway
        elif self._is_gateway_gone:
            leg.respond(OUT_OF_ORDER)
        elif why := self._why_away:
            self._turned_away += 1
            self._last_turned_away = f"{screened.name} ({source}): {why}"
            leg.respond(OUT_OF_ORDER)
        else:
            self._tell(arrival(invite, key=key, trunk=screened.name, source=source, at=time.time()))
            session = Session(
                key=key,
                trunk=screened,
                source=source,
                leg=leg,
                expires=headers.expires(invite),
                dialog=dialog(invite),
                identity=identity(invite),
                is_repeated=is_repeated,
            )
            self._calls.begin(session)

    # --- what pjsua2 says of a dialog (LegEvents) ---

    def cancelled(self, key: str, raw: str) -> None:
        """A CANCEL came, whole."""
        self._calls.cancelled(key, headers.reasons(headers.parse(raw)))

    def ended(self, key: str, status: int) -> None:
        """The dialog is over; only now is its pjsua2 object freed."""
        try:
            self._calls.ended(key, status)
        finally:
            self._legs.pop(key, None)
