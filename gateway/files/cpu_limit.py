"""A bound on the processor's time that other people's code may take over other people's files."""

import itertools
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from types import FrameType

LOOK_EVERY = 64
"""Calls of functions between two looks at the clock."""


class OutOfTime(BaseException):
    """It took longer. No `Exception`: the code that is bounded may catch those."""


@contextmanager
def at_most(seconds: float) -> Iterator[None]:
    """Ends what runs within, in this thread, by `OutOfTime` after so many seconds of the thread's own processor time.

    It is looked at while Python functions are called, which every loop of a library in Python does.
    """
    until, before, calls = time.thread_time() + seconds, sys.gettrace(), itertools.count(1)

    def look(_frame: FrameType, _event: str, _argument: object) -> None:
        if next(calls) % LOOK_EVERY == 0 and time.thread_time() > until:
            raise OutOfTime

    sys.settrace(look)
    try:
        yield
    finally:
        sys.settrace(before)
