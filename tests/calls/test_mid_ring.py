"""Who calls may change while it rings: the decision is made for the new caller, and nobody else is texted, after a crash neither."""

import asyncio
import json
import sqlite3
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from config.load import load
from config.model import E164
from gateway.calls.journal import Journal
from gateway.calls.reserve import Kept, Reserve
from gateway.core import facts
from gateway.core.facts import Fact
from gateway.decisions.ruling import InForce, Ruling
from gateway.office.knowledge import Knowledge
from gateway.store import optouts
from gateway.store.calls import Arrival
from gateway.store.database import Database
from sip.protocol import AnsweredElsewhere, CallerChanged, CallerHungUp, Command, Ring, Settled
from tests.calls.test_journal import arrived
from tests.calls.test_reserve import arrival, ended
from tests.peers.settings import awake
from tests.preview.test_simulation import CONFIG

FIRST, THEN = "+14155550123", "+14155550177"


def changed(key: str, caller: str | None, header: str = "P-Asserted-Identity") -> CallerChanged:
    at = datetime.now(UTC).timestamp()
    return CallerChanged(key=key, at=at, caller=caller, caller_name="", caller_header=header, verstat="")


def hung_up(key: str) -> CallerHungUp:
    return CallerHungUp(key=key, at=datetime.now(UTC).timestamp(), rang=5, reason="")


class Office:
    """A journal over a real database and reserve; `read` looks into the file."""

    def __init__(self, directory: Path) -> None:
        path = directory / "textback.toml"
        path.write_text(awake(CONFIG.format(once_per="day", per_day=100)))
        self.in_force = InForce(Ruling(Knowledge().directory(load(path), datetime.now(UTC))))
        self.happened: list[Fact] = []
        self.commands: list[Command] = []
        self.path = directory / "textback.db"
        self.store, self.reserve = Database(self.path, self.happened.append), Reserve(directory / "calls.reserve")

    async def hear(self, *events: Any) -> None:
        """Take up what was left, hear all of it, and stop in order."""
        async with asyncio.TaskGroup() as tasks:
            journal = Journal(
                store=self.store, reserve=self.reserve, in_force=self.in_force, tasks=tasks, command=self.commands.append,
                publish=self.happened.append,
            )  # fmt: skip
            await journal.recover()
            for event in events:
                journal.receive(event)
            await journal.finish(10)
        self.store.close()
        self.reserve.close()

    def read(self, query: str) -> list[tuple[Any, ...]]:
        db = sqlite3.connect(self.path)
        try:
            return db.execute(query).fetchall()
        finally:
            db.close()

    @property
    def texted(self) -> list[str]:
        return [recipient for (recipient,) in self.read("SELECT recipient FROM texts ORDER BY id")]

    @property
    def reasons(self) -> list[str]:
        return [reason for (reason,) in self.read("SELECT reason FROM calls ORDER BY id")]


@pytest.mark.parametrize(
    ("callers", "texted", "reason"),
    [
        ((THEN,), [THEN], "missed_call"),
        ((THEN, FIRST), [FIRST], "missed_call"),
        ((None,), [], "withheld"),
        (("alice",), [], "not_a_number"),
        (("+14155550100",), [], "own_line"),
        ((None, THEN), [THEN], "missed_call"),
    ],
)
async def test_the_decision_is_made_for_whoever_calls_last(
    tmp_path: Path, callers: tuple[str | None, ...], texted: list[str], reason: str
) -> None:
    office = Office(tmp_path)
    await office.hear(arrived("a", FIRST), *(changed("a", caller) for caller in callers), hung_up("a"))
    assert (office.texted, office.reasons) == (texted, [reason])
    assert office.commands == [Ring(key="a", seconds=20.0), Settled(key="a")], "the plan stays"
    ((kept, as_sent, trace),) = office.read(
        "SELECT earlier_callers, caller_as_sent, trace FROM calls JOIN decisions ON decisions.call = calls.id"
    )
    assert as_sent == callers[-1]
    assert [(one["as_sent"], one["header"]) for one in json.loads(kept)] == [
        (FIRST, "From"), *((caller, "P-Asserted-Identity") for caller in callers[:-1])
    ]  # fmt: skip
    (saw,) = [step["saw"] for step in json.loads(trace) if step["rule"] == "caller_shown"] or [f"it was {FIRST}"]
    assert f"it was {FIRST}" in saw
    assert [(fact.before, fact.caller) for fact in office.happened if isinstance(fact, facts.CallChangedCaller)] == [
        *zip((FIRST, *callers), callers, strict=False)
    ]


@pytest.mark.parametrize(("who", "texted"), [(FIRST, [THEN]), (THEN, [])])
async def test_stop_counts_for_the_one_who_said_it(tmp_path: Path, who: str, texted: list[str]) -> None:
    office = Office(tmp_path)
    await office.store.run(optouts.opt_out, E164(who), datetime.now(UTC), "person")
    await office.hear(arrived("a", FIRST), changed("a", THEN), hung_up("a"))
    assert office.texted == texted


async def test_a_number_that_is_only_written_otherwise_is_no_other_caller(tmp_path: Path) -> None:
    office = Office(tmp_path)
    await office.hear(arrived("a", "(415) 555-0123"), changed("a", FIRST), hung_up("a"))
    assert office.texted == [FIRST]
    assert office.read("SELECT earlier_callers FROM calls") == [("[]",)]


async def test_what_comes_too_late_or_for_no_call_changes_nothing(tmp_path: Path) -> None:
    office = Office(tmp_path)
    gone = AnsweredElsewhere(key="b", at=datetime.now(UTC).timestamp(), rang=5, reason="")
    await office.hear(arrived("a", FIRST), hung_up("a"), changed("a", THEN), changed("none", THEN), arrived("b", FIRST), gone)
    assert office.texted == [FIRST]
    assert not [fact for fact in office.happened if isinstance(fact, facts.CallChangedCaller)]


async def test_a_crash_in_mid_ring_texts_the_new_caller(tmp_path: Path) -> None:
    """Also where the reserve had only the arrival, which the database took, and was not emptied since."""
    office = Office(tmp_path)
    await office.hear(arrived("a", FIRST), changed("a", THEN))
    assert office.read("SELECT caller, outcome FROM calls") == [(THEN, None)]
    left = Reserve(tmp_path / "calls.reserve")
    first = arrived("a", FIRST)
    left.keep(Kept(arrival=_as_arrival(first.key, FIRST)))
    left.close()
    office = Office(tmp_path)
    await office.hear()
    assert (office.texted, office.read("SELECT outcome FROM calls")) == ([THEN], [("interrupted",)])


def _as_arrival(key: str, caller: str) -> Arrival:
    return Arrival(
        key=key, call_id=key, trunk="pbx", source="192.0.2.10:5060", line="front", caller=E164(caller), caller_as_sent=caller,
        caller_name="", caller_header="From", dialled=("+14155550100",), diversions=(), verstat="", arrived_at=datetime.now(UTC),
    )  # fmt: skip


async def test_what_the_database_cannot_take_stands_in_the_reserve_with_both_callers(tmp_path: Path) -> None:
    office = Office(tmp_path)
    other = sqlite3.connect(office.path, isolation_level=None)
    other.execute("BEGIN IMMEDIATE")
    async with asyncio.TaskGroup() as tasks:
        journal = Journal(
            store=office.store, reserve=office.reserve, in_force=office.in_force, tasks=tasks,
            command=office.commands.append, publish=office.happened.append,
        )  # fmt: skip
        journal.receive(arrived("a", FIRST))
        journal.receive(changed("a", THEN))
        await _until(lambda: [len(kept.arrival.earlier_callers) for kept in office.reserve.calls] == [1])
        office.store.close()
    other.execute("ROLLBACK")
    other.close()
    office.reserve.close()
    office = Office(tmp_path)
    await office.hear()
    assert (office.texted, office.reasons) == ([THEN], ["missed_call"])


async def _until(is_so: Callable[[], bool]) -> None:
    async with asyncio.timeout(20):
        while not is_so():
            await asyncio.sleep(0.01)


# --- in the reserve, in whatever order --------------------------------------------------------------------------------


def other_caller(kept: Kept) -> Kept:
    earlier = {"caller": FIRST, "as_sent": FIRST, "header": "From", "until": "2026-11-23T18:00:01.000Z"}
    return Kept(arrival=arrival(kept.arrival.key, caller=THEN, earlier=(earlier,)), ending=kept.ending)


ARRIVED = Kept(arrival=arrival("a"))
CHANGED = other_caller(ARRIVED)
ENDED = other_caller(ended("a"))


@pytest.mark.parametrize(
    "order", [(ARRIVED, CHANGED, ENDED), (CHANGED, ARRIVED), (ENDED, CHANGED, ARRIVED), (ARRIVED, ENDED, CHANGED), (CHANGED,)]
)
def test_the_reserve_keeps_what_is_known_last(tmp_path: Path, order: tuple[Kept, ...]) -> None:
    reserve = Reserve(tmp_path / "calls.reserve")
    for kept in order:
        reserve.keep(kept)
    last = ENDED if ENDED in order else CHANGED
    assert reserve.calls == Reserve(tmp_path / "calls.reserve").calls == (last,)
    reserve.cross_off(ARRIVED)
    assert reserve.calls == (last,), "the database has not yet who calls now"
    reserve.cross_off(last)
    assert reserve.calls == ()
