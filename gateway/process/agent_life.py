"""The SIP agent's time within the gateway's: its ports are had before texts may go, and calls end before anything else ends."""

import asyncio
from collections.abc import AsyncIterator, Coroutine
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Any

import structlog

from gateway.process.data_dir import CannotStart
from gateway.process.notify import notify
from gateway.store.database import Database, StoreError
from sip.pipe.client import AgentClient, AgentFailed


@dataclass(frozen=True, slots=True, kw_only=True)
class AgentLife:
    """`running` brings the agent up and gives its task; within that `until_asked` is the rest of the gateway's life."""

    agent: AgentClient
    has_begun: asyncio.Event
    """Set when the first agent listens."""
    database: Database
    stop: asyncio.Event
    """The gateway is asked to end."""

    @asynccontextmanager
    async def running(self) -> AsyncIterator[asyncio.Task[None]]:
        """Entered when the agent listens, or when the gateway is asked to end before. `CannotStart` where it cannot listen."""
        task = asyncio.create_task(self.agent.run(), name="agent")
        try:
            await _first_of(self.has_begun.wait(), self.stop.wait(), task=task)
            if task.done():
                await _ended(task)
            yield task
        finally:
            task.cancel()
            await asyncio.gather(task, return_exceptions=True)

    async def until_asked(self, task: asyncio.Task[None]) -> None:
        """Comes back when the calls have ended. `CannotStart` where the agent or the database cannot go on."""
        database = asyncio.create_task(self.database.until_dead(), name="store")
        try:
            await _first_of(self.stop.wait(), asyncio.wait({database}), task=task)
            notify("STOPPING=1")
            structlog.get_logger().info("gateway_stopping")
            await self.agent.stop()
            await _ended(task)
            if database.done():
                await _ended(database)
        finally:
            database.cancel()
            await asyncio.gather(database, return_exceptions=True)


async def _first_of(*waits: Coroutine[Any, Any, object], task: asyncio.Task[None]) -> None:
    """Until one of them, or the task, is over."""
    waiting = {asyncio.create_task(one, name="wait") for one in waits}
    try:
        await asyncio.wait({task, *waiting}, return_when=asyncio.FIRST_COMPLETED)
    finally:
        for one in waiting:
            one.cancel()
        await asyncio.gather(*waiting, return_exceptions=True)


async def _ended(task: asyncio.Task[None]) -> None:
    try:
        await task
    except (AgentFailed, StoreError) as error:
        raise CannotStart(str(error)) from error
