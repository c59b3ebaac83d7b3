"""Who may call: which trunk an INVITE's source address belongs to. PURE."""

import ipaddress
from collections.abc import Sequence

from sip.protocol import Trunk

IpAddress = ipaddress.IPv4Address | ipaddress.IPv6Address


class Admission:
    """The trunks by address. The most exact network wins where two hold the same address."""

    def __init__(self, trunks: Sequence[Trunk]) -> None:
        networks = [(ipaddress.ip_network(peer, strict=False), trunk) for trunk in trunks for peer in trunk.peers]
        self._networks = sorted(networks, key=lambda entry: -entry[0].prefixlen)

    def trunk_of(self, source: IpAddress | None) -> Trunk | None:
        """The trunk that a source address belongs to, or None: a stranger."""
        if source is None:
            return None
        return next((trunk for network, trunk in self._networks if source in network), None)


def address_of(source: str) -> IpAddress | None:
    """The address in pjsua2's `host:port` or `[host]:port`; an IPv4 address mapped into IPv6 is told as IPv4."""
    host = source.rpartition(":")[0].strip("[]").partition("%")[0]
    try:
        address = ipaddress.ip_address(host)
    except ValueError:
        return None
    if isinstance(address, ipaddress.IPv6Address) and address.ipv4_mapped is not None:
        return address.ipv4_mapped
    return address
