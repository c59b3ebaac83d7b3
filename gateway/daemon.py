"""The gateway as a whole: the one place where the parts meet. Start-up reads downwards, shutdown is its mirror."""

import asyncio
import contextlib
import itertools
import os
import secrets
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from datetime import UTC, datetime
from typing import Any

import structlog

from config.model import Config
from config.problems import ConfigError
from gateway import metrics
from gateway.actions import Actions
from gateway.bridges import Bridges
from gateway.data_dir import CannotStart, only_one_here, write_token
from gateway.descriptors import raise_limit
from gateway.holds import Holds
from gateway.inbox import Inbox
from gateway.journal import Journal
from gateway.knowledge import Knowledge
from gateway.notify import notify, watchdog_seconds
from gateway.outbox import Outbox, routes_of
from gateway.reload import changed_at, load_changed
from gateway.ruling import Ruling, Verdict
from gateway.status import Readiness, count, report
from gateway.store import texts
from gateway.store.database import FILE, Database, StoreError
from gateway.strangers import Strangers
from gateway.trial_call import TOKEN_FILE
from gateway.web import hooks, server
from sip.client import AgentClient, AgentFailed, AgentLost
from sip.protocol import Event, Pulse, Ready, Start

LAST_TEXTS_WITHIN_S = 5.0
"""At the end texts already due may still go, so long at the most."""

LOOK_EVERY_S = 2.0
LOOKS_A_KNOWLEDGE = 30
"""Calendars and contacts are looked at every so many looks."""


class Gateway:
    """A running gateway. `serve` is its whole life; `stop` asks it to end."""

    def __init__(self, config: Config) -> None:
        self.config = config
        self._log = structlog.get_logger()
        self._stop = asyncio.Event()
        self.token = secrets.token_urlsafe(24)
        """Proves that somebody may read the data directory: for test calls and for what changes things."""
        self.is_ready = asyncio.Event()
        """Set once a call would be taken."""
        self._knowledge = Knowledge()
        self._queue_changed, self._holds_changed = asyncio.Event(), asyncio.Event()
        self._reload_error = ""
        self._counts = {"queued": 0, "held": 0, "held_for_a_person": 0, "unknown": 0}
        self._strangers = Strangers()

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
        self._store = self._open_store(stack)
        await self._hold_interrupted_texts()
        self._ruling = Ruling(self._knowledge.directory(self.config, datetime.now(UTC)))
        self._bridges = Bridges(self.config.data_dir, self.config.web.public_url or "", self._queue_changed.set)
        self._inbox = Inbox(store=self._store, ruling=self._ruling, bridge_changed=self._queue_changed.set)
        await stack.enter_async_context(self._bridges.running(self._inbox, self.config.sms))
        await stack.enter_async_context(self._sending())
        tasks = await stack.enter_async_context(asyncio.TaskGroup())
        self._agent = AgentClient(self._agent_start(), self._receive)
        self._journal = Journal(
            store=self._store, ruling=self._ruling, tasks=tasks, command=self._agent.send, ruled=self._ruled
        )
        await self._journal.recover()
        self.actions = Actions(store=self._store, ruling=self._ruling, holds=self._holds, outbox=self._outbox)
        await self._start_web(stack)
        await self._serve_calls()

    # --- start-up's parts ---

    def _open_store(self, stack: AsyncExitStack) -> Database:
        try:
            store = Database(self.config.data_dir / FILE)
        except StoreError as error:
            raise CannotStart(str(error)) from error
        stack.callback(store.close)
        return store

    async def _hold_interrupted_texts(self) -> None:
        for text in await self._store.write(lambda db: texts.recover(db, datetime.now(UTC))):
            self._log.error("text_unknown", text=text, detail="the gateway stopped while it was being sent; it is held")

    @asynccontextmanager
    async def _sending(self) -> AsyncIterator[None]:
        """The outbox and the holds; at the end what is due may still go."""
        async with asyncio.TaskGroup() as tasks:
            self._outbox = Outbox(
                store=self._store,
                bridges=self._bridges.by_name,
                routes=routes_of(self.config),
                tasks=tasks,
                woken=self._queue_changed,
            )
            self._holds = Holds(store=self._store, ruling=self._ruling, ruled=self._ruled, woken=self._holds_changed)
            running = tasks.create_task(self._outbox.run(), name="outbox")
            holding = tasks.create_task(self._holds.run(), name="holds")
            yield
            holding.cancel()
            running.cancel()
            await self._outbox.finish(LAST_TEXTS_WITHIN_S)

    def _ruled(self, verdict: Verdict) -> None:
        """A decision fell: somebody has something to do, or a person has to be told."""
        metrics.count_decision(verdict.decision, verdict.reason.value)
        if verdict.decision == "send":
            self._queue_changed.set()
        elif verdict.decision == "hold":
            self._holds_changed.set()
            if verdict.due_at is None:
                self._log.error("limit_reached", call=verdict.call, text=verdict.text, reason=verdict.reason.value)

    def _agent_start(self) -> Start:
        sip = self.config.sip
        write_token(self.config.data_dir / TOKEN_FILE, self.token)
        return Start(
            listen=tuple(str(listen) for listen in sip.listen),
            rtp_first=sip.rtp_ports.first,
            rtp_last=sip.rtp_ports.last,
            max_calls=sip.max_calls,
            trunks=self._ruling.directory.trunks(),
            public_address=str(sip.public_address or ""),
            call_test_token=self.token,
        )

    async def _start_web(self, stack: AsyncExitStack) -> None:
        listen = self.config.web.listen
        app = server.application(self, self.actions, self.config.web, self.token)
        hooks.add_to(app, self._bridges.by_name)
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
        beat = asyncio.create_task(self._beat(), name="beat")
        around = asyncio.create_task(self._look_around(), name="look-around")
        try:
            await asyncio.wait({agent, stopped}, return_when=asyncio.FIRST_COMPLETED)
            notify("STOPPING=1")
            await self._agent.stop()
            await agent
        except AgentFailed as error:
            raise CannotStart(str(error)) from error
        finally:
            for task in (stopped, beat, around, agent):
                task.cancel()
            await asyncio.gather(stopped, beat, around, agent, return_exceptions=True)

    def _receive(self, event: Event | AgentLost) -> None:
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
                why=f"the SIP stack holds {ready.capacity} calls, and sip.rtp_ports has two ports a call",
            )
        if not self.is_ready.is_set():
            self.is_ready.set()
            notify("READY=1")
            self._log.info("gateway_ready", config=self.config.hash, lines=len(self.config.line))

    async def _beat(self) -> None:
        """Tell systemd's watchdog that the loop and the database's thread live; count what people should look at."""
        pause = min(watchdog_seconds() or 5.0, 5.0)
        while True:
            with contextlib.suppress(StoreError):
                self._counts = await self._store.write(count)
            notify("WATCHDOG=1")
            await asyncio.sleep(pause)

    # --- another configuration ---

    def reload(self) -> str:
        """Load the configuration again and swap it whole; the old one stays on any error, which is returned."""
        try:
            config = load_changed(self.config)
            directory = self._knowledge.directory(config, datetime.now(UTC))
        except ConfigError as error:
            self._reload_error = str(error)
            self._log.error("reload_refused", problems=len(error.problems), first=str(error.problems[0]), kept=self.config.hash)
            return self._reload_error
        self.config, self._ruling.directory, self._reload_error = config, directory, ""
        self._bridges.use(config.sms)
        self._outbox.routes = routes_of(config)
        self._agent.use_trunks(directory.trunks())
        self._queue_changed.set()
        self._log.info("configuration_loaded", config=config.hash, lines=len(config.line))
        return ""

    async def _look_around(self) -> None:
        """Calendars and contacts change without being announced; the configuration only where `watch` is on."""
        seen = changed_at(self.config.path)
        for turn in itertools.count(1):
            await asyncio.sleep(LOOK_EVERY_S)
            changed = changed_at(self.config.path)
            if self.config.watch and changed not in (0, seen):
                self.reload()
            seen = changed or seen
            if turn % LOOKS_A_KNOWLEDGE == 0:
                await self._know_again()
                await self._inbox.give_up_on_parts()

    async def _know_again(self) -> None:
        """Read calendars and contacts in a thread; calls do not wait for them. A reload in between has newer ones."""
        config = self.config
        directory = await asyncio.to_thread(self._knowledge.directory, config, datetime.now(UTC))
        if self.config is config:
            self._ruling.directory = directory

    # --- what others ask (Reporter) ---

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
            database_error=self._store.last_error,
            reload_error=self._reload_error,
            counts=self._counts,
        )


def _innermost(group: BaseExceptionGroup[CannotStart]) -> CannotStart:
    first = group.exceptions[0]
    return _innermost(first) if isinstance(first, BaseExceptionGroup) else first
