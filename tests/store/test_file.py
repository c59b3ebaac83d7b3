"""The database's files under the open handle: what cannot be saved is not made worse."""

import asyncio
import re
import sqlite3
import sys
from pathlib import Path

import pytest

from gateway.store.database import Database, StoreError


def add_much(db: sqlite3.Connection) -> None:
    """More than SQLite keeps in memory."""
    rows = ((str(number), "x" * 900) for number in range(8000))
    db.executemany("INSERT INTO consent (number, wish, at, source) VALUES (?, 'opt_in', '', ?)", rows)


def count(db: sqlite3.Connection) -> int:
    return int(db.execute("SELECT count(*) FROM consent").fetchone()[0])


def names(directory: Path) -> list[str]:
    return sorted(one.name for one in directory.iterdir())


async def noticed(store: Database) -> str:
    async with asyncio.timeout(20):
        while not store.last_error:
            await asyncio.sleep(0.01)
    return store.last_error


def overwrite(path: Path, content: bytes) -> None:
    """In place, as `cp` does."""
    with path.open("r+b") as file:
        file.truncate(0)
        file.write(content)


@pytest.mark.parametrize("content", [b"", b"Dear diary, " * 500], ids=["empty", "no database"])
async def test_overwritten_file_whose_content_is_lost(tmp_path: Path, content: bytes) -> None:
    """Nothing is written into it, not when it is closed either; what the log still had is set aside; a backup is asked for."""
    path = tmp_path / "textback.db"
    store = Database(path)
    await store.run(add_much)
    store.close()
    backup = path.read_bytes()
    store = Database(path)
    await store.run(lambda db: db.execute("DELETE FROM consent WHERE number = '7'"))
    overwrite(path, content)
    said = await noticed(store)
    assert said.endswith("Stop the gateway, put the newest backup there, start it")
    waiting = store.insist(count)
    store.close()
    with pytest.raises(StoreError, match="not written before the gateway stopped"):
        await waiting
    assert path.read_bytes() == content
    assert [re.sub(r"\.\d{8}T[\d.]+$", "", name) for name in names(tmp_path)] == [
        "textback.db",
        "textback.db-shm",
        "textback.db-wal",
    ]
    with pytest.raises(StoreError, match="put the newest backup in its place"):
        Database(path)
    path.unlink()  # another file: this process still has the lost one open, as a gateway that was stopped does not
    path.write_bytes(backup)
    store = Database(path)
    assert await store.run(count) == 8000
    store.close()


async def test_removed_file_that_is_too_large_for_memory_is_written_back_whole(tmp_path: Path) -> None:
    path = tmp_path / "textback.db"
    store = Database(path)
    await store.run(add_much)
    for name in names(tmp_path):
        (tmp_path / name).unlink()
    assert await store.insist(count) == 8000
    store.close()
    assert names(tmp_path) == ["textback.db"]
    store = Database(path)
    assert await store.run(count) == 8000
    store.close()


async def test_copy_that_was_saved_is_used_where_there_is_nothing_else(tmp_path: Path) -> None:
    """As when the gateway was killed just before it put the copy back, or a person has moved away what lay in its place."""
    path = tmp_path / "textback.db"
    store = Database(path)
    await store.run(add_much)
    store.close()
    path.rename(f"{path}.saved-20261124T090000.000000")
    store = Database(path)
    assert await store.run(count) == 8000
    store.close()
    assert names(tmp_path) == ["textback.db"]


async def test_other_program_that_comes_and_goes_does_not_take_the_log_away(tmp_path: Path) -> None:
    """To open and close the file in our own process would drop SQLite's locks on it; the other would then think it is alone."""
    path = tmp_path / "textback.db"
    store = Database(path)
    log = Path(f"{path}-wal")
    for _ in range(3):
        await store.run(count)
        before = log.stat().st_ino  # noqa: ASYNC240
        code = (
            "import sqlite3, sys; db = sqlite3.connect(sys.argv[1]); db.execute('DELETE FROM replies'); db.commit(); db.close()"
        )
        other = await asyncio.create_subprocess_exec(sys.executable, "-c", code, str(path))
        assert await other.wait() == 0
        assert log.stat().st_ino == before  # noqa: ASYNC240
    store.close()
