"""How long a file has stayed as it is: what somebody may still be writing is not believed yet."""

import time
from collections.abc import Callable
from dataclasses import dataclass

from gateway.files.whole_file import Stamp

BELIEVED_AFTER_S = 3.0
"""A file that has changed is believed when it has stayed as it is for so long."""


@dataclass(frozen=True, slots=True, kw_only=True)
class _Seen:
    stamp: Stamp
    at: float
    """On the monotonic clock."""
    age: float
    """By the machine's clock, when it was first seen so; 0 where the file is of the future, as that clock has it."""


class FileAge:
    """Of one file. Since it was first seen as it is, the monotonic clock counts, which nobody sets."""

    def __init__(self, *, wall: Callable[[], float] = time.time, monotonic: Callable[[], float] = time.monotonic) -> None:
        self._wall = wall
        self._monotonic = monotonic
        self._seen: _Seen | None = None

    def of(self, stamp: Stamp) -> float:
        """For how many seconds it has stayed so; to be asked whenever the file is looked at."""
        now = self._monotonic()
        if self._seen is None or self._seen.stamp != stamp:
            self._seen = _Seen(stamp=stamp, at=now, age=max(0.0, self._wall() - stamp.written_ns / 1e9))
        return self._seen.age + now - self._seen.at
