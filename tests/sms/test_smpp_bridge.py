"""The SMPP bridge against an SMSC that misbehaves: one certain outcome for every fault, and never a second submit."""

import asyncio
import ssl
import subprocess
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from pydantic import SecretStr
from structlog.testing import capture_logs

from config.bridges import Smpp
from sms.smpp import pdu
from sms.smpp.bridge import SmppBridge
from sms.smpp.pdu import Pdu
from sms.text import Accepted, NotSent, Outcome, Part, Receipt, Refusal, Refused, Reply, Text, Unknown
from tests.peers.faulty_smsc import FaultySmsc, Link, deliver_sm

TEXT = Text(key="7", to="+14155550123", sender="+14155550100", body="Hello")
LONG = Text(key="8", to="+14155550123", sender="+14155550100", body="x" * 400)


class KeepingSink:
    """A sink that keeps what it is given, or fails to."""

    def __init__(self) -> None:
        self.receipts: list[Receipt] = []
        self.replies: list[Reply] = []
        self.late_outcomes: list[tuple[str, Outcome]] = []
        self.changes = 0
        self.can_store = True

    async def receipt(self, receipt: Receipt) -> None:
        self.receipts.append(receipt)

    async def reply(self, reply: Reply) -> None:
        if not self.can_store:
            raise OSError("disk full")
        self.replies.append(reply)

    async def late(self, key: str, outcome: Outcome) -> None:
        self.late_outcomes.append((key, outcome))

    def bridge_changed(self, bridge: str) -> None:
        assert bridge == "primary"
        self.changes += 1


async def until(is_so: Callable[[], object], seconds: float = 60) -> None:
    """Wait for something to become so."""
    async with asyncio.timeout(seconds):
        while not is_so():
            await asyncio.sleep(0.005)


def configured(smsc: FaultySmsc, **settings: Any) -> Smpp:
    """The settings of a bridge to this SMSC, impatient."""
    values = {"response_timeout": timedelta(seconds=0.3), "enquire_link": timedelta(seconds=5), "per_second": None, **settings}
    return Smpp(kind="smpp", host="127.0.0.1", port=smsc.port, system_id="abc", password=SecretStr("secret"), **values)


async def stop(running: asyncio.Task[None]) -> None:
    """End a bridge. It may end in no other way, nor have ended before."""
    running.cancel()
    with pytest.raises(asyncio.CancelledError):
        await running


@asynccontextmanager
async def bound(
    smsc: FaultySmsc, *, wait: bool = True, bridge: SmppBridge | None = None, sink: KeepingSink | None = None, **settings: Any
) -> AsyncIterator[tuple[SmppBridge, KeepingSink]]:
    """A bridge that is bound to the SMSC."""
    bridge, sink = bridge or SmppBridge("primary", configured(smsc, **settings)), sink or KeepingSink()
    running = asyncio.create_task(bridge.run(sink))
    try:
        if wait:
            await until(lambda: bridge.health().up)
        yield bridge, sink
    finally:
        await stop(running)
        await smsc.stop()


async def test_accepted_with_the_smscs_id() -> None:
    smsc = await FaultySmsc().start()
    async with bound(smsc) as (bridge, _):
        assert await bridge.submit(TEXT) == Accepted(provider_ids=("1",))
    assert b"14155550123\0" in smsc.submitted[0]
    assert smsc.submitted[0].endswith(b"\x05Hello")


async def test_parts_bear_a_header_and_go_in_order() -> None:
    smsc = await FaultySmsc().start()
    async with bound(smsc) as (bridge, _):
        assert await bridge.submit(LONG) == Accepted(provider_ids=("1", "2", "3"))
    headers = [body[body.index(b"\x05\x00\x03") :][:6] for body in smsc.submitted]
    assert [(h[4], h[5]) for h in headers] == [(3, 1), (3, 2), (3, 3)]
    assert len({h[3] for h in headers}) == 1


@pytest.mark.parametrize(
    ("status", "kind"),
    [
        (0x58, Refusal.TEMPORARY),
        (0x14, Refusal.TEMPORARY),
        (0x0B, Refusal.NO_ROUTE),
        (0x0A, Refusal.CONFIGURATION),
        (0x66, Refusal.PERMANENT),
    ],
)
async def test_refused(status: int, kind: Refusal) -> None:
    async def refuse(link: Link, one: Pdu) -> None:
        link.answer(one, status)

    smsc = await FaultySmsc(on_submit=refuse).start()
    async with bound(smsc) as (bridge, _):
        outcome = await bridge.submit(TEXT)
        assert isinstance(outcome, Refused)
        assert outcome.kind is kind
        assert bridge.health().up
        assert (bridge.room() == 0) == (status in (0x58, 0x14))
    assert len(smsc.submitted) == 1


async def test_generic_nack_is_a_refusal() -> None:
    async def nack(link: Link, one: Pdu) -> None:
        link.send(pdu.GENERIC_NACK, 0x03, one.sequence)

    smsc = await FaultySmsc(on_submit=nack).start()
    async with bound(smsc) as (bridge, _):
        assert isinstance(await bridge.submit(TEXT), Refused)


async def test_silence_is_unknown_and_a_late_answer_settles_it() -> None:
    waiting: list[tuple[Link, Pdu]] = []

    async def wait(link: Link, one: Pdu) -> None:
        waiting.append((link, one))

    smsc = await FaultySmsc(on_submit=wait).start()
    async with bound(smsc) as (bridge, sink):
        assert isinstance(await bridge.submit(TEXT), Unknown)
        link, one = waiting[0]
        link.answer(one, 0, b"late\0")
        await until(lambda: sink.late_outcomes)
        assert sink.late_outcomes == [("7", Accepted(provider_ids=("late",)))]
    assert len(smsc.submitted) == 1


async def test_link_that_ends_before_the_answer_is_unknown_and_then_bound_again() -> None:
    async def hang_up(link: Link, one: Pdu) -> None:
        link.writer.transport.abort()

    smsc = await FaultySmsc(on_submit=hang_up).start()
    async with bound(smsc) as (bridge, _):
        assert isinstance(await bridge.submit(TEXT), Unknown)
        assert isinstance(await bridge.submit(TEXT), NotSent)
        await until(lambda: len(smsc.binds) == 2 and bridge.health().up)
    assert len(smsc.submitted) == 1


async def test_black_hole_takes_the_link_down() -> None:
    smsc = await FaultySmsc(answers_enquire_link=False).start()
    async with bound(smsc, enquire_link=timedelta(seconds=0.1)) as (bridge, _):
        await until(lambda: not bridge.health().up)
        assert "enquire_link" in bridge.health().detail


async def test_no_more_than_the_window_falls_into_a_black_hole() -> None:
    async def swallow(link: Link, one: Pdu) -> None:
        return

    smsc = await FaultySmsc(on_submit=swallow, answers_enquire_link=False).start()
    async with bound(smsc, window=5) as (bridge, sink):
        outcomes = await asyncio.gather(*(bridge.submit(TEXT) for _ in range(20)))
        assert [type(outcome) for outcome in outcomes] == [Unknown] * 5 + [NotSent] * 15
        assert bridge.room() == 0
        smsc.answers_enquire_link = True
        changes = sink.changes
        await until(lambda: bridge.room() == 5)
        assert sink.changes > changes
    assert len(smsc.submitted) == 5


@pytest.mark.parametrize("length", [0, 15, 65537, 0xFFFFFFFF])
async def test_impossible_length_ends_the_link_and_nothing_else(length: int) -> None:
    async def garbage(link: Link, one: Pdu) -> None:
        link.writer.write(pdu.HEADER.pack(length, 0x80000004, 0, one.sequence))

    smsc = await FaultySmsc(on_submit=garbage).start()
    async with bound(smsc) as (bridge, _):
        assert isinstance(await bridge.submit(TEXT), Unknown)
        smsc.on_submit = None
        await until(lambda: bridge.health().up)
        assert isinstance(await bridge.submit(TEXT), Accepted)


async def test_answers_in_reverse_order_find_their_texts() -> None:
    waiting: list[Pdu] = []

    async def reverse(link: Link, one: Pdu) -> None:
        waiting.append(one)
        if len(waiting) == 3:
            for each in reversed(waiting):
                link.answer(each, 0, str(each.sequence).encode() + b"\0")

    smsc = await FaultySmsc(on_submit=reverse).start()
    async with bound(smsc) as (bridge, _):
        outcomes = await asyncio.gather(*(bridge.submit(TEXT) for _ in range(3)))
    assert [o.provider_ids[0] for o in outcomes if isinstance(o, Accepted)] == [str(one.sequence) for one in waiting]


async def test_answer_to_a_text_that_was_never_sent_settles_nothing() -> None:
    async def wrong(link: Link, one: Pdu) -> None:
        link.send(one.command | pdu.RESPONSE, 0, one.sequence + 1000, b"1\0")

    smsc = await FaultySmsc(on_submit=wrong).start()
    async with bound(smsc) as (bridge, sink):
        with capture_logs() as logged:
            assert isinstance(await bridge.submit(TEXT), Unknown)
        assert [entry["event"] for entry in logged] == ["smpp_answer_to_nothing"]
        assert sink.late_outcomes == []
        assert bridge.health().up


async def test_window_is_never_passed() -> None:
    most = open_now = 0

    async def slow(link: Link, one: Pdu) -> None:
        nonlocal most, open_now
        open_now += 1
        most = max(most, open_now)

        def answer() -> None:
            nonlocal open_now
            open_now -= 1
            link.answer(one, 0, b"1\0")

        asyncio.get_running_loop().call_later(0.01, answer)

    smsc = await FaultySmsc(on_submit=slow).start()
    async with bound(smsc, window=5) as (bridge, _):
        outcomes = await asyncio.gather(*(bridge.submit(TEXT) for _ in range(50)))
    assert [type(outcome) for outcome in outcomes] == [Accepted] * 5 + [NotSent] * 45
    assert most == len(smsc.submitted) == 5


@pytest.mark.parametrize("status", [0x0E, 0x0F, 0x0D])
async def test_wrong_password_pauses_the_bridge(status: int) -> None:
    async def refuse(link: Link, one: Pdu) -> None:
        link.send(pdu.ENQUIRE_LINK, 0, 99)  # an SMSC may ask before it answers
        link.answer(one, status)

    smsc = await FaultySmsc(on_bind=refuse).start()
    async with bound(smsc, wait=False) as (bridge, _):
        await until(lambda: bridge.health().paused)
        assert not bridge.health().up
        assert bridge.room() == 0
        assert "secret" not in bridge.health().detail
        assert isinstance(await bridge.submit(TEXT), NotSent)


async def test_smsc_that_unbinds_is_answered_and_bound_again() -> None:
    smsc = await FaultySmsc().start()
    async with bound(smsc) as (bridge, _):
        smsc.links[0].send(pdu.UNBIND, 0, 5)
        await until(lambda: any(one.command == pdu.UNBIND | pdu.RESPONSE for one in smsc.responses))
        assert await bridge.submit(TEXT) == NotSent(detail="the SMSC ended the bind")
        smsc.links[0].writer.close()
        await until(lambda: len(smsc.binds) == 2 and bridge.health().up)


async def test_unknown_command_gets_generic_nack() -> None:
    smsc = await FaultySmsc().start()
    async with bound(smsc):
        smsc.links[0].send(0x00000777, 0, 6)
        await until(lambda: any(one.command == pdu.GENERIC_NACK and one.sequence == 6 for one in smsc.responses))


async def test_reply_is_acknowledged_only_when_stored() -> None:
    smsc = await FaultySmsc().start()
    async with bound(smsc) as (_, sink):
        sink.can_store = False
        smsc.links[0].writer.write(deliver_sm(1, b"STOP"))
        await until(lambda: smsc.responses)
        sink.can_store = True
        smsc.links[0].writer.write(deliver_sm(2, b"STOP", tlvs=b"\x13\x80\x00\x01x" + b"\x04\x0a\x00"))
        await until(lambda: len(smsc.responses) == 2)
        assert [(one.sequence, one.status) for one in smsc.responses] == [(1, 0x64), (2, 0)]
        assert [(r.sender, r.to, r.body) for r in sink.replies] == [("+14155550123", "+14155550100", "STOP")]


async def test_delivery_that_cannot_be_read_is_refused_for_good() -> None:
    smsc = await FaultySmsc().start()
    async with bound(smsc) as (bridge, _):
        smsc.links[0].send(pdu.DELIVER_SM, 0, 3, b"\0\x01")
        await until(lambda: smsc.responses)
        assert smsc.responses[0].status == pdu.ESME_RX_P_APPN
        assert bridge.health().up


async def test_byte_by_byte() -> None:
    async def drip(link: Link, one: Pdu) -> None:
        whole = pdu.header(one.command | pdu.RESPONSE, 0, one.sequence, b"drip\0")
        for octet in whole:
            link.writer.write(bytes((octet,)))
            await link.writer.drain()
            await asyncio.sleep(0.001)

    smsc = await FaultySmsc(on_submit=drip).start()
    async with bound(smsc, response_timeout=timedelta(seconds=30)) as (bridge, _):
        assert await bridge.submit(TEXT) == Accepted(provider_ids=("drip",))


async def test_goodbye_waits_for_answers_and_unbinds() -> None:
    async def slowly(link: Link, one: Pdu) -> None:
        asyncio.get_running_loop().call_later(0.2, lambda: link.answer(one, 0, b"9\0"))

    smsc = await FaultySmsc(on_submit=slowly).start()
    async with bound(smsc, response_timeout=timedelta(seconds=30)) as (bridge, _):
        submitting = asyncio.create_task(bridge.submit(TEXT))
        await until(lambda: smsc.submitted)
    assert await submitting == Accepted(provider_ids=("9",))


@pytest.mark.parametrize(
    ("sender", "settings", "source", "destination"),
    [
        ("+14155550100", {}, b"\x01\x0114155550100\0", b"\x01\x0114155550123\0"),
        ("ABC HVAC", {}, b"\x05\x00ABC HVAC\0", b"\x01\x0114155550123\0"),
        ("72345", {}, b"\x03\x0072345\0", b"\x01\x0114155550123\0"),
        (
            "+14155550100",
            {"source_ton": 2, "source_npi": 8, "dest_ton": 0, "dest_npi": 9},
            b"\x02\x0814155550100\0",
            b"\x00\x0914155550123\0",
        ),
    ],
)
async def test_addresses_bear_their_type_and_plan(sender: str, settings: Any, source: bytes, destination: bytes) -> None:
    smsc = await FaultySmsc().start()
    async with bound(smsc, service_type="VMN", system_type="office", **settings) as (bridge, _):
        assert isinstance(await bridge.submit(replace(TEXT, sender=sender)), Accepted)
    assert smsc.submitted[0].startswith(b"VMN\0" + source + destination)
    assert smsc.binds[0].body == b"abc\0secret\0office\0\x34\0\0\0"


async def test_transmitter_binds_as_one() -> None:
    smsc = await FaultySmsc().start()
    async with bound(smsc, bind="transmitter", receipts=False) as (bridge, _):
        assert isinstance(await bridge.submit(TEXT), Accepted)
    assert smsc.binds[0].command == pdu.BIND_TRANSMITTER
    assert smsc.submitted[0].endswith(b"\0\0\0\0\0\x05Hello")  # registered_delivery is 0 too


@pytest.mark.parametrize(("way", "count"), [("sar", 3), ("payload", 1)])
async def test_other_ways_of_long_texts(way: str, count: int) -> None:
    smsc = await FaultySmsc().start()
    async with bound(smsc, long_texts=way) as (bridge, _):
        assert isinstance(await bridge.submit(LONG), Accepted)
    assert len(smsc.submitted) == count
    assert all(b"\x05\x00\x03" not in body for body in smsc.submitted)


async def test_replies_by_data_sm_and_in_parts() -> None:
    smsc = await FaultySmsc().start()
    async with bound(smsc) as (_, sink):
        payload = b"\x04\x24\x00\x04STOP" + b"\x14\x01\x00\x01\x00" + b"\xff\xff\x00\x00"
        fields = b"\0\x01\x0114155550123\0\x01\x0114155550100\0\x00\x00\x00"
        smsc.links[0].send(pdu.DATA_SM, 0, 1, fields + payload)
        smsc.links[0].writer.write(deliver_sm(2, b"\x05\x00\x03\x07\x02\x02part", esm_class=0x40))
        await until(lambda: len(smsc.responses) == 2)
        assert [one.status for one in smsc.responses] == [0, 0]
        assert [(reply.body, reply.part) for reply in sink.replies] == [
            ("STOP", None),
            ("part", Part(reference=7, number=2, total=2)),
        ]


def certificate(directory: Path, name: str) -> tuple[Path, Path]:
    """A self-signed certificate for a host name, and its key."""
    cert, key = directory / f"{name}.pem", directory / f"{name}.key"
    command = ["openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-keyout", str(key), "-out", str(cert), "-days", "2"]
    subject = ["-subj", f"/CN={name}", "-addext", f"subjectAltName=DNS:{name}"]
    subprocess.run([*command, *subject], check=True, capture_output=True)
    return cert, key


@pytest.mark.parametrize(
    ("name", "is_trusted", "is_up"), [("localhost", True, True), ("other", True, False), ("localhost", False, False)]
)
async def test_tls_checks_authority_and_name(tmp_path: Path, name: str, is_trusted: bool, is_up: bool) -> None:
    cert, key = certificate(tmp_path, name)
    server = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    server.load_cert_chain(cert, key)
    smsc = await FaultySmsc().start(ssl=server)
    settings: dict[str, Any] = {"tls": True, **({"tls_ca": str(cert)} if is_trusted else {})}
    bridge = SmppBridge("primary", Smpp(kind="smpp", host="localhost", port=smsc.port, system_id="abc", **settings))
    sink = KeepingSink()
    running = asyncio.create_task(bridge.run(sink))
    await until(lambda: bridge.health().up or "certificate" in bridge.health().detail)
    assert bridge.health().up is is_up
    await stop(running)
    await smsc.stop()
