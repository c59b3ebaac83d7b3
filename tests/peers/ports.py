"""Ports for peers. Tests run in several processes at once, so a port must stay free from when it is found until it is taken."""

import contextlib
import itertools
import os
import random
import socket
from collections.abc import Iterator
from pathlib import Path

ABOVE_RTP = 19_000
"""The gateways of the tests have their media below."""
WORKERS = 16
"""More processes than that share their shares."""


def _walk() -> Iterator[int]:
    """The ports below those that the system gives to connections; each process of the tests begins elsewhere."""
    system = int(Path("/proc/sys/net/ipv4/ip_local_port_range").read_text().split()[0])
    share = (system - ABOVE_RTP) // WORKERS
    worker = int(os.environ.get("PYTEST_XDIST_WORKER", "gw0").removeprefix("gw")) % WORKERS
    start = ABOVE_RTP + worker * share + random.randrange(share)
    return itertools.cycle([*range(start, system), *range(ABOVE_RTP, start)])


_ports = _walk()


def _is_free(port: int, kind: socket.SocketKind, host: str) -> bool:
    is_v6 = ":" in host
    with socket.socket(socket.AF_INET6 if is_v6 else socket.AF_INET, kind) as probe, contextlib.suppress(OSError):
        if is_v6:
            probe.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, 1)
        probe.bind((host, port))
        return True
    return False


def free_port(kind: socket.SocketKind = socket.SOCK_STREAM, host: str = "127.0.0.1") -> int:
    """A port that nobody has now."""
    return next(port for port in _ports if _is_free(port, kind, host))


def free_sip_port() -> int:
    """A port that nobody has now, neither of UDP nor of TCP, neither of IPv4 nor of IPv6."""
    kinds, hosts = (socket.SOCK_DGRAM, socket.SOCK_STREAM), ("0.0.0.0", "::")
    return next(port for port in _ports if all(_is_free(port, kind, host) for kind in kinds for host in hosts))
