"""A fault over one call: the gateway lives, the other calls are journalled, and this one is taken up at the next start."""

import asyncio
import sqlite3
from contextlib import closing
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from structlog.testing import capture_logs

from config.load import load
from gateway.calls.journal import Journal
from gateway.calls.reserve import Reserve
from gateway.core import facts
from gateway.core.facts import Fact
from gateway.decisions.ruling import InForce, Ruling, Verdict
from gateway.office.knowledge import Knowledge
from gateway.store import calls
from gateway.store.calls import Arrival
from gateway.store.database import Database
from sip.protocol import AnsweredElsewhere, Busy, CallArrived, CallerHungUp, Command, Refuse, Refused, Ring, Settled
from tests.peers.settings import awake
from tests.preview.test_simulation import CONFIG


class Stumbling(Ruling):
    """Fails over one caller."""

    def on_ended(self, db: sqlite3.Connection, arrival: Arrival, *rest: Any) -> Verdict | None:
        if arrival.caller == "+14155550123":
            raise LookupError("a fault of ours")
        return super().on_ended(db, arrival, *rest)


def arrived(key: str, caller: str, dialled: str = "+14155550100") -> CallArrived:
    return CallArrived(
        key=key, call_id=key, trunk="pbx", source="192.0.2.10:5060", caller=caller, caller_name="", caller_header="From",
        dialled=(dialled,), diversions=(), verstat="", at=datetime.now(UTC).timestamp(),
    )  # fmt: skip


def decisions(happened: list[Fact]) -> list[tuple[str, str]]:
    return [(fact.decision, fact.reason) for fact in happened if isinstance(fact, facts.CallMissed | facts.CallNotMissed)]


async def test_fault_over_one_call(tmp_path: Path) -> None:
    path = tmp_path / "textback.toml"
    path.write_text(awake(CONFIG.format(once_per="day", per_day=100)))
    in_force = InForce(Stumbling(Knowledge().directory(load(path), datetime.now(UTC))))
    happened: list[Fact] = []
    store, reserve = Database(tmp_path / "textback.db", happened.append), Reserve(tmp_path / "calls.reserve")
    with capture_logs() as logs:
        async with asyncio.TaskGroup() as tasks:
            journal = Journal(
                store=store, reserve=reserve, in_force=in_force, tasks=tasks, command=lambda _: None, publish=happened.append
            )
            for key, caller in (("a", "+14155550123"), ("b", "+14155550124")):
                journal.receive(arrived(key, caller))
                journal.receive(CallerHungUp(key=key, at=datetime.now(UTC).timestamp(), rang=5, reason=""))
            await journal.finish(10)
            assert [log["key"] for log in logs if log["event"] == "call_not_journalled"] == ["a"]
            assert decisions(happened) == [("send", "missed_call")]
            assert [arrival.key for _, arrival in await store.run(calls.open_calls)] == ["a"]
            in_force.ruling = Ruling(in_force.directory)
            await journal.recover()
    assert decisions(happened) == [("send", "missed_call")] * 2
    store.close()


async def test_a_call_gets_its_plan_when_it_is_written_down(tmp_path: Path) -> None:
    """In the database; or, while that cannot be written, in the reserve. So does a number of no line."""
    path = tmp_path / "textback.toml"
    path.write_text(awake(CONFIG.format(once_per="day", per_day=100)))
    in_force = InForce(Ruling(Knowledge().directory(load(path), datetime.now(UTC))))
    store, reserve = Database(tmp_path / "textback.db", lambda _: None), Reserve(tmp_path / "calls.reserve")
    written: list[tuple[Command, list[str], list[str]]] = []

    def command(one: Command) -> None:
        with closing(sqlite3.connect(tmp_path / "textback.db")) as db:
            rows = db.execute("SELECT key FROM calls ORDER BY key").fetchall()
        written.append((one, [key for (key,) in rows], [kept.arrival.key for kept in reserve.calls]))

    ring, refuse = Ring(key="a", seconds=20.0), Refuse(key="b", status=404, reason="Not Found")
    async with asyncio.TaskGroup() as tasks:
        journal = Journal(store=store, reserve=reserve, in_force=in_force, tasks=tasks, command=command, publish=lambda _: None)
        journal.receive(arrived("a", "+14155550123"))
        journal.receive(arrived("b", "+14155550123", dialled="+14155550999"))
        assert written == []
        await journal.finish(10)
        assert written == [(ring, ["a", "b"], []), (refuse, ["a", "b"], [])]
        other = sqlite3.connect(tmp_path / "textback.db", isolation_level=None)
        other.execute("BEGIN IMMEDIATE")
        journal.receive(arrived("c", "+14155550124"))
        async with asyncio.timeout(20):
            while len(written) < 3:
                await asyncio.sleep(0.01)
        assert written[2] == (Ring(key="c", seconds=20.0), ["a", "b"], ["c"])
        journal.receive(CallerHungUp(key="c", at=datetime.now(UTC).timestamp(), rang=5, reason=""))
        other.close()
        await journal.finish(10)
        assert written[-1][:2] == (Settled(key="c"), ["a", "b", "c"])
    assert len(reserve) == 0
    store.close()


async def test_call_that_was_answered_stays_so_when_its_ending_is_written_later(tmp_path: Path) -> None:
    """A fault of ours over its ending: at the next start it is not taken for a call that a stop cut off, and is not texted."""
    path = tmp_path / "textback.toml"
    path.write_text(awake(CONFIG.format(once_per="day", per_day=100)))
    in_force, happened = InForce(Stumbling(Knowledge().directory(load(path), datetime.now(UTC)))), list[Fact]()
    for _ in range(2):
        store, reserve = Database(tmp_path / "textback.db", happened.append), Reserve(tmp_path / "calls.reserve")
        async with asyncio.TaskGroup() as tasks:
            journal = Journal(
                store=store, reserve=reserve, in_force=in_force, tasks=tasks, command=lambda _: None, publish=happened.append
            )
            await journal.recover()
            if isinstance(in_force.ruling, Stumbling):
                journal.receive(arrived("a", "+14155550123"))
                journal.receive(AnsweredElsewhere(key="a", at=datetime.now(UTC).timestamp(), rang=5, reason=""))
            await journal.finish(10)
        assert len(reserve) == (1 if isinstance(in_force.ruling, Stumbling) else 0)
        in_force.ruling = Ruling(in_force.directory)
        store.close()
    assert decisions(happened) == [("skip", "not_missed")]


async def test_a_call_that_the_sip_stack_could_not_take_is_texted_and_one_that_it_refused_is_not(tmp_path: Path) -> None:
    path = tmp_path / "textback.toml"
    path.write_text(awake(CONFIG.format(once_per="day", per_day=100)))
    in_force = InForce(Ruling(Knowledge().directory(load(path), datetime.now(UTC))))
    happened: list[Fact] = []
    store, reserve = Database(tmp_path / "textback.db", happened.append), Reserve(tmp_path / "calls.reserve")
    async with asyncio.TaskGroup() as tasks:
        journal = Journal(
            store=store, reserve=reserve, in_force=in_force, tasks=tasks, command=lambda _: None, publish=happened.append
        )
        at = datetime.now(UTC).timestamp()
        for key, caller, ending in (
            ("a", "+14155550123", Busy(key="a", at=at, status=488, is_of_stack=True)),
            ("c", "+14155550125", Busy(key="c", at=at, status=503)),
            ("b", "+14155550124", Refused(key="b", at=at, status=420)),
        ):
            journal.receive(arrived(key, caller))
            journal.receive(ending)
        await journal.finish(10)
    assert sorted(decisions(happened)) == [("send", "missed_call"), ("send", "missed_call"), ("skip", "not_missed")]
    store.close()
    with closing(sqlite3.connect(tmp_path / "textback.db")) as db:
        rows = db.execute("SELECT outcome, sip_reason FROM calls ORDER BY key").fetchall()
    assert rows == [("busy", "SIP;cause=488"), ("refused", "SIP;cause=420"), ("busy", 'SIP;cause=503;text="no room"')]
