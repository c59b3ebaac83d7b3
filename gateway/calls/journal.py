"""From SIP events to calls in the database, and from a missed call to its decision and its text: one transaction a step.

A call is written down, and then its plan goes out: nobody hears ringing before. The moment it is missed, `ruling` writes its
outcome, the decision with the whole trace, and the text in one transaction. What the database cannot take now stands in the
reserve until it has it.
"""

import asyncio
from collections.abc import Callable, Coroutine
from dataclasses import asdict
from datetime import UTC, datetime, timedelta
from typing import Any

import structlog

from config.model import Line
from gateway.calls import change_of_caller, left_behind, plans
from gateway.calls.endings import ending, ending_of
from gateway.calls.reserve import PATIENCE_S, Kept, Reserve
from gateway.core import facts
from gateway.core.call import MISSED, Outcome, ring_time
from gateway.core.case import Circumstances
from gateway.core.facts import Fact, Publish
from gateway.core.plan import plan
from gateway.decisions import deciding
from gateway.decisions.ruling import InForce, Ruling, Verdict
from gateway.store import StoreConnection, calls
from gateway.store.calls import Arrival, Ending
from gateway.store.database import Database, StoreError
from gateway.store.instants import from_epoch
from gateway.store.steps import WithFacts
from sip.pipe.client import AgentLost
from sip.protocol import AgentEvent, CallArrived, CallEnded, CallerChanged, Command, Settled

ClaimNext = Callable[[], None]
"""Puts the claim of a text behind the step that was given to the store last, and decides about it."""


class Journal:
    """Writes down what the agent tells. `receive` never blocks; the writing happens in tasks of the given group."""

    def __init__(
        self,
        *,
        store: Database,
        reserve: Reserve,
        in_force: InForce,
        tasks: asyncio.TaskGroup,
        command: Callable[[Command], None],
        publish: Publish,
        claim_next: Callable[[str], ClaimNext | None] = lambda _: None,
    ) -> None:
        self._store = store
        self._reserve = reserve
        self._in_force = in_force
        self._tasks = tasks
        self._command = command
        self._publish = publish
        self._claim_next = claim_next
        self._open: dict[str, Arrival] = {}
        self._writing: set[asyncio.Task[None]] = set()
        self._log = structlog.get_logger()

    @property
    def open_calls(self) -> int:
        """Calls that ring now."""
        return len(self._open)

    @property
    def takes_calls(self) -> bool:
        """Would a call be written down, in the database or in the reserve?"""
        return not self._reserve.is_failing

    def receive(self, event: AgentEvent | AgentLost) -> None:
        """Take one event of the agent's, in the order of their happening."""
        match event:
            case CallArrived():
                self._arrived(event)
            case CallerChanged():
                self._caller_changed(event)
            case AgentLost(reason=reason):
                self._agent_lost(reason)
            case CallEnded(key=key):
                if key in self._open:
                    self._ended(key, ending(Outcome.INTERRUPTED, event.at, 0.0))
            case _:
                ended = ending_of(event)
                if ended is not None:
                    self._ended(*ended)

    async def recover(self, seconds: float | None = None) -> None:
        """At start: calls that a stop cut off are `interrupted`, which is missed; those in the reserve end as they did.

        Comes back when that is committed, or after so many seconds; it then goes on beside the calls that come in.
        """
        await asyncio.to_thread(self._take_over_from_agents, seconds or 0.0)
        begun = self._begin("at start", self._take_up(self._reserve.calls, datetime.now(UTC)))
        await asyncio.wait({begun}, timeout=seconds)
        await self._written(seconds)

    async def _take_up(self, kept: tuple[Kept, ...], now: datetime) -> None:
        cut_off = [arrival for _, arrival in await self._store.insist(calls.open_calls)]
        endings = {arrival.key: (arrival, self._cut_off(arrival, now)) for arrival in cut_off}
        for one in kept:
            arrival = change_of_caller.newest(one.arrival, *(arrival for arrival in cut_off if arrival.key == one.arrival.key))
            endings[arrival.key] = arrival, one.ending or self._cut_off(arrival, now)
        for arrival, ended in sorted(endings.values(), key=lambda item: item[0].arrived_at):
            self._write_ending(arrival, ended)
        if kept:
            self._log.warning("calls_found_in_reserve", calls=len(kept))

    async def finish(self, seconds: float) -> None:
        """At the end: wait for the commits, so long at the most. What is not committed then stands in the reserve."""
        await self._written(seconds)
        for task in self._writing:
            task.cancel()
        await self._written()
        if len(self._reserve):
            self._log.warning("calls_kept_for_the_next_start", calls=len(self._reserve), file=str(self._reserve.path))

    async def _written(self, seconds: float | None = None) -> None:
        if self._writing:
            await asyncio.wait(self._writing, timeout=seconds)

    def _cut_off(self, arrival: Arrival, now: datetime) -> Ending:
        line = self._in_force.directory.config.line.get(arrival.line or "")
        rang = min(now - arrival.arrived_at, ring_time(line) if line else timedelta(0))
        rang = max(rang, timedelta(0))
        return Ending(outcome=Outcome.INTERRUPTED, at=arrival.arrived_at + rang, rang=rang)

    def _arrived(self, event: CallArrived) -> None:
        arrival = self._open[event.key] = self._arrival(event)
        line = self._in_force.directory.line_for(event.trunk, event.dialled)
        planned = plans.command(event.key, plan(self._circumstances(line, arrival)))
        commit = self._store.insist(_arrive, arrival)
        self._begin(event.key, self._written_down(Kept(arrival=arrival), commit, then=planned))

    def _arrival(self, event: CallArrived) -> Arrival:
        line = self._in_force.directory.line_for(event.trunk, event.dialled)
        return Arrival(
            key=event.key,
            call_id=event.call_id,
            trunk=event.trunk,
            source=event.source,
            line=line.name if line else None,
            caller=self._in_force.directory.caller(event.caller, event.trunk),
            caller_as_sent=event.caller,
            caller_name=event.caller_name,
            caller_header=event.caller_header,
            dialled=event.dialled,
            diversions=tuple(asdict(diversion) for diversion in event.diversions),
            verstat=event.verstat,
            arrived_at=from_epoch(event.at),
        )

    def _caller_changed(self, event: CallerChanged) -> None:
        """The decision falls for the new caller; the plan stays."""
        before = self._open.get(event.key)
        arrival = self._with_caller(before, event) if before else None
        if arrival is None or arrival is before:
            return
        self._open[event.key] = arrival
        commit = self._store.insist(change_of_caller.change, arrival, from_epoch(event.at))
        self._begin(event.key, self._written_down(Kept(arrival=arrival), commit))

    def _with_caller(self, before: Arrival, event: CallerChanged) -> Arrival:
        """One who is only written otherwise is no other."""
        caller = self._in_force.directory.caller(event.caller, before.trunk)
        return before if caller is not None and caller == before.caller else change_of_caller.changed(before, event, caller)

    def _circumstances(self, line: Line | None, arrival: Arrival) -> Circumstances | None:
        if line is None:
            return None
        return Circumstances(policy=self._in_force.directory.policy(line, arrival.caller), now=arrival.arrived_at)

    async def _written_down(self, kept: Kept, commit: "asyncio.Future[Any]", *, then: Command | None = None) -> None:
        """Until the database has it; the agent is told when it is on the disk, wherever."""

        def tell() -> None:
            if then is not None:
                self._command(then)

        await self._reserve.secure(kept, commit, patience=self._patience, safe=tell)

    @property
    def _patience(self) -> float:
        return 0 if self._store.last_error else PATIENCE_S

    def _agent_lost(self, reason: str) -> None:
        now = datetime.now(UTC)
        self._publish(facts.AgentGone(at=now, reason=reason))
        for kept in self._take_over_from_agents():
            arrival = change_of_caller.newest(kept.arrival, self._open.pop(kept.arrival.key, kept.arrival))
            self._write_ending(arrival, kept.ending or self._cut_off(arrival, now))
        for key, arrival in list(self._open.items()):
            rang = max(now - arrival.arrived_at, timedelta(0))
            self._ended(key, Ending(outcome=Outcome.INTERRUPTED, at=now, rang=rang))

    def _take_over_from_agents(self, within: float = 0.0) -> tuple[Kept, ...]:
        read = left_behind.Reading(arrival=self._arrival, with_caller=self._with_caller)
        calls = left_behind.take_over(self._reserve.path.parent, self._reserve, read, within=within)
        if calls:
            self._log.warning("calls_found_of_agent", calls=len(calls))
        return calls

    def _ended(self, key: str, ending: Ending) -> None:
        arrival = self._open.pop(key, None)
        if arrival is not None:
            self._write_ending(arrival, ending)

    def _write_ending(self, arrival: Arrival, ending: Ending) -> None:
        is_missed = ending.outcome in MISSED
        claim = self._claim_next(arrival.line) if arrival.line is not None and is_missed else None
        commit = self._store.insist(_decided, self._in_force.ruling, arrival, ending, is_claimed_next=claim is not None)
        if claim is not None:
            claim()
        kept = Kept(arrival=arrival, ending=ending)
        self._begin(arrival.key, self._written_down(kept, commit, then=Settled(key=arrival.key)))

    def _begin(self, key: str, writing: Coroutine[Any, Any, None]) -> "asyncio.Task[None]":
        task = self._tasks.create_task(self._at_boundary(key, writing), name=f"journal {key}")
        self._writing.add(task)
        task.add_done_callback(self._writing.discard)
        return task

    async def _at_boundary(self, key: str, writing: Coroutine[Any, Any, None]) -> None:
        """A fault over one call ends neither the gateway nor the other calls; the reserve has this one for the next start."""
        try:
            await writing
        except StoreError as error:
            self._log.warning("call_waits_for_the_next_start", key=key, why=str(error))
        except Exception:
            self._log.exception("call_not_journalled", key=key)


def _arrive(db: StoreConnection, arrival: Arrival) -> WithFacts[int]:
    """The call as it came in; its id."""
    at, call = arrival.arrived_at, calls.arrive(db, arrival)
    happened: list[Fact] = [
        facts.CallCameIn(at=at, call=call, line=arrival.line, trunk=arrival.trunk, caller=arrival.caller_as_sent)
    ]
    if arrival.line is None:
        happened.append(facts.NumberHasNoLine(at=at, call=call, trunk=arrival.trunk, dialled=arrival.dialled))
    return WithFacts(result=call, facts=tuple(happened))


def _decided(
    db: StoreConnection, ruling: Ruling, arrival: Arrival, ending: Ending, *, is_claimed_next: bool
) -> WithFacts[Verdict | None]:
    """The call's end and what follows, by the hour at which it can be written down."""
    return deciding.end(db, ruling, arrival, ending, datetime.now(UTC), is_claimed_next=is_claimed_next)
