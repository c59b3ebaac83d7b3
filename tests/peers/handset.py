"""Phones and callers around a PBX: each phone does what the table says of it, each caller waits or hangs up; one UDP socket for all."""

import asyncio
import itertools
from collections.abc import Callable, Coroutine, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Self

from tests.peers.gateway import PATIENCE_S

_numbers = itertools.count(1)
_DIALOG = ("via", "from", "to", "call-id", "cseq")
OFFER = "v=0\r\no=- 1 1 IN IP4 127.0.0.1\r\ns=-\r\nc=IN IP4 127.0.0.1\r\nt=0 0\r\nm=audio 18000 RTP/AVP 0\r\na=rtpmap:0 PCMU/8000\r\n"


@dataclass(frozen=True, kw_only=True)
class Final:
    """What a phone does: ring, and after so many seconds end it with this status; never, where `status` is 0; at once, where `after` is."""

    status: int = 0
    after: float = 0.3
    headers: tuple[str, ...] = ()
    lets_pass: int = 0
    """So many calls of each caller only ring before it does that."""
    then: "Callable[[Handsets, Packet, int], Coroutine[None, None, None]] | None" = None
    """What it does in the call that it has taken, which began with this INVITE from this port."""


@dataclass(frozen=True)
class Packet:
    """A SIP message as it came: its first line, its headers in order (lower-case names, as they are written), its body."""

    start: str
    headers: tuple[tuple[str, str], ...]
    body: str = ""

    @classmethod
    def read(cls, octets: bytes) -> Self:
        """Out of a datagram."""
        head, _, body = octets.decode("utf-8", "replace").partition("\r\n\r\n")
        start, *lines = head.split("\r\n")
        named = (line.partition(":") for line in lines)
        return cls(start, tuple((name.strip().lower(), value.strip()) for name, _, value in named), body)

    def all(self, name: str) -> list[str]:
        """Every value of a header."""
        return [value for found, value in self.headers if found == name]

    def __getitem__(self, name: str) -> str:
        return (self.all(name) or [""])[0]

    @property
    def method(self) -> str:
        """Of a request; of a response, the method that it is for."""
        return self["cseq"].split(" ")[-1]

    @property
    def status(self) -> int:
        """0 for a request."""
        return int(self.start.split(" ")[1]) if self.start.startswith("SIP/2.0 ") else 0

    @property
    def user(self) -> str:
        """Of the Request-URI."""
        return self.start.split(" ")[1].partition("sip:")[2].partition("@")[0].partition(";")[0]


@dataclass(kw_only=True)
class Placed:
    """A call of ours, and what it heard."""

    key: str
    """Its Call-ID, and its tag."""
    heard: list[Packet] = field(default_factory=list)
    over: asyncio.Event = field(default_factory=asyncio.Event)
    rang: asyncio.Event = field(default_factory=asyncio.Event)

    @property
    def statuses(self) -> list[int]:
        """Of the responses to its INVITE, each once, in order."""
        return list(dict.fromkeys(packet.status for packet in self.heard if packet.method == "INVITE"))

    @property
    def final(self) -> int:
        """The INVITE's final response; 0 while there is none."""
        return next((status for status in self.statuses if status >= 200), 0)


class Handsets(asyncio.DatagramProtocol):
    """Phones, by the user that is called, and callers. Whoever is called and is no phone of the table answers 404."""

    def __init__(self, phones: Mapping[str, Final]) -> None:
        self._phones = phones
        self._placed: dict[str, Placed] = {}
        self._answered: dict[tuple[str, str], bytes] = {}
        self._tasks: set[asyncio.Task[None]] = set()
        self.heard: list[Packet] = []
        """Every request that came in."""
        self.port = 0

    async def open(self) -> Self:
        """Bind the socket."""
        loop = asyncio.get_running_loop()
        self._transport, _ = await loop.create_datagram_endpoint(lambda: self, local_addr=("127.0.0.1", self.port))
        self.port = self._transport.get_extra_info("sockname")[1]
        return self

    def close(self) -> None:
        """Close the socket; what is still to be done is not done."""
        for task in self._tasks:
            task.cancel()
        self._transport.close()

    # --- calling --------------------------------------------------------------------------------------------------

    def invite(self, port: int, user: str, *, caller: str, headers: Sequence[str] = (), body: str = OFFER) -> Placed:
        """Begin a call."""
        key = f"call-{next(_numbers)}-{self.port}"
        placed = self._placed[key] = Placed(key=key)
        self._send(port, "INVITE", user, caller, key, headers, body)
        return placed

    async def call(
        self,
        port: int,
        user: str,
        *,
        caller: str,
        headers: Sequence[str] = (),
        hang_up_after: float | None = None,
        body: str = OFFER,
        stays: float = 0,
    ) -> Placed:
        """Call, until it is over: refused, hung up by us so long after it rings, or answered, and hung up so long after that."""
        placed = self.invite(port, user, caller=caller, headers=headers, body=body)
        if hang_up_after is not None:
            await asyncio.wait_for(placed.rang.wait(), PATIENCE_S)
            await asyncio.sleep(hang_up_after)
            if not placed.final:
                self._send(port, "CANCEL", user, caller, placed.key)
        try:
            await asyncio.wait_for(placed.over.wait(), PATIENCE_S)
        except TimeoutError as error:
            raise AssertionError(f"{caller} to {user} has no end, only {placed.statuses}") from error
        if placed.final == 200:
            await asyncio.sleep(stays)
            self._in_dialog(placed, port, "BYE")
        return placed

    def _send(
        self,
        port: int,
        method: str,
        user: str,
        caller: str,
        key: str,
        headers: Sequence[str] = (),
        body: str = "",
        to: str = "",
        target: str = "",
    ) -> None:
        ours = f"127.0.0.1:{self.port}"
        number = 2 if method == "BYE" else 1
        lines = [
            f"{method} {target or f'sip:{user}@127.0.0.1:{port}'} SIP/2.0",
            f"Via: SIP/2.0/UDP {ours};branch=z9hG4bK-{key}-{number}",
            f"From: <sip:{caller}@127.0.0.1>;tag={key}",
            f"To: {to or f'<sip:{user}@127.0.0.1:{port}>'}",
            f"Call-ID: {key}",
            f"CSeq: {number} {method}",
            f"Contact: <sip:caller@{ours}>",
            "Max-Forwards: 70",
            *headers,
            *(["Content-Type: application/sdp"] if body else []),
            f"Content-Length: {len(body)}",
        ]
        self.transmit(lines, port, body)

    def transmit(self, lines: Sequence[str], port: int, body: str = "") -> None:
        """Send a message as it stands."""
        self._transport.sendto("\r\n".join([*lines, "", body]).encode(), ("127.0.0.1", port))

    def _heard_response(self, packet: Packet, port: int) -> None:
        placed = self._placed.get(packet["call-id"])
        if placed is None:
            return
        placed.heard.append(packet)
        if packet.method != "INVITE":
            return
        if packet.status > 100:
            placed.rang.set()
        if packet.status >= 300:
            self._send(port, "ACK", _user(packet["to"]), _user(packet["from"]), packet["call-id"], to=packet["to"])
        elif packet.status >= 200:
            self._in_dialog(placed, port, "ACK")
        if packet.status >= 200:
            placed.over.set()

    def _in_dialog(self, placed: Placed, port: int, method: str) -> None:
        """ACK or BYE: to the one who answered, unless the PBX wants to stay in between."""
        answer = next(packet for packet in placed.heard if packet.method == "INVITE" and packet.status == 200)
        route = tuple(f"Route: {value}" for value in reversed(answer.all("record-route")))
        target = answer["contact"].partition("<")[2].partition(">")[0]
        at = port if route else int(target.rpartition(":")[2].partition(";")[0])
        user, caller = _user(answer["to"]), _user(answer["from"])
        self._send(at, method, user, caller, answer["call-id"], route, to=answer["to"], target=target)

    # --- being called ---------------------------------------------------------------------------------------------

    def datagram_received(self, data: bytes, addr: tuple[str | Any, int]) -> None:
        """A request to a phone, or a response to a caller."""
        packet = Packet.read(data)
        if packet.status:
            self._heard_response(packet, addr[1])
            return
        self.heard.append(packet)
        if packet.method == "INVITE":
            self._heard_invite(packet, addr)
        elif packet.method == "ACK":
            self._goes_on(packet, addr[1])
        else:
            self._respond(packet, 200, addr)
            if packet.method == "CANCEL":
                self._end_cancelled(packet, addr)

    def _goes_on(self, ack: Packet, port: int) -> None:
        invite = next((one for one in self.heard if one.method == "INVITE" and one["call-id"] == ack["call-id"]), None)
        then = self._phones[invite.user].then if invite and invite.user in self._phones else None
        if (
            invite is not None
            and then is not None
            and self._is_ended(invite)
            and ack["cseq"].split()[0] == invite["cseq"].split()[0]
        ):
            self._do(then(self, invite, port))

    def _do(self, what: Coroutine[None, None, None]) -> None:
        task = asyncio.get_running_loop().create_task(what, name="phone")
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    def _heard_invite(self, packet: Packet, addr: tuple[str, int]) -> None:
        if (known := self._answered.get(_transaction(packet))) is not None:
            self._transport.sendto(known, addr)
            return
        if ";tag=" in packet["to"]:  # of a call that we are in
            self._respond(packet, 200, addr)
            return
        phone = self._phones.get(packet.user, Final(status=404, after=0))
        before = sum(
            one.method == "INVITE"
            and (one.user, one["from"].partition(";")[0]) == (packet.user, packet["from"].partition(";")[0])
            for one in self.heard[:-1]
        )
        phone = Final() if before < phone.lets_pass else phone
        self._respond(packet, 180 if phone.after else 100, addr)
        self._do(self._end_after(packet, phone, addr))

    async def _end_after(self, packet: Packet, phone: Final, addr: tuple[str, int]) -> None:
        await asyncio.sleep(phone.after)
        if phone.status and not self._is_ended(packet):
            self._respond(packet, phone.status, addr, phone.headers)

    def _end_cancelled(self, packet: Packet, addr: tuple[str, int]) -> None:
        invite = next((one for one in self.heard if one.method == "INVITE" and _transaction(one) == _transaction(packet)), None)
        if invite is not None and not self._is_ended(invite):
            self._respond(invite, 487, addr)

    def _is_ended(self, invite: Packet) -> bool:
        return int(self._answered[_transaction(invite)].split(b" ", 2)[1]) >= 200

    def _respond(self, packet: Packet, status: int, addr: tuple[str, int], headers: Sequence[str] = ()) -> None:
        tag = "" if ";tag=" in packet["to"] or status == 100 else f";tag=phone-{self.port}"
        kept = [f"{name}: {value}{tag if name == 'to' else ''}" for name, value in packet.headers if name in _DIALOG]
        kept += [f"Record-Route: {value}" for value in packet.all("record-route")]
        is_answer = packet.method == "INVITE" and status == 200
        body = OFFER if is_answer else ""
        contact = (
            ()
            if any(line.startswith("Contact:") for line in headers)
            else (f"Contact: <sip:{packet.user}@127.0.0.1:{self.port}>",)
        )
        kind = ("Content-Type: application/sdp",) if body else ()
        lines = [f"SIP/2.0 {status} As told", *kept, *contact, *headers, *kind, f"Content-Length: {len(body)}"]
        octets = "\r\n".join([*lines, "", body]).encode()
        if packet.method == "INVITE":
            self._answered[_transaction(packet)] = octets
        self._transport.sendto(octets, addr)


def _transaction(packet: Packet) -> tuple[str, str]:
    """Of an INVITE and of the CANCEL that is for it."""
    return packet["call-id"], packet["via"]


def _user(value: str) -> str:
    """Of the address in a header."""
    return value.partition("sip:")[2].partition("@")[0]
