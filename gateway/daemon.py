"""The gateway as a whole: the one place where the parts meet. What is started is read downwards; the end is its mirror."""

import asyncio
import secrets
from contextlib import AsyncExitStack
from dataclasses import dataclass
from datetime import UTC, datetime

import structlog
from aiohttp import web

from config.model import Config
from gateway.actions import Actions
from gateway.calls.journal import Journal
from gateway.core.facts import Publish
from gateway.decisions.holds import Holds
from gateway.decisions.ruling import InForce, Ruling
from gateway.office.knowledge import Knowledge
from gateway.process import config_copy, listeners
from gateway.process.agent_dispatch import AgentDispatch
from gateway.process.agent_life import AgentLife
from gateway.process.beat import Beat
from gateway.process.counts import Counts
from gateway.process.data_dir import TOKEN_FILE, CannotStart, only_one_here, write_token
from gateway.process.exchange import Exchange
from gateway.process.housekeeping import Chore, housekeeping
from gateway.process.log_lines import LogLines
from gateway.process.notify import notify
from gateway.process.reload import Reloading, Reloads
from gateway.process.reporting import Reporting
from gateway.process.sending import Sending
from gateway.process.stores import Stores, open_stores
from gateway.repeated import Repeated
from gateway.replies.inbox import Inbox
from gateway.texts.bridge_states import BridgeStates
from gateway.texts.bridges import Bridges
from gateway.texts.outbox import Outbox, quiet_of, rings_of, routes_of
from gateway.texts.queue_wake import QueueWake
from gateway.web import hooks, server
from gateway.web.hooks import RefusedHooks
from sip.pipe.client import AgentClient, AgentLost
from sip.protocol import AgentEvent, Start

LAST_CALLS_WITHIN_S = 2.0
"""At the end calls may still be committed, so long at the most; the others stand in the reserve."""
RECOVER_WITHIN_S = 2.0
"""At the start what a stop cut off is settled first, so long at the most."""


@dataclass(frozen=True, slots=True, kw_only=True)
class _Common:
    """What many parts are given."""

    config: Config
    """As it is at the start."""
    stores: Stores
    in_force: InForce
    publish: Publish
    queue: QueueWake
    holds_changed: asyncio.Event


@dataclass(frozen=True, slots=True, kw_only=True)
class _Parts:
    """What is started, in the order in which it is; nothing runs yet."""

    journal: Journal
    agent_life: AgentLife
    sending: Sending
    web_application: web.Application
    chores: tuple[Chore, ...]


class Gateway:
    """A running gateway. `serve` is its whole life; `stop` asks it to end, `reload` to load its configuration again."""

    def __init__(self, config: Config) -> None:
        self._config = config
        self._token = secrets.token_urlsafe(24)
        """Proves that somebody may read the data directory: for test calls and for what changes things."""
        self._stop = asyncio.Event()
        self._reloads = Reloads()
        self.is_ready = asyncio.Event()
        """Set once a call would be taken and its text would go."""

    def stop(self) -> None:
        """End in order: no new calls, texts that are due, goodbye to the networks."""
        self._stop.set()

    @property
    def is_stopping(self) -> bool:
        """Has it been asked to end?"""
        return self._stop.is_set()

    def reload(self) -> None:
        """Load the configuration again, soon."""
        self._reloads.ask()

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
        """Our ports are had before a bridge begins: where another gateway has them, a bind may be its bind too."""
        config, log_lines = self._config, LogLines()
        stack.enter_context(only_one_here(config.data_dir, config.path))
        queue, holds_changed = QueueWake(), asyncio.Event()
        publish = listeners.publisher(log_lines, queue.event, holds_changed).publish
        stores = open_stores(config.data_dir, publish)
        stack.callback(stores.close)
        config_copy.keep(config)
        write_token(config.data_dir / TOKEN_FILE, self._token)
        await stores.settle_interrupted_texts(RECOVER_WITHIN_S)
        knowledge = Knowledge(keeps=True)
        directory = await asyncio.to_thread(knowledge.directory, config, datetime.now(UTC))
        tasks = await stack.enter_async_context(asyncio.TaskGroup())
        common = _Common(
            config=config,
            stores=stores,
            in_force=InForce(Ruling(directory)),
            publish=publish,
            queue=queue,
            holds_changed=holds_changed,
        )
        parts = self._parts(common, knowledge, log_lines, tasks)

        await parts.journal.recover(RECOVER_WITHIN_S)
        listener = stack.enter_context(server.listening(config.web.listen))
        agent = await stack.enter_async_context(parts.agent_life.running())
        if not self.is_stopping:  # else the ports may be another's yet
            await stack.enter_async_context(parts.sending.running(config.sms))
            await stack.enter_async_context(server.serving(parts.web_application, listener))
            await stack.enter_async_context(housekeeping(*parts.chores))
            self._now_ready()
        await parts.agent_life.until_asked(agent)
        await parts.journal.finish(LAST_CALLS_WITHIN_S)

    def _parts(self, common: _Common, knowledge: Knowledge, log_lines: LogLines, tasks: asyncio.TaskGroup) -> _Parts:
        config, store, in_force = common.config, common.stores.database, common.in_force
        sending = _sending(common)

        def receive(event: AgentEvent | AgentLost) -> None:  # it speaks when it runs, and takes commands of who hears it
            dispatch.receive(event)

        agent = AgentClient(self._start(common), receive)
        journal = _journal(common, agent, sending.outbox, tasks)
        dispatch = AgentDispatch(journal=journal, command=agent.send, max_calls=config.sip.max_calls)
        exchange = Exchange(in_force=in_force, sending=sending, agent=agent, decide_again=common.holds_changed.set)
        reloading = Reloading(config, knowledge, exchange.use, self._reloads)
        counts, refused_hooks = Counts(store), RefusedHooks()
        reporting = Reporting(
            agent=agent,
            journal=journal,
            bridges=sending.bridges.by_name,
            stores=common.stores,
            in_force=in_force,
            reloading=reloading,
            counts=counts,
            stop=self._stop,
        )
        actions = Actions(store=store, in_force=in_force, holds=sending.holds, outbox=sending.outbox)
        application = server.application(reporting, actions, config.web, self._token)
        hooks.add_to(application, sending.bridges.by_name, refused_hooks)
        return _Parts(
            journal=journal,
            agent_life=AgentLife(
                agent=agent,
                has_begun=dispatch.has_begun,
                database=store,
                stop=self._stop,
                stop_within=lambda: in_force.directory.config.sip.stop_within,
            ),
            sending=sending,
            web_application=application,
            chores=(
                Beat(counts, (log_lines.tell_overdue, refused_hooks.tell_overdue)),
                Repeated("reply-parts", sending.inbox.give_up_on_parts),
                reloading,
            ),
        )

    def _start(self, common: _Common) -> Start:
        sip = common.config.sip
        return Start(
            listen=tuple(str(listen) for listen in sip.listen),
            rtp_first=sip.rtp_ports.first,
            rtp_last=sip.rtp_ports.last,
            max_calls=sip.max_calls,
            trunks=common.in_force.directory.trunks(),
            public_address=str(sip.public_address or ""),
            kept_in=str(common.config.data_dir),
            call_test_token=self._token,
        )

    def _now_ready(self) -> None:
        self.is_ready.set()
        notify("READY=1")
        structlog.get_logger().info("gateway_ready", config=self._config.hash, lines=len(self._config.line))


def _sending(common: _Common) -> Sending:
    config, store = common.config, common.stores.database
    bridges = Bridges(config.data_dir, config.web.public_url or "", common.queue.event.set)
    states = BridgeStates(bridges=bridges.by_name, publish=common.publish, changed=common.queue.room_came)
    return Sending(
        bridges=bridges,
        inbox=Inbox(store=store, in_force=common.in_force, bridge_changed=states.bridge_changed),
        outbox=Outbox(
            store=store,
            bridges=bridges.by_name,
            routes=routes_of(config),
            wake=common.queue,
            quiet=quiet_of(config),
            rings=rings_of(config),
        ),
        holds=Holds(store=store, in_force=common.in_force, woken=common.holds_changed),
    )


def _journal(common: _Common, agent: AgentClient, outbox: Outbox, tasks: asyncio.TaskGroup) -> Journal:
    return Journal(
        store=common.stores.database,
        reserve=common.stores.reserve,
        in_force=common.in_force,
        tasks=tasks,
        command=agent.send,
        publish=common.publish,
        claim_next=outbox.claim_next,
    )


def _innermost(group: BaseExceptionGroup[CannotStart]) -> CannotStart:
    first = group.exceptions[0]
    return _innermost(first) if isinstance(first, BaseExceptionGroup) else first
