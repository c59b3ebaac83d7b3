"""Work that is done again and again while the gateway runs, and that no fault of its own ends."""

import asyncio
from collections.abc import Awaitable, Callable
from datetime import UTC, datetime, timedelta

import structlog

from gateway.store.database import StoreError

AGAIN_S = 1.0
"""A turn that failed is done again after so long."""
LOOK_AGAIN_S = 60.0
"""A turn is done so often even when nothing calls for it."""

Turn = Callable[[], Awaitable[datetime | None]]
"""One turn; what it returns is when the next is due, None: when nothing calls for one."""


class Repeated:
    """Does `turn` at once, whenever `woken` is set, and when its time comes, until it is asked to stop.

    It ends between two turns, never within one. A turn that fails is told in the log, once until one succeeds, and done again.
    """

    def __init__(
        self, name: str, turn: Turn, woken: asyncio.Event | None = None, *, at_least_every: float = LOOK_AGAIN_S
    ) -> None:
        self._name = name
        self._turn = turn
        self._woken = woken or asyncio.Event()
        self._at_least_every = at_least_every
        self.is_stopping = False
        """It has been asked to stop; a long turn may end early."""
        self._ended = asyncio.Event()
        self._failure = ""
        self._log = structlog.get_logger()

    async def run(self) -> None:
        """Until `stop`."""
        try:
            while not self.is_stopping:
                self._woken.clear()
                due_at = await self._done_once()
                if not self.is_stopping:
                    await self._wait_until(due_at)
        finally:
            self._ended.set()

    def stop(self) -> None:
        """No further turn; the one under way is finished."""
        self.is_stopping = True
        self._woken.set()

    async def stopped(self, within: float) -> bool:
        """`stop`, and wait for the turn under way, so many seconds at the most; has it ended?"""
        self.stop()
        try:
            async with asyncio.timeout(within):
                await self._ended.wait()
        except TimeoutError:
            return False
        return True

    def wake(self) -> None:
        """A turn soon."""
        self._woken.set()

    async def _done_once(self) -> datetime | None:
        try:
            due_at = await self._turn()
        except Exception as error:
            self._tell(error)
            return datetime.now(UTC) + timedelta(seconds=AGAIN_S)
        if self._failure:
            self._failure = ""
            self._log.info("task_well_again", task=self._name)
        return due_at

    def _tell(self, error: Exception) -> None:
        said = f"{type(error).__name__}: {error}"
        if said == self._failure:
            return
        self._failure = said
        if isinstance(error, StoreError):
            self._log.error("task_failed", task=self._name, detail=str(error), again_in_s=AGAIN_S)
        else:
            self._log.exception("task_failed", task=self._name, again_in_s=AGAIN_S)

    async def _wait_until(self, due_at: datetime | None) -> None:
        seconds = self._at_least_every if due_at is None else (due_at - datetime.now(UTC)).total_seconds()
        try:
            async with asyncio.timeout(max(0.001, min(seconds, self._at_least_every))):
                await self._woken.wait()
        except TimeoutError:
            return
