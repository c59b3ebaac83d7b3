"""The database file: opened, migrated, and written by one thread that commits in groups.

SQLite in WAL mode with `synchronous=FULL`: a commit that was reported is on the disk. Every step of a call's journey is one
function over a connection; `Database.write` runs it in a savepoint, together with whatever else is waiting, and returns only
after the commit. A failed step is rolled back alone. At 200 calls a second a commit carries several steps; at three calls a
day it carries one.
"""

import asyncio
import queue
import sqlite3
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, TypeVar

from gateway.store.schema import MIGRATIONS, VERSION

T = TypeVar("T")
Step = Callable[[sqlite3.Connection], T]

FILE = "textback.db"
BUSY_TIMEOUT_S = 5.0
RETRY_S = 1.0
GROUP = 256
"""Steps in one commit at most."""


_OF_THE_STEP = (sqlite3.IntegrityError, sqlite3.ProgrammingError, sqlite3.DataError)
"""What SQLite raises for a step's own mistake; anything else is the file's trouble and stops the whole group."""


class StoreError(Exception):
    """The database cannot be opened or written; the sentence says where and what to do."""


class Database:
    """The gateway's own handle. `write` may be called from the event loop's thread only."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self._steps: queue.SimpleQueue[_Job | None] = queue.SimpleQueue()
        self._connection = _connect(path)
        migrate(self._connection, path)
        self._thread = threading.Thread(target=self._work, name="store", daemon=True)
        self._thread.start()
        self.last_error = ""
        """Empty while the last commit succeeded."""

    def write(self, step: Step[T]) -> asyncio.Future[T]:
        """Run one step durably; the future holds its result after the commit, or `StoreError`, or what the step raised.

        Steps run in the order of the calls.
        """
        loop = asyncio.get_running_loop()
        future: asyncio.Future[T] = loop.create_future()
        self._steps.put(_Job(step, future, loop))
        return future

    async def insist(self, step: Step[T]) -> T:
        """`write`, again and again while the file cannot be written: for what must not be lost while the program lives."""
        while True:
            try:
                return await self.write(step)
            except StoreError:
                await asyncio.sleep(RETRY_S)

    def close(self) -> None:
        """Finish what is waiting and close the file."""
        self._steps.put(None)
        self._thread.join()
        self._connection.close()

    def _work(self) -> None:
        while jobs := self._next_group():
            self._commit_group(jobs)

    def _next_group(self) -> "list[_Job]":
        jobs: list[_Job] = []
        job = self._steps.get()
        while job is not None:
            jobs.append(job)
            if len(jobs) == GROUP or self._steps.empty():
                return jobs
            job = self._steps.get()
        if jobs:
            self._steps.put(None)
        return jobs

    def _commit_group(self, jobs: "list[_Job]") -> None:
        done: list[tuple[_Job, Any, Exception | None]] = []
        try:
            self._connection.execute("BEGIN IMMEDIATE")
            done = [self._run(job) for job in jobs]
            self._connection.execute("COMMIT")
        except sqlite3.Error as error:
            self._abandon(jobs, error)
            return
        self.last_error = ""
        _settle(done)

    def _run(self, job: "_Job") -> "tuple[_Job, Any, Exception | None]":
        self._connection.execute("SAVEPOINT step")
        try:
            result = job.step(self._connection)
        except Exception as error:
            if isinstance(error, sqlite3.Error) and not isinstance(error, _OF_THE_STEP):
                raise
            self._connection.execute("ROLLBACK TO step")
            self._connection.execute("RELEASE step")
            return job, None, error
        self._connection.execute("RELEASE step")
        return job, result, None

    def _abandon(self, jobs: "list[_Job]", error: sqlite3.Error) -> None:
        """Disk full, file gone, lock held: nothing of the group was kept, and every caller hears it."""
        if self._connection.in_transaction:
            self._connection.rollback()
        self.last_error = in_words(error, self.path)
        _settle([(job, None, StoreError(self.last_error)) for job in jobs])


class _Job:
    __slots__ = ("future", "loop", "step")

    def __init__(self, step: Step[Any], future: "asyncio.Future[Any]", loop: asyncio.AbstractEventLoop) -> None:
        self.step, self.future, self.loop = step, future, loop


def _settle(done: "list[tuple[_Job, Any, Exception | None]]") -> None:
    """Hand the results over to the event loop, in one call for the whole group."""

    def settle() -> None:
        for job, result, error in done:
            if job.future.cancelled():
                continue
            if error is None:
                job.future.set_result(result)
            else:
                job.future.set_exception(error)

    done[0][0].loop.call_soon_threadsafe(settle)


@contextmanager
def reading(path: Path) -> Iterator[sqlite3.Connection]:
    """A read-only connection for the command line, beside a gateway that may be running."""
    if not path.exists():
        raise StoreError(f"{path}: no database here yet; it is made when the gateway first starts (textback run)")
    try:
        connection = sqlite3.connect(f"{path.absolute().as_uri()}?mode=ro", uri=True, timeout=BUSY_TIMEOUT_S)
        connection.row_factory = sqlite3.Row
        try:
            _refuse_newer(connection, path)
            yield connection
        finally:
            connection.close()
    except sqlite3.Error as error:
        raise StoreError(in_words(error, path)) from error


def _connect(path: Path) -> sqlite3.Connection:
    try:
        connection = sqlite3.connect(path, timeout=BUSY_TIMEOUT_S, isolation_level=None, check_same_thread=False)
        connection.row_factory = sqlite3.Row
        connection.execute("PRAGMA journal_mode = WAL")
        connection.execute("PRAGMA synchronous = FULL")
        connection.execute("PRAGMA foreign_keys = ON")
        path.chmod(0o600)
    except (sqlite3.Error, OSError) as error:
        raise StoreError(in_words(error, path)) from error
    return connection


def migrate(connection: sqlite3.Connection, path: Path) -> None:
    """Bring the schema up to this program's, one transaction for all steps; an unknown future schema is refused."""
    try:
        have = _refuse_newer(connection, path)
        if have == VERSION:
            return
        connection.execute("PRAGMA foreign_keys = OFF")  # a table that is rebuilt keeps its children
        connection.execute("BEGIN IMMEDIATE")
        for statements in MIGRATIONS[have:]:
            for statement in statements:
                connection.execute(statement)
        connection.execute(f"PRAGMA user_version = {VERSION}")
        connection.execute("COMMIT")
        connection.execute("PRAGMA foreign_keys = ON")
    except sqlite3.Error as error:
        if connection.in_transaction:
            connection.rollback()
        raise StoreError(in_words(error, path)) from error


def _refuse_newer(connection: sqlite3.Connection, path: Path) -> int:
    have: int = connection.execute("PRAGMA user_version").fetchone()[0]
    if have > VERSION:
        raise StoreError(
            f"{path}: written by a newer Textback (schema {have}, this program knows {VERSION}); "
            "install that version again, or restore the backup from before the upgrade"
        )
    return have


def in_words(error: Exception, path: Path) -> str:
    """What is wrong with the file, and what to do."""
    said = str(error).lower()
    for part, words in (
        ("full", "the disk is full; free some space"),
        ("locked", "another program holds the database; is a second gateway running on this data_dir?"),
        ("readonly", "the database cannot be written; give it to the user that the gateway runs as"),
        ("unable to open", "the database cannot be opened; check that data_dir exists and belongs to the gateway's user"),
        ("not a database", "this is not a Textback database; move it away or name another data_dir"),
        ("malformed", "the database is damaged; restore a backup"),
    ):
        if part in said:
            return f"{path}: {words}"
    return f"{path}: {error}"
