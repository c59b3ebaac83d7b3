"""The bind's life: refused because it is taken, lost in the middle, ended by a fault of ours; and that it does not grow."""

import asyncio
import socket
import ssl
import struct
import tracemalloc
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest
from structlog.testing import capture_logs

from sms.smpp import pdu
from sms.smpp.bridge import SmppBridge
from sms.smpp.pdu import Pdu
from sms.smpp.session import Session, Timeouts
from sms.text import Accepted, NotSent, Outcome, Receipt, Reply, Unknown
from tests.peers.faulty_smsc import Answer, FaultySmsc, Link, deliver_sm
from tests.sms.test_smpp_bridge import LONG, TEXT, KeepingSink, bound, certificate, configured, stop, until
from tests.sms.test_smpp_parts import NEVER, by_part

TAKEN = 0x05


def taken(times: int, *, closes: bool = False) -> Answer:
    """Refuses so many binds because another has the system_id."""
    count = 0

    async def answer(link: Link, one: Pdu) -> None:
        nonlocal count
        count += 1
        link.answer(one, TAKEN if count <= times else 0, b"" if count <= times else b"smsc\0")
        if closes and count <= times:
            link.writer.close()

    return answer


# --- a system_id that is bound already ---


@pytest.mark.parametrize("closes", [False, True])
async def test_bind_that_is_taken_is_tried_again_within_seconds_and_said(closes: bool) -> None:
    smsc = await FaultySmsc(on_bind=taken(2, closes=closes)).start()
    async with bound(smsc, wait=False) as (bridge, _):
        await until(lambda: "already bound" in bridge.health().detail)
        assert not bridge.health().paused
        assert bridge.room() == 0
        outcome = await bridge.submit(TEXT)
        assert isinstance(outcome, NotSent)
        assert "already bound" in outcome.detail
        await until(lambda: bridge.health().up, 20)
    assert len(smsc.binds) == 3


def reset(link: Link) -> None:
    """Close as by a crash: what has arrived and is not read yet may be thrown away."""
    link.writer.get_extra_info("socket").setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    link.writer.transport.abort()


async def as_it_should(link: Link, one: Pdu) -> None:
    link.answer(one, TAKEN)


async def without_its_sequence(link: Link, one: Pdu) -> None:
    link.send(one.command | pdu.RESPONSE, TAKEN, 0)


async def as_a_generic_nack(link: Link, one: Pdu) -> None:
    link.send(pdu.GENERIC_NACK, TAKEN, one.sequence)


async def as_a_generic_nack_without_its_sequence(link: Link, one: Pdu) -> None:
    link.send(pdu.GENERIC_NACK, TAKEN, 0)


async def with_an_unbind(link: Link, one: Pdu) -> None:
    link.answer(one, TAKEN)
    link.send(pdu.UNBIND, 0, 9)


@pytest.mark.parametrize(
    ("refuse", "ends"),
    [
        (as_it_should, "stays"),
        (as_it_should, "closes"),
        (as_it_should, "resets"),
        (without_its_sequence, "closes"),
        (as_a_generic_nack, "closes"),
        (as_a_generic_nack_without_its_sequence, "resets"),
        (with_an_unbind, "closes"),
    ],
)
async def test_taken_is_said_however_the_smsc_says_it_and_goes(refuse: Answer, ends: str) -> None:
    """Down at first, because our own bind of before may not have ended; after a while an error, and paused."""

    async def answer(link: Link, one: Pdu) -> None:
        await refuse(link, one)
        if ends == "closes":
            link.writer.close()
        elif ends == "resets":
            reset(link)

    smsc = await FaultySmsc(on_bind=answer).start()
    bridge = SmppBridge("primary", configured(smsc, response_timeout=timedelta(seconds=5)), taken_for_s=0.5)
    with capture_logs() as logged:
        async with bound(smsc, wait=False, bridge=bridge):
            await until(lambda: smsc.binds and "already bound" in bridge.health().detail)
            assert (bridge.health().up, bridge.health().paused) == (False, False)
            await until(lambda: bridge.health().paused)
            assert not bridge.health().up
            assert "another program" in bridge.health().detail
    said = [(entry["event"], entry["log_level"]) for entry in logged]
    assert said == [("bridge_down", "warning"), ("bridge_paused", "error")]


async def test_smsc_that_says_taken_and_then_only_hangs_up_is_told_once() -> None:
    count = 0

    async def refuse_then_hang_up(link: Link, one: Pdu) -> None:
        nonlocal count
        count += 1
        if count % 2:
            link.answer(one, TAKEN)
        link.writer.close()

    smsc = await FaultySmsc(on_bind=refuse_then_hang_up).start()
    bridge = SmppBridge("primary", configured(smsc), taken_for_s=2)
    with capture_logs() as logged:
        async with bound(smsc, wait=False, bridge=bridge):
            await until(lambda: bridge.health().paused)
            assert "already bound" in bridge.health().detail
    assert [entry["event"] for entry in logged] == ["bridge_down", "bridge_paused"]


async def test_smsc_that_hangs_up_instead_of_answering_the_bind_says_what_that_may_mean() -> None:
    async def hang_up(link: Link, one: Pdu) -> None:
        link.writer.close()

    smsc = await FaultySmsc(on_bind=hang_up).start()
    async with bound(smsc, wait=False) as (bridge, _):
        await until(lambda: "instead of answering the bind" in bridge.health().detail)
        assert "already bound" in bridge.health().detail
        assert not bridge.health().paused


async def test_bind_waits_for_the_one_before() -> None:
    """An SMSC with one bind a system_id; the bridge of a changed configuration comes before the old one has gone."""
    one_bind = asyncio.Semaphore(1)

    async def only_one(link: Link, one: Pdu) -> None:
        if one_bind.locked():
            link.answer(one, TAKEN)
            return
        await one_bind.acquire()
        link.answer(one, 0, b"smsc\0")

    smsc = await FaultySmsc(on_bind=only_one).start()
    old, sink = SmppBridge("primary", configured(smsc)), KeepingSink()
    running = asyncio.create_task(old.run(sink))
    await until(lambda: old.health().up)
    async with bound(smsc, wait=False) as (new, _):
        await until(lambda: "already bound" in new.health().detail)
        assert not new.health().paused
        await stop(running)
        one_bind.release()
        await until(lambda: new.health().up, 20)
        assert await new.submit(TEXT) == Accepted(provider_ids=("1",))


async def test_bind_that_stays_taken_is_told_once_as_an_error_and_still_tried() -> None:
    smsc = await FaultySmsc(on_bind=taken(3)).start()
    bridge = SmppBridge("primary", configured(smsc), taken_for_s=0.5)
    with capture_logs() as logged:
        async with bound(smsc, wait=False, bridge=bridge):
            await until(lambda: bridge.health().paused, 20)
            assert "another program uses this system_id" in bridge.health().detail
            await until(lambda: bridge.health().up, 30)
            assert not bridge.health().paused
    errors = [entry for entry in logged if entry["log_level"] == "error"]
    assert [entry["event"] for entry in errors] == ["bridge_paused"]
    assert "stop the other program" in errors[0]["cure"]
    assert len([entry for entry in logged if entry["event"] == "bridge_down"]) == 1


# --- links that end ---


async def test_tls_that_ends_in_the_middle_of_a_pdu(tmp_path: Path) -> None:
    cert, key = certificate(tmp_path, "localhost")
    server = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    server.load_cert_chain(cert, key)

    async def half(link: Link, one: Pdu) -> None:
        if len(smsc.submitted) == 1:
            link.writer.write(pdu.header(one.command | pdu.RESPONSE, 0, one.sequence, b"1\0")[:9])
            link.writer.close()
        else:
            link.answer(one, 0, b"2\0")

    smsc = await FaultySmsc(on_submit=half).start(ssl=server)
    settings = configured(smsc).model_copy(update={"host": "localhost", "tls": True, "tls_ca": str(cert)})
    bridge = SmppBridge("primary", settings)
    async with bound(smsc, bridge=bridge):
        outcome = await bridge.submit(TEXT)
        assert isinstance(outcome, Unknown)
        assert "the link ended before the answer" in outcome.detail
        await until(lambda: len(smsc.binds) == 2 and bridge.health().up, 20)
        assert await bridge.submit(TEXT) == Accepted(provider_ids=("2",))


async def test_late_answers_count_though_the_link_ends_right_behind_them() -> None:
    waiting: list[tuple[Link, Pdu]] = []

    async def wait(link: Link, one: Pdu) -> None:
        waiting.append((link, one))

    class Slow(KeepingSink):
        async def late(self, key: str, outcome: Outcome) -> None:
            await asyncio.sleep(0.02)
            await super().late(key, outcome)

    smsc = await FaultySmsc(on_submit=wait).start()
    async with bound(smsc, sink=Slow()) as (bridge, sink):
        outcomes = await asyncio.gather(*(bridge.submit(TEXT) for _ in range(5)))
        assert {type(outcome) for outcome in outcomes} == {Unknown}
        for link, one in waiting:
            link.answer(one, 0, b"late\0")
        waiting[0][0].writer.close()
        await until(lambda: len(sink.late_outcomes) >= 4)  # one may be just being stored when the link ends


async def test_late_answers_are_not_lost_behind_many_deliveries() -> None:
    waiting: list[tuple[Link, Pdu]] = []
    may_store = asyncio.Event()

    async def wait(link: Link, one: Pdu) -> None:
        waiting.append((link, one))

    class Stuck(KeepingSink):
        async def reply(self, reply: Reply) -> None:
            await may_store.wait()
            await super().reply(reply)

    smsc = await FaultySmsc(on_submit=wait).start()
    async with bound(smsc, sink=Stuck()) as (bridge, sink):
        assert isinstance(await bridge.submit(TEXT), Unknown)
        link, one = waiting[0]
        link.writer.write(b"".join(deliver_sm(1000 + number, b"Hello") for number in range(250)))
        await until(lambda: smsc.responses)
        assert {response.status for response in smsc.responses} == {pdu.ESME_RMSGQFUL}
        link.answer(one, 0, b"late\0")
        await until(lambda: sink.late_outcomes)
        may_store.set()
        await until(lambda: len(smsc.responses) == 250)
        assert len(sink.replies) == sum(response.status == 0 for response in smsc.responses)


async def test_smsc_that_sends_and_does_not_read_is_left() -> None:
    """Our answers to it would pile up in memory."""
    smsc = await FaultySmsc().start()
    async with bound(smsc) as (bridge, _):
        link = smsc.links[0]
        link.writer.transport.pause_reading()  # type: ignore[attr-defined]
        asked = b"".join(pdu.enquire_link(number) for number in range(1, 20_000))
        async with asyncio.timeout(20):
            while bridge.health().up:
                link.writer.write(asked)
                await link.writer.drain()
                await asyncio.sleep(0.001)
        assert "does not read" in bridge.health().detail
        await until(lambda: bridge.health().up, 20)


# --- faults of our own, and of whoever stores ---


async def test_a_fault_of_our_own_is_logged_and_the_bridge_binds_again() -> None:
    class Faulty(KeepingSink):
        has_fault = False

        def bridge_changed(self, bridge: str) -> None:
            super().bridge_changed(bridge)
            if self.has_fault:
                self.has_fault = False
                raise RuntimeError("a fault of ours")

    waiting: list[tuple[Link, Pdu]] = []

    async def wait(link: Link, one: Pdu) -> None:
        waiting.append((link, one))

    smsc = await FaultySmsc(on_submit=wait).start()
    sink = Faulty()
    with capture_logs() as logged:
        async with bound(smsc, sink=sink, enquire_link=timedelta(seconds=60)) as (bridge, _):
            first = asyncio.create_task(bridge.submit(TEXT))
            await until(lambda: len(waiting) == 1)
            await asyncio.sleep(0.1)
            second = asyncio.create_task(bridge.submit(TEXT))
            smsc.answers_enquire_link = False
            assert isinstance(await first, Unknown)  # and the link is in doubt now
            sink.has_fault = True
            waiting[0][0].send(pdu.ENQUIRE_LINK, 0, 1)  # a sign of life, which the sink is told of
            assert isinstance(await second, Unknown)
            await until(lambda: len(smsc.binds) == 2 and bridge.health().up, 20)
            smsc.on_submit = None
            assert isinstance(await bridge.submit(TEXT), Accepted)
    assert [entry["event"] for entry in logged if entry["log_level"] == "error"] == ["bridge_failed"]


@pytest.mark.parametrize("error", [ValueError("no such thing"), UnicodeError("odd"), OSError("disk full")])
async def test_whatever_keeps_a_reply_from_being_stored_it_comes_again(error: Exception) -> None:
    class Failing(KeepingSink):
        async def reply(self, reply: Reply) -> None:
            raise error

        async def receipt(self, receipt: Receipt) -> None:
            raise error

    smsc = await FaultySmsc().start()
    async with bound(smsc, sink=Failing()):
        smsc.links[0].writer.write(deliver_sm(1, b"STOP") + deliver_sm(2, b"id:1 stat:DELIVRD", esm_class=4))
        await until(lambda: len(smsc.responses) == 2)
        assert [response.status for response in smsc.responses] == [pdu.ESME_RX_T_APPN] * 2


async def test_late_answer_that_cannot_be_stored_costs_nothing_else() -> None:
    waiting: list[tuple[Link, Pdu]] = []

    async def wait(link: Link, one: Pdu) -> None:
        waiting.append((link, one))

    class Failing(KeepingSink):
        async def late(self, key: str, outcome: Outcome) -> None:
            raise OSError("disk full")

    smsc = await FaultySmsc(on_submit=wait).start()
    with capture_logs() as logged:
        async with bound(smsc, sink=Failing()) as (bridge, _):
            assert isinstance(await bridge.submit(TEXT), Unknown)
            waiting[0][0].answer(waiting[0][1], 0, b"late\0")
            await until(lambda: any(entry["event"] == "late_answer_not_stored" for entry in logged))
            smsc.on_submit = None
            assert isinstance(await bridge.submit(TEXT), Accepted)
    assert len(smsc.binds) == 1


async def test_smsc_that_answers_everything_twice() -> None:
    async def twice(link: Link, one: Pdu) -> None:
        link.answer(one, 0, b"first\0")
        link.answer(one, 0x0B)

    smsc = await FaultySmsc(on_submit=twice).start()
    async with bound(smsc, window=3) as (bridge, sink):
        for _ in range(4):
            outcomes = await asyncio.gather(*(bridge.submit(TEXT) for _ in range(3)))
            assert outcomes == [Accepted(provider_ids=("first",))] * 3
        assert await bridge.submit(LONG) == Accepted(provider_ids=("first",) * 3)
        assert sink.late_outcomes == []
        assert bridge.room() == 3
    assert len(smsc.binds) == 1


async def test_after_its_end_a_bridge_takes_nothing() -> None:
    smsc = await FaultySmsc().start()
    async with bound(smsc) as (bridge, _):
        assert bridge.room() > 0
    assert bridge.room() == 0
    assert not bridge.health().up
    assert await bridge.submit(TEXT) == NotSent(detail="the bridge was stopped")
    assert smsc.submitted == []


@pytest.mark.parametrize("steps", range(0, 60, 3))
async def test_cancelled_anywhere_it_loses_nothing_and_leaves_nothing_behind(steps: int) -> None:
    """Whatever it was doing after so many turns of the loop; what is said to be unsent was not sent."""
    smsc = await FaultySmsc(on_submit=by_part(0, 0, NEVER, 0x64, 0)).start()
    bridge, sink = SmppBridge("primary", configured(smsc, response_timeout=timedelta(seconds=0.1))), KeepingSink()
    running = asyncio.create_task(bridge.run(sink))
    texts = [replace(TEXT, body=f"{number}th text {'x' * 400 * (number % 2)}") for number in range(4)]
    submits: list[asyncio.Task[Outcome]] = []
    for _ in range(steps):
        await asyncio.sleep(0)
        if bridge.room() and len(submits) < len(texts):
            submits.append(asyncio.create_task(bridge.submit(texts[len(submits)])))
    running.cancel()
    async with asyncio.timeout(20):
        await asyncio.gather(running, return_exceptions=True)
        outcomes = await asyncio.gather(*submits)
    assert running.cancelled()
    taken = b"".join(smsc.submitted)
    for text, outcome in zip(texts, outcomes, strict=False):
        assert (text.body[:8].encode() in taken) != isinstance(outcome, NotSent)
    await smsc.stop()
    left = {task.get_name() for task in asyncio.all_tasks() if task.get_name().startswith(("smpp", "submit"))}
    assert left == set()


# --- what must not grow ---


async def test_sequence_numbers_take_no_memory() -> None:
    async def nothing(one: Pdu) -> int:
        return 0

    smsc = await FaultySmsc().start()
    reader, writer = await asyncio.open_connection("127.0.0.1", smsc.port)
    timeouts = Timeouts(response=timedelta(seconds=1), enquire_link=timedelta(seconds=1))
    session = Session(reader, writer, timeouts=timeouts, deliver=nothing, alive=lambda: None)
    tracemalloc.start()
    try:
        seen = {session.next_sequence() for _ in range(10)}
        before = tracemalloc.get_traced_memory()[0]
        for _ in range(50_000):
            session.next_sequence()
        assert tracemalloc.get_traced_memory()[0] - before < 10_000
    finally:
        tracemalloc.stop()
        session.close("done")
        await smsc.stop()
    assert seen == set(range(1, 11))
