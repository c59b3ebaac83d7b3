"""The gateway and its SIP agent when one of them stands still or dies: no caller who heard ringing is lost."""

import os
import signal
import time
from collections.abc import Callable
from pathlib import Path

from tests.peers import sipp
from tests.peers.gateway import RunningGateway
from tests.peers.sipp import Call, Ends

Start = Callable[..., RunningGateway]
STALL_S = 13.0
RATE = 20


def test_a_gateway_that_stands_still_loses_no_caller(gateway: Start, tmp_path: Path) -> None:
    """Longer than an agent may be silent: it was not the agent that was silent. The calls come before it turns new ones away."""
    running = gateway(ring=30)
    agent = running.agent_pid()
    callers = [f"+1415555{number}" for number in range(2000, 2000 + 3 * RATE)]
    placed = sipp.start(
        tmp_path, running.sip_port, [Call(caller=caller) for caller in callers], Ends(cancel_after=0.3), rate=RATE
    )
    running.wait_for("calls", 5)
    assert running.process
    running.process.send_signal(signal.SIGSTOP)
    time.sleep(STALL_S)
    running.process.send_signal(signal.SIGCONT)
    assert placed.wait(60) == 0
    calls = running.wait_for("calls", len(callers), outcome="abandoned", within=30)
    assert {call["caller"] for call in calls} == set(callers)
    assert running.agent_pid() == agent
    texts = running.wait_for("texts", len(callers), state="accepted", within=30)
    assert {text["to"] for text in texts} == set(callers)


def test_an_agent_that_dies_while_the_gateway_stands_still_has_told_its_calls(gateway: Start, tmp_path: Path) -> None:
    """Calls that ended before its death are what they were, those that rang are interrupted; all are texted."""
    running = gateway(ring=30)
    first = running.agent_pid()
    assert running.process
    running.process.send_signal(signal.SIGSTOP)
    ended = [f"+1415555{number}" for number in range(2000, 2020)]
    ran = sipp.place(tmp_path, running.sip_port, [Call(caller=caller) for caller in ended], Ends(cancel_after=0.1))
    assert ran.is_good, ran
    os.kill(first, signal.SIGKILL)
    running.process.send_signal(signal.SIGCONT)
    running.wait_for("calls", len(ended), outcome="abandoned")
    running.wait_for_status(lambda status: status["agent"]["up"] and status["agent"]["pid"] != first)
    assert sipp.place(tmp_path, running.sip_port, [Call(caller="+14155550199")], Ends(cancel_after=0.1)).is_good
    running.wait_for("texts", len(ended) + 1, state="accepted")


def test_an_agent_that_stands_still_is_replaced_and_its_call_is_texted(gateway: Start, tmp_path: Path) -> None:
    running = gateway(ring=60)
    first = running.agent_pid()
    placed = sipp.start(tmp_path, running.sip_port, [Call(caller="+14155550123")], Ends())
    running.wait_for("calls", 1, outcome=None)
    os.kill(first, signal.SIGSTOP)
    running.wait_for("texts", 1, within=40, state="accepted")
    assert running.calls()[0]["outcome"] == "interrupted"
    assert "gave no sign of life for 10 s" in running.log
    placed.kill()
    placed.wait()
    running.wait_for_status(lambda status: status["agent"]["up"] and status["agent"]["pid"] != first)


def test_a_gateway_that_is_stopped_while_its_agent_starts_leaves_nothing(tmp_path: Path) -> None:
    running = RunningGateway(tmp_path)
    running.start(wait=False)
    try:
        assert running.process
        children = Path(f"/proc/{running.process.pid}/task/{running.process.pid}/children")
        until = time.monotonic() + 20
        while not (found := children.read_text().split()):
            assert time.monotonic() < until, running.log
        running.process.terminate()
        assert running.process.wait(timeout=20) == 0, running.log
        assert not any(Path(f"/proc/{pid}").exists() for pid in found)
    finally:
        running.end()
