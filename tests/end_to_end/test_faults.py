"""A queue of texts and an SMSC that dies, hangs, vanishes or is too slow: each text goes once, or is shown as unknown."""

import asyncio
import signal
import sqlite3
import time
from collections import Counter
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from gateway.core.kind import TextKind
from gateway.store import texts
from sms.smpp.pdu import Pdu
from tests.end_to_end.test_texts import miss
from tests.peers.faulty_smsc import FaultySmsc, Link
from tests.peers.gateway import PATIENCE_S, RunningGateway
from tests.peers.netns import TwoMachines
from tests.peers.settings import unpaced
from tests.peers.smsc import Smsc

Start = Callable[..., RunningGateway]
WINDOW = 50
QUICK = f'window = {WINDOW}\nresponse_timeout = "1s"\nenquire_link = "1s"\nconnect_timeout = "2s"\nreconnect_most = "1s"'


def queue(running: RunningGateway, count: int) -> None:
    """Texts to as many numbers, as if so many callers had been missed at once."""
    now = datetime.now(UTC)
    db = sqlite3.connect(running.database, timeout=10)
    with db:
        for number in range(count):
            texts.add(
                db,
                texts.NewText(
                    call=None, kind=TextKind.MISSED_CALL,
                    line="front-desk", recipient=f"+1415555{number:04d}", region="US", sender="+14155550100",
                    body=f"text {number}", segments=1, queued_at=now, due_at=now, expires_at=now + timedelta(minutes=15),
                ),
            )  # fmt: skip
    db.close()


def states(running: RunningGateway) -> Counter[str]:
    """How many texts are in each state."""
    return Counter(text["state"] for text in running.texts())


def wait_until_settled(running: RunningGateway, *, within: float = 2 * PATIENCE_S) -> Counter[str]:
    """Until nothing is queued or under way."""
    until = time.monotonic() + within
    while (found := states(running))["queued"] + found["sending"]:
        assert time.monotonic() < until, f"{found}\n{running.log[-3000:]}"
        time.sleep(0.2)
    return found


def assert_each_once(smsc: Smsc, running: RunningGateway) -> set[str]:
    """Nothing was handed over twice, and what was accepted was taken; the bodies that were taken."""
    taken = Counter(bytes.fromhex(entry["hex"]).decode() for entry in smsc.submitted())
    assert not [body for body, times in taken.items() if times > 1]
    assert {text["body"] for text in running.texts() if text["state"] == "accepted"} <= set(taken)
    return set(taken)


def test_smsc_killed_in_mid_window_with_a_thousand_queued(gateway: Start, smsc: Smsc) -> None:
    smsc.kill()
    running = gateway(sms=smsc.config(more=QUICK))
    queue(running, 1000)
    smsc.start()
    smsc.command("die 300")
    smsc.wait_for_death()
    running.wait_for("texts", 1, state="unknown")
    at_death = states(running)
    assert at_death["unknown"] <= WINDOW
    assert at_death["queued"] > 0
    taken_unheard = {text["body"] for text in running.texts() if text["state"] == "unknown"} & assert_each_once(smsc, running)
    assert taken_unheard  # to send these again would have doubled them
    smsc.start()
    assert wait_until_settled(running) == {"accepted": 1000 - at_death["unknown"], "unknown": at_death["unknown"]}
    assert_each_once(smsc, running)


def test_smsc_that_hangs_and_goes_on_too_late(gateway: Start, smsc: Smsc) -> None:
    """It takes what lies in its socket when it goes on, long after the link was given up."""
    patient = QUICK.replace('enquire_link = "1s"', 'enquire_link = "10s"')
    running = gateway(sms=smsc.config(more=patient))
    running.wait_for_status(lambda status: status["bridges"]["primary"]["up"])
    smsc.send_signal(signal.SIGSTOP)
    queue(running, 200)
    miss(running, running.directory)
    running.wait_for("texts", 1, state="unknown")
    running.wait_for_status(lambda status: not status["bridges"]["primary"]["up"])
    held = states(running)["unknown"]
    assert held <= WINDOW
    smsc.send_signal(signal.SIGCONT)
    assert wait_until_settled(running) == {"accepted": 201 - held, "unknown": held}
    taken = assert_each_once(smsc, running)
    assert {text["body"] for text in running.texts() if text["state"] == "unknown"} <= taken


def test_smsc_that_hangs_and_goes_on_in_time(gateway: Start, smsc: Smsc) -> None:
    """Answers that come after their time, while the link lives, settle what was unknown."""
    slow = f'window = {WINDOW}\nresponse_timeout = "4s"'
    running = gateway(sms=smsc.config(more=slow))
    running.wait_for_status(lambda status: status["bridges"]["primary"]["up"])
    smsc.send_signal(signal.SIGSTOP)
    queue(running, 20)
    miss(running, running.directory)
    running.wait_for("texts", 20, state="unknown")
    smsc.send_signal(signal.SIGCONT)
    running.wait_for("texts", 21, state="accepted")
    assert_each_once(smsc, running)
    assert running.log.count("unknown_text_settled") >= 20


@pytest.fixture
def machines() -> Iterator[TwoMachines]:
    two = TwoMachines()
    try:
        yield two.start()
    finally:
        two.stop()


def test_black_hole(tmp_path: Path, machines: TwoMachines) -> None:
    """The cable swallows everything, in both directions and without a word, then works again."""
    smsc = Smsc(tmp_path, address=machines.carrier_address, prefix=machines.on("carrier"))
    running = RunningGateway(tmp_path, prefix=machines.on("office"), sms=smsc.config(more=QUICK + "\nper_second = 100"))
    try:
        running.start(wait=False)
        running.wait_for_log("gateway_ready")
        queue(running, 300)
        smsc.start()
        smsc.wait_for_submitted(30)
        machines.swallow()
        running.wait_for_log("enquire_link")
        running.wait_for("texts", 1, state="unknown")
        held = states(running)["unknown"]
        assert held <= WINDOW
        assert states(running)["queued"] > 100
        machines.heal()
        assert wait_until_settled(running) == {"accepted": 300 - held, "unknown": held}
        assert_each_once(smsc, running)
    finally:
        running.end()
        smsc.kill()


async def test_smsc_that_throttles_gets_every_text_once(gateway: Start, tmp_path: Path) -> None:
    """Ten a second and no more; whoever sends faster hears 0x58."""
    taken: list[float] = []
    throttled = 0

    async def throttle(link: Link, one: Pdu) -> None:
        nonlocal throttled
        now = time.monotonic()
        if sum(at > now - 1 for at in taken) >= 10:
            throttled += 1
            link.answer(one, 0x58)
            smsc.submitted.pop()
        else:
            taken.append(now)
            link.answer(one, 0, f"{len(taken)}\0".encode())

    smsc = await FaultySmsc(on_submit=throttle).start()
    (tmp_path / "smsc.password").write_text("secret")
    section = (
        f'[sms.primary]\nkind = "smpp"\nhost = "127.0.0.1"\nport = {smsc.port}\nsystem_id = "a"\n'
        'password_file = "smsc.password"\n' + unpaced()
    )

    def scenario() -> None:
        running = gateway(sms=section)
        queue(running, 40)
        miss(running, running.directory)
        assert wait_until_settled(running) == {"accepted": 41}

    await asyncio.to_thread(scenario)
    assert throttled > 0
    bodies = [body.rpartition(b"text ")[2] for body in smsc.submitted if b"text " in body]
    assert len(bodies) == len(set(bodies)) == 40
    await smsc.stop()


def test_receipt_after_a_restart(gateway: Start, smsc: Smsc, tmp_path: Path) -> None:
    running = gateway(sms=smsc.config())
    miss(running, tmp_path)
    running.wait_for("texts", 1, state="accepted")
    running.kill()
    running.start()
    running.wait_for_status(lambda status: status["bridges"]["primary"]["up"])
    smsc.command(f"receipt {smsc.submitted()[0]['id']} DELIVRD")
    running.wait_for("texts", 1, state="delivered")
