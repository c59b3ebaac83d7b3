"""Says in the log that callers were refused before they were calls, as often as the agent tells of new ones."""

import structlog

from sip.protocol import Pulse


class Strangers:
    """Compares each sign of life of the agent with the one before."""

    def __init__(self) -> None:
        self._last: Pulse | None = None
        self._log = structlog.get_logger()

    def heard(self, pulse: Pulse) -> None:
        """A sign of life."""
        before, self._last = self._last, pulse
        if before is None:
            return
        if pulse.strangers > before.strangers:
            self._log.warning("strangers_refused", new=pulse.strangers - before.strangers, last=pulse.last_stranger)
        if pulse.malformed > before.malformed:
            self._log.warning("malformed_refused", new=pulse.malformed - before.malformed, last=pulse.last_malformed)
