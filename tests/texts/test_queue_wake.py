"""Room of a bridge has the queue looked at only where a text may be left in it."""

import asyncio
from pathlib import Path

from gateway.core import facts
from gateway.texts.queue_wake import QueueWake
from sms.smpp.pdu import Pdu
from tests.peers.faulty_smsc import FaultySmsc, Link
from tests.peers.sending import CALLER, sending, smpp
from tests.sms.test_smpp_bridge import until


def test_room_for_a_queue_of_which_nothing_is_known_has_it_looked_at() -> None:
    wake = QueueWake()
    wake.room_came()
    assert wake.event.is_set()


def test_room_for_an_empty_queue_wakes_nobody() -> None:
    wake = QueueWake()
    wake.is_empty = True
    wake.room_came()
    assert not wake.event.is_set()


async def test_texts_that_found_no_room_go_as_it_comes(tmp_path: Path) -> None:
    asked = list[tuple[Link, Pdu]]()

    async def keep(link: Link, one: Pdu) -> None:
        asked.append((link, one))

    smsc = await FaultySmsc(on_submit=keep).start()
    async with sending(tmp_path, smpp(smsc, more="window = 1")) as it, asyncio.TaskGroup() as tasks:
        await until(lambda: it.bridges.by_name["primary"].health().up)
        it.missed(CALLER, tasks=tasks)  # the first finds an empty queue, and takes the only place
        await until(lambda: len(asked) == 1)
        it.missed("+14155550141", "+14155550142", tasks=tasks)
        for count in range(3):
            await until(lambda: asked)
            link, one = asked.pop(0)
            link.answer(one)
            await it.until("accepted", count + 1)
        rows = await it.rows()
        assert all(row["attempts"] == 1 for row in rows)
    await smsc.stop()


async def test_the_only_place_is_not_kept_from_the_next_call_once_the_queue_is_empty(tmp_path: Path) -> None:
    """A look that took the last room may have left nothing behind: then the next text is claimed with its decision again."""
    smsc = await FaultySmsc().start()
    async with sending(tmp_path, smpp(smsc, more="window = 1")) as it, asyncio.TaskGroup() as tasks:
        await until(lambda: it.bridges.by_name["primary"].health().up)
        await it.add(1)  # by a look, which takes the only place
        await it.until("accepted", 1)
        it.missed(CALLER, tasks=tasks)
        await it.until("accepted", 2)
        queued = [fact for fact in it.happened if isinstance(fact, facts.TextQueued)]
        assert [fact.is_claimed_next for fact in queued] == [True]
    await smsc.stop()
