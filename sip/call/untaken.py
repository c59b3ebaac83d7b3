"""What the gateway has not said that it has: arrivals, and what became of calls. Used by the owner thread only.

What it does not take soon is also written to the agent's own file, whatever becomes of the gateway and of the agent.
"""

from dataclasses import dataclass

from sip.pipe.kept_events import KeptEvents
from sip.protocol import AgentEvent, CallArrived


@dataclass(slots=True)
class _Call:
    events: list[AgentEvent]
    """Its arrival, whoever called after that, its outcome."""
    is_taken: bool = False
    """Is its arrival written down?"""
    written: int = 0
    """How many of its events stand in the file."""


class Untaken:
    """Calls, from their arrival until what became of them is written down, by key."""

    def __init__(self, file: KeptEvents) -> None:
        self._file = file
        self._calls: dict[str, _Call] = {}
        self._in_file: set[str] = set()

    def arrived(self, event: CallArrived) -> None:
        """A call that is told now. Without a file there is nothing that it would be held for."""
        if self._file.is_open:
            self._calls[event.key] = _Call([event])

    def went_on(self, key: str, event: AgentEvent) -> None:
        """Another caller, or what became of it, is told now."""
        if (call := self._calls.get(key)) is not None:
            call.events.append(event)

    def taken(self, key: str) -> None:
        """The gateway has its arrival written down."""
        if (call := self._calls.get(key)) is not None:
            call.is_taken = True

    def settled(self, key: str) -> None:
        """The gateway has all of it written down."""
        self._calls.pop(key, None)
        self._in_file.discard(key)
        if not self._in_file:
            self._file.clear()

    def write(self, key: str) -> None:
        """Into the file, as far as it is not there and the gateway does not have it."""
        call = self._calls.get(key)
        if call is None or (call.is_taken and len(call.events) == 1):
            return
        if new := call.events[call.written :]:
            self._file.append(new)
            self._in_file.add(key)
            call.written += len(new)

    def write_all(self) -> None:
        """The gateway is gone."""
        for key in self._calls:
            self.write(key)
