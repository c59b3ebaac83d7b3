"""The real agent and requests that are no calls: none is promised anything, and each is counted."""

import asyncio
import re
import socket
from itertools import count

import pytest

from sip.protocol import Busy, CallArrived, CallEnded, Pulse, Refused, RingTimedOut, Trunk
from tests.peers.gateway import PATIENCE_S
from tests.peers.raw_caller import RawCaller
from tests.sip.test_agent import RunningAgent
from tests.sip.test_mid_ring import hang_up, ring

PBX = Trunk(name="pbx", peers=("127.0.0.1",), ring_seconds=1)
ALLOWED = {"INVITE", "ACK", "CANCEL", "BYE", "OPTIONS", "PRACK", "UPDATE"}
STATUSES = {
    "MESSAGE": 405, "SUBSCRIBE": 405, "NOTIFY": 405, "PUBLISH": 405, "REFER": 405, "INFO": 405, "REGISTER": 405,
    "BYE": 481, "UPDATE": 481, "PRACK": 481, "message": 501, "WHATEVER": 501,
}  # fmt: skip
"""By method, outside a call."""
EVENT = ("Event: presence", "Refer-To: <sip:+14155550199@pbx>", "Expires: 60", "RAck: 1 1 INVITE")


def allowed(response_headers: dict[str, str]) -> set[str]:
    return {method.strip() for method in response_headers["allow"].split(",")}


async def ask(caller: RawCaller, method: str, body: str = "STOP") -> tuple[int, set[str]]:
    """The final status of one request, and what Allow names."""
    caller.send(method, *EVENT, body=body, content_type="text/plain")
    response = await asyncio.to_thread(caller.until, 200, method)
    return response.status, allowed(response.headers) if "allow" in response.headers else set()


@pytest.mark.parametrize("transport", ["udp", "tcp"])
async def test_a_request_that_nobody_takes_is_refused_and_counted(transport: str) -> None:
    async with RunningAgent(trunks=(PBX,), places=("udp:127.0.0.1", "tcp:127.0.0.1")) as agent:
        with RawCaller(agent.port, transport=transport) as caller:
            answers = {method: await ask(caller, method) for method in STATUSES}
            assert {method: status for method, (status, _) in answers.items()} == STATUSES
            assert all(allow == ALLOWED for status, allow in answers.values() if status == 405)
            assert await ask(caller, "OPTIONS") == (200, ALLOWED)
        await agent.until(lambda: agent.of(Pulse)[-1].not_taken == len(STATUSES))
        assert agent.of(Pulse)[-1].last_not_taken.startswith("WHATEVER of pbx (127.0.0.1:")
        assert agent.of(Pulse)[-1].strangers == agent.of(Pulse)[-1].malformed == 0


async def test_a_call_takes_no_other_requests_either() -> None:
    """In its dialog the SIP stack would follow a REFER, and say 200 to INFO and MESSAGE."""
    async with RunningAgent(trunks=(Trunk(name="pbx", peers=("127.0.0.1",), ring_seconds=60),)) as agent:
        with RawCaller(agent.port) as caller:
            await ring(agent, caller)
            for method in ("MESSAGE", "INFO", "REFER", "SUBSCRIBE", "NOTIFY"):
                assert await ask(caller, method) == (405, ALLOWED), method
            await hang_up(agent, caller)
        await agent.until(lambda: agent.of(Pulse)[-1].not_taken == 5)


async def test_a_stranger_is_forbidden_all_of_it() -> None:
    async with RunningAgent(trunks=()) as agent:
        with RawCaller(agent.port) as caller:
            assert {method: (await ask(caller, method))[0] for method in STATUSES} == dict.fromkeys(STATUSES, 403)
        await agent.until(lambda: agent.of(Pulse)[-1].strangers == len(STATUSES))
        assert agent.of(Pulse)[-1].not_taken == 0


# --- what cannot be read ----------------------------------------------------------------------------------------------

INVITE = {
    "start": "INVITE sip:+14155550100@127.0.0.1 SIP/2.0",
    "Via": "SIP/2.0/{transport} {at};branch=z9hG4bK-{id}",
    "Max-Forwards": "70",
    "From": "<sip:+14155550123@127.0.0.1>;tag=raw",
    "To": "<sip:+14155550100@127.0.0.1>",
    "Call-ID": "{id}",
    "CSeq": "1 INVITE",
    "Contact": "<sip:raw@{at}>",
    "Content-Length": "0",
}
GONE = "\0"
REFUSED, BUSY, SILENT, RINGS = 400, 486, 0, 180
BROKEN: dict[str, tuple[dict[str, str], int] | tuple[dict[str, str], int, int]] = {
    "start line without a version": ({"start": "INVITE sip:+14155550100@127.0.0.1"}, REFUSED),
    "another version": ({"start": "INVITE sip:+14155550100@127.0.0.1 SIP/7.0"}, REFUSED),
    "a URI that is none": ({"start": "INVITE <<>> SIP/2.0"}, REFUSED),
    "a scheme that nobody knows": ({"start": "INVITE nobodyKnows:this SIP/2.0"}, REFUSED),
    "no URI": ({"start": "INVITE SIP/2.0"}, REFUSED),
    "From with a bracket open": ({"From": "<sip:+14155550123@127.0.0.1;tag=raw"}, REFUSED),
    "From with a quote open": ({"From": '"Ann <sip:+14155550123@127.0.0.1>;tag=raw'}, REFUSED),
    "From that is no address": ({"From": "who knows"}, REFUSED),
    "From that is empty": ({"From": ""}, SILENT),
    "From that is no text": ({"From": "<sip:\udcff\udcfe@127.0.0.1;tag=raw"}, REFUSED),
    "no From": ({"From": GONE}, SILENT),
    "From of a scheme that nobody knows": ({"From": "<nobody:+14155550123>;tag=raw"}, RINGS),
    "To with a bracket open": ({"To": "<sip:+14155550100@127.0.0.1"}, REFUSED),
    "no To": ({"To": GONE}, SILENT),
    "CSeq without a method": ({"CSeq": "1"}, REFUSED),
    "CSeq that is no number": ({"CSeq": "one INVITE"}, REFUSED),
    "CSeq beyond its range": ({"CSeq": "99999999999999999999 INVITE"}, REFUSED),
    "CSeq of another method": ({"CSeq": "1 OPTIONS"}, BUSY),
    "no CSeq": ({"CSeq": GONE}, SILENT),
    "Via that is none": ({"Via": "what is this"}, SILENT),
    "Via of another version": ({"Via": "SIP/7.0/UDP {at};branch=z9hG4bK-{id}"}, SILENT),
    "Via without a host": ({"Via": "SIP/2.0/{transport} ;branch=z9hG4bK-{id}"}, SILENT),
    "Via that is too long": ({"Via": "SIP/2.0/{transport} {at};branch=z9hG4bK-{id};x=" + "y" * 20_000}, SILENT),
    "no Via": ({"Via": GONE}, SILENT),
    "Contact with a bracket open": ({"Contact": "<sip:raw@127.0.0.1"}, REFUSED),
    "Contact that is no address": ({"Contact": "???"}, REFUSED),
    "no Contact": ({"Contact": GONE}, REFUSED),
    "Call-ID that is empty": ({"Call-ID": ""}, SILENT),
    "no Call-ID": ({"Call-ID": GONE}, SILENT),
    "Content-Length that is no number": ({"Content-Length": "many"}, REFUSED),
    "Content-Length below nothing": ({"Content-Length": "-1"}, REFUSED),
    "Content-Length beyond its range": ({"Content-Length": "99999999999999999999"}, REFUSED),
    "no Content-Length": ({"Content-Length": GONE}, RINGS, REFUSED),
    "Max-Forwards that is no number": ({"Max-Forwards": "lots"}, REFUSED),
    "Expires that is no number": ({"Expires": "never"}, REFUSED),
    "Content-Type that is none": ({"Content-Type": "???"}, REFUSED),
    "a header without a name": ({"": "x"}, REFUSED),
    "a line that is no header": ({"nothing\r\nSubject": "x"}, REFUSED),
    "a header that is too long": ({"Subject": "x" * 20_000}, RINGS, REFUSED),
}
"""What differs from a good INVITE, and what it gets; by TCP where that is something else. A UDP datagram is cut where it is too long."""
_numbers = count(1)


def broken(name: str, transport: str, at: str) -> bytes:
    start, *headers = {**INVITE, **BROKEN[name][0]}.items()
    lines = [start[1], *(f"{header}: {value}" for header, value in headers if value != GONE), "", ""]
    text = "\r\n".join(lines)
    for word, value in {"{transport}": transport.upper(), "{at}": at, "{id}": f"broken-{next(_numbers)}-{at}"}.items():
        text = text.replace(word, value)
    return text.encode(errors="surrogateescape")


class Peer:
    """Sends one of them."""

    def __init__(self, port: int, transport: str, name: str) -> None:
        self._socket = socket.socket(socket.AF_INET, socket.SOCK_STREAM if transport == "tcp" else socket.SOCK_DGRAM)
        self._socket.settimeout(PATIENCE_S)
        self._socket.bind(("127.0.0.1", 0))
        self._socket.connect(("127.0.0.1", port))
        self._socket.sendall(broken(name, transport, f"127.0.0.1:{self._socket.getsockname()[1]}"))

    def close(self) -> None:
        self._socket.close()

    def final(self) -> int:
        """The first status that is more than 100."""
        came = b""
        while not (found := re.findall(rb"^SIP/2.0 (?!100)(\d+)", came, re.MULTILINE)):
            octets = self._socket.recv(65536)
            assert octets, "hung up without a word"
            came += octets
        return int(found[0])

    def is_silent(self) -> bool:
        """Has nothing come so far?"""
        self._socket.setblocking(False)
        try:
            return self._socket.recv(1) == b""
        except BlockingIOError:
            return True


@pytest.mark.parametrize("transport", ["udp", "tcp"])
async def test_an_invite_that_cannot_be_read_is_answered_where_it_can_be_and_counted(transport: str) -> None:
    wanted = {name: statuses[-1 if transport == "tcp" else 0] for name, (_, *statuses) in BROKEN.items()}
    async with RunningAgent(trunks=(PBX,), max_calls=50, places=("udp:127.0.0.1", "tcp:127.0.0.1")) as agent:
        pid = agent.client.pid
        peers = {name: Peer(agent.port, transport, name) for name in BROKEN}
        answered = [name for name in BROKEN if wanted[name] != SILENT]
        statuses = await asyncio.gather(*(asyncio.to_thread(peers[name].final) for name in answered))
        assert dict(zip(answered, statuses, strict=True)) == {name: wanted[name] for name in answered}
        rang = sum(status == RINGS for status in wanted.values())
        await agent.until(lambda: agent.of(Pulse)[-1].malformed == len(BROKEN) - rang - 1)
        assert {name for name in BROKEN if wanted[name] == SILENT and not peers[name].is_silent()} == set()
        with RawCaller(agent.port, transport=transport) as caller:
            caller.send()
            assert (await asyncio.to_thread(caller.until, 180)).status == 180
            await agent.until(lambda: len(agent.of(RingTimedOut)) == rang + 1)
        for peer in peers.values():
            peer.close()
        # no Contact: what the stack itself refuses is told as a call, unless it is malformed
        assert [event.status for event in agent.of(Refused, Busy)] == [400]
        assert (agent.client.pid, agent.said) == (pid, "")


@pytest.mark.parametrize(
    ("name", "why"),
    [
        ("no URI", "Request Line cannot be read"),
        ("From with a bracket open", "From cannot be read"),
        ("no Call-ID", "call-id is missing"),
        ("no Via", "via is missing"),
        ("Content-Length that is no number", "Content-Length cannot be read"),
        ("a header without a name", "a line cannot be read"),
    ],
)
async def test_what_is_wrong_with_it_is_told(name: str, why: str) -> None:
    async with RunningAgent(trunks=(PBX,)) as agent:
        Peer(agent.port, "udp", name).close()
        await agent.until(lambda: agent.of(Pulse)[-1].malformed == 1)
        source, _, told = agent.of(Pulse)[-1].last_malformed.partition("): ")
        assert (source.startswith("pbx (127.0.0.1:"), told) == (True, why)


NO_REQUESTS = (
    b"\r\n" * 40,
    bytes(40),
    b"\0\x01\0\x14!\x12\xa4B" + bytes(32),
    b"jaK" * 20,
    b"SIP/2.0 200 OK\r\nVia: what is this\r\nFrom: <sip:x\r\n\r\n",
    b"ACK sip:+14155550100@127.0.0.1 SIP/2.0\r\nFrom: <sip:x\r\n\r\n",
)
"""Line ends, NULs, STUN and others that keep a connection open (RFC 5626 §3.5); a response, and an ACK to what was refused."""


async def test_what_is_no_request_is_nothing_malformed() -> None:
    async with RunningAgent(trunks=(PBX,)) as agent:
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as peer:
            peer.connect(("127.0.0.1", agent.port))
            for sent in (*NO_REQUESTS, b"INVITE sip:+14155550100@127.0.0.1\r\n\r\n"):
                peer.sendall(sent)
        await agent.until(lambda: agent.of(Pulse)[-1].malformed > 0)
        assert agent.of(Pulse)[-1].malformed == 1, "the INVITE"


async def test_a_strangers_is_counted_and_not_answered() -> None:
    async with RunningAgent(trunks=()) as agent:
        peer = Peer(agent.port, "udp", "From with a bracket open")
        await agent.until(lambda: agent.of(Pulse)[-1].strangers == 1)
        assert peer.is_silent()
        peer.close()
        assert agent.of(CallArrived, CallEnded) == []
