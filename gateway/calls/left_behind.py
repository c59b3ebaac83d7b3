"""Calls that an agent wrote down because its gateway did not take them: taken over into the reserve, once the agent is gone."""

import time
from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path

import structlog

from gateway.calls.endings import ending_of
from gateway.calls.reserve import Kept, Reserve
from gateway.store.calls import Arrival
from sip.pipe import kept_events
from sip.protocol import AgentEvent, CallArrived, CallerChanged

AGAIN_S = 0.02
_WHY_LOST = "these lines were being written, or another version wrote them"


@dataclass(frozen=True, slots=True, kw_only=True)
class Reading:
    """How events become what is known of a call."""

    arrival: Callable[[CallArrived], Arrival]
    with_caller: Callable[[Arrival, CallerChanged], Arrival]


def take_over(directory: Path, reserve: Reserve, reading: Reading, *, within: float = 0.0) -> tuple[Kept, ...]:
    """The calls of agents that are gone; one that is just leaving is waited for. None stays behind that the reserve has."""
    until = time.monotonic() + within
    found: list[Kept] = []

    for path in kept_events.files(directory):

        def take(left: kept_events.Left, path: Path = path) -> bool:
            calls = kept_of(left.events, reading)
            if not reserve.keep(*calls):
                return False
            if left.unreadable:
                structlog.get_logger().error("agents_file_damaged", file=str(path), lost=left.unreadable, why=_WHY_LOST)
            found.extend(calls)
            return True

        try:
            while not kept_events.take_over(path, take) and time.monotonic() < until:
                time.sleep(AGAIN_S)
        except OSError as error:
            structlog.get_logger().error("agents_file_unusable", file=str(path), error=error.strerror)
    return tuple(found)


def kept_of(events: tuple[AgentEvent, ...], reading: Reading) -> tuple[Kept, ...]:
    """Each call as far as it is told, in the order of the arrivals. PURE but for `reading`."""
    calls: dict[str, Kept] = {}
    for event in events:
        if isinstance(event, CallArrived):
            calls.setdefault(event.key, Kept(arrival=reading.arrival(event)))
        elif isinstance(event, CallerChanged) and event.key in calls:
            before = calls[event.key]
            calls[event.key] = replace(before, arrival=reading.with_caller(before.arrival, event))
        elif (ended := ending_of(event)) is not None and ended[0] in calls:
            calls[ended[0]] = Kept(arrival=calls[ended[0]].arrival, ending=ended[1])
    return tuple(calls.values())
