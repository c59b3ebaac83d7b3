"""TCP connections to us: strangers' are few and short, so that none of a trunk's calls is refused for want of descriptors.

pjsua2 names nobody's address before a message came, so the kernel is asked about our own sockets. A connection is shut down
there; the SIP stack sees its end and lets go of it. Used by the owner thread only.
"""

import os
import socket
import stat
from collections import defaultdict
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass

from sip.stack.descriptors import descriptor_limit
from sip.stack.listeners import listener

STRANGER_AT_MOST_S = 5.0
"""Long enough for a 403."""
STRANGERS_PER_ADDRESS = 4
STRANGERS_AT_MOST = 64
KNOWN_PER_ADDRESS = 512
"""Of a trunk, beside those that a call is on. A limit of descriptors that is low may allow fewer."""
LOOK_EVERY_S = 1.0
LOOK_SOON_S = 0.1
"""After somebody connected."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Connection:
    """One that a peer made to a listener of ours."""

    descriptor: int
    host: str
    port: int
    since: float
    """Seconds on the monotonic clock, when it was first seen."""

    def __str__(self) -> str:
        return f"[{self.host}]:{self.port}" if ":" in self.host else f"{self.host}:{self.port}"


def excess(
    connections: Iterable[Connection], now: float, *, is_known: Callable[[str], bool], per_known: int = KNOWN_PER_ADDRESS
) -> list[Connection]:
    """Those to close: of strangers the old and the many, of others the oldest beyond what one address may have. PURE."""
    by_host = defaultdict(list)
    for one in sorted(connections, key=lambda one: one.since):
        by_host[one.host].append(one)
    known = [those for host, those in by_host.items() if is_known(host)]
    strange = [those for host, those in by_host.items() if not is_known(host)]
    kept = [one for those in known for one in those[-per_known:]]
    young = [one for those in strange for one in those[-STRANGERS_PER_ADDRESS:] if now - one.since <= STRANGER_AT_MOST_S]
    kept += sorted(young, key=lambda one: one.since)[-STRANGERS_AT_MOST:]
    staying = set(kept)
    return [one for those in by_host.values() for one in those if one not in staying]


class Connections:
    """The open connections. `look` when `is_due` says so."""

    def __init__(self, listens: Sequence[str]) -> None:
        self._ports = {one.port for one in map(listener, listens) if one.transport == "tcp"}
        self._seen: dict[tuple[int, int], Connection | None] = {}
        """By descriptor and inode, since both are used again; None for what is no connection to us, or was closed already."""
        self._looked = 0.0
        self._accepted = 0
        self.closed = 0
        """How many were closed, since start."""
        self.last_closed = ""
        """`host:port` of the last one."""

    def is_due(self, now: float, accepted: int) -> bool:
        """Is it time to look? `accepted` counts the connections since start. At once where they could use up what is left."""
        if not self._ports:
            return False
        new = accepted - self._accepted
        room = descriptor_limit() - len(self._seen)
        return now - self._looked >= (LOOK_SOON_S if new else LOOK_EVERY_S) or new > room // 4

    def look(self, now: float, accepted: int, *, is_known: Callable[[str], bool], busy: frozenset[str]) -> None:
        """Close what is too much. `busy` are the `host:port` that a call is on."""
        self._looked, self._accepted = now, accepted
        self._see(now)
        idle = {one: key for key, one in self._seen.items() if one is not None and str(one) not in busy}
        per_known = min(KNOWN_PER_ADDRESS, descriptor_limit() // 4)
        for one in excess(idle, now, is_known=is_known, per_known=per_known):
            _shut(one.descriptor)
            self._seen[idle[one]] = None
            self.closed += 1
            self.last_closed = str(one)

    def _see(self, now: float) -> None:
        before, self._seen = self._seen, {}
        for descriptor in _open_descriptors():
            try:
                found = os.fstat(descriptor)
            except OSError:
                continue
            if stat.S_ISSOCK(found.st_mode):
                key = (descriptor, found.st_ino)
                self._seen[key] = before[key] if key in before else self._connection(descriptor, now)

    def _connection(self, descriptor: int, now: float) -> Connection | None:
        borrowed = socket.socket(fileno=descriptor)
        try:
            if borrowed.type != socket.SOCK_STREAM or borrowed.getsockname()[1] not in self._ports:
                return None
            host, port, *_ = borrowed.getpeername()
            return Connection(descriptor=descriptor, host=host, port=port, since=now)
        except OSError:  # a listener has no peer
            return None
        finally:
            borrowed.detach()


def _open_descriptors() -> Iterable[int]:
    try:
        return [int(name) for name in os.listdir("/proc/self/fd")]
    except OSError:  # none is left to look with
        return range(descriptor_limit())


def _shut(descriptor: int) -> None:
    """The SIP stack reads an end. (Shut for writing too, it would be woken by it without end, while a transaction holds it.)"""
    borrowed = socket.socket(fileno=descriptor)
    try:
        borrowed.shutdown(socket.SHUT_RD)
    except OSError:
        return  # its peer was faster
    finally:
        borrowed.detach()
