"""How fast texts may go: the configured rate, and a pause whenever the SMSC says that we are too fast."""

import asyncio
from collections.abc import Callable

AHEAD_S = 0.1
"""Texts are asked for so long before their turn, several at a time, rather than one by one."""
UNLIMITED = 1_000_000
PAUSE_FIRST_S = 1.0
PAUSE_MOST_S = 30.0


class Pacing:
    """Turns on the event loop's clock. `changed` is called when there is room again."""

    def __init__(self, per_second: float | None, changed: Callable[[], None]) -> None:
        self._rate = per_second
        self._changed = changed
        self._next = 0.0
        self._held_until = 0.0
        self._pause = PAUSE_FIRST_S

    def room(self) -> int:
        """How many turns come within the next moment."""
        now = asyncio.get_running_loop().time()
        if now < self._held_until:
            return 0
        if self._rate is None:
            return UNLIMITED
        return max(0, int((now + AHEAD_S - self._next) * self._rate) + 1) if self._next > now else self._at_once()

    def seconds_to_room(self) -> float:
        """How long until the next turn."""
        now = asyncio.get_running_loop().time()
        return max(0.0, self._held_until - now, self._next - now)

    async def turn(self) -> None:
        """Wait for a turn and take it."""
        loop = asyncio.get_running_loop()
        while loop.time() < self._held_until:
            await asyncio.sleep(self._held_until - loop.time())
        if self._rate is None:
            return
        mine = max(self._next, loop.time())
        self._next = mine + 1 / self._rate
        loop.call_at(max(loop.time(), self._next - AHEAD_S), self._changed)
        await asyncio.sleep(mine - loop.time())

    def slow_down(self) -> None:
        """The SMSC throttles: nothing goes for a while, longer each time until something is accepted."""
        loop = asyncio.get_running_loop()
        if loop.time() < self._held_until:
            return
        self._held_until = loop.time() + self._pause
        self._pause = min(self._pause * 2, PAUSE_MOST_S)
        loop.call_at(self._held_until, self._changed)

    def went_well(self) -> None:
        """Something was accepted."""
        if asyncio.get_running_loop().time() >= self._held_until:
            self._pause = PAUSE_FIRST_S

    def _at_once(self) -> int:
        assert self._rate is not None
        return int(AHEAD_S * self._rate) + 1
