"""The agent is lost while calls ring: they are interrupted, which is missed, and each of that is published once."""

import asyncio
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

from config.load import load
from gateway.calls.journal import Journal
from gateway.calls.reserve import Reserve
from gateway.core import facts
from gateway.core.facts import Fact
from gateway.decisions.ruling import InForce, Ruling
from gateway.office.knowledge import Knowledge
from gateway.store.database import Database
from sip.pipe.client import AgentLost
from tests.calls.test_journal import arrived
from tests.peers.settings import awake
from tests.preview.test_simulation import CONFIG


async def test_agent_that_is_lost_and_what_becomes_of_its_calls(tmp_path: Path) -> None:
    """Each is published once; the call for no line is told as such."""
    path, happened = tmp_path / "textback.toml", list[Fact]()
    path.write_text(awake(CONFIG.format(once_per="day", per_day=100)))
    in_force = InForce(Ruling(Knowledge().directory(load(path), datetime.now(UTC))))
    store, reserve = Database(tmp_path / "textback.db", happened.append), Reserve(tmp_path / "calls.reserve")
    async with asyncio.TaskGroup() as tasks:
        journal = Journal(
            store=store, reserve=reserve, in_force=in_force, tasks=tasks, command=lambda _: None, publish=happened.append
        )
        journal.receive(arrived("a", "+14155550123"))
        journal.receive(replace(arrived("b", "+14155550124"), dialled=("+14155550199",)))
        journal.receive(AgentLost(reason="it fell silent"))
        await journal.finish(10)
    store.close()
    assert (happened[0].name, [fact.name for fact in happened[1:]]) == (
        "agent.gone",
        ["call.came_in", "call.came_in", "call.no_line", "call.missed", "text.queued", "call.missed"],
    )
    ended = [fact for fact in happened if isinstance(fact, facts.CallMissed)]
    assert [(fact.outcome, fact.reason, fact.line) for fact in ended] == [
        ("interrupted", "missed_call", "front"),
        ("interrupted", "no_line", None),
    ]
