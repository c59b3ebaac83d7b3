"""The thread that writes: whose error is whose, what waits and in which order, and how it ends."""

import asyncio
import sqlite3
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from structlog.testing import capture_logs

from gateway.store.database import Database, StoreError
from gateway.store.schema import APPLICATION_ID, MIGRATIONS, VERSION


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "textback.db"


@pytest.fixture
def store(path: Path) -> Iterator[Database]:
    one = Database(path)
    yield one
    one.close()


def add(number: int) -> Any:
    """A step that writes, and gives its number back."""

    def step(db: sqlite3.Connection) -> int:
        db.execute("INSERT INTO consent (number, wish, at, source) VALUES (?, 'opt_in', '', '')", (str(number),))
        return number

    return step


def numbers(db: sqlite3.Connection) -> list[int]:
    return [int(row["number"]) for row in db.execute("SELECT number FROM consent ORDER BY id")]


def too_many_variables(db: sqlite3.Connection) -> None:
    count = db.getlimit(sqlite3.SQLITE_LIMIT_VARIABLE_NUMBER) + 1
    db.execute(f"SELECT {', '.join(['?'] * count)}", [0] * count)


def interrupted(db: sqlite3.Connection) -> None:
    """A step that is interrupted in the middle of what it writes: SQLite then rolls the whole transaction back."""
    db.set_progress_handler(lambda: 1, 1000)
    try:
        db.execute(
            "WITH RECURSIVE n (i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n LIMIT 1000000)"
            " INSERT INTO consent (number, wish, at, source) SELECT i, 'opt_in', '', '' FROM n"
        )
    finally:
        db.set_progress_handler(None, 0)


def spoilt_at_commit(db: sqlite3.Connection) -> None:
    """Breaks a constraint that is looked at with the commit."""
    db.execute("PRAGMA defer_foreign_keys = ON")
    db.execute("INSERT INTO parts (text, number, bridge, provider_id) VALUES (99, 1, '', '')")


def wrong_table(db: sqlite3.Connection) -> None:
    db.execute("SELECT * FROM no_table")


def system_exit(db: sqlite3.Connection) -> None:
    raise SystemExit(3)


def stop_iteration(db: sqlite3.Connection) -> None:
    next(iter(()))


def bad_sector(db: sqlite3.Connection) -> None:
    error = sqlite3.OperationalError("disk I/O error")
    error.sqlite_errorcode = sqlite3.SQLITE_IOERR | 1 << 8  # as SQLite raises it for a page that the disk cannot read
    raise error


BAD = {
    wrong_table: (sqlite3.OperationalError, "no such table"),
    too_many_variables: (sqlite3.OperationalError, "too many"),
    interrupted: (sqlite3.OperationalError, "interrupted"),
    spoilt_at_commit: (sqlite3.IntegrityError, "FOREIGN KEY"),
    system_exit: (RuntimeError, "SystemExit: 3"),
    stop_iteration: (RuntimeError, "StopIteration"),
}


@pytest.mark.parametrize("bad", BAD, ids=lambda bad: bad.__name__)
async def test_fault_of_one_step_is_that_steps_alone(store: Database, bad: Any) -> None:
    """It hears its own error, insisting or not, once; what stood beside it in the group is committed, in order."""
    hold = threading.Event()
    blocked = store.run(lambda _: hold.wait(10))  # all that follows is one group
    steps = [store.run(add(1)), store.insist(bad), store.run(add(2)), store.run(bad), store.insist(add(3))]
    hold.set()
    results = await asyncio.wait_for(asyncio.gather(blocked, *steps, return_exceptions=True), 20)
    kind, says = BAD[bad]
    for error in (results[2], results[4]):
        assert isinstance(error, kind), results
        assert says in str(error)
    assert [results[1], results[3], results[5]] == [1, 2, 3]
    assert await store.run(numbers) == [1, 2, 3]
    assert store.last_error == ""


async def test_damaged_page_is_heard_by_who_reads_it(path: Path) -> None:
    """One table's pages are damaged: steps over the others go on, and the database is shown as damaged."""
    first = Database(path)
    root = await first.run(
        lambda db: db.execute("SELECT rootpage FROM sqlite_master WHERE name = 'replies'").fetchone()["rootpage"]
    )
    size = await first.run(lambda db: db.execute("PRAGMA page_size").fetchone()[0])
    first.close()
    with path.open("r+b") as file:
        file.seek((root - 1) * size)
        file.write(b"\xff" * size)
    store = Database(path)
    hold = threading.Event()
    blocked = store.run(lambda _: hold.wait(10))
    beside = store.run(add(1)), store.insist(lambda db: db.execute("SELECT * FROM replies").fetchall()), store.run(add(2))
    hold.set()
    results = await asyncio.wait_for(asyncio.gather(blocked, *beside, return_exceptions=True), 20)
    assert (results[1], results[3]) == (1, 2)
    assert isinstance(results[2], sqlite3.DatabaseError)
    assert store.last_error == f"{path}: the database is damaged; restore a backup"
    store.close()


async def test_page_that_the_disk_cannot_read_holds_nobody_else_up(store: Database) -> None:
    hold = threading.Event()
    blocked = store.run(lambda _: hold.wait(10))
    beside = store.insist(add(1)), store.insist(bad_sector), store.insist(add(2))
    hold.set()
    results = await asyncio.wait_for(asyncio.gather(blocked, *beside, return_exceptions=True), 20)
    assert (results[1], results[3]) == (1, 2)
    assert isinstance(results[2], sqlite3.OperationalError)
    assert "disk I/O error" in store.last_error


async def test_what_insists_waits_in_order_while_another_program_holds_the_database(store: Database, path: Path) -> None:
    other = sqlite3.connect(path, isolation_level=None)
    other.execute("BEGIN IMMEDIATE")
    with capture_logs() as logs:
        waiting = [store.insist(add(number)) for number in range(3)]
        with pytest.raises(StoreError, match="another program holds the database"):
            await store.run(add(98))
        waiting += [store.insist(add(number)) for number in range(3, 600)]
        with pytest.raises(StoreError, match="another program holds the database"):
            await store.run(add(99))
        assert "another program holds the database" in store.last_error
        other.execute("ROLLBACK")
        other.close()
        assert await asyncio.wait_for(asyncio.gather(*waiting), 20) == list(range(600))
    assert await store.run(numbers) == list(range(600))
    assert store.last_error == ""
    said = [(log["event"], log.get("steps_waited"), log.get("steps_refused")) for log in logs]
    assert said == [("database_not_writable", None, None), ("database_writable_again", 600, 2)]


async def test_close_while_another_program_holds_the_database(path: Path) -> None:
    store = Database(path)
    other = sqlite3.connect(path, isolation_level=None)
    other.execute("BEGIN IMMEDIATE")
    waiting = store.insist(add(1))
    await asyncio.wait_for(asyncio.to_thread(_until_tried, store), 20)
    store.close()
    with pytest.raises(StoreError, match="not written before the gateway stopped"):
        await waiting
    other.close()


def _until_tried(store: Database) -> None:
    while not store.last_error:
        threading.Event().wait(0.01)


async def test_step_after_close_hears_so(store: Database, path: Path) -> None:
    store.close()
    for step in (store.run(add(1)), store.insist(add(1))):
        with pytest.raises(StoreError, match="the database is closed; the gateway stops"):
            await asyncio.wait_for(step, 5)


def test_loop_that_is_closed_before_its_step_is_done(path: Path) -> None:
    store, hold = Database(path), threading.Event()

    async def leave() -> None:
        store.run(lambda _: hold.wait(10))
        store.run(add(1))

    asyncio.run(leave())
    hold.set()
    asyncio.run(_assert_written(store))
    store.close()


async def _assert_written(store: Database) -> None:
    assert await asyncio.wait_for(store.run(numbers), 10) == [1]


async def test_thread_that_ends_is_heard(store: Database) -> None:
    """By whoever waits, whoever comes later, and whoever watches for it."""
    watching = asyncio.create_task(store.until_dead())
    hold = threading.Event()
    blocked = store.run(lambda db: (hold.wait(10), db.close()))
    behind = store.insist(add(1))
    hold.set()
    for heard in (blocked, behind, watching, store.run(add(2))):
        with pytest.raises(StoreError, match=r"the thread that writes it has ended .* restart the gateway"):
            await asyncio.wait_for(heard, 10)


def application_id_in(path: Path) -> int:
    return int.from_bytes(path.read_bytes()[68:72], "big")


async def test_header_says_whose_file_it_is(store: Database, path: Path) -> None:
    assert application_id_in(path) == APPLICATION_ID
    assert await store.run(lambda db: db.execute("PRAGMA application_id").fetchone()[0]) == APPLICATION_ID


def foreign(path: Path) -> None:
    db = sqlite3.connect(path)
    with db:
        db.execute("CREATE TABLE theirs (x)")
    db.close()


@pytest.mark.parametrize(
    ("make", "says"),
    [
        (foreign, "this is not a Textback database"),
        (lambda path: path.write_bytes(b"Dear diary, " * 1000), "this is not a Textback database"),
        (lambda path: path.write_bytes(b""), "the file is empty"),
    ],
    ids=["foreign", "no database", "empty"],
)
def test_file_that_is_not_ours_is_refused_and_left_as_it_is(path: Path, make: Any, says: str) -> None:
    make(path)
    before, mode = path.read_bytes(), path.stat().st_mode
    with pytest.raises(StoreError, match=says):
        Database(path)
    assert (path.read_bytes(), path.stat().st_mode) == (before, mode)
    assert [one.name for one in path.parent.iterdir()] == [path.name]


async def test_older_database_without_the_id_is_ours(path: Path) -> None:
    db = sqlite3.connect(path, isolation_level=None)
    for statements in MIGRATIONS[:2]:
        for statement in statements:
            db.execute(statement)
    db.execute("PRAGMA user_version = 2")
    db.close()
    store = Database(path)
    assert await store.run(lambda db: db.execute("PRAGMA user_version").fetchone()[0]) == VERSION
    store.close()
    assert application_id_in(path) == APPLICATION_ID
