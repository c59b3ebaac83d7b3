"""Whoever heard ringing has a row, whichever of the two processes is killed, and whenever; whoever did not, reaches the next gateway."""

import asyncio
import os
import signal
import time
from collections.abc import Callable

import pytest

from tests.peers.gateway import PATIENCE_S, RunningGateway, is_running
from tests.peers.raw_caller import RawCaller
from tests.peers.uac import Uac

Start = Callable[..., RunningGateway]
CALLER = "+14155550123"
ELSEWHERE = 'Reason: SIP;cause=200;text="Call completed elsewhere"'


def stop_still(running: RunningGateway) -> int:
    """The gateway takes nothing any more; its agent's process id."""
    agent = running.agent_pid()
    assert running.process
    running.process.send_signal(signal.SIGSTOP)
    return agent


def kill(pid: int) -> None:
    os.kill(pid, signal.SIGKILL)
    until = time.monotonic() + PATIENCE_S
    while is_running(pid):
        assert time.monotonic() < until
        time.sleep(0.02)


def left_in_agents_files(running: RunningGateway) -> bytes:
    return b"".join(path.read_bytes().partition(b"\0")[0] for path in running.database.parent.glob("agent-*.calls"))


@pytest.mark.parametrize("killed", ["gateway", "agent and gateway"])
def test_it_rang_while_the_gateway_stood_still(gateway: Start, killed: str) -> None:
    running = gateway(ring=30)
    agent = stop_still(running)
    with RawCaller(running.sip_port) as caller:
        caller.send()
        assert caller.until(180).status == 180
        if "agent" in killed:
            kill(agent)
        running.kill()
        if "agent" not in killed:
            assert caller.until(480).status == 480
    running.start()
    running.wait_for("texts", 1, state="accepted")
    assert [(call["caller"], call["outcome"]) for call in running.calls()] == [(CALLER, "interrupted")]
    assert left_in_agents_files(running) == b""


def test_an_agent_that_dies_before_the_gateway_has_taken_its_calls(gateway: Start) -> None:
    """The gateway goes on, and takes them over from the agent's file and from the pipe, each once."""
    running = gateway(ring=30)
    agent = stop_still(running)
    with RawCaller(running.sip_port) as caller:
        caller.send()
        caller.until(180)
        kill(agent)
        assert running.process
        running.process.send_signal(signal.SIGCONT)
        running.wait_for("texts", 1, state="accepted")
    running.wait_for_status(lambda status: status["agent"]["up"] and status["agent"]["pid"] != agent)
    assert [(call["caller"], call["outcome"]) for call in running.calls()] == [(CALLER, "interrupted")]
    assert left_in_agents_files(running) == b""


@pytest.mark.parametrize("killed", ["gateway", "agent and gateway"])
def test_who_was_answered_while_the_gateway_stood_still_is_not_texted(gateway: Start, killed: str) -> None:
    running = gateway(ring=30)
    with RawCaller(running.sip_port) as caller:
        caller.send()
        caller.until(180)
        agent = stop_still(running)
        caller.send("CANCEL", ELSEWHERE, of=1)
        caller.until(487)
        until = time.monotonic() + PATIENCE_S
        while b"AnsweredElsewhere" not in left_in_agents_files(running):
            assert time.monotonic() < until
            time.sleep(0.02)
        if "agent" in killed:
            kill(agent)
        running.kill()
    running.start()
    running.wait_until_all_have_ended()
    assert [call["outcome"] for call in running.calls()] == ["answered_elsewhere"]
    assert running.texts() == []


async def test_killed_under_load_and_started_again(gateway: Start) -> None:
    """Callers send their INVITE again until it is answered: each hears ringing, from this gateway or from the next one."""
    running = await asyncio.to_thread(gateway, ring=30, max_calls=200)
    uac = await Uac(running.sip_port).open()
    calling = asyncio.create_task(uac.run(120, 60, 0.2))
    async with asyncio.timeout(PATIENCE_S):
        while sum(bool(call.rang_at) for call in uac.placed) < 30:
            await asyncio.sleep(0.01)
    await asyncio.to_thread(running.kill)
    await asyncio.to_thread(running.start)
    placed = await calling
    uac.close()
    assert {call.caller for call in placed if not call.rang_at} == set()
    assert {call.status for call in placed} <= {487, 480}  # 480: those that rang when it was killed
    await asyncio.to_thread(running.wait_until_all_have_ended)
    missed = {call["caller"] for call in running.calls() if call["outcome"] in ("abandoned", "interrupted")}
    assert missed == {call.caller for call in placed}
    await asyncio.to_thread(running.wait_until_no_text_is_under_way)
    assert sorted(text["to"] for text in running.texts()) == sorted(missed)
    assert {text["state"] for text in running.texts()} <= {"accepted", "unknown"}
