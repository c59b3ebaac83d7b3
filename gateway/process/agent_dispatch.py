"""What the SIP agent tells, led to whom it concerns."""

import asyncio

import structlog

from gateway.calls.journal import Journal
from gateway.calls.strangers import Strangers
from sip.pipe.client import AgentLost
from sip.protocol import AgentEvent, Pulse, Ready


class AgentDispatch:
    """Calls go to the journal, signs of life to whoever counts strangers; that it listens is told in the log."""

    def __init__(self, *, journal: Journal, max_calls: int) -> None:
        self._journal = journal
        self._max_calls = max_calls
        """As configured."""
        self._strangers = Strangers()
        self.has_begun = asyncio.Event()
        """The first agent listens."""
        self._log = structlog.get_logger()

    def receive(self, event: AgentEvent | AgentLost) -> None:
        """Take one event, in the order of their happening; never blocks."""
        match event:
            case Ready():
                self._now_listening(event)
            case Pulse():
                self._strangers.heard(event)
            case _:
                self._journal.receive(event)

    def _now_listening(self, ready: Ready) -> None:
        self.has_begun.set()
        self._log.info("agent_ready", stack=ready.stack, listen=", ".join(ready.listen), max_calls=ready.max_calls)
        if ready.max_calls < self._max_calls:
            self._log.warning(
                "fewer_calls_than_configured",
                carries=ready.max_calls,
                configured=self._max_calls,
                why=f"the SIP stack holds {ready.capacity}; each has two of sip.rtp_ports and two open files kept for it",
            )
