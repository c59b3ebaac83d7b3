"""Warnings in the log of what the agent counts: rejected INVITEs, closed connections, descriptors that run out."""

import structlog

from sip.protocol import Pulse

RUNNING_OUT, RUNNING_OUT_NO_MORE = 0.8, 0.7
"""Shares of the limit: warned of above the first, and again only once there were fewer than the second."""


class Strangers:
    """Compares each `Pulse` with the one before, and warns of what has grown."""

    def __init__(self) -> None:
        self._strangers = self._malformed = self._stack_refused = self._disconnected = self._not_taken = self._turned_away = 0
        """The counts of the last pulse."""
        self._is_running_out = False
        self._requests_told: set[str] = set()
        """Method and trunk of each that was warned of."""
        self._log = structlog.get_logger()

    def heard(self, pulse: Pulse) -> None:
        """Take the next one; called once a second while an agent runs."""
        if new := _grown(self._strangers, pulse.strangers):
            self._log.warning("strangers_refused", new=new, last=pulse.last_stranger)
        if new := _grown(self._malformed, pulse.malformed):
            self._log.warning("malformed_refused", new=new, last=pulse.last_malformed)
        if new := _grown(self._stack_refused, pulse.stack_refused):
            self._log.warning("refused_by_sip_stack", new=new, last=pulse.last_stack_refused)
        if new := _grown(self._not_taken, pulse.not_taken):
            self._look_at_requests(new, pulse.last_not_taken)
        if new := _grown(self._turned_away, pulse.turned_away):
            self._log.warning("calls_turned_away", new=new, last=pulse.last_turned_away)
        if new := _grown(self._disconnected, pulse.disconnected):
            self._log.warning("connections_closed", new=new, last=pulse.last_disconnected, why="of no trunk, or too many")
        self._strangers, self._malformed, self._disconnected = pulse.strangers, pulse.malformed, pulse.disconnected
        self._stack_refused, self._not_taken, self._turned_away = pulse.stack_refused, pulse.not_taken, pulse.turned_away
        self._look_at_descriptors(pulse)

    def _look_at_requests(self, new: int, last: str) -> None:
        """Warn once of each method of a trunk: some register or subscribe for ever."""
        what = last.partition(" (")[0]
        if what not in self._requests_told:
            self._requests_told.add(what)
            self._log.warning(
                "requests_refused",
                new=new,
                last=last,
                what_to_do="Textback takes calls here; let texts come by a bridge, and turn this off at the trunk",
            )

    def _look_at_descriptors(self, pulse: Pulse) -> None:
        """Warn once, and again only after they have become fewer."""
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


def _grown(before: int, now: int) -> int:
    """By how much; an agent that was started again counts from 0."""
    return now - before if now >= before else now
