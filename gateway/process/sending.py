"""Texts on their way out: the bridges, and in front of them the outbox and the holds."""

import asyncio
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass

from config.bridges import BridgeSettings
from gateway.decisions.holds import Holds
from gateway.replies.inbox import Inbox
from gateway.texts.bridges import Bridges
from gateway.texts.outbox import LastTexts, Outbox


@dataclass(frozen=True, slots=True, kw_only=True)
class Sending:
    """What sends, and what takes the networks' answers."""

    bridges: Bridges
    inbox: Inbox
    outbox: Outbox
    holds: Holds

    @asynccontextmanager
    async def running(self, settings: Mapping[str, BridgeSettings], last: LastTexts | None = None) -> AsyncIterator[None]:
        """Until the context is left. Then what is due may still go, held texts that are being decided among them, and bridges
        say goodbye."""
        async with self.bridges.running(self.inbox, settings), asyncio.TaskGroup() as tasks:
            tasks.create_task(self.outbox.run(), name="outbox")
            tasks.create_task(self.holds.run(), name="holds")
            try:
                yield
            finally:
                await self.holds.stop()
                await self.outbox.stop(last or LastTexts())
