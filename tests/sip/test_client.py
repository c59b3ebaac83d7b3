"""The agent's supervisor, with the real agent and with agents that misbehave: nothing is left running, nothing said is lost."""

import asyncio
import os
import signal
import socket
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import structlog

from sip.pipe.client import AgentClient, AgentFailed, AgentLost, Patience
from sip.protocol import AgentEvent, CallArrived, CallEnded, CallerHungUp, Failed, Pulse, Ready, Start, Trunk
from tests.peers import fake_agent
from tests.peers.ports import free_sip_port

SOON_S = 20.0
"""A machine that is busy may take so long for what takes a second."""


class Watched:
    """A client and what it told."""

    def __init__(self, kind: str | None = None, *, port: int | None = None, **patience: float) -> None:
        self.events: list[AgentEvent | AgentLost] = []
        listen = f"udp:127.0.0.1:{port or free_sip_port()}"
        start = Start(
            listen=(listen,), rtp_first=19000, rtp_last=19099, max_calls=5, trunks=(Trunk(name="pbx", peers=("127.0.0.1",)),)
        )
        command = {"command": fake_agent.command(kind)} if kind else {}
        self.client = AgentClient(start, self.events.append, patience=Patience(**patience), **command)
        self.task = asyncio.ensure_future(self.client.run())

    def of(self, *kinds: type[Any]) -> list[Any]:
        """The events of some types."""
        return [event for event in self.events if isinstance(event, kinds)]

    async def until(self, is_so: Callable[[], bool]) -> None:
        """Until it is so."""
        ends = time.monotonic() + SOON_S
        while not is_so():
            assert time.monotonic() < ends, self.events[-5:]
            await asyncio.sleep(0.005)

    async def stop(self) -> None:
        """Stop it, and see that it stopped and that nothing is left."""
        await asyncio.wait_for(self.client.stop(), SOON_S)
        await asyncio.wait_for(self.task, SOON_S)
        assert agents() == []


def agents() -> list[str]:
    """The command lines of agents, real or not, that are children or orphans of this test run."""
    found = []
    for entry in Path("/proc").iterdir():
        if entry.name.isdigit():
            try:
                words = (entry / "cmdline").read_bytes().split(b"\0")
                is_ours = (
                    f"PYTEST_CURRENT_TEST={os.environ['PYTEST_CURRENT_TEST']}".encode() in (entry / "environ").read_bytes()
                )
            except OSError:
                continue
            if is_ours and (b"sip" in words or b"tests.peers.fake_agent" in words or words[0] == b"sleep"):
                found.append(b" ".join(words).decode())
    return found


# --- stop -------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("turns", [0, 1, 2, 3, 4, 6, 9, 14])
async def test_stop_while_the_process_is_being_made(turns: int) -> None:
    watched = Watched()
    for _ in range(turns):
        await asyncio.sleep(0)
    await watched.stop()


@pytest.mark.parametrize("after_s", [0.0, 0.03, 0.1, 0.3, 0.8])
async def test_stop_before_it_is_ready(after_s: float) -> None:
    watched = Watched()
    await watched.until(lambda: watched.client.pid is not None)
    await asyncio.sleep(after_s)
    await watched.stop()


async def test_stop_of_an_agent_that_listens() -> None:
    watched = Watched()
    await watched.until(lambda: watched.client.ready is not None)
    await watched.stop()
    assert watched.of(AgentLost) == []


async def test_stop_in_the_pause_before_a_restart() -> None:
    watched = Watched("dies", restart_first_s=300, restart_most_s=300)
    await watched.until(lambda: watched.of(AgentLost) != [])
    await watched.stop()


async def test_stop_while_it_waits_for_its_port() -> None:
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as taken:
        taken.bind(("127.0.0.1", 0))
        watched = Watched(port=taken.getsockname()[1], port_free_s=300, restart_first_s=300)
        await watched.until(lambda: watched.of(Failed) != [])
        await watched.stop()


@pytest.mark.parametrize("kind", ["silent", "deaf", "endless", "garbage", "talks"])
async def test_stop_of_an_agent_that_does_not_obey(kind: str) -> None:
    watched = Watched(kind, stop_s=0.3)
    await watched.until(lambda: watched.client.pid is not None)
    await watched.stop()


async def test_stop_twice_at_once() -> None:
    watched = Watched("good")
    await watched.until(lambda: watched.client.ready is not None)
    await asyncio.gather(watched.stop(), watched.stop())


async def test_stop_of_a_client_that_never_ran() -> None:
    watched = Watched("good")
    watched.task.cancel()
    await asyncio.wait_for(watched.client.stop(), SOON_S)


async def test_cancelled_leaves_nothing() -> None:
    watched = Watched("deaf")
    await watched.until(lambda: watched.client.ready is not None)
    watched.task.cancel()
    await asyncio.wait({watched.task}, timeout=SOON_S)
    assert watched.task.cancelled()
    assert agents() == []


async def test_calls_of_an_agent_that_had_to_be_killed_at_the_stop_are_over() -> None:
    watched = Watched("deaf", stop_s=0.2)
    await watched.until(lambda: watched.client.ready is not None)
    await watched.stop()
    assert len(watched.of(AgentLost)) == 1


# --- what it said is heard --------------------------------------------------------------------------------------------


def assert_all_calls_are_told_before_the_loss(watched: Watched) -> None:
    lost = next(number for number, event in enumerate(watched.events) if isinstance(event, AgentLost))
    for kind in (CallArrived, CallerHungUp, CallEnded):
        assert len([event for event in watched.events[:lost] if isinstance(event, kind)]) == fake_agent.CALLS


@pytest.mark.parametrize("kind", ["dies", "falls_silent"])
async def test_what_a_lost_agent_wrote_is_told_before_its_loss(kind: str) -> None:
    watched = Watched(kind, silent_s=1.0, restart_first_s=300, restart_most_s=300)
    await watched.until(lambda: watched.of(AgentLost) != [])
    assert_all_calls_are_told_before_the_loss(watched)
    await watched.stop()


async def test_a_loop_that_stalls_blames_no_agent() -> None:
    """The agent lives all the while; only we did not look."""
    watched = Watched("deaf", silent_s=1.5, stop_s=0.2)
    await watched.until(lambda: watched.client.ready is not None)
    pid, heard = watched.client.pid, len(watched.events)
    time.sleep(4)  # noqa: ASYNC251 — the stall
    await watched.until(lambda: len(watched.events) > heard + 20)
    assert watched.of(AgentLost) == []
    assert watched.client.pid == pid
    await watched.stop()


async def test_a_stalled_loop_does_not_hide_an_agent_that_is_stuck() -> None:
    watched = Watched("deaf", silent_s=1.0, restart_first_s=300, restart_most_s=300)
    await watched.until(lambda: watched.client.ready is not None)
    assert watched.client.pid
    os.kill(watched.client.pid, signal.SIGSTOP)
    await watched.until(lambda: watched.of(AgentLost) != [])
    assert "no sign of life for 1 s" in watched.of(AgentLost)[0].reason
    await watched.stop()


async def test_an_event_that_cannot_be_taken_costs_that_event_only() -> None:
    watched = Watched("dies", restart_first_s=300, restart_most_s=300)
    taken = watched.events.append

    def receive(event: AgentEvent | AgentLost) -> None:
        if isinstance(event, CallArrived):
            raise ValueError("not this one")
        taken(event)

    watched.client._receive = receive
    with structlog.testing.capture_logs() as log:
        await watched.until(lambda: watched.of(AgentLost) != [])
    assert len(watched.of(CallEnded)) == fake_agent.CALLS
    faults = [entry for entry in log if entry["event"] == "agent_event_not_taken"]
    assert len(faults) == fake_agent.CALLS
    assert ["exc_info" in entry for entry in faults[:2]] == [True, False]
    await watched.stop()


# --- what is wrong with it --------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("kind", "says"),
    [
        ("silent", "the SIP agent gave no sign of life for 1 s"),
        ("exits", "the SIP agent ended with status 3; it last said: no luck today"),
        ("garbage", "the SIP agent wrote what is no event more than 100 times"),
        ("endless", "the SIP agent wrote a line without end"),
    ],
)
async def test_an_agent_that_never_starts(kind: str, says: str) -> None:
    watched = Watched(kind, start_s=1.0, silent_s=1.0)
    await asyncio.wait({watched.task}, timeout=SOON_S)
    with pytest.raises(AgentFailed, match=says):
        watched.task.result()
    assert agents() == []


async def test_a_program_that_is_not_there() -> None:
    start = Start(listen=(), rtp_first=1, rtp_last=2, max_calls=1, trunks=())
    client = AgentClient(start, lambda _: None, command=("/no/such/program",))
    with pytest.raises(AgentFailed, match="cannot be started: No such file"):
        await client.run()


async def test_an_agent_whose_child_holds_its_pipes_is_replaced() -> None:
    watched = Watched("leaves_a_child", silent_s=1.0)
    await watched.until(lambda: len(watched.of(Ready)) >= 2)
    await watched.stop()


async def test_an_agent_that_talks_too_much_lives() -> None:
    with structlog.testing.capture_logs() as log:
        watched = Watched("talks", stop_s=0.2)
        await watched.until(lambda: len(watched.of(Pulse)) > 3 and watched.of(CallEnded) != [])
        assert watched.of(AgentLost) == []
        await watched.stop()
    said = [entry["text"] for entry in log if entry["event"] == "agent_said"]
    assert said[0].startswith("LLLL")
    assert said[0].endswith("(cut: 298000 bytes more)")
    assert said[-1] == "the end, without a newline"
    dropped = sum(entry["lines"] for entry in log if entry["event"] == "agent_said_more")
    assert len(said) + dropped == 20_002
    assert len(said) < 2000
