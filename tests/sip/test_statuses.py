"""What a trunk's calls are answered with that nobody takes or for which there is no room: real calls to the real agent."""

import asyncio
from pathlib import Path

import pytest

from sip.protocol import Busy, CallArrived, CallEnded, RingTimedOut, Trunk
from tests.peers import sipp
from tests.peers.sipp import Call, Ends
from tests.sip.test_agent import RunningAgent


def pbx(no_answer: int = 480, busy_answer: int = 486, ring_seconds: float = 1) -> Trunk:
    return Trunk(name="pbx", peers=("127.0.0.1",), ring_seconds=ring_seconds, no_answer=no_answer, busy_answer=busy_answer)


async def test_nobody_answered_and_the_status_is_the_trunks(tmp_path: Path) -> None:
    """As it was when the call came: one that rings through a change keeps its own. An INVITE that expires gets 487 all the same."""
    async with RunningAgent(trunks=(pbx(),)) as agent:
        for status in (480, 486, 408):
            agent.client.use_trunks((pbx(no_answer=status),))
            assert (await agent.place(tmp_path, Ends(status=status))).is_good
        agent.client.use_trunks((pbx(no_answer=486, ring_seconds=2),))
        placed = asyncio.ensure_future(agent.place(tmp_path, Ends(status=486)))
        await agent.until(lambda: len(agent.of(CallArrived)) == 4)
        agent.client.use_trunks((pbx(no_answer=408, ring_seconds=30),))
        assert (await placed).is_good
        assert (await agent.place(tmp_path, Ends(status=487, invite_headers=("Expires: 1",)))).is_good
        await agent.until(lambda: len(agent.of(CallEnded)) == 5)
        assert [event.status for event in agent.of(CallEnded)] == [480, 486, 408, 486, 487]
        assert len(agent.of(RingTimedOut)) == 5


@pytest.mark.parametrize("status", [480, 486, 503])
async def test_no_room_and_the_status_is_the_trunks(tmp_path: Path, status: int) -> None:
    async with RunningAgent(trunks=(pbx(busy_answer=status, ring_seconds=60),), max_calls=1) as agent:
        ringing = sipp.start(tmp_path, agent.port, [Call(caller="+14155550123")], Ends(cancel_after=60))
        await agent.until(lambda: agent.of(CallArrived) != [])
        assert (await agent.place(tmp_path, Ends(status=status, rings=False))).is_good
        ringing.terminate()
        ringing.wait()
        await agent.until(lambda: agent.of(Busy) != [])
        assert [(event.status, event.is_of_stack) for event in agent.of(Busy)] == [(status, False)]
