"""The agent's time within the gateway's: its start, its end, and the ends that nobody asked for; with real agents and a real database."""

import asyncio
import sqlite3
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from gateway.process.agent_life import AgentLife
from gateway.process.data_dir import CannotStart
from gateway.store.database import Database, StoreError
from sip.pipe.client import AgentClient, AgentLost, Patience
from sip.protocol import AgentEvent, Ready, Start, Trunk
from tests.peers import fake_agent
from tests.peers.ports import free_sip_port

LifeOf = Callable[[str], AgentLife]


@pytest.fixture
def life_of(tmp_path: Path) -> Iterator[LifeOf]:
    """Of an agent of some kind; "" is the real one."""
    database = Database(tmp_path / "textback.db", lambda _: None)

    def made(kind: str) -> AgentLife:
        has_begun = asyncio.Event()

        def receive(event: AgentEvent | AgentLost) -> None:
            if isinstance(event, Ready):
                has_begun.set()

        start = Start(
            listen=(f"udp:127.0.0.1:{free_sip_port()}",), rtp_first=19000, rtp_last=19099, max_calls=5,
            trunks=(Trunk(name="pbx", peers=("127.0.0.1",)),),
        )  # fmt: skip
        command = {"command": fake_agent.command(kind)} if kind else {}
        agent = AgentClient(start, receive, patience=Patience(start_s=30, port_free_s=0), **command)
        return AgentLife(agent=agent, has_begun=has_begun, database=database, stop=asyncio.Event())

    yield made
    database.close()


async def test_it_is_entered_when_the_agent_listens_and_left_when_its_calls_have_ended(life_of: LifeOf) -> None:
    it = life_of("")
    async with asyncio.timeout(60), it.running() as agent:
        assert it.agent.ready is not None
        it.stop.set()
        await it.until_asked(agent)
        assert agent.done()
        assert it.agent.pid is None


async def test_agent_that_cannot_start_ends_it_before_anything_else_begins(life_of: LifeOf) -> None:
    with pytest.raises(CannotStart, match="no luck today"):
        async with asyncio.timeout(60), life_of("exits").running():
            raise AssertionError("entered")


async def test_who_is_asked_to_end_while_the_agent_comes_up_ends(life_of: LifeOf) -> None:
    it = life_of("silent")
    it.stop.set()
    async with asyncio.timeout(60), it.running() as agent:
        assert it.agent.ready is None
        await it.until_asked(agent)


async def test_gateway_that_cannot_write_any_more_ends_with_a_word(life_of: LifeOf) -> None:
    """The thread that writes has ended: whoever watches over the gateway starts it again."""
    it, says = life_of(""), r"the thread that writes it has ended by ProgrammingError: .* restart the gateway"
    async with asyncio.timeout(60), it.running() as agent:
        with pytest.raises(StoreError, match=says):
            await it.database.run(sqlite3.Connection.close)
        with pytest.raises(CannotStart, match=says):
            await it.until_asked(agent)
        assert it.agent.pid is None
