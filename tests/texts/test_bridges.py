"""Bridges that are exchanged while texts go out: one bind at a time, and a bridge that ends by itself runs again."""

import asyncio
from collections import Counter
from pathlib import Path

from structlog.testing import capture_logs

from gateway.texts import bridges
from sms.smpp import pdu
from sms.smpp.pdu import Pdu
from tests.peers.faulty_smsc import FaultySmsc, Link
from tests.peers.sending import SPOOL, sending, smpp
from tests.sms.test_smpp_bridge import KeepingSink, until
from tests.texts.test_outbox import Stumbling, reload


async def test_reload_of_smpp_settings_where_the_smsc_allows_one_bind(tmp_path: Path) -> None:
    """The old bind has ended before the new one comes: no 0x05, no pause, and every text goes once, on the way through too."""
    refused = 0

    async def one_bind(link: Link, one: Pdu) -> None:
        nonlocal refused
        if any(other is not link and not other.writer.is_closing() for other in smsc.links):
            refused += 1
            link.answer(one, 0x05)
        else:
            link.answer(one, 0, b"smsc\0")

    async def take_a_moment(link: Link, one: Pdu) -> None:
        await asyncio.sleep(0.005)
        link.answer(one, 0, b"1\0")

    smsc = await FaultySmsc(on_bind=one_bind, on_submit=take_a_moment).start()
    async with sending(tmp_path, smpp(smsc)) as it:
        await until(lambda: it.bridges.by_name["primary"].health().up)
        for window in (3, 5, 7):
            await it.add(30)
            reload(it, smpp(smsc, more=f"window = {window}"))
            await until(lambda: it.bridges.by_name["primary"].health().up, 20)
        await it.until("accepted", 90)
    assert refused == 0
    assert [one.command for one in smsc.binds] == [pdu.BIND_TRANSCEIVER] * 4
    assert len(smsc.submitted) == 90
    await smsc.stop()


async def test_bridge_that_ends_by_itself_is_told_and_run_again(tmp_path: Path) -> None:
    class Ending(Stumbling):
        runs = 0

        async def run(self, sink: object) -> None:
            type(self).runs += 1
            if self.runs == 1:
                return
            if self.runs == 2:
                raise LookupError("a fault of ours")
            await asyncio.Event().wait()

    with capture_logs() as logs:
        kept = bridges.Bridges(tmp_path, "", lambda: None, again_s=0.01)
        async with kept.running(KeepingSink(), {}), asyncio.TaskGroup() as tasks:
            running = tasks.create_task(kept._keep_running(Ending(), KeepingSink(), None))
            await until(lambda: Ending.runs == 3)
            running.cancel()
    assert [log["event"] for log in logs] == ["bridge_ended", "bridge_failed"]


async def test_many_reloads_leave_one_bridge_of_a_name(tmp_path: Path) -> None:
    async with sending(tmp_path) as it:
        for number in range(20):
            reload(it, SPOOL if number % 2 else SPOOL.replace("spool]", "other]"))
            await asyncio.sleep(0)
        await until(lambda: Counter(task.get_name() for task in asyncio.all_tasks())["bridge spool"] == 1)
        assert set(it.bridges.by_name) == {"spool"}
        await it.add()
        await it.until("accepted")
