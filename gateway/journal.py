"""From SIP events to calls in the database, and from a missed call to its decision and its text: one transaction a step.

A call is written down before its plan goes out. The moment it is missed, `ruling` writes its outcome, the decision with the
whole trace, and the text in one transaction; then `ruled` is called.
"""

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import asdict
from datetime import UTC, datetime, timedelta

import structlog

from gateway.core.call import Outcome
from gateway.core.phone import masked
from gateway.ruling import InForce, Verdict
from gateway.store import calls
from gateway.store.calls import Arrival, Ending
from gateway.store.database import Database
from gateway.store.instants import from_epoch
from sip.client import AgentLost
from sip.protocol import (
    AnsweredElsewhere,
    Busy,
    CallArrived,
    CallEnded,
    CallerHungUp,
    Command,
    Event,
    Interrupted,
    Refuse,
    Refused,
    Ring,
    RingTimedOut,
)


class Journal:
    """Writes down what the agent tells. `receive` never blocks; the writing happens in tasks of the given group."""

    def __init__(
        self,
        *,
        store: Database,
        in_force: InForce,
        tasks: asyncio.TaskGroup,
        command: Callable[[Command], None],
        ruled: Callable[[Verdict], None],
    ) -> None:
        self._store = store
        self._in_force = in_force
        self._tasks = tasks
        self._command = command
        self._ruled = ruled
        self._open: dict[str, Arrival] = {}
        self._log = structlog.get_logger()

    @property
    def open_calls(self) -> int:
        """Calls that ring now."""
        return len(self._open)

    def receive(self, event: Event | AgentLost) -> None:
        """Take one event of the agent's, in the order of their happening."""
        match event:
            case CallArrived():
                self._arrived(event)
            case AgentLost():
                self._agent_lost()
            case CallEnded(key=key):
                if key in self._open:
                    self._ended(key, _ending(Outcome.INTERRUPTED, event.at, 0.0))
            case _:
                ending = _ending_of(event)
                if ending is not None:
                    self._ended(*ending)

    async def recover(self) -> None:
        """At start: calls that a stop cut off are `interrupted`, which is missed."""
        now = datetime.now(UTC)
        for _, arrival in await self._store.write(calls.open_calls):
            await self._at_boundary(arrival.key, self._write_ending(arrival, self._cut_off(arrival, now), now))

    def _cut_off(self, arrival: Arrival, now: datetime) -> Ending:
        line = self._in_force.directory.config.line.get(arrival.line or "")
        rang = min(now - arrival.arrived_at, timedelta(seconds=line.ring_seconds if line else 0))
        rang = max(rang, timedelta(0))
        return Ending(outcome=Outcome.INTERRUPTED, at=arrival.arrived_at + rang, rang=rang)

    def _arrived(self, event: CallArrived) -> None:
        line = self._in_force.directory.line_for(event.trunk, event.dialled)
        arrival = self._open[event.key] = Arrival(
            key=event.key,
            call_id=event.call_id,
            trunk=event.trunk,
            source=event.source,
            line=line.name if line else None,
            caller=self._in_force.directory.caller(event.caller),
            caller_as_sent=event.caller,
            caller_name=event.caller_name,
            caller_header=event.caller_header,
            dialled=event.dialled,
            diversions=tuple(asdict(diversion) for diversion in event.diversions),
            verstat=event.verstat,
            arrived_at=from_epoch(event.at),
        )
        plan: Command = (
            Ring(key=event.key, seconds=float(line.ring_seconds))
            if line
            else Refuse(key=event.key, status=404, reason="Not Found")
        )
        self._tasks.create_task(self._at_boundary(event.key, self._write_arrival(arrival, plan)), name=f"arrival {event.key}")

    async def _write_arrival(self, arrival: Arrival, plan: Command) -> None:
        call = await self._store.insist(lambda db: calls.arrive(db, arrival))
        self._command(plan)
        self._log.info("call_arrived", call=call, line=arrival.line, trunk=arrival.trunk, caller=masked(arrival.caller_as_sent))
        if arrival.line is None:
            self._log.warning("number_has_no_line", call=call, trunk=arrival.trunk, dialled=arrival.dialled)

    def _agent_lost(self) -> None:
        now = datetime.now(UTC)
        for key, arrival in list(self._open.items()):
            rang = max(now - arrival.arrived_at, timedelta(0))
            self._ended(key, Ending(outcome=Outcome.INTERRUPTED, at=now, rang=rang))

    def _ended(self, key: str, ending: Ending) -> None:
        arrival = self._open.pop(key, None)
        if arrival is not None:
            now = datetime.now(UTC)
            self._tasks.create_task(self._at_boundary(key, self._write_ending(arrival, ending, now)), name=f"ending {key}")

    async def _at_boundary(self, key: str, writing: Awaitable[None]) -> None:
        """A fault over one call ends neither the gateway nor the other calls; this one stays open until the next start."""
        try:
            await writing
        except Exception:
            self._log.exception("call_not_journalled", key=key)

    async def _write_ending(self, arrival: Arrival, ending: Ending, now: datetime) -> None:
        verdict = await self._store.insist(lambda db: self._in_force.ruling.on_ended(db, arrival, ending, now))
        if verdict is None:
            return
        self._ruled(verdict)
        self._log.info(
            "call_ended",
            call=verdict.call,
            outcome=ending.outcome.value,
            rang_s=round(ending.rang.total_seconds(), 3),
            decision=verdict.decision,
            reason=verdict.reason.value,
            text=verdict.text,
        )


def _ending_of(event: Event) -> tuple[str, Ending] | None:
    match event:
        case RingTimedOut(key=key, at=at, rang=rang):
            return key, _ending(Outcome.NO_ANSWER, at, rang)
        case CallerHungUp(key=key, at=at, rang=rang, reason=reason):
            return key, _ending(Outcome.ABANDONED, at, rang, reason)
        case AnsweredElsewhere(key=key, at=at, rang=rang, reason=reason):
            return key, _ending(Outcome.ANSWERED_ELSEWHERE, at, rang, reason)
        case Busy(key=key, at=at):
            return key, _ending(Outcome.BUSY, at, 0.0)
        case Refused(key=key, at=at, status=status):
            return key, _ending(Outcome.REFUSED, at, 0.0, f"SIP;cause={status}")
        case Interrupted(key=key, at=at, rang=rang):
            return key, _ending(Outcome.INTERRUPTED, at, rang)
        case _:
            return None


def _ending(outcome: Outcome, at: float, rang: float, reason: str = "") -> Ending:
    return Ending(outcome=outcome, at=from_epoch(at), rang=timedelta(seconds=rang), sip_reason=reason)
