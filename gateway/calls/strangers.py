"""Says in the log what the agent's signs of life tell: refused callers, closed connections, descriptors that run out."""

import structlog

from sip.protocol import Pulse

RUNNING_OUT, RUNNING_OUT_NO_MORE = 0.8, 0.7
"""Shares of the descriptors that may be open."""


class Strangers:
    """Compares each sign of life of the agent with the one before."""

    def __init__(self) -> None:
        self._last: Pulse | None = None
        self._is_running_out = False
        self._log = structlog.get_logger()

    def heard(self, pulse: Pulse) -> None:
        """A sign of life."""
        before, self._last = self._last, pulse
        self._look_at_descriptors(pulse)
        if before is None:
            return
        if pulse.strangers > before.strangers:
            self._log.warning("strangers_refused", new=pulse.strangers - before.strangers, last=pulse.last_stranger)
        if pulse.malformed > before.malformed:
            self._log.warning("malformed_refused", new=pulse.malformed - before.malformed, last=pulse.last_malformed)
        if pulse.stack_refused > before.stack_refused:
            new = pulse.stack_refused - before.stack_refused
            self._log.warning("refused_by_sip_stack", new=new, last=pulse.last_stack_refused)
        if pulse.disconnected > before.disconnected:
            new = pulse.disconnected - before.disconnected
            self._log.warning("connections_closed", new=new, last=pulse.last_disconnected, why="of no trunk, or too many")

    def _look_at_descriptors(self, pulse: Pulse) -> None:
        """Said once, until they have become fewer again."""
        share = pulse.descriptors / pulse.descriptor_limit
        if share > RUNNING_OUT and not self._is_running_out:
            self._log.warning(
                "descriptors_running_out",
                open=pulse.descriptors,
                limit=pulse.descriptor_limit,
                calls=pulse.calls,
                what_to_do="raise LimitNOFILE in the systemd unit, or the hard limit (ulimit -Hn) where it is started",
            )
        self._is_running_out = share > (RUNNING_OUT_NO_MORE if self._is_running_out else RUNNING_OUT)
