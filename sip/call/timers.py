"""Timers on the monotonic clock for the agent's own loop. A clock that is set, or summer time, moves none of them."""

import heapq
import itertools
import time
from collections.abc import Callable


class Timers:
    """Callables by due time. There is no cancelling: what is called looks whether it still matters."""

    def __init__(self) -> None:
        self._heap: list[tuple[float, int, Callable[[], None]]] = []
        self._order = itertools.count()

    def at(self, due: float, call: Callable[[], None]) -> None:
        """Call once `time.monotonic()` has reached `due`."""
        heapq.heappush(self._heap, (due, next(self._order), call))

    def milliseconds_to_next(self, at_most: int) -> int:
        """How long the loop may sleep, in whole milliseconds rounded up, never more than `at_most`."""
        if not self._heap:
            return at_most
        left = self._heap[0][0] - time.monotonic()
        return max(0, min(at_most, int(left * 1000) + 1))

    def fire(self) -> None:
        """Call whatever is due."""
        now = time.monotonic()
        while self._heap and self._heap[0][0] <= now:
            heapq.heappop(self._heap)[2]()
