"""A warning that would be said a thousand times: said at once, then counted, and the count said once in a while."""

import time
from collections.abc import Callable, Hashable
from typing import Generic, TypeVar

SAY_AGAIN_S = 600.0
What = TypeVar("What", bound=Hashable)


class CountedWarnings(Generic[What]):
    """`say` gets how often it has happened since it was said last: 1 at once, the rest when the time is over."""

    def __init__(self, *, every: float = SAY_AGAIN_S, clock: Callable[[], float] = time.monotonic) -> None:
        self._every = every
        self._clock = clock
        self._said: dict[What, float] = {}
        self._unsaid: dict[What, int] = {}

    def happened(self, what: What) -> int:
        """How many of these are to be told now, this one included; 0: it is counted and told later."""
        count = self._unsaid.get(what, 0) + 1
        if self._is_quiet(what):
            self._unsaid[what] = count
            return 0
        self._said[what] = self._clock()
        self._unsaid.pop(what, None)
        return count

    def overdue(self) -> dict[What, int]:
        """What was counted and is to be told now, though it did not happen again."""
        due = {what: count for what, count in self._unsaid.items() if not self._is_quiet(what)}
        for what in due:
            self._said[what] = self._clock()
            del self._unsaid[what]
        return due

    def _is_quiet(self, what: What) -> bool:
        said = self._said.get(what)
        return said is not None and self._clock() - said < self._every
