"""What steps return of what happened: published after the commit, in order, and only then."""

import asyncio
import sqlite3
import threading
from collections.abc import Callable, Iterator
from contextlib import closing
from datetime import UTC, datetime
from pathlib import Path

import pytest

from gateway.core import facts
from gateway.core.facts import Fact
from gateway.store.database import Database, StoreError
from gateway.store.steps import WithFacts

AT = datetime(2026, 11, 23, 9, 15, tzinfo=UTC)


class Heard:
    """The calls that were said to be done, each with how many stood in the file then, as another connection sees it."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.facts: list[Fact] = []
        self.calls: list[int] = []
        self.in_file: list[int] = []
        self.threads: set[int] = set()

    def hear(self, fact: Fact) -> None:
        self.facts.append(fact)
        self.threads.add(threading.get_ident())
        if isinstance(fact, facts.CallDone):
            self.calls.append(fact.call)
            with closing(sqlite3.connect(self.path)) as db:
                self.in_file.append(db.execute("SELECT count(*) FROM consent").fetchone()[0])


@pytest.fixture
def heard(tmp_path: Path) -> Heard:
    return Heard(tmp_path / "textback.db")


@pytest.fixture
def store(heard: Heard) -> Iterator[Database]:
    one = Database(heard.path, heard.hear)
    yield one
    one.close()


def add(db: sqlite3.Connection, number: int, count: int = 1) -> WithFacts[str]:
    """Write a row; so many facts."""
    db.execute("INSERT INTO consent (number, wish, at, source) VALUES (?, 'opt_in', '', '')", (str(number),))
    return WithFacts(result=f"step {number}", facts=tuple(facts.CallDone(at=AT, call=number) for _ in range(count)))


def fail(db: sqlite3.Connection, number: int) -> WithFacts[str]:
    add(db, number)
    raise LookupError("a fault of ours")


def spoil(db: sqlite3.Connection, number: int) -> WithFacts[str]:
    """Breaks a constraint that is looked at with the commit, so that the whole group is done once more, step by step."""
    db.execute("PRAGMA defer_foreign_keys = ON")
    db.execute("INSERT INTO parts (text, number, bridge, provider_id) VALUES (99, 1, '', '')")
    return add(db, number)


class Gate:
    """Keeps the store's thread in a step of its own, so that what is asked for meanwhile is committed as one group."""

    def __init__(self, store: Database) -> None:
        self.is_held, self._go = threading.Event(), threading.Event()
        self.passed = store.run(self._wait)

    def _wait(self, _: sqlite3.Connection) -> None:
        self.is_held.set()
        assert self._go.wait(20)

    async def open(self) -> None:
        self._go.set()
        await self.passed


async def closed_gate(store: Database) -> Gate:
    gate = Gate(store)
    assert await asyncio.to_thread(gate.is_held.wait, 20)
    return gate


async def test_the_asker_gets_the_result_and_listeners_the_facts(store: Database, heard: Heard) -> None:
    assert await store.run(add, 1, count=2) == "step 1"
    assert await store.insist(add, 2, count=0) == "step 2"
    assert heard.calls == [1, 1]
    assert heard.threads == {threading.get_ident()}


async def test_group_is_published_after_its_commit_in_the_order_of_its_steps(store: Database, heard: Heard) -> None:
    """Whoever hears of the first finds the last of the group in the file already."""
    gate = await closed_gate(store)
    asked = [store.run(add, number) if number % 2 else store.insist(add, number) for number in range(1, 51)]
    await gate.open()
    await asyncio.gather(*asked)
    assert heard.calls == list(range(1, 51))
    assert heard.in_file == [50] * 50


async def test_facts_come_before_their_asker_goes_on(store: Database, heard: Heard) -> None:
    gate, went_on = await closed_gate(store), list[tuple[int, int]]()

    async def ask(number: int) -> None:
        await store.run(add, number)
        went_on.append((number, len(heard.calls)))

    tasks = [asyncio.create_task(ask(number)) for number in (1, 2, 3)]
    await asyncio.sleep(0)  # each has asked
    await gate.open()
    await asyncio.gather(*tasks)
    assert went_on == [(1, 3), (2, 3), (3, 3)]


@pytest.mark.parametrize("broken", [fail, spoil])
async def test_nothing_is_published_of_a_step_that_was_rolled_back(
    store: Database, heard: Heard, broken: Callable[[sqlite3.Connection, int], WithFacts[str]]
) -> None:
    """In one group with others, whose facts come once, though a spoilt commit has their steps done twice."""
    gate = await closed_gate(store)
    asked = [store.run(add, 1), store.run(broken, 2), store.run(add, 3)]
    await gate.open()
    first, failed, last = await asyncio.gather(*asked, return_exceptions=True)
    assert (first, last) == ("step 1", "step 3")
    assert isinstance(failed, Exception)
    assert heard.calls == [1, 3]


async def test_what_was_committed_is_published_though_nobody_waits_for_it_any_more(store: Database, heard: Heard) -> None:
    gate = await closed_gate(store)
    given_up, last = store.run(add, 1), store.run(add, 2)
    given_up.cancel()
    await gate.open()
    await last
    assert heard.calls == [1, 2]


async def test_trouble_of_the_database_is_published_once_when_it_begins_and_once_when_it_ends(
    store: Database, heard: Heard
) -> None:
    await store.run(add, 1)
    other = sqlite3.connect(heard.path, isolation_level=None)
    other.execute("BEGIN IMMEDIATE")
    waiting = store.insist(add, 2)
    for _ in range(2):
        with pytest.raises(StoreError, match="another program holds the database"):
            await store.run(add, 3)
    other.execute("ROLLBACK")
    other.close()
    await asyncio.wait_for(waiting, 20)
    while not isinstance(heard.facts[-1], facts.DatabaseWritableAgain):
        await asyncio.sleep(0.01)
    assert [fact.name for fact in heard.facts] == [
        "call.done", "database.not_writable", "call.done", "database.writable_again"
    ]  # fmt: skip
    begun, ended = heard.facts[1], heard.facts[-1]
    assert isinstance(begun, facts.DatabaseNotWritable)
    assert "another program holds the database" in begun.error
    assert isinstance(ended, facts.DatabaseWritableAgain)
    assert ended.lasted.total_seconds() > 0
    assert heard.threads == {threading.get_ident()}
