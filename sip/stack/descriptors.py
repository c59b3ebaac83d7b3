"""How many files and sockets this process has open, and how many it may have: two for each call, one for each connection."""

import os
import resource

from sip.faults import say

_WANTED = 65536
BESIDE_CALLS = 256
"""Files, listeners, connections, and the calls that are only rejected."""
A_CALL = 2
"""RTP and RTCP."""


def hard_descriptor_limit() -> int:
    """As far as the limit can be raised here, and no further than anybody needs."""
    _, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    return _WANTED if hard == resource.RLIM_INFINITY else min(hard, _WANTED)


def raise_descriptor_limit() -> None:
    """As far as the hard limit lets us: at the usual soft limit of 1,024 the stack would reject calls without telling us."""
    _, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    try:
        resource.setrlimit(resource.RLIMIT_NOFILE, (hard_descriptor_limit(), hard))
    except (OSError, ValueError) as error:
        say(f"the limit of open files stays at {descriptor_limit()}: {error}")


def descriptor_limit() -> int:
    """How many may be open."""
    soft, _ = resource.getrlimit(resource.RLIMIT_NOFILE)
    return soft if soft != resource.RLIM_INFINITY else _WANTED


def calls_by_descriptors(limit: int) -> int:
    """How many calls may ring at once; one more the SIP stack would reject without telling us."""
    return (limit - BESIDE_CALLS) // A_CALL


def descriptors() -> int:
    """How many are open. To count them takes one more: where none is left, all are open."""
    try:
        return len(os.listdir("/proc/self/fd")) - 1
    except OSError:
        return descriptor_limit()
