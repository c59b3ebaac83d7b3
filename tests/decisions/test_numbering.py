"""Trunks that write numbers in their own way: the same number from each is the same caller, and finds the same line."""

import asyncio
from datetime import UTC, datetime
from pathlib import Path

from config.load import load
from gateway.calls.journal import Journal
from gateway.calls.reserve import Reserve
from gateway.decisions.ruling import InForce, Ruling
from gateway.office.directory import Directory
from gateway.office.knowledge import Knowledge
from gateway.preview.records import from_journal
from gateway.store.database import Database, reading
from sip.protocol import CallArrived, CallerHungUp
from tests.peers.settings import awake
from tests.preview.test_simulation import CONFIG

AREA = 'replace = ["NXXXXXX -> +1415"]'
SINCE = datetime(2026, 1, 1, tzinfo=UTC)


def directory(tmp_path: Path, keys: str = "") -> Directory:
    text = CONFIG.format(once_per="day", per_day=100).replace("[trunk.pbx]\n", f"[trunk.pbx]\n{keys}\n")
    path = tmp_path / "textback.toml"
    path.write_text(awake(text))
    return Knowledge().directory(load(path), datetime.now(UTC))


def arrived(key: str, caller: str, dialled: str) -> CallArrived:
    return CallArrived(
        key=key, call_id=key, trunk="pbx", source="192.0.2.10:5060", caller=caller, caller_name="", caller_header="From",
        dialled=("s", dialled), diversions=(), verstat="", at=datetime.now(UTC).timestamp(),
    )  # fmt: skip


async def test_numbers_are_read_as_their_trunk_writes_them_from_a_reload_on(tmp_path: Path) -> None:
    """And by a changed configuration the calls of the past too: that is what simulate asks for."""
    in_force = InForce(Ruling(directory(tmp_path)))
    store, reserve = Database(tmp_path / "textback.db", lambda _: None), Reserve(tmp_path / "calls.reserve")
    async with asyncio.TaskGroup() as tasks:
        journal = Journal(
            store=store, reserve=reserve, in_force=in_force, tasks=tasks, command=lambda _: None, publish=lambda _: None
        )
        for key, keys in (("before", ""), ("after", f'strip = "9"\n{AREA}')):
            in_force.ruling = Ruling(directory(tmp_path, keys))
            journal.receive(arrived(key, "95550123", "95550100"))
            journal.receive(CallerHungUp(key=key, at=datetime.now(UTC).timestamp(), rang=5, reason=""))
        await journal.finish(10)
    store.close()
    with reading(tmp_path / "textback.db") as db:
        rows = db.execute("SELECT key, line, caller, caller_as_sent FROM calls ORDER BY id").fetchall()
        assert [tuple(row) for row in rows] == [
            ("before", None, None, "95550123"),
            ("after", "front", "+14155550123", "95550123"),
        ]
        replayed = from_journal(db, SINCE, directory(tmp_path, f'strip = "9"\n{AREA}'))
        assert [(one.line, one.call.caller) for one in replayed] == [("front", "+14155550123")] * 2
        replayed = from_journal(db, SINCE, directory(tmp_path))
        assert [(one.line, one.call.caller) for one in replayed] == [(None, None)] * 2


def test_only_the_trunk_that_says_so_rewrites(tmp_path: Path) -> None:
    found = directory(tmp_path, 'strip = "9"')
    assert (found.caller("914155550123", "pbx"), found.caller("914155550123", "call-test")) == ("+14155550123", "+914155550123")
    assert found.caller(None, "pbx") is None
    assert [line and line.name for line in (found.line_for("pbx", ["914155550100"]), found.line_for("pbx", ["front"]))] == [
        "front",
        "front",
    ]
