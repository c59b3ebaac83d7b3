"""What the agent says on standard error. Nothing that only tells may end what does: it never raises and never waits.

A fault that comes again and again is told whole the first time.
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
    """Where standard error is a pipe that nobody empties, what does not fit into it is lost."""
    os.set_blocking(2, False)


def say(text: str) -> None:
    """One line, or a few."""
    try:
        os.write(2, text.encode(errors="replace")[-_SAY_AT_MOST:] + b"\n")
    except OSError:
        return  # nobody to tell it to


def say_fault(error: BaseException) -> None:
    """A fault that was caught: whole the first time, then where it was and how often."""
    frame = traceback.extract_tb(error.__traceback__)[-1]
    place = f"{os.path.basename(frame.filename)}:{frame.lineno}"
    _seen[type(error).__name__, place] += 1
    times = _seen[type(error).__name__, place]
    if times == 1:
        say("".join(traceback.format_exception(error)).rstrip())
    else:
        say(f"again ({times} times): {type(error).__name__} at {place}")


def guarded(call: Callable[..., None]) -> Callable[..., None]:
    """No exception leaves this: for pj's callbacks, whose caller is C++, and for whatever concerns one call or one command.

    None is kept either: a traceback pins the pjsua2 objects in it.
    """

    def wrapper(*arguments: Any) -> None:
        try:
            call(*arguments)
        except BaseException as error:
            say_fault(error)

    return wrapper
