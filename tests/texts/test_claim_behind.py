"""The text of a call that was missed just now is claimed in the transaction that decides about it: real database, real bridges."""

import asyncio
import sqlite3
import threading
from collections.abc import Iterator
from contextlib import closing, contextmanager
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

from config.model import E164
from gateway.core import facts
from gateway.core.kind import TextKind
from gateway.store import consent, optouts, texts
from gateway.texts.outbox import LastTexts
from sms.smpp.pdu import Pdu
from tests.peers.faulty_smsc import FaultySmsc, Link
from tests.peers.provider import Provider
from tests.peers.sending import CALLER, Sending, sending, smpp, states, twilio
from tests.sms.test_smpp_bridge import until
from tests.texts.test_outbox import reload

CALLERS = tuple(f"+1415555{number:04d}" for number in range(200, 240))


def text_of(line: str) -> texts.NewText:
    now = datetime.now(UTC)
    return texts.NewText(
        call=None, kind=TextKind.MISSED_CALL, line=line, recipient=CALLER, region="US", sender="+14155550101", body="x",
        segments=1, queued_at=now, due_at=now, expires_at=now + timedelta(minutes=5),
    )  # fmt: skip


@contextmanager
def busy(it: Sending) -> Iterator[None]:
    """The store's thread is kept, so that what is asked meanwhile is one group."""
    may_go, is_kept = threading.Event(), threading.Event()

    def keep(_: sqlite3.Connection) -> None:
        is_kept.set()
        may_go.wait(20)

    it.store.run(keep).add_done_callback(lambda done: done.result())
    assert is_kept.wait(20)
    yield
    may_go.set()


def committed(it: Sending) -> list[str]:
    """What another connection sees of the texts' states."""
    with closing(sqlite3.connect(it.config.data_dir / "textback.db")) as db:
        return [row[0] for row in db.execute("SELECT state FROM texts ORDER BY id")]


async def test_decision_and_claim_are_one_commit(tmp_path: Path) -> None:
    smsc, seen = await FaultySmsc().start(), list[list[str]]()
    async with sending(tmp_path, smpp(smsc)) as it, asyncio.TaskGroup() as tasks:
        await until(lambda: it.bridges.by_name["primary"].health().up)
        it.publisher.listen(lambda fact: seen.append(committed(it)) if isinstance(fact, facts.CallMissed) else None)
        with busy(it):
            it.missed(CALLER, tasks=tasks)
        (row,) = await it.until("accepted")
        assert (row["attempts"], row["recipient"]) == (1, CALLER)
        assert seen == [["sending"]]  # nobody has ever seen it queued
    assert len(smsc.submitted) == 1
    await smsc.stop()


async def test_window_is_never_passed_and_each_goes_once(tmp_path: Path) -> None:
    asked = list[tuple[Link, Pdu]]()

    async def keep(link: Link, one: Pdu) -> None:
        asked.append((link, one))

    smsc, most = await FaultySmsc(on_submit=keep).start(), 0
    async with sending(tmp_path, smpp(smsc, more="window = 2")) as it, asyncio.TaskGroup() as tasks:
        await until(lambda: it.bridges.by_name["primary"].health().up)
        with busy(it):
            it.missed(*CALLERS, tasks=tasks)
        for _ in CALLERS:
            await until(lambda: asked)
            most = max(most, len(asked))
            link, one = asked.pop(0)
            link.answer(one)
        rows = await it.until("accepted", len(CALLERS))
        assert {row["attempts"] for row in rows} == {1}
    assert most <= 2
    assert len(smsc.submitted) == len(CALLERS)
    await smsc.stop()


async def test_texts_that_wait_already_go_first(tmp_path: Path) -> None:
    asked = list[tuple[Link, Pdu]]()

    async def keep(link: Link, one: Pdu) -> None:
        asked.append((link, one))

    smsc = await FaultySmsc(on_submit=keep).start()
    async with sending(tmp_path, smpp(smsc, more="window = 1")) as it, asyncio.TaskGroup() as tasks:
        await until(lambda: it.bridges.by_name["primary"].health().up)
        await it.add(3)
        for count in range(4):
            await until(lambda: asked)
            link, one = asked.pop(0)
            if count == 1:
                it.missed(CALLER, tasks=tasks)
            link.answer(one)
        rows = sorted(await it.until("accepted", 4), key=lambda row: row["claimed_at"])
        assert rows[-1]["recipient"] == CALLER
    await smsc.stop()


async def test_stop_said_in_the_same_moment(tmp_path: Path) -> None:
    smsc = await FaultySmsc().start()
    async with sending(tmp_path, smpp(smsc)) as it, asyncio.TaskGroup() as tasks:
        await until(lambda: it.bridges.by_name["primary"].health().up)
        with busy(it):
            out = it.store.run(optouts.opt_out, E164(CALLERS[0]), datetime.now(UTC), optouts.BY_A_PERSON)
            it.missed(*CALLERS[:2], tasks=tasks)
        await out
        rows = await it.until("accepted")
        assert [row["recipient"] for row in rows] == [CALLERS[1]]
        assert await it.store.run(consent.opted_out_at, E164(CALLERS[0]))
    assert len(smsc.submitted) == 1
    await smsc.stop()


async def test_bridge_that_goes_between_claim_and_hand_over(tmp_path: Path) -> None:
    provider = await Provider().start()
    async with sending(tmp_path, twilio(provider, tmp_path, "old")) as it, asyncio.TaskGroup() as tasks:
        await until(lambda: it.bridges.by_name["old"].health().up)
        with busy(it):
            it.missed(*CALLERS, tasks=tasks)
            reload(it, twilio(provider, tmp_path, "new"))
        rows = await it.until("accepted", len(CALLERS), seconds=40)
        assert {row["bridge"] for row in rows} == {"new"}
    await provider.stop()
    assert len(provider.sent) == len(CALLERS)


async def test_stop_of_the_gateway_between_claim_and_hand_over(tmp_path: Path) -> None:
    smsc = await FaultySmsc().start()
    async with (
        asyncio.TaskGroup() as tasks,
        sending(tmp_path, smpp(smsc), last=LastTexts(claim_within_s=5, answers_within_s=5)) as it,
    ):
        await until(lambda: it.bridges.by_name["primary"].health().up)
        with busy(it):
            it.missed(*CALLERS[:5], tasks=tasks)
    assert states(tmp_path) == {"accepted": 5}
    assert len(smsc.submitted) == 5
    await smsc.stop()


async def test_no_room_no_claim(tmp_path: Path) -> None:
    """A bridge that is down gets nothing; the text waits for it."""
    smsc = await FaultySmsc().start()
    await smsc.stop()
    async with sending(tmp_path, smpp(smsc)) as it, asyncio.TaskGroup() as tasks:
        journal = it.missed(CALLER, tasks=tasks)
        await journal.finish(10)
        assert [row["state"] for row in await it.rows()] == ["queued"]


async def test_round_that_was_short_of_promised_room_is_made_up_for(tmp_path: Path) -> None:
    """A claim that brings nothing held the only place while a round looked for another line's text."""
    smsc = await FaultySmsc().start()
    other = '[line.back]\nnumber = "+14155550101"\nbusiness = "ABC HVAC"\n'
    async with sending(tmp_path, smpp(smsc, more="window = 1"), line=other) as it, asyncio.TaskGroup() as tasks:
        await until(lambda: it.bridges.by_name["primary"].health().up)
        with busy(it):
            it.missed("+18005550199", tasks=tasks)  # toll-free: not texted
            added = it.store.run(texts.add, text_of("back"))
            it.outbox.wake()
            for _ in range(10):  # the round asks for room and puts its claim behind
                await asyncio.sleep(0)
        await added
        assert [row["line"] for row in await it.until("accepted")] == ["back"]
    await smsc.stop()


async def test_claim_that_took_an_older_text_of_the_line_leaves_none_behind(tmp_path: Path) -> None:
    smsc = await FaultySmsc().start()
    async with sending(tmp_path, smpp(smsc)) as it, asyncio.TaskGroup() as tasks:
        await until(lambda: it.bridges.by_name["primary"].health().up)
        with busy(it):
            added = it.store.run(texts.add, replace(text_of("front"), recipient=E164(CALLERS[0])))  # and nobody is woken
            it.missed(CALLERS[1], tasks=tasks)
        await added
        rows = await it.until("accepted", 2)
        assert {row["recipient"] for row in rows} == {*CALLERS[:2]}
    await smsc.stop()


async def test_claim_that_finds_the_file_locked_is_made_up_for(tmp_path: Path) -> None:
    """The decision waits for the file, its claim does not."""
    smsc = await FaultySmsc().start()
    async with sending(tmp_path, smpp(smsc)) as it, asyncio.TaskGroup() as tasks:
        await until(lambda: it.bridges.by_name["primary"].health().up)
        with closing(sqlite3.connect(it.config.data_dir / "textback.db", isolation_level=None)) as other:
            other.execute("BEGIN IMMEDIATE")
            it.missed(CALLER, tasks=tasks)
            await until(lambda: it.store.last_error)
            other.execute("ROLLBACK")
            await until(lambda: not it.store.last_error)
        (row,) = await it.until("accepted")
        assert (row["attempts"], row["recipient"]) == (1, CALLER)
    assert len(smsc.submitted) == 1
    await smsc.stop()
