"""The names that this server answers to. PURE.

A page in somebody's browser can point a name of its own at 127.0.0.1 and then read what is there as if it were its own (DNS
rebinding). Its requests say that name in their Host header, so only names that are certainly ours are answered; an address is
no name and cannot be pointed elsewhere.
"""

import re
from dataclasses import dataclass
from ipaddress import IPv4Address, IPv6Address, ip_address
from urllib.parse import urlsplit

Address = IPv4Address | IPv6Address
_HOST = re.compile(r"(\[[0-9A-Fa-f:.]+\]|[A-Za-z0-9._-]+)(?::[0-9]{0,5})?")


@dataclass(frozen=True, slots=True, kw_only=True)
class Hosts:
    """The address that is listened on, and the public name where there is one."""

    listen: Address
    public: str

    @classmethod
    def of(cls, listen: str, public_url: str | None) -> "Hosts":
        """Out of the configuration's `web.listen` and `web.public_url`."""
        return cls(
            listen=_folded(ip_address(listen.partition("%")[0])), public=_bare(urlsplit(public_url or "").hostname or "")
        )

    def knows(self, header: str) -> bool:
        """Is the Host header (RFC 9110 §7.2) a name or an address of ours? The port does not count: proxies change it."""
        found = _HOST.fullmatch(header)
        host = _bare(found[1]) if found else ""
        try:
            address = _folded(ip_address(host.strip("[]")))
        except ValueError:
            return host != "" and host in ("localhost", self.public)
        return address.is_loopback or self.listen.is_unspecified or address == self.listen or host.strip("[]") == self.public


def _bare(host: str) -> str:
    return host.lower().removesuffix(".")


def _folded(address: Address) -> Address:
    """`::ffff:127.0.0.1` is 127.0.0.1."""
    return getattr(address, "ipv4_mapped", None) or address
