"""What is listened on: no socket twice, none that cannot be opened beside another."""

from collections.abc import Iterator
from ipaddress import ip_address
from itertools import combinations

from config.model import Config, Place


def faults_of(config: Config) -> Iterator[tuple[str, str]]:
    """The key of each listener that cannot be opened, and why."""
    listens = [(f"sip.listen.{index}", one.transport, one.place) for index, one in enumerate(config.sip.listen, start=1)]
    for key, transport, _ in listens:
        if transport == "tls":
            yield key, 'tls cannot be listened on yet; take "udp:…" or "tcp:…"'
    for (_, first, one), (key, second, other) in combinations(listens, 2):
        if first == second and _collide(one, other):
            yield key, f"{second}:{other} and {first}:{one} are one socket; leave one of them out, or change its port"
    for _, transport, place in listens:
        if transport != "udp" and _collide(place, config.web.listen):
            yield "web.listen", f"is the port of {transport}:{place} in sip.listen too; change one of them"


def _collide(one: Place, other: Place) -> bool:
    """Do two places share an address of one family? The wildcard has them all."""
    if one.port != other.port:
        return False
    first, second = ip_address(one.host), ip_address(other.host)
    return first.version == second.version and (first == second or first.is_unspecified or second.is_unspecified)
