"""The gateway as a whole: the one place where the parts meet. Start-up reads downwards, shutdown is its mirror."""

import asyncio
import contextlib
import os
import secrets
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from datetime import UTC, datetime, timedelta
from typing import Any

import structlog

from config.model import Config
from gateway.actions import Actions
from gateway.calls.journal import Journal
from gateway.calls.strangers import Strangers
from gateway.decisions.directory import Directory
from gateway.decisions.holds import Holds
from gateway.decisions.knowledge import Knowledge
from gateway.decisions.ruling import InForce, Ruling
from gateway.process import listeners, taken
from gateway.process.data_dir import TOKEN_FILE, CannotStart, only_one_here, write_token
from gateway.process.descriptors import raise_limit
from gateway.process.log_lines import LogLines
from gateway.process.notify import notify, watchdog_seconds
from gateway.process.reload import Reloading
from gateway.process.status import Readiness, count, report
from gateway.process.stores import open_stores
from gateway.repeated import Repeated
from gateway.replies.inbox import Inbox
from gateway.store.database import StoreError
from gateway.texts.bridge_states import BridgeStates
from gateway.texts.bridges import Bridges
from gateway.texts.outbox import LastTexts, Outbox, quiet_of, routes_of
from gateway.web import hooks, server
from sip.pipe.client import AgentClient, AgentFailed, AgentLost
from sip.protocol import AgentEvent, Pulse, Ready, Start

BEAT_EVERY_S = 5.0
COUNT_WITHIN_S = 1.0
"""Else what was counted at the last beat is told."""
LAST_TURNS_WITHIN_S = 1.0
"""At the end housekeeping that is under way is waited for so long."""
LAST_CALLS_WITHIN_S = 2.0
"""At the end calls may still be committed, so long at the most; the others stand in the reserve."""
RECOVER_WITHIN_S = 2.0
"""At the start what a stop cut off is settled first, so long at the most."""


class Gateway:
    """A running gateway. `serve` is its whole life; `stop` asks it to end."""

    def __init__(self, config: Config) -> None:
        self._log = structlog.get_logger()
        self._stop = asyncio.Event()
        self.token = secrets.token_urlsafe(24)
        """Proves that somebody may read the data directory: for test calls and for what changes things."""
        self.is_ready = asyncio.Event()
        """Set once a call would be taken."""
        self._knowledge = Knowledge(keeps=True)
        self._reloading = Reloading(config, self._knowledge, self._use)
        self._queue_changed, self._holds_changed = asyncio.Event(), asyncio.Event()
        self._refused_hooks = hooks.RefusedHooks()
        self._log_lines = LogLines()
        self._publish = listeners.publisher(self._log_lines, self._queue_changed, self._holds_changed).publish
        self._counts = {"queued": 0, "held": 0, "held_for_a_person": 0, "unknown": 0}
        self._strangers = Strangers()

    @property
    def config(self) -> Config:
        """The configuration of the moment."""
        return self._reloading.config

    def stop(self) -> None:
        """End in order: no new calls, texts that are due, goodbye to the networks."""
        self._stop.set()

    @property
    def is_stopping(self) -> bool:
        """Has it been asked to end?"""
        return self._stop.is_set()

    async def serve(self) -> None:
        """Run until `stop`. `CannotStart` where something that it needs is not to be had."""
        cannot_start: CannotStart | None = None
        try:
            async with AsyncExitStack() as stack:
                await self._live(stack)
        except* CannotStart as group:
            cannot_start = _innermost(group)
        if cannot_start is not None:
            raise cannot_start

    async def _live(self, stack: AsyncExitStack) -> None:
        stack.enter_context(only_one_here(self.config.data_dir))
        self._stores = open_stores(self.config.data_dir, self._publish)
        stack.callback(self._stores.close)
        taken.keep(self.config)
        self._store = self._stores.database
        await self._stores.hold_interrupted_texts(RECOVER_WITHIN_S)
        directory = await asyncio.to_thread(self._knowledge.directory, self.config, datetime.now(UTC))
        self._in_force = InForce(Ruling(directory))
        self._bridges = Bridges(self.config.data_dir, self.config.web.public_url or "", self._queue_changed.set)
        states = BridgeStates(bridges=self._bridges.by_name, publish=self._publish, changed=self._queue_changed.set)
        self._inbox = Inbox(store=self._store, in_force=self._in_force, bridge_changed=states.bridge_changed)
        await stack.enter_async_context(self._bridges.running(self._inbox, self.config.sms))
        await stack.enter_async_context(self._sending())
        tasks = await stack.enter_async_context(asyncio.TaskGroup())
        self._agent = AgentClient(self._agent_start(), self._receive)
        self._journal = Journal(
            store=self._store,
            reserve=self._stores.reserve,
            in_force=self._in_force,
            tasks=tasks,
            command=self._agent.send,
            publish=self._publish,
            claim_behind=self._outbox.claim_behind,
        )
        await self._journal.recover(RECOVER_WITHIN_S)
        self.actions = Actions(store=self._store, in_force=self._in_force, holds=self._holds, outbox=self._outbox)
        await self._start_web(stack)
        await stack.enter_async_context(self._housekeeping())
        await self._serve_calls()
        await self._journal.finish(LAST_CALLS_WITHIN_S)

    # --- start-up's parts ---

    @asynccontextmanager
    async def _sending(self) -> AsyncIterator[None]:
        """The outbox and the holds; at the end what is due may still go."""
        self._outbox = Outbox(
            store=self._store,
            bridges=self._bridges.by_name,
            routes=routes_of(self.config),
            woken=self._queue_changed,
            quiet=quiet_of(self.config),
        )
        self._holds = Holds(store=self._store, in_force=self._in_force, woken=self._holds_changed)
        async with asyncio.TaskGroup() as tasks:
            tasks.create_task(self._outbox.run(), name="outbox")
            tasks.create_task(self._holds.run(), name="holds")
            try:
                yield
            finally:
                await self._holds.stop()
                await self._outbox.stop(LastTexts())

    @asynccontextmanager
    async def _housekeeping(self) -> AsyncIterator[None]:
        """What is done again and again beside the calls."""
        chores = (
            Repeated("beat", self._beat, at_least_every=BEAT_EVERY_S),
            Repeated("reply-parts", self._inbox.give_up_on_parts),
            self._reloading,
        )
        async with asyncio.TaskGroup() as tasks:
            running = [tasks.create_task(chore.run(), name="housekeeping") for chore in chores]
            try:
                yield
            finally:
                for chore in chores:
                    chore.stop()
                _, late = await asyncio.wait(running, timeout=LAST_TURNS_WITHIN_S)
                for task in late:
                    task.cancel()

    def _agent_start(self) -> Start:
        sip = self.config.sip
        write_token(self.config.data_dir / TOKEN_FILE, self.token)
        return Start(
            listen=tuple(str(listen) for listen in sip.listen),
            rtp_first=sip.rtp_ports.first,
            rtp_last=sip.rtp_ports.last,
            max_calls=sip.max_calls,
            trunks=self._in_force.directory.trunks(),
            public_address=str(sip.public_address or ""),
            call_test_token=self.token,
        )

    async def _start_web(self, stack: AsyncExitStack) -> None:
        listen = self.config.web.listen
        app = server.application(self, self.actions, self.config.web, self.token)
        hooks.add_to(app, self._bridges.by_name, self._refused_hooks)
        try:
            listening = await server.start(app, listen.host, listen.port, descriptors=raise_limit())
        except OSError as error:
            raise CannotStart(
                f"cannot listen on {listen} for the pages: {os.strerror(error.errno or 0)}; "
                "stop the program that has the port, or change web.listen in the configuration"
            ) from error
        stack.push_async_callback(listening.stop)

    # --- life ---

    async def _serve_calls(self) -> None:
        """Run the agent until `stop`; every call that it ended is journalled before this returns."""
        agent = asyncio.create_task(self._agent.run(), name="agent")
        stopped = asyncio.create_task(self._stop.wait(), name="stop")
        deaf = asyncio.create_task(self._store.until_dead(), name="store")
        try:
            await asyncio.wait({agent, stopped, deaf}, return_when=asyncio.FIRST_COMPLETED)
            notify("STOPPING=1")
            self._log.info("gateway_stopping")
            await self._agent.stop()
            await agent
            if deaf.done():
                await deaf
        except (AgentFailed, StoreError) as error:
            raise CannotStart(str(error)) from error
        finally:
            for task in (stopped, agent, deaf):
                task.cancel()
            await asyncio.gather(stopped, agent, deaf, return_exceptions=True)

    def _receive(self, event: AgentEvent | AgentLost) -> None:
        match event:
            case Ready():
                self._now_listening(event)
            case Pulse():
                self._strangers.heard(event)
            case _:
                self._journal.receive(event)

    def _now_listening(self, ready: Ready) -> None:
        self._log.info("agent_ready", stack=ready.stack, listen=", ".join(ready.listen), max_calls=ready.max_calls)
        if ready.max_calls < self.config.sip.max_calls:
            self._log.warning(
                "fewer_calls_than_configured",
                carries=ready.max_calls,
                configured=self.config.sip.max_calls,
                why=f"the SIP stack holds {ready.capacity}; each takes two of sip.rtp_ports and two open files",
            )
        if not self.is_ready.is_set():
            self.is_ready.set()
            notify("READY=1")
            self._log.info("gateway_ready", config=self.config.hash, lines=len(self.config.line))

    async def _beat(self) -> datetime:
        """Tell systemd's watchdog that the loop and the database's thread live; count what people should look at."""
        pause = min(watchdog_seconds() or BEAT_EVERY_S, BEAT_EVERY_S)
        await self._count_all()
        self._log_lines.tell_overdue()
        self._refused_hooks.tell_overdue()
        notify("WATCHDOG=1")
        return datetime.now(UTC) + timedelta(seconds=pause)

    async def _count_all(self) -> None:
        with contextlib.suppress(StoreError):  # said where it is noticed; the thread lives
            self._counts = await self._store.write(count)

    # --- another configuration ---

    def reload(self) -> None:
        """Load the configuration again, soon."""
        self._reloading.ask()

    def _use(self, config: Config, directory: Directory) -> None:
        """A configuration, or the calendars and contacts that belong to it, comes into force, whole."""
        self._in_force.ruling = Ruling(directory)
        self._bridges.use(config.sms)
        self._outbox.routes, self._outbox.quiet = routes_of(config), quiet_of(config)
        self._agent.use_trunks(directory.trunks())
        self._holds_changed.set()

    # --- what others ask (Reporter) ---

    async def count(self) -> None:
        """What waits and for whom is counted anew, where the database answers soon."""
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(COUNT_WITHIN_S):
                await self._count_all()

    def readiness(self) -> Readiness:
        """Agent up and database writable; trunks and bridges do not count, calls are journalled without them."""
        why_not = []
        if self._agent.ready is None:
            why_not.append("the SIP agent is not listening")
        if self._store.last_error:
            why_not.append(self._store.last_error)
        if self._stop.is_set():
            why_not.append("the gateway is stopping")
        return Readiness(why_not=tuple(why_not))

    def status(self) -> dict[str, Any]:
        """The shape that `textback status --json` prints."""
        return report(
            self.config,
            agent=self._agent,
            open_calls=self._journal.open_calls,
            bridges=self._bridges.by_name,
            database=self._stores.health(),
            reload_error=self._reloading.error,
            faults=self._in_force.directory.faults,
            counts=self._counts,
        )


def _innermost(group: BaseExceptionGroup[CannotStart]) -> CannotStart:
    first = group.exceptions[0]
    return _innermost(first) if isinstance(first, BaseExceptionGroup) else first
