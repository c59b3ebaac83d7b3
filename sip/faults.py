"""What the agent writes to standard error: lines, and faults that were caught. Writing never raises and never blocks.

A fault that recurs is written with its traceback the first time.
"""

import os
import traceback
from collections import Counter
from collections.abc import Callable
from typing import Any

_SAY_AT_MOST = 4000
"""Octets: a pipe takes so many at once or none (PIPE_BUF)."""
_seen: Counter[tuple[str, str]] = Counter()


def never_wait() -> None:
    """Make standard error non-blocking: what does not fit into a pipe that nobody reads is lost."""
    os.set_blocking(2, False)


def say(text: str) -> None:
    """Write one line, or a few; the last 4,000 bytes of them where there are more."""
    try:
        os.write(2, text.encode(errors="replace")[-_SAY_AT_MOST:] + b"\n")
    except OSError:
        return  # nobody to tell it to


def say_fault(error: BaseException) -> None:
    """Write a fault that was caught: with its traceback the first time, then its place and how often it came."""
    frame = traceback.extract_tb(error.__traceback__)[-1]
    place = f"{os.path.basename(frame.filename)}:{frame.lineno}"
    _seen[type(error).__name__, place] += 1
    times = _seen[type(error).__name__, place]
    if times == 1:
        say("".join(traceback.format_exception(error)).rstrip())
    else:
        say(f"again ({times} times): {type(error).__name__} at {place}")


def guarded(call: Callable[..., None]) -> Callable[..., None]:
    """The same function, whose exceptions are written and swallowed: for pjsua2's callbacks and for what concerns one call.

    The caller of a callback is C++, which no exception may reach. None is kept: a traceback pins the pjsua2 objects in it.
    """

    def wrapper(*arguments: Any) -> None:
        try:
            call(*arguments)
        except BaseException as error:
            say_fault(error)

    return wrapper
