"""Calls that an agent wrote down because its gateway did not take them: taken over into the reserve, once the agent is gone."""

import time
from collections.abc import Callable
from pathlib import Path

import structlog

from gateway.calls.endings import ending_of
from gateway.calls.reserve import Kept, Reserve
from gateway.store.calls import Arrival
from sip.pipe import kept_events
from sip.protocol import AgentEvent, CallArrived

AGAIN_S = 0.02


def take_over(
    directory: Path, reserve: Reserve, arrival_of: Callable[[CallArrived], Arrival], *, within: float = 0.0
) -> tuple[Kept, ...]:
    """The calls of agents that are gone; one that is just leaving is waited for. Its file goes when the reserve has them."""
    until = time.monotonic() + within
    found: list[Kept] = []
    for path in kept_events.files(directory):
        while (events := kept_events.left_in(path)) is None and time.monotonic() < until:
            time.sleep(AGAIN_S)
        if events is not None:
            found += _taken_over(path, kept_of(events, arrival_of), reserve)
    return tuple(found)


def kept_of(events: tuple[AgentEvent, ...], arrival_of: Callable[[CallArrived], Arrival]) -> tuple[Kept, ...]:
    """Each call as far as it is told, in the order of the arrivals. PURE but for `arrival_of`."""
    calls: dict[str, Kept] = {}
    for event in events:
        if isinstance(event, CallArrived):
            calls.setdefault(event.key, Kept(arrival=arrival_of(event)))
        elif (ended := ending_of(event)) is not None and ended[0] in calls:
            calls[ended[0]] = Kept(arrival=calls[ended[0]].arrival, ending=ended[1])
    return tuple(calls.values())


def _taken_over(path: Path, calls: tuple[Kept, ...], reserve: Reserve) -> tuple[Kept, ...]:
    """None of them where the reserve cannot be written: they stay where they are for the next start."""
    if not reserve.keep(*calls):
        return ()
    try:
        path.unlink()
    except OSError as error:
        structlog.get_logger().error("agents_file_not_removed", file=str(path), error=error.strerror)
    return calls
