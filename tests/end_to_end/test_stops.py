"""A gateway that stops, or that answers its agent no more: what rings, what is told to callers, and who is texted afterwards."""

import signal
import time
from collections.abc import Callable

from tests.peers.gateway import PATIENCE_S, RunningGateway
from tests.peers.raw_caller import RawCaller, Response

Start = Callable[..., RunningGateway]
ELSEWHERE = 'Reason: SIP;cause=200;text="Call completed elsewhere"'


def ring(running: RunningGateway, number: int) -> RawCaller:
    """A call that rings."""
    caller = RawCaller(running.sip_port, caller=f"+1415555010{number}")
    caller.send()
    assert caller.until(180).status == 180
    return caller


def first_response(running: RunningGateway, number: int) -> Response:
    with RawCaller(running.sip_port, caller=f"+1415555010{number}") as caller:
        caller.send()
        return caller.until(180)


def ask_to_stop(running: RunningGateway) -> None:
    assert running.process
    running.process.send_signal(signal.SIGTERM)
    running.wait_for_log("gateway_stopping")


def outcomes(running: RunningGateway) -> dict[str, str]:
    return {call["caller"]: call["outcome"] for call in running.calls()}


def test_calls_that_ring_at_a_stop_ring_out(gateway: Start) -> None:
    """One is answered elsewhere, one hung up; new ones are turned away, and the gateway ends with the last that rang."""
    running = gateway(ring=60, stop_within="60s")
    with ring(running, 1) as answered, ring(running, 2) as hung_up:
        began = time.monotonic()
        ask_to_stop(running)
        turned_away = first_response(running, 3)
        assert (turned_away.status, turned_away.headers.get("retry-after")) == (503, "5")
        running.wait_for_log("calls_turned_away")
        answered.send("CANCEL", ELSEWHERE, of=1)
        hung_up.send("CANCEL", of=1)
        assert [caller.until(487).status for caller in (answered, hung_up)] == [487, 487]
        assert running.process
        assert running.process.wait(PATIENCE_S) == 0
        assert time.monotonic() - began < 60
    assert outcomes(running) == {"+14155550101": "answered_elsewhere", "+14155550102": "abandoned"}
    assert [(text["to"], text["state"]) for text in running.texts()] == [("+14155550102", "accepted")]


def test_calls_that_ring_too_long_at_a_stop_are_interrupted(gateway: Start) -> None:
    running = gateway(ring=60, stop_within="500ms")
    with ring(running, 1) as caller:
        ask_to_stop(running)
        assert caller.until(480).status == 480
        assert running.process
        assert running.process.wait(PATIENCE_S) == 0
    assert outcomes(running) == {"+14155550101": "interrupted"}
    assert [text["state"] for text in running.texts()] == ["accepted"]


def test_second_signal_waits_for_no_call(gateway: Start) -> None:
    running = gateway(ring=60, stop_within="60s")
    with ring(running, 1) as caller:
        ask_to_stop(running)
        assert running.process
        running.process.send_signal(signal.SIGTERM)
        assert running.process.wait(PATIENCE_S) == 130
        assert caller.until(480).status == 480
    running.start()
    running.wait_for("texts", 1, state="accepted")
    assert outcomes(running) == {"+14155550101": "interrupted"}


def test_gateway_that_answers_no_more_turns_calls_away_until_it_goes_on(gateway: Start) -> None:
    """First they ring on: it may be busy. Whoever heard ringing is texted when it goes on, whoever got 503 is not."""
    running = gateway(ring=60)
    assert running.process
    with ring(running, 1) as first:
        running.process.send_signal(signal.SIGSTOP)
        heard: list[int] = []
        until = time.monotonic() + PATIENCE_S
        while not heard or heard[-1] == 180:
            assert time.monotonic() < until, heard
            with RawCaller(running.sip_port, caller=f"+141555502{len(heard):02}") as caller:
                caller.send()
                response = caller.until(180)
                heard.append(response.status)
                if response.status == 180:
                    caller.send("CANCEL", of=1)
                    caller.until(487)
            time.sleep(0.2)
        assert (heard[0], heard[-1], response.headers.get("retry-after")) == (180, 503, "5")
        running.process.send_signal(signal.SIGCONT)
        running.wait_for_status(lambda status: status["agent"]["turned_away"] == 1)
        assert "1, because the gateway took no calls or stopped" in running.cli("status").stdout
        while first_response(running, 3).status != 180:
            time.sleep(0.05)
        first.send("CANCEL", of=1)
        first.until(487)
    running.wait_for("texts", len(heard), state="accepted")
    assert {text["to"] for text in running.texts()} == {"+14155550101", *(f"+141555502{n:02}" for n in range(len(heard) - 1))}
