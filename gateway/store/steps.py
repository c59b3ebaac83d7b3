"""A step that waits for its transaction, and the way of its result back to the event loop."""

import asyncio
import contextlib
import sqlite3
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, Concatenate, Generic, ParamSpec, TypeVar

from gateway.core.facts import Fact, Publish

T = TypeVar("T")
P = ParamSpec("P")
Step = Callable[Concatenate[sqlite3.Connection, P], T]
"""A function of the connection and of frozen values. It runs in the store's thread, where nothing else may be touched: it is
no closure and no method of anything that changes."""


@dataclass(frozen=True, slots=True, kw_only=True)
class WithFacts(Generic[T]):
    """What a step returns by which something happened. Whoever asked for the step gets the result; the facts are published."""

    result: T
    facts: tuple[Fact, ...]


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Waiting:
    """One step, and who waits for it."""

    step: Callable[[sqlite3.Connection], Any]
    future: "asyncio.Future[Any]"
    loop: asyncio.AbstractEventLoop
    insists: bool
    """It waits until the file can be written again."""


@dataclass(frozen=True, slots=True, kw_only=True)
class StepResult:
    """What became of a step: its result and its facts, or the error that it hears."""

    waiting: Waiting
    result: Any = None
    facts: tuple[Fact, ...] = ()
    error: BaseException | None = None


def hand_back(done: Sequence[StepResult], publish: Publish) -> None:
    """Hand facts and results to the event loop, in one call for the whole group. A loop that is closed waits for nothing."""
    for loop in {one.waiting.loop for one in done}:
        with contextlib.suppress(RuntimeError):
            loop.call_soon_threadsafe(_hand_all_back, [one for one in done if one.waiting.loop is loop], publish)


def _hand_all_back(done: Sequence[StepResult], publish: Publish) -> None:
    """In the order of the steps. What happened is published also where nobody waits for the result any more."""
    for one in done:
        for fact in one.facts:
            publish(fact)
        future = one.waiting.future
        if future.done():
            continue
        if one.error is None:
            future.set_result(one.result)
        else:
            future.set_exception(_carried(one.error))


def _carried(error: BaseException) -> Exception:
    """What a future can hold and a task survives: `StopIteration` cannot be held, `SystemExit` would end the event loop."""
    if isinstance(error, Exception) and not isinstance(error, StopIteration):
        return error
    carried = RuntimeError(f"a step of the database ended by {type(error).__name__}: {error}")
    carried.__cause__ = error
    return carried
