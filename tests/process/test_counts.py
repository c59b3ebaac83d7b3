"""What waits, counted on a real database that other programs may hold."""

import asyncio
import sqlite3
from collections.abc import Iterator
from pathlib import Path

import pytest

from gateway.process.counts import Counts
from gateway.store.database import Database


@pytest.fixture
def store(tmp_path: Path) -> Iterator[Database]:
    opened = Database(tmp_path / "textback.db", lambda _: None)
    yield opened
    opened.close()


async def test_counts_of_a_held_database_are_those_of_before_and_say_so(store: Database) -> None:
    counts = Counts(store)
    other = sqlite3.connect(store.path, isolation_level=None)
    other.execute("BEGIN IMMEDIATE")
    await counts.refresh_soon()
    assert counts.why_late.startswith("busy, as when another program holds it; texts are counted as of ")
    assert counts.texts == {"queued": 0, "held": 0, "held_for_a_person": 0, "unknown": 0}
    asked_again = counts.refresh_soon()
    with pytest.raises(StopIteration):  # it waits for nothing
        asked_again.send(None)
    assert counts.why_late != ""
    other.execute("ROLLBACK")
    other.close()
    while counts.why_late:
        await asyncio.sleep(0.01)
        await counts.refresh_soon()


async def test_many_who_ask_at_once_are_all_answered(store: Database) -> None:
    counts = Counts(store)
    await asyncio.gather(*(counts.refresh() for _ in range(20)))
    assert counts.why_late == ""


async def test_closed_database_leaves_what_was_counted(store: Database) -> None:
    counts = Counts(store)
    store.close()
    await counts.refresh()
    assert counts.texts["queued"] == 0
