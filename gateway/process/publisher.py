"""What happened, told to whoever listens: the log, the metrics, what has something to do by it."""

from collections import deque

import structlog

from gateway.core.facts import Fact, Publish


class Publisher:
    """Each listener hears each fact once, in the order in which they were published. On the event loop only.

    A listener is a function that comes back at once. One that raises costs a log line; the others hear the fact all the same.
    """

    def __init__(self, *listeners: Publish) -> None:
        self._listeners = list(listeners)
        self._waiting: deque[Fact] = deque()
        self._is_telling = False
        self._log = structlog.get_logger()

    def listen(self, listener: Publish) -> None:
        """Another one, from now on."""
        self._listeners.append(listener)

    def publish(self, fact: Fact) -> None:
        """Tell it. What a listener publishes meanwhile is told after what was published before."""
        self._waiting.append(fact)
        if self._is_telling:
            return
        self._is_telling = True
        try:
            while self._waiting:
                self._tell(self._waiting.popleft())
        finally:
            self._is_telling = False

    def _tell(self, fact: Fact) -> None:
        for listener in tuple(self._listeners):
            try:
                listener(fact)
            except Exception:
                self._log.exception("fact_not_heard", fact=fact.name, by=getattr(listener, "__qualname__", repr(listener)))
