"""How many files and connections this process may have open at once."""

import resource

ENOUGH = 2048
"""Calls, texts and as many web connections as are ever let in."""
_WANTED = 65536


def raise_limit() -> int:
    """Take as many as the system allows; how many that are."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    most = _WANTED if hard == resource.RLIM_INFINITY else min(hard, _WANTED)
    if soft == resource.RLIM_INFINITY or soft >= most:
        return most
    try:
        resource.setrlimit(resource.RLIMIT_NOFILE, (most, hard))
    except (OSError, ValueError):  # a sandbox may forbid even that
        return soft
    return most


def at_most() -> int:
    """As many as could be had."""
    hard = resource.getrlimit(resource.RLIMIT_NOFILE)[1]
    return _WANTED if hard == resource.RLIM_INFINITY else hard
