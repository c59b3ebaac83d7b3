"""The database file: opened, migrated, and written by one thread that commits in groups.

SQLite in WAL mode with `synchronous=FULL`: a commit that was reported is on the disk. Every step of a call's journey is one
function over a connection; `Database.run` runs it in a savepoint, together with whatever else is waiting, and returns only
after the commit. A failed step is rolled back alone. At 200 calls a second a commit carries several steps; at three calls a
day it carries one. While the file cannot be written, steps that insist wait in their order; the others are told.
"""

import asyncio
import itertools
import queue
import sqlite3
import threading
import time
from collections import deque
from collections.abc import Callable
from concurrent.futures import Future, InvalidStateError
from contextlib import suppress
from pathlib import Path
from typing import Any, Concatenate, overload

from gateway.core.facts import Fact, Publish
from gateway.store.errors import StoreError, in_words, is_busy, is_damage, is_disk_full, is_of_the_disk, is_of_the_file
from gateway.store.file import OpenFile
from gateway.store.opening import BUSY_TIMEOUT_S, migrate, open_to_write
from gateway.store.reading import FILE, reading
from gateway.store.schema import VERSION
from gateway.store.steps import P, Step, StepResult, T, Waiting, WithFacts, hand_back
from gateway.store.trouble import Trouble

__all__ = ["FILE", "Database", "StoreError", "migrate", "reading"]

RETRY_S = 1.0
LOOK_EVERY_S = 2.0
"""An idle gateway looks so often whether the file is still there; one that writes looks before it does,"""
LOOK_AGAIN_S = 0.1
"""but not again so soon."""
CLOSE_WITHIN_S = 5.0
GROUP = 256
"""Steps in one commit at most."""
PROBE = f"PRAGMA user_version = {VERSION}"
"""Changes nothing and writes a page: proves that the file can be written."""


def _to_nobody(fact: Fact) -> None:
    """Where nobody listens."""


class Database:
    """The gateway's own handle. `run`, `insist` and `close` may be called from the event loop's thread only.

    `publish` gets what happened, on the event loop, once it is committed and in the order of the steps.
    """

    def __init__(self, path: Path, publish: Publish = _to_nobody) -> None:
        self.path = path
        self._publish = publish
        self._loop: asyncio.AbstractEventLoop | None = None
        """The one of the step that came last."""
        self._death: Future[None] = Future()
        self._arriving: queue.SimpleQueue[Waiting | None] = queue.SimpleQueue()
        self._waiting: deque[Waiting] = deque()
        self._trouble = Trouble()
        self._damage = ""
        self._again_at = self._look_at = 0.0
        self._is_closed = self._is_closing = False
        self._file = OpenFile(path, open_to_write)
        self._thread = threading.Thread(target=self._work, name="store", daemon=True)
        self._thread.start()

    @property
    def last_error(self) -> str:
        """Why nothing can be written now, or what is damaged; empty: all is well."""
        return self._trouble.sentence or self._damage

    @overload
    def run(
        self, step: Callable[Concatenate[sqlite3.Connection, P], WithFacts[T]], *values: P.args, **named: P.kwargs
    ) -> "asyncio.Future[T]": ...

    @overload
    def run(self, step: Step[P, T], *values: P.args, **named: P.kwargs) -> "asyncio.Future[T]": ...

    def run(self, step: Step[P, Any], *values: P.args, **named: P.kwargs) -> "asyncio.Future[Any]":
        """Run one step, be it one that only reads; the future holds its result after the commit, or `StoreError`, or what the
        step raised.

        Steps run in the order of the calls.
        """
        return self._take(lambda db: step(db, *values, **named), insists=False)

    @overload
    def insist(
        self, step: Callable[Concatenate[sqlite3.Connection, P], WithFacts[T]], *values: P.args, **named: P.kwargs
    ) -> "asyncio.Future[T]": ...

    @overload
    def insist(self, step: Step[P, T], *values: P.args, **named: P.kwargs) -> "asyncio.Future[T]": ...

    def insist(self, step: Step[P, Any], *values: P.args, **named: P.kwargs) -> "asyncio.Future[Any]":
        """`run` that waits, in its order, while the file cannot be written. `StoreError` only once the database is closed."""
        return self._take(lambda db: step(db, *values, **named), insists=True)

    async def until_dead(self) -> None:
        """Comes back only by `StoreError`: the thread has ended, and nothing can be written any more."""
        await asyncio.wrap_future(self._death)

    def close(self) -> None:
        """Try once more what is waiting, then close the file. Bounded, also where the disk does not answer."""
        self._is_closed = self._is_closing = True
        self._arriving.put(None)
        self._thread.join(CLOSE_WITHIN_S)
        if self._file.is_saving:
            self._thread.join()

    def _take(self, step: Callable[[sqlite3.Connection], Any], *, insists: bool) -> "asyncio.Future[Any]":
        loop = self._loop = asyncio.get_running_loop()
        future: asyncio.Future[Any] = loop.create_future()
        if self._is_closed:
            future.set_exception(StoreError(self.last_error or f"{self.path}: the database is closed; the gateway stops"))
        else:
            self._arriving.put(Waiting(step=step, future=future, loop=loop, insists=insists))
        return future

    # --- the thread ---

    def _publish_soon(self, fact: Fact | None) -> None:
        """What happened to the database itself. A loop that is closed publishes nothing."""
        if fact is not None and self._loop is not None:
            with suppress(RuntimeError):
                self._loop.call_soon_threadsafe(self._publish, fact)

    def _work(self) -> None:
        try:
            while self._collect():
                self._turn()
            self._turn()
            self._refuse_all(f"{self.path}: not written before the gateway stopped")
            self._file.close()
        except BaseException as error:  # whatever it was, a gateway that can write nothing must not go on in silence
            self._die(error)

    def _collect(self) -> bool:
        """Wait for steps, no longer than until it is time to look or to try again; False once the database is to be closed."""
        pause = RETRY_S if self._trouble.sentence else LOOK_EVERY_S
        with suppress(queue.Empty):
            arrived = self._arriving.get(timeout=pause)
            while arrived is not None:
                self._waiting.append(arrived)
                arrived = self._arriving.get_nowait()
            return False
        return True

    def _turn(self) -> None:
        """Commit what waits, a group at a time. While there is trouble that is tried once a second."""
        is_early = self._trouble.sentence and time.monotonic() < self._again_at and not self._is_closing
        if is_early:
            self._refuse_hasty(self._trouble.sentence)
            return
        had_waited = len(self._waiting)
        try:
            self._look()
            while self._waiting or self._trouble.sentence:
                self._commit(list(itertools.islice(self._waiting, GROUP)))
                self._publish_soon(self._trouble.end(had_waited))
        except StoreError as error:
            self._publish_soon(self._trouble.begin(str(error)))
            self._again_at = time.monotonic() + RETRY_S
            self._refuse_hasty(str(error))

    def _look(self) -> None:
        is_due = time.monotonic() >= self._look_at
        if is_due:
            self._file.look()
            self._look_at = time.monotonic() + LOOK_AGAIN_S
        if (is_due or not self._waiting) and is_disk_full(self.path):  # steps that only read would never find out
            self._commit([])

    def _commit(self, group: list[Waiting]) -> None:
        """One transaction; without a step it proves that the file can be written.

        Where one step spoils it, each gets its own, and a step that fails alone hears what it did.
        """
        try:
            done = self._transact(group)
        except sqlite3.Error as error:
            if self._file.connection.in_transaction:
                self._file.connection.rollback()
            if not group or (is_of_the_file(error) and not is_of_the_disk(error)):
                raise StoreError(in_words(error, self.path)) from error
            if len(group) > 1:
                for one in group:
                    self._commit([one])
                return
            if is_damage(error) or is_of_the_disk(error):
                self._commit([])  # raises where it is the whole file
                self._damage = in_words(error, self.path)
            done = [StepResult(waiting=group[0], error=error)]
        for _ in group:
            self._waiting.popleft()
        hand_back(done, self._publish)

    def _transact(self, group: list[Waiting]) -> list[StepResult]:
        self._begin()
        if self._trouble.sentence or not group:
            self._file.connection.execute(PROBE)
        done = [self._in_savepoint(one) for one in group]
        self._file.connection.execute("COMMIT")
        return done

    def _begin(self) -> None:
        """Wait for another program's lock: once for long, then in turns between which nobody else is kept waiting."""
        until = time.monotonic() + (0 if self._trouble.sentence else BUSY_TIMEOUT_S)
        while True:
            try:
                self._file.connection.execute("BEGIN IMMEDIATE")
            except sqlite3.OperationalError as error:
                if not is_busy(error) or self._is_closing or time.monotonic() > until:
                    raise
            else:
                return

    def _in_savepoint(self, one: Waiting) -> StepResult:
        """A step in its savepoint. Raises where the transaction itself is spoiled."""
        connection = self._file.connection
        connection.execute("SAVEPOINT step")
        try:
            returned = one.step(connection)
            result, facts = (returned.result, returned.facts) if isinstance(returned, WithFacts) else (returned, ())
            done = StepResult(waiting=one, result=result, facts=facts)
        except BaseException as error:
            if isinstance(error, sqlite3.Error) and (
                is_of_the_file(error) or is_damage(error) or not connection.in_transaction
            ):
                raise
            connection.execute("ROLLBACK TO step")
            done = StepResult(waiting=one, error=error)
        connection.execute("RELEASE step")
        return done

    def _refuse_hasty(self, why: str) -> None:
        """Whoever does not insist hears that it cannot be written."""
        hasty = [one for one in self._waiting if not one.insists]
        self._waiting = deque(one for one in self._waiting if one.insists)
        self._trouble.refused += len(hasty)
        hand_back([StepResult(waiting=one, error=StoreError(why)) for one in hasty], self._publish)

    def _refuse_all(self, why: str) -> None:
        hand_back([StepResult(waiting=one, error=StoreError(why)) for one in self._waiting], self._publish)
        self._waiting.clear()

    def _die(self, error: BaseException) -> None:
        """Nothing can be written any more: everybody who waits hears it, and so does whoever watches for it."""
        self._is_closed = True
        why = f"{self.path}: the thread that writes it has ended by {type(error).__name__}: {error}; restart the gateway"
        self._publish_soon(self._trouble.begin(why))
        with suppress(queue.Empty):
            while True:
                if (arrived := self._arriving.get_nowait()) is not None:
                    self._waiting.append(arrived)
        self._refuse_all(why)
        with suppress(InvalidStateError):  # nobody watches any more
            self._death.set_exception(StoreError(why))
