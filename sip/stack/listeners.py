"""Where we listen, and the Contact by which a caller reaches us there within a dialog (RFC 3261 §12.1.1)."""

import socket
from collections.abc import Sequence
from dataclasses import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class Listener:
    """One of `sip.listen`."""

    transport: str
    """`udp` or `tcp`."""
    host: str
    """Without brackets."""
    port: int

    @property
    def is_v6(self) -> bool:
        """Does it listen on IPv6?"""
        return ":" in self.host

    @property
    def is_wildcard(self) -> bool:
        """Does it listen on every address of the machine?"""
        return self.host in ("0.0.0.0", "::", "")  # noqa: S104 — compared, not bound


@dataclass(frozen=True, slots=True, kw_only=True)
class Contact:
    """Our Contact in the responses to an INVITE, for one transport and address."""

    transport: str
    host: str
    port: int

    def __str__(self) -> str:
        host = f"[{self.host}]" if ":" in self.host else self.host
        transport = "" if self.transport == "udp" else f";transport={self.transport}"
        return f"<sip:textback@{host}:{self.port}{transport}>"


def listener(listen: str) -> Listener:
    """The listener in `udp:0.0.0.0:5060` or `tcp:[::]:5060`."""
    transport, _, place = listen.partition(":")
    host, _, port = place.rpartition(":")
    return Listener(transport=transport, host=host.strip("[]"), port=int(port))


def contact(listeners: Sequence[Listener], transport: str, caller_host: str, public_address: str = "") -> Contact:
    """Our Contact for a caller at this address whose INVITE came over this transport: that of the listener that fits best."""
    is_v6 = ":" in caller_host
    ours = local_address(caller_host)
    best = min(
        listeners, key=lambda one: (one.is_v6 != is_v6, one.transport != transport, one.host != ours, not one.is_wildcard)
    )
    host = ours if best.is_wildcard and ours else best.host
    return Contact(transport=best.transport, host=public_of(best, public_address) or host, port=best.port)


def public_of(one: Listener, public_address: str) -> str:
    """Our address beyond a NAT, where it is of the listener's family; a host name counts as IPv4. Empty: none."""
    return public_address if (":" in public_address) == one.is_v6 else ""


def local_address(remote_host: str) -> str:
    """This machine's address on the way to another; empty where there is no way. Nothing is sent."""
    family = socket.AF_INET6 if ":" in remote_host else socket.AF_INET
    try:
        with socket.socket(family, socket.SOCK_DGRAM) as probe:
            probe.connect((remote_host, 9))
            return str(probe.getsockname()[0])
    except OSError:
        return ""
