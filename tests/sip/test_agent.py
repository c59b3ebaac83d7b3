"""The real agent through its real pipes: what is wrong with one call or one command costs that one only."""

import asyncio
import os
import resource
from collections.abc import Callable
from itertools import combinations
from pathlib import Path
from typing import Any

import pytest
import structlog

from sip.pipe.client import AGENT, AgentClient, AgentLost
from sip.protocol import (
    AgentEvent,
    CallArrived,
    CallEnded,
    CallerHungUp,
    Interrupted,
    Pulse,
    Refuse,
    Ring,
    RingTimedOut,
    Start,
    Trunk,
    UseTrunks,
)
from tests.peers import fake_agent, sipp
from tests.peers.ports import free_sip_port
from tests.peers.sipp import Call, Ends

SOON_S = 20.0
PBX = Trunk(name="pbx", peers=("127.0.0.1",), ring_seconds=3)


class RunningAgent:
    """An agent under its supervisor, and what it told."""

    def __init__(
        self,
        *,
        max_calls: int = 5,
        trunks: tuple[Trunk, ...] = (PBX,),
        places: tuple[str, ...] = ("udp:127.0.0.1",),
        command: tuple[str, ...] = AGENT,
    ) -> None:
        self.port = free_sip_port()
        self.events: list[AgentEvent | AgentLost] = []
        self._start = Start(
            listen=tuple(f"{place}:{self.port}" for place in places),
            rtp_first=19200,
            rtp_last=19399,
            max_calls=max_calls,
            trunks=trunks,
        )
        self._command = command
        self._log = structlog.testing.capture_logs()

    async def __aenter__(self) -> "RunningAgent":
        self.log = self._log.__enter__()
        self.client = AgentClient(self._start, self.events.append, command=self._command)
        self._task = asyncio.ensure_future(self.client.run())
        await self.until(lambda: self.client.pulse is not None)
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.client.stop()
        await self._task
        self._log.__exit__(None, None, None)

    def of(self, *kinds: type[Any]) -> list[Any]:
        """The events of some types."""
        return [event for event in self.events if isinstance(event, kinds)]

    async def until(self, is_so: Callable[[], bool]) -> None:
        """Until it is so."""
        async with asyncio.timeout(SOON_S):
            while not is_so():
                await asyncio.sleep(0.01)

    async def place(self, directory: Path, ends: Ends | None = None) -> sipp.Ran:
        """One call."""
        return await asyncio.to_thread(sipp.place, directory, self.port, [Call(caller="+14155550123")], ends)

    async def ring(self, seconds: float) -> str:
        """Give the next call its plan, and wait until the agent has obeyed; the call's key."""
        await self.until(lambda: self.of(CallArrived) != [])
        key: str = self.of(CallArrived)[-1].key
        self.client.send(Ring(key=key, seconds=seconds))
        heard = len(self.of(Pulse))
        await self.until(lambda: len(self.of(Pulse)) > heard + 1)
        return key

    @property
    def said(self) -> str:
        """What it wrote to standard error."""
        return "\n".join(entry["text"] for entry in self.log if entry["event"] == "agent_said")


async def test_commands_that_make_no_sense_cost_themselves_only(tmp_path: Path) -> None:
    async with RunningAgent() as agent:
        pid = agent.client.pid
        placed = asyncio.ensure_future(agent.place(tmp_path))
        await agent.until(lambda: agent.of(CallArrived) != [])
        key = agent.of(CallArrived)[0].key
        for _ in range(3):
            agent.client.send(Ring(key=key, seconds="soon"))  # type: ignore[arg-type]
        agent.client.send(UseTrunks(trunks=(Trunk(name="x", peers=("nowhere/99",)),)))
        assert (await placed).is_good
        assert [event.key for event in agent.of(RingTimedOut)] == [key]
        assert (agent.client.pid, agent.of(AgentLost)) == (pid, [])
        assert agent.said.count("Traceback") == 2
        assert "TypeError" in agent.said
        assert "again (3 times)" in agent.said


async def test_a_command_of_any_length_and_lines_that_are_none(tmp_path: Path) -> None:
    many = Trunk(name="many", peers=(*(f"2001:db8::{number:x}" for number in range(40_000)), "127.0.0.1"), ring_seconds=1)
    async with RunningAgent(trunks=()) as agent:
        process = agent.client._process
        assert process
        process.write(b"what?\n" + b"[" * 100_000 + b"\n")
        agent.client.use_trunks((many,))
        await agent.until(lambda: agent.said.count("command ignored") == 2)
        heard = len(agent.of(Pulse))
        await agent.until(lambda: len(agent.of(Pulse)) > heard + 1)
        assert (await agent.place(tmp_path)).is_good
        assert [event.trunk for event in agent.of(CallArrived)] == ["many"]


async def test_a_refusal_that_cannot_be_sent_costs_that_call_only(tmp_path: Path) -> None:
    async with RunningAgent() as agent:
        placed = asyncio.ensure_future(agent.place(tmp_path, Ends(cancel_after=2)))
        await agent.until(lambda: agent.of(CallArrived) != [])
        key = await agent.ring(3)
        agent.client.send(Refuse(key=key, status="no", reason="x"))  # type: ignore[arg-type]
        await agent.until(lambda: "Traceback" in agent.said)
        assert (await placed).is_good
        assert (await agent.place(tmp_path)).is_good
        assert agent.of(AgentLost) == []


async def test_calls_go_elsewhere_where_no_more_events_can_wait(tmp_path: Path) -> None:
    async with RunningAgent(command=fake_agent.command("unread")) as agent:
        assert (await agent.place(tmp_path, Ends(status=503, rings=False))).is_good
        await agent.until(lambda: agent.client.pulse is not None and agent.client.pulse.turned_away == 1)
        assert agent.of(CallArrived, AgentLost) == []


async def test_no_descriptor_is_left(tmp_path: Path) -> None:
    """Its limit is set to what it has open: nothing more can be opened, and what is open goes on."""
    async with RunningAgent() as agent:
        pid = agent.client.pid
        assert pid
        before = resource.prlimit(pid, resource.RLIMIT_NOFILE)
        resource.prlimit(pid, resource.RLIMIT_NOFILE, (len(os.listdir(f"/proc/{pid}/fd")), before[1]))
        heard = len(agent.of(Pulse))
        await agent.until(lambda: len(agent.of(Pulse)) >= heard + 3)
        resource.prlimit(pid, resource.RLIMIT_NOFILE, before)
        assert (await agent.place(tmp_path, Ends(cancel_after=0.2))).is_good
        assert len(agent.of(CallerHungUp)) == 1
        assert (agent.client.pid, agent.of(AgentLost)) == (pid, [])


async def test_the_supervisor_is_gone_and_the_caller_hears_it(tmp_path: Path) -> None:
    """Both of the agent's outputs are broken pipes by then: the call is ended all the same."""
    agent = RunningAgent()
    async with agent:
        placed = asyncio.ensure_future(agent.place(tmp_path))
        await agent.ring(3)
        process = agent.client._process
        assert process
        assert process._transport
        for pipe in (0, 1, 2):
            held = process._transport.get_pipe_transport(pipe)
            assert held
            held.close()
        assert (await placed).is_good


async def test_a_call_that_is_ringing_at_the_stop_is_interrupted(tmp_path: Path) -> None:
    async with RunningAgent() as agent:
        placed = asyncio.ensure_future(agent.place(tmp_path))
        await agent.ring(3)
        await agent.client.stop()
        assert (await placed).is_good
        assert [len(agent.of(kind)) for kind in (Interrupted, CallEnded, AgentLost)] == [1, 1, 0]


# --- wherever it listens ----------------------------------------------------------------------------------------------

PLACES = ("udp:127.0.0.1", "tcp:127.0.0.1", "udp:[::1]", "tcp:[::1]")
BOTH = Trunk(name="pbx", peers=("127.0.0.1", "::1"), ring_seconds=1)


async def call_everywhere(directory: Path, agent: RunningAgent, places: tuple[str, ...], ends: Ends) -> None:
    """One call to each place at the same time, each as it should end."""
    started = []
    for place in places:
        transport, _, host = place.partition(":")
        one = [Call(caller="+14155550123")]
        started.append(sipp.start(directory, agent.port, one, ends, host=host.strip("[]"), transport=transport))
    assert [await asyncio.to_thread(process.wait, 60) for process in started] == [0] * len(places)


@pytest.mark.parametrize("places", [chosen for size in range(1, 5) for chosen in combinations(PLACES, size)], ids=" ".join)
async def test_calls_are_taken_over_every_listener(tmp_path: Path, places: tuple[str, ...]) -> None:
    """The INVITE's Contact names no transport, as that of most PBXs does."""
    async with RunningAgent(places=places, trunks=(BOTH,)) as agent:
        await call_everywhere(tmp_path, agent, places, Ends())
        await call_everywhere(tmp_path, agent, places, Ends(cancel_after=0.2))
        await agent.until(lambda: len(agent.of(CallEnded)) == 2 * len(places))
        assert [len(agent.of(kind)) for kind in (RingTimedOut, CallerHungUp)] == [len(places)] * 2


@pytest.mark.parametrize("places", [("udp:0.0.0.0", "udp:[::]"), ("tcp:[::]", "tcp:0.0.0.0"), ("udp:[::]", "tcp:0.0.0.0")])
async def test_calls_are_taken_over_every_listener_on_all_addresses(tmp_path: Path, places: tuple[str, ...]) -> None:
    called = tuple(place.replace("0.0.0.0", "127.0.0.1").replace("[::]", "[::1]") for place in places)
    async with RunningAgent(places=places, trunks=(BOTH,)) as agent:
        await call_everywhere(tmp_path, agent, called, Ends())
        await agent.until(lambda: len(agent.of(RingTimedOut)) == len(places))


@pytest.mark.parametrize(
    "ends",
    [
        Ends(contact="<sip:sipp@127.0.0.1:5090;transport=tls>"),
        Ends(contact="<sip:sipp@127.0.0.1:5090;transport=ws>"),
        Ends(contact="<sip:sipp@127.0.0.1:5090;transport=tcp>"),
        Ends(contact="<sip:sipp@pbx.invalid>"),
        Ends(invite_headers=("Record-Route: <sip:192.0.2.1;transport=tls;lr>",)),
        Ends(media="IP6 2001:db8::1"),
        Ends(media="IP4 192.0.2.1"),
    ],
)
@pytest.mark.parametrize("place", ["udp:0.0.0.0", "udp:[::1]"])
async def test_a_caller_may_name_any_address_and_transport(tmp_path: Path, ends: Ends, place: str) -> None:
    called = place.replace("0.0.0.0", "127.0.0.1")
    async with RunningAgent(places=(place,), trunks=(BOTH,)) as agent:
        await call_everywhere(tmp_path, agent, (called,), ends)
        await agent.until(lambda: len(agent.of(RingTimedOut)) == 1)
