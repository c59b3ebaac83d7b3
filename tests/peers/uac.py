"""A bare SIP caller for measuring: raw datagrams, one socket, the clock read at each. (SIPp counts in whole milliseconds.)"""

import asyncio
import time
from dataclasses import dataclass, field

INVITE = (
    "INVITE sip:{to}@127.0.0.1 SIP/2.0\r\nVia: SIP/2.0/UDP 127.0.0.1:{port};branch=z9hG4bK{id}\r\n"
    "From: <sip:{caller}@127.0.0.1>;tag={id}\r\nTo: <sip:{to}@127.0.0.1>\r\nCall-ID: {id}\r\nCSeq: 1 INVITE\r\n"
    "Contact: <sip:bench@127.0.0.1:{port}>\r\nMax-Forwards: 70\r\nContent-Length: 0\r\n\r\n"
)
T1_S, TIMER_B_S = 0.5, 32.0
CANCEL = (
    "CANCEL sip:{to}@127.0.0.1 SIP/2.0\r\nVia: SIP/2.0/UDP 127.0.0.1:{port};branch=z9hG4bK{id}\r\n"
    "From: <sip:{caller}@127.0.0.1>;tag={id}\r\nTo: <sip:{to}@127.0.0.1>\r\nCall-ID: {id}\r\nCSeq: 1 CANCEL\r\n"
    "Max-Forwards: 70\r\nContent-Length: 0\r\n\r\n"
)


@dataclass(slots=True)
class Placed:
    """One call's instants, seconds: `…_at` on the monotonic clock, `hung_up` on the wall clock."""

    caller: str
    invited_at: float
    rang_at: float = 0.0
    ended_at: float = 0.0
    hung_up: float = 0.0
    status: int = 0
    is_answered: bool = False
    """Has any response come? Until then the INVITE is sent again (RFC 3261 §17.1.1.2)."""
    over: asyncio.Event = field(default_factory=asyncio.Event)


class Uac(asyncio.DatagramProtocol):
    """Places calls from one socket."""

    def __init__(self, sip_port: int, dialled: str = "+14155550100") -> None:
        self._to = ("127.0.0.1", sip_port)
        self._dialled = dialled
        self._calls: dict[str, Placed] = {}
        self._hang_up_after: float | None = None
        self.placed: list[Placed] = []
        """Every call, in order."""
        self.ringing = 0
        self.most_ringing = 0

    async def open(self) -> "Uac":
        """Bind the socket."""
        loop = asyncio.get_running_loop()
        self._transport, _ = await loop.create_datagram_endpoint(lambda: self, local_addr=("127.0.0.1", 0))
        self._transport.get_extra_info("socket").setsockopt(1, 8, 8 * 1024 * 1024)  # SO_RCVBUF
        self._port = self._transport.get_extra_info("sockname")[1]
        return self

    def close(self) -> None:
        """Close the socket."""
        self._transport.close()

    async def run(self, count: int, rate: float, hang_up_after: float | None) -> list[Placed]:
        """Place calls at an even rate and wait for their ends (at most 40 s after the last)."""
        self._hang_up_after = hang_up_after
        placed, began = [], time.monotonic()
        for number in range(count):
            delay = began + number / rate - time.monotonic()
            if delay > 0:
                await asyncio.sleep(delay)
            placed.append(self._invite(f"+1415{5560000 + number}"))
        for call in placed:
            await asyncio.wait_for(call.over.wait(), 40)
        return placed

    def place(self, caller: str, *, hang_up_after: float | None) -> Placed:
        """One call, not waited for."""
        self._hang_up_after = hang_up_after
        return self._invite(caller)

    def _invite(self, caller: str) -> Placed:
        key = f"{caller[1:]}-{self._port}-{time.monotonic_ns()}"
        call = self._calls[key] = Placed(caller=caller, invited_at=time.monotonic())
        self.placed.append(call)
        self._send(INVITE, key, caller)
        self._repeat(key, call, T1_S)
        return call

    def _repeat(self, key: str, call: Placed, after: float) -> None:
        def due() -> None:
            if not (call.is_answered or self._transport.is_closing() or after > TIMER_B_S):
                self._send(INVITE, key, call.caller)
                self._repeat(key, call, 2 * after)

        asyncio.get_running_loop().call_later(after, due)

    def _send(self, message: str, key: str, caller: str) -> None:
        text = message.format(to=self._dialled, port=self._port, id=key, caller=caller)
        self._transport.sendto(text.encode(), self._to)

    def datagram_received(self, data: bytes, addr: tuple[str, int]) -> None:
        """A response."""
        now = time.monotonic()
        text = data.decode("latin-1")
        status = int(text[8:11])
        key = text[text.index("Call-ID: ") + 9 :].split("\r\n", 1)[0]
        call = self._calls.get(key)
        if call is None or " CANCEL\r\n" in text:
            return
        call.is_answered = True
        if status == 180 and not call.rang_at:
            call.rang_at = now
            self.ringing += 1
            self.most_ringing = max(self.most_ringing, self.ringing)
            if self._hang_up_after is not None:
                asyncio.get_running_loop().call_later(self._hang_up_after, self._cancel, key, call)
        elif status >= 200:
            self._ack(text, key, call)
            if not call.status:
                call.ended_at, call.status = now, status
                self.ringing -= bool(call.rang_at)
                call.over.set()

    def _cancel(self, key: str, call: Placed) -> None:
        if self._transport.is_closing():
            return
        call.hung_up = time.time()
        self._send(CANCEL, key, call.caller)

    def _ack(self, response: str, key: str, call: Placed) -> None:
        to = next(line for line in response.split("\r\n") if line.startswith("To: "))
        ack = INVITE.replace("INVITE", "ACK").replace("To: <sip:{to}@127.0.0.1>", to.replace("{", "").replace("}", ""))
        self._send(ack, key, call.caller)
