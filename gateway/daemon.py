"""The gateway as a whole: the one place where the parts meet. Start-up reads downwards, shutdown is its mirror."""

import asyncio
import contextlib
import os
import secrets
import sqlite3
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from datetime import UTC, datetime
from importlib.metadata import version
from typing import Any

import structlog

from config.model import Config
from gateway.core.delivery import TextState
from gateway.data_dir import CannotStart, only_one_here, write_token
from gateway.directory import Directory
from gateway.inbox import Inbox
from gateway.journal import Journal
from gateway.notify import notify, watchdog_seconds
from gateway.outbox import Outbox
from gateway.status import Readiness
from gateway.store import texts
from gateway.store.database import FILE, Database, StoreError
from gateway.trial_call import TOKEN_FILE
from gateway.web import server
from sip.client import AgentClient, AgentFailed, AgentLost
from sip.protocol import Event, Pulse, Ready, Start
from sms.build import build_bridge
from sms.text import Bridge

LAST_TEXTS_WITHIN_S = 5.0
"""At the end texts already due may still go, so long at the most."""

BRIDGE_AGAIN_S = 10.0


class Gateway:
    """A running gateway. `serve` is its whole life; `stop` asks it to end."""

    def __init__(self, config: Config) -> None:
        self.config = config
        self._log = structlog.get_logger()
        self._stop = asyncio.Event()
        self.is_ready = asyncio.Event()
        """Set once a call would be taken."""
        self._directory = Directory(config)
        self._counts = {"queued": 0, "held": 0, "unknown": 0}
        self._last_pulse: Pulse | None = None

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
        self._bridges = _built(self.config)
        await stack.enter_async_context(self._running_bridges())
        await stack.enter_async_context(self._sending())
        tasks = await stack.enter_async_context(asyncio.TaskGroup())
        self._agent = AgentClient(self._agent_start(), self._receive)
        self._journal = Journal(
            store=self._store,
            directory=self._directory,
            tasks=tasks,
            command=self._agent.send,
            text_queued=self._outbox.wake,
        )
        await self._journal.recover()
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
    async def _running_bridges(self) -> AsyncIterator[None]:
        self._inbox = Inbox(store=self._store, region=self.config.region, bridge_changed=self._wake)
        async with asyncio.TaskGroup() as tasks:
            running = [
                tasks.create_task(self._keep_running(bridge), name=f"bridge {bridge.name}") for bridge in self._bridges.values()
            ]
            yield
            for task in running:
                task.cancel()

    async def _keep_running(self, bridge: Bridge) -> None:
        """A fault in one bridge ends neither the gateway nor the other bridges."""
        while True:
            try:
                await bridge.run(self._inbox)
            except Exception as error:
                self._log.exception("bridge_failed", bridge=bridge.name, error=type(error).__name__)
            await asyncio.sleep(BRIDGE_AGAIN_S)

    @asynccontextmanager
    async def _sending(self) -> AsyncIterator[None]:
        """The outbox; at the end what is due may still go."""
        routes = {line.name: line.sms for line in self.config.line.values()}
        async with asyncio.TaskGroup() as tasks:
            self._outbox = Outbox(store=self._store, bridges=self._bridges, routes=routes, tasks=tasks)
            running = tasks.create_task(self._outbox.run(), name="outbox")
            yield
            running.cancel()
            await self._outbox.finish(LAST_TEXTS_WITHIN_S)

    def _wake(self) -> None:
        self._outbox.wake()

    def _agent_start(self) -> Start:
        sip = self.config.sip
        token = secrets.token_urlsafe(24)
        write_token(self.config.data_dir / TOKEN_FILE, token)
        return Start(
            listen=tuple(str(listen) for listen in sip.listen),
            rtp_first=sip.rtp_ports.first,
            rtp_last=sip.rtp_ports.last,
            max_calls=sip.max_calls,
            trunks=self._directory.trunks(),
            public_address=str(sip.public_address or ""),
            call_test_token=token,
        )

    async def _start_web(self, stack: AsyncExitStack) -> None:
        listen = self.config.web.listen
        password = self.config.web.password
        app = server.application(self, password.get_secret_value() if password else None)
        try:
            runner = await server.start(app, listen.host, listen.port)
        except OSError as error:
            raise CannotStart(
                f"cannot listen on {listen} for the pages: {os.strerror(error.errno or 0)}; "
                "stop the program that has the port, or change web.listen in the configuration"
            ) from error
        stack.push_async_callback(runner.cleanup)

    # --- life ---

    async def _serve_calls(self) -> None:
        """Run the agent until `stop`; every call that it ended is journalled before this returns."""
        agent = asyncio.create_task(self._agent.run(), name="agent")
        stopped = asyncio.create_task(self._stop.wait(), name="stop")
        beat = asyncio.create_task(self._beat(), name="beat")
        try:
            await asyncio.wait({agent, stopped}, return_when=asyncio.FIRST_COMPLETED)
            notify("STOPPING=1")
            await self._agent.stop()
            await agent
        except AgentFailed as error:
            raise CannotStart(str(error)) from error
        finally:
            for task in (stopped, beat, agent):
                task.cancel()
            await asyncio.gather(stopped, beat, agent, return_exceptions=True)

    def _receive(self, event: Event | AgentLost) -> None:
        match event:
            case Ready():
                self._now_listening(event)
            case Pulse():
                self._pulse(event)
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

    def _pulse(self, pulse: Pulse) -> None:
        before = self._last_pulse
        self._last_pulse = pulse
        if before is None:
            return
        if pulse.strangers > before.strangers:
            self._log.warning("strangers_refused", new=pulse.strangers - before.strangers, last=pulse.last_stranger)
        if pulse.malformed > before.malformed:
            self._log.warning("malformed_refused", new=pulse.malformed - before.malformed, last=pulse.last_malformed)

    async def _beat(self) -> None:
        """Tell systemd's watchdog that the loop and the database's thread live; count what people should look at."""
        pause = min(watchdog_seconds() or 5.0, 5.0)
        while True:
            with contextlib.suppress(StoreError):
                self._counts = await self._store.write(_count)
            notify("WATCHDOG=1")
            await asyncio.sleep(pause)

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
        ready, pulse = self._agent.ready, self._agent.pulse
        return {
            "version": version("textback"),
            "config_hash": self.config.hash,
            "agent": {
                "up": ready is not None,
                "calls": self._journal.open_calls,
                "max_calls": ready.max_calls if ready else 0,
                "stack": ready.stack if ready else "",
                "pid": self._agent.pid,
                "strangers_refused": pulse.strangers if pulse else 0,
                "malformed_refused": pulse.malformed if pulse else 0,
            },
            "trunks": {name: {"up": ready is not None} for name in self.config.trunk},
            "bridges": {name: _health(bridge) for name, bridge in self._bridges.items()},
            "database": {"writable": not self._store.last_error, "detail": self._store.last_error},
            **self._counts,
        }


def _built(config: Config) -> dict[str, Bridge]:
    built = {name: build_bridge(name, settings, config.data_dir) for name, settings in config.sms.items()}
    return {name: bridge for name, bridge in built.items() if bridge is not None}


def _health(bridge: Bridge) -> dict[str, Any]:
    health = bridge.health()
    return {"up": health.up, "paused": health.paused, "detail": health.detail}


def _count(db: sqlite3.Connection) -> dict[str, int]:
    return {
        "queued": texts.count(db, TextState.QUEUED),
        "held": 0,
        "unknown": texts.count(db, TextState.UNKNOWN),
    }


def _innermost(group: BaseExceptionGroup[CannotStart]) -> CannotStart:
    first = group.exceptions[0]
    return _innermost(first) if isinstance(first, BaseExceptionGroup) else first
