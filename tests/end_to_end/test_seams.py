"""Where finished parts meet, with all of them real: failover between kinds of bridge, a stop in mid-queue, a log that nobody takes."""

import asyncio
import contextlib
import os
import re
import signal
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from sms.smpp.pdu import Pdu
from tests.end_to_end.test_faults import queue, states
from tests.end_to_end.test_texts import miss
from tests.peers import sipp
from tests.peers.faulty_smsc import FaultySmsc, Link
from tests.peers.gateway import PATIENCE_S, RunningGateway
from tests.peers.provider import Provider
from tests.peers.sending import smpp, twilio
from tests.peers.sipp import Call, Ends
from tests.peers.smsc import Smsc

Start = Callable[..., RunningGateway]


async def test_missed_call_is_texted_by_the_next_bridge_of_another_kind(gateway: Start, tmp_path: Path) -> None:
    async def refuse(link: Link, one: Pdu) -> None:
        link.answer(one, 0x0A)

    smsc, provider = await FaultySmsc(on_submit=refuse).start(), await Provider().start()
    section = smpp(smsc, "first") + twilio(provider, tmp_path, "second")

    def scenario() -> None:
        running = gateway(sms=section)
        running.wait_for_status(lambda status: status["bridges"]["first"]["up"])
        miss(running, tmp_path)
        (text,) = running.wait_for("texts", 1, state="accepted")
        assert (text["bridge"], text["attempts"]) == ("second", 2)

    await asyncio.to_thread(scenario)
    assert (len(smsc.submitted), len(provider.sent)) == (1, 1)
    await smsc.stop()
    await provider.stop()


@pytest.mark.parametrize("after", [0.0, 0.05, 0.14])
async def test_sigterm_in_mid_queue(gateway: Start, tmp_path: Path, after: float) -> None:
    """Texts to an SMSC that takes a moment for each: the stop is in time, and nothing is left between the queue and the network."""

    async def take_a_moment(link: Link, one: Pdu) -> None:
        await asyncio.sleep(0.01)
        link.answer(one, 0, b"1\0")

    smsc = await FaultySmsc(on_submit=take_a_moment).start()

    def scenario() -> None:
        running = gateway(sms=smpp(smsc, more="window = 10"))
        running.wait_for_status(lambda status: status["bridges"]["primary"]["up"])
        queue(running, 1500)
        miss(running, tmp_path)
        seen = states(running)["accepted"]
        time.sleep(after)
        began = time.monotonic()
        assert running.stop() == 0
        assert time.monotonic() - began < 10
        found = states(running)
        assert set(found) <= {"queued", "accepted"}, running.log[-3000:]
        assert found["queued"] > 0
        assert found["accepted"] > seen
        assert found["accepted"] == len(smsc.submitted)

    await asyncio.to_thread(scenario)
    await smsc.stop()


def take_calls(running: RunningGateway, directory: Path, count: int) -> None:
    calls = [Call(caller=f"+1415555{number}") for number in range(3000, 3000 + count)]
    ran = sipp.place(directory, running.sip_port, calls, Ends(cancel_after=0.2), rate=20)
    assert ran.is_good, ran


@contextmanager
def pipe() -> Iterator[tuple[int, int]]:
    reader, writer = os.pipe()
    try:
        yield reader, writer
    finally:
        for end in (reader, writer):
            try:
                os.close(end)
            except OSError:
                continue


def fill(writer: int) -> None:
    """Until the pipe takes nothing more."""
    os.set_blocking(writer, False)
    with contextlib.suppress(BlockingIOError):
        while True:
            os.write(writer, b"x" * 4096)
    os.set_blocking(writer, True)


def test_log_that_nobody_reads(gateway: Start, smsc: Smsc, tmp_path: Path) -> None:
    """The pipe is full: calls and texts go on, and when somebody reads again, how much was lost is told."""
    with pipe() as (reader, writer):
        fill(writer)
        running = gateway(sms=smsc.config(), log_to=writer)
        os.close(writer)
        take_calls(running, tmp_path, 60)
        running.wait_for("texts", 60, state="accepted")
        heard: list[bytes] = []
        reading = threading.Thread(target=lambda: heard.extend(iter(lambda: os.read(reader, 65536), b"")), daemon=True)
        reading.start()
        assert running.stop() == 0
        reading.join(timeout=10)
    assert b"event=gateway_ready" in b"".join(heard)
    assert len(smsc.submitted()) == 60


def test_log_that_is_closed(gateway: Start, smsc: Smsc, tmp_path: Path) -> None:
    with pipe() as (reader, writer):
        running = gateway(sms=smsc.config(), log_to=writer)
        os.close(writer)
        os.close(reader)
        take_calls(running, tmp_path, 20)
        running.wait_for("texts", 20, state="accepted")
        assert running.stop() == 0
    assert len(smsc.submitted()) == 20


def test_log_on_a_full_disk(gateway: Start, smsc: Smsc, tmp_path: Path) -> None:
    full = os.open("/dev/full", os.O_WRONLY)
    running = gateway(sms=smsc.config(), log_to=full)
    os.close(full)
    take_calls(running, tmp_path, 20)
    running.wait_for("texts", 20, state="accepted")
    assert running.stop() == 0
    assert len(smsc.submitted()) == 20


def test_stop_at_once_and_hup_before_it_is_up(gateway: Start, smsc: Smsc, tmp_path: Path) -> None:
    """Signals in the first moments are obeyed in their turn."""
    running = gateway(sms=smsc.config())
    assert running.stop() == 0
    for delay in (0.15, 0.3, 0.45, 0.6):
        running.start(wait=False)
        assert running.process is not None
        time.sleep(delay)
        running.process.send_signal(signal.SIGHUP)
        time.sleep(0.05)
        assert running.stop() in (0, -signal.SIGTERM, -signal.SIGHUP), running.log
    assert "Traceback" not in running.log


def test_hup_before_it_is_up_ends_nothing(gateway: Start, smsc: Smsc) -> None:
    """From when it knows that it is to run; before that it is an interpreter like any other."""
    running = gateway(sms=smsc.config())
    assert running.stop() == 0
    running.start(wait=False)
    assert running.process is not None
    process = running.process
    status = Path(f"/proc/{process.pid}/status")
    until = time.monotonic() + PATIENCE_S
    while not _is_among(signal.SIGHUP, status.read_text(), "SigIgn"):
        assert process.poll() is None, running.log
        assert time.monotonic() < until
    while not _is_among(signal.SIGHUP, status.read_text(), "SigCgt"):
        process.send_signal(signal.SIGHUP)
        assert process.poll() is None, running.log
        assert time.monotonic() < until
        time.sleep(0.01)
    running.wait_until_ready()


def _is_among(number: signal.Signals, status: str, which: str) -> bool:
    """In a process's mask of signals (proc(5))."""
    (mask,) = re.findall(rf"^{which}:\t(\w+)$", status, re.MULTILINE)
    return bool(int(mask, 16) >> (number - 1) & 1)


async def test_held_text_is_not_sent_days_late(gateway: Start, tmp_path: Path) -> None:
    """Held for ten seconds, and the gateway is down until long after: it has expired, and `explain` says so."""
    smsc = await FaultySmsc().start()

    def scenario() -> None:
        running = gateway(sms=smpp(smsc), expires='1s"\nwait = "2s')
        miss(running, tmp_path)
        running.wait_for("texts", 1, state="held")
        assert running.stop() == 0
        time.sleep(3.5)
        running.start()
        (text,) = running.wait_for("texts", 1, state="expired")
        assert text["detail"] == "expired"
        said = running.cli("explain", "1").stdout
        assert "No text, because it could not be sent in time and would have come too late (expired):" in said
        assert "late; it expires 1s after it was due" in said

    await asyncio.to_thread(scenario)
    assert smsc.submitted == []
    await smsc.stop()
