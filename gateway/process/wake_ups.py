"""Who has something to do by what happened: the outbox looks at the queue, the holds at what is held."""

import asyncio

from gateway.core import facts
from gateway.core.facts import Fact


class WakeUps:
    """A listener. The two events are what the outbox and the holds wait for."""

    def __init__(self, *, queue: asyncio.Event, holds: asyncio.Event) -> None:
        self._queue = queue
        self._holds = holds

    def hear(self, fact: Fact) -> None:
        """Wake whoever it concerns."""
        match fact:
            case facts.TextQueued(is_claimed_next=True):
                pass
            case facts.TextQueued() | facts.TextResent() | facts.HeldTextDecided(decision="send"):
                self._queue.set()
            case facts.TextRefused() | facts.TextNotSent() | facts.TextUnknown():
                self._queue.set()
            case facts.TextHeld() | facts.TextPostponed() | facts.HeldTextDecided(decision="hold"):
                self._holds.set()
            case _:
                pass
