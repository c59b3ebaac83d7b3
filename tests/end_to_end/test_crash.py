"""SIGKILL at every step of a text's life: nothing is lost without a word, and nothing is sent twice. The SMSC's journal decides."""

import asyncio
import random
import time
from collections import Counter
from collections.abc import Callable
from pathlib import Path

import pytest

from sms.smpp.pdu import Pdu
from tests.peers import sipp
from tests.peers.faulty_smsc import FaultySmsc, Link
from tests.peers.gateway import PATIENCE_S, RunningGateway
from tests.peers.sipp import Call, Ends
from tests.peers.smsc import Smsc

Start = Callable[..., RunningGateway]
CALLER = "+14155550123"
HUNG_UP = Ends(cancel_after=0.2)


def test_killed_while_it_rings(gateway: Start, smsc: Smsc, tmp_path: Path) -> None:
    running = gateway(sms=smsc.config(), ring=30)
    placed = sipp.start(tmp_path, running.sip_port, [Call(caller=CALLER)], Ends(status=480))
    running.wait_for("calls", 1, outcome=None)
    running.kill()
    assert placed.wait(timeout=PATIENCE_S) == 0  # the agent ended the call with 480 when the gateway was gone
    running.start()
    running.wait_for("texts", 1, state="accepted")
    assert running.calls()[0]["outcome"] == "interrupted"
    assert " up to " in running.cli("calls").stdout  # nobody saw when it ended
    assert "rang at most " in running.cli("explain", "1").stdout
    assert len(smsc.submitted()) == 1


def test_killed_while_queued(gateway: Start, smsc: Smsc, tmp_path: Path) -> None:
    smsc.kill()
    running = gateway(sms=smsc.config(), ring=30)
    assert sipp.place(tmp_path, running.sip_port, [Call(caller=CALLER)], HUNG_UP).is_good
    running.wait_for("texts", 1, state="queued")
    running.kill()
    smsc.start()
    running.start()
    running.wait_for("texts", 1, state="accepted")
    assert len(smsc.submitted()) == 1


async def test_killed_between_submit_and_answer(gateway: Start, tmp_path: Path) -> None:
    """The network has it, we do not know: held as unknown, and never sent again."""

    async def swallow(link: Link, one: Pdu) -> None:
        return

    faulty = await FaultySmsc(on_submit=swallow).start()
    section = f'[sms.primary]\nkind = "smpp"\nhost = "127.0.0.1"\nport = {faulty.port}\nsystem_id = "abc"\n'
    running = await asyncio.to_thread(gateway, sms=section, ring=30)
    await asyncio.to_thread(sipp.place, tmp_path, running.sip_port, [Call(caller=CALLER)], HUNG_UP)
    await asyncio.to_thread(running.wait_for, "texts", 1, state="sending")
    running.kill()
    faulty.on_submit = None
    await asyncio.to_thread(running.start)
    await asyncio.to_thread(running.wait_for_status, lambda status: status["bridges"]["primary"]["up"])
    texts = await asyncio.to_thread(running.wait_for, "texts", 1, state="unknown")
    assert "the gateway stopped while it was being sent" in texts[0]["detail"]
    await asyncio.to_thread(sipp.place, tmp_path, running.sip_port, [Call(caller="+14155550124")], HUNG_UP)
    await asyncio.to_thread(running.wait_for, "texts", 1, state="accepted")
    assert len(faulty.submitted) == 2
    again = await asyncio.to_thread(running.cli, "texts", "resend", "1", "2")
    assert (again.stdout, again.returncode) == ("text 1 goes out again\n", 1)
    assert "text 2 is accepted; only a text whose fate is unknown can be sent again" in again.stderr
    await asyncio.to_thread(running.wait_for, "texts", 2, state="accepted")
    assert len(faulty.submitted) == 3
    await faulty.stop()


def test_killed_after_it_was_accepted(gateway: Start, smsc: Smsc, tmp_path: Path) -> None:
    running = gateway(sms=smsc.config(), ring=30)
    assert sipp.place(tmp_path, running.sip_port, [Call(caller=CALLER)], HUNG_UP).is_good
    running.wait_for("texts", 1, state="accepted")
    running.kill()
    running.start()
    running.wait_for_status(lambda status: status["bridges"]["primary"]["up"])
    smsc.command(f"receipt {smsc.submitted()[0]['id']} DELIVRD")
    running.wait_for("texts", 1, state="delivered")
    assert len(smsc.submitted()) == 1


@pytest.mark.parametrize("seed", [1, 2, 3])
def test_killed_at_random_under_load(gateway: Start, smsc: Smsc, tmp_path: Path, seed: int) -> None:
    """Whatever the moment: no caller has two texts, and every missed call that is journalled has one, sent or shown as unknown."""
    running = gateway(sms=smsc.config(), ring=30, max_calls=200)
    callers = [f"+1415555{number}" for number in range(2000, 2200)]
    placed = sipp.start(tmp_path, running.sip_port, [Call(caller=caller) for caller in callers], HUNG_UP, rate=60)
    running.wait_for("calls", 10)
    time.sleep(random.Random(seed).random() * 2)
    running.kill()
    placed.kill()
    placed.wait()
    running.start()
    running.wait_for_status(lambda status: status["bridges"]["primary"]["up"] and status["queued"] == 0)
    running.wait_for("texts", 1, state="accepted")
    running.wait_until_no_text_is_under_way()
    times = Counter(entry["to"] for entry in smsc.submitted())
    assert max(times.values()) == 1
    texts = {text["call"]: text["state"] for text in running.texts()}
    calls = running.calls()
    assert len(calls) >= 10
    assert {call["outcome"] for call in calls} <= {"abandoned", "interrupted", "refused"}  # refused: killed before it rang
    assert {call["id"] for call in calls if call["outcome"] != "refused"} == set(texts)
    assert set(texts.values()) <= {"accepted", "unknown"}
    assert list(texts.values()).count("unknown") <= 10  # the bridge's window: no more can have been under way
    sent = {"+" + to for to in times}
    assert {text["to"] for text in running.texts() if text["state"] == "accepted"} <= sent
