"""What is done again and again beside the calls, started and ended together."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Protocol

LAST_TURNS_WITHIN_S = 1.0
"""At the end turns that are under way are waited for so long."""


class Chore(Protocol):
    """Runs until it is stopped, between two turns."""

    async def run(self) -> None:
        """Until `stop`."""

    def stop(self) -> None:
        """No further turn."""


@asynccontextmanager
async def housekeeping(*chores: Chore) -> AsyncIterator[None]:
    """Run them until the context is left; a turn that takes too long is cut off then."""
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
