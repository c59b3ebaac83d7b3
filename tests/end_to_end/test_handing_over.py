"""The whole gateway beside its bridges: half a text is not called delivered, and no STOP is overtaken by a text that waits."""

import asyncio
from collections.abc import Callable
from pathlib import Path

from sms.smpp.pdu import Pdu
from tests.end_to_end.test_texts import miss
from tests.peers.faulty_smsc import FaultySmsc, Link, deliver_sm
from tests.peers.gateway import RunningGateway
from tests.peers.settings import unpaced
from tests.peers.smsc import Smsc

Start = Callable[..., RunningGateway]
LONG = "{business}: Sorry we missed your call. " + "Reply here with what you need. " * 8 + "Reply STOP to opt out."


async def test_half_a_text_stays_unknown_whatever_its_first_part_becomes(gateway: Start, tmp_path: Path) -> None:
    async def only_the_first(link: Link, one: Pdu) -> None:
        link.answer(one, 0 if len(smsc.submitted) == 1 else 0x66, b"P1\0" if len(smsc.submitted) == 1 else b"")

    smsc = await FaultySmsc(on_submit=only_the_first).start()
    (tmp_path / "smsc.password").write_text("secret")
    section = (
        f'[sms.primary]\nkind = "smpp"\nhost = "127.0.0.1"\nport = {smsc.port}\nsystem_id = "a"\n'
        'password_file = "smsc.password"\n' + unpaced()
    )
    loop = asyncio.get_running_loop()

    def scenario() -> None:
        running = gateway(sms=section, more=f'message = "{LONG}"')
        miss(running, tmp_path)
        running.wait_for("texts", 1, state="unknown")
        for number, state in enumerate((b"ENROUTE", b"DELIVRD"), start=1):
            receipt = deliver_sm(number, b"id:P1 stat:" + state, esm_class=4)
            loop.call_soon_threadsafe(smsc.links[0].writer.write, receipt)
        running.wait_for_log("state=delivered")
        (text,) = running.texts()
        assert text["state"] == "unknown"
        assert "1 of 3 parts" in text["detail"]

    await asyncio.to_thread(scenario)
    assert len(smsc.submitted) == 2
    await smsc.stop()


def test_a_text_that_waits_for_the_pace_is_not_sent_after_a_stop(gateway: Start, smsc: Smsc, tmp_path: Path) -> None:
    running = gateway(sms=smsc.config(more="per_second = 0.2"))
    miss(running, tmp_path, "+14155550131", "+14155550132")
    first = smsc.wait_for_submitted(1)[0]["to"]
    running.wait_for("texts", 2)
    (waiting,) = {"14155550131", "14155550132"} - {first}
    running.wait_for("texts", 1, to=f"+{waiting}", state="queued")  # and not claimed ahead of its turn
    smsc.command(f"reply {waiting} 14155550100 STOP")
    smsc.wait_for_answer(1)
    running.wait_for("texts", 1, to=f"+{waiting}", state="cancelled")
    submitted = smsc.wait_for_submitted(2)
    assert [entry["to"] for entry in submitted] == [first, waiting]
    assert b"no more texts" in bytes.fromhex(submitted[1]["hex"])
