"""Who is let in: connections are bounded in number and in patience, in all and for each address.

aiohttp holds a connection open for as long as its other side likes. Here a connection whose request is still to come is closed
when there is no room for another, so that thousands of idle ones keep nobody out; the head of a request has its time; and an
answer that is not read has its time too.
"""

import asyncio
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from ipaddress import ip_address, ip_network

from aiohttp import web
from aiohttp.typedefs import Handler

HEAD_WITHIN_S = 10.0
"""From the connection, or from the first octet of a further request, to the end of its head."""
READ_WITHIN_S = 20.0
"""An answer that the other side has not read after so long is not written further."""
AT_MOST = 1000
_FULL = (
    b"HTTP/1.1 503 Service Unavailable\r\nContent-Type: application/json\r\nRetry-After: 5\r\nConnection: close\r\n"
    b'Content-Length: 35\r\n\r\n{"error": "too many connections"}\r\n'
)


@dataclass(frozen=True, slots=True, kw_only=True)
class ConnectionLimits:
    """Connections at once: in all, from one address of this machine (a reverse proxy is one), and from one of elsewhere."""

    in_all: int
    near: int
    far: int

    @classmethod
    def within(cls, descriptors: int) -> "ConnectionLimits":
        """Half of the descriptors that this process may have at most; the other half is for calls, texts and the database."""
        in_all = max(8, min(AT_MOST, descriptors // 2))
        return cls(in_all=in_all, near=in_all * 3 // 4, far=in_all // 4)


class Door:
    """Makes a protocol for each connection, as `create_server` wants it; `inside` makes aiohttp's own."""

    def __init__(self, inside: Callable[[], asyncio.Protocol], limits: ConnectionLimits) -> None:
        self._inside = inside
        self._limits = limits
        self._by_address: dict[str, dict[Connection, None]] = {}
        self._count = 0

    def __call__(self) -> "Connection":
        """A connection that is not made yet."""
        return Connection(self, self._inside())

    def admit(self, new: "Connection") -> bool:
        """Is there room, or can room be made by closing one that keeps us waiting?"""
        ours = self._by_address.get(new.address, {})
        if len(ours) >= (self._limits.near if new.is_near else self._limits.far) and not self._close_one(ours):
            return False
        if self._count >= self._limits.in_all and not self._close_any():
            return False
        self._by_address.setdefault(new.address, {})[new] = None
        self._count += 1
        return True

    def newest(self, connection: "Connection") -> None:
        """A connection begins to wait: those that began before it are closed before it."""
        ours = self._by_address.get(connection.address, {})
        if connection in ours:
            del ours[connection]
            ours[connection] = None

    def leave(self, gone: "Connection") -> None:
        """A connection has ended, or is being closed; the second time changes nothing."""
        ours = self._by_address.get(gone.address, {})
        if gone in ours:
            del ours[gone]
            self._count -= 1
            if not ours:
                del self._by_address[gone.address]

    def _close_any(self) -> bool:
        """Whoever has the most loses one first."""
        return any(self._close_one(ours) for ours in sorted(self._by_address.values(), key=len, reverse=True))

    def _close_one(self, among: "dict[Connection, None]") -> bool:
        oldest = next((one for one in among if one.is_waiting), None)
        if oldest is None:
            return False
        self.leave(oldest)
        oldest.abort()
        return True


class Connection(asyncio.Protocol):
    """One connection: passes everything on to aiohttp, and keeps the time of what the other side owes."""

    def __init__(self, door: Door, inside: asyncio.Protocol) -> None:
        self._door = door
        self._inside = inside
        self._is_in = False
        self._transport: asyncio.Transport | None = None
        self._head_timer = _Timer(HEAD_WITHIN_S, self.abort)
        self._read_timer = _Timer(READ_WITHIN_S, self.abort)
        self.address = ""
        self.is_near = False
        self._awaits_head = True
        self.is_waiting = True
        """For the other side: a request, or the rest of it, is still to come."""

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Let it in, or say that there is no room."""
        assert isinstance(transport, asyncio.Transport)
        self._transport = transport
        transport.set_write_buffer_limits(high=0)  # whatever the kernel does not take at once is waited for
        self.address, self.is_near = _place(transport.get_extra_info("peername"))
        self._is_in = self._door.admit(self)
        if not self._is_in:
            transport.write(_FULL)
            transport.close()
            return
        self._inside.connection_made(transport)
        self._head_timer.start()

    def data_received(self, data: bytes) -> None:
        """A piece of a request."""
        if not self._is_in:
            return
        if self._awaits_head:
            self._head_timer.start()
        self._inside.data_received(data)

    def eof_received(self) -> bool | None:
        """The other side sends no more."""
        return self._inside.eof_received() if self._is_in else None

    def connection_lost(self, exc: Exception | None) -> None:
        """It has ended."""
        self._head_timer.cancel()
        self._read_timer.cancel()
        if self._is_in:
            self._door.leave(self)
            self._inside.connection_lost(exc)

    def pause_writing(self) -> None:
        """The other side does not read."""
        self._read_timer.start()
        self._inside.pause_writing()

    def resume_writing(self) -> None:
        """It has read everything."""
        self._read_timer.cancel()
        self._inside.resume_writing()

    def abort(self) -> None:
        """Close at once; what is not written yet is dropped."""
        if self._transport is not None:
            self._transport.abort()

    def has_asked(self) -> None:
        """The request is here; it is our turn."""
        self.is_waiting = self._awaits_head = False
        self._head_timer.cancel()

    def waits(self) -> None:
        """It is the other side's turn."""
        self.is_waiting = self._awaits_head = True
        self._door.newest(self)


class _Timer:
    """Calls `act` so many seconds after `start`, which while it runs changes nothing."""

    def __init__(self, seconds: float, act: Callable[[], None]) -> None:
        self._seconds = seconds
        self._act = act
        self._handle: asyncio.TimerHandle | None = None

    def start(self) -> None:
        if self._handle is None:
            self._handle = asyncio.get_running_loop().call_later(self._seconds, self._act)

    def cancel(self) -> None:
        if self._handle is not None:
            self._handle.cancel()
            self._handle = None


@web.middleware
async def in_turns(request: web.Request, handler: Handler) -> web.StreamResponse:
    """Tells the connection whose turn it is."""
    connection = _connection(request)
    if connection is None:
        return await handler(request)
    connection.has_asked()
    try:
        return await handler(request)
    finally:
        connection.waits()


@contextmanager
def waiting_for(request: web.Request) -> Iterator[None]:
    """While a handler waits for the rest of a request, its connection may be closed for another."""
    connection = _connection(request)
    if connection is None:
        yield
        return
    connection.is_waiting = True
    try:
        yield
    finally:
        connection.is_waiting = False


def _connection(request: web.Request) -> Connection | None:
    """None where it has ended meanwhile."""
    protocol = request.transport.get_protocol() if request.transport is not None else None
    return protocol if isinstance(protocol, Connection) else None


def _place(peer: tuple[str, int] | None) -> tuple[str, bool]:
    """Who it is, and whether it is this machine. An IPv6 host has a whole /64 to itself, which counts as one address."""
    if not peer:
        return "", False
    address = ip_address(peer[0].partition("%")[0])
    address = getattr(address, "ipv4_mapped", None) or address
    if address.version == 6 and not address.is_loopback:
        return str(ip_network((address, 64), strict=False)), False
    return str(address), address.is_loopback
