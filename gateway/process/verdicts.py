"""What follows when a decision fell: it is counted, somebody has something to do, or a person has to be told."""

import asyncio

import structlog

from gateway.core.reason import Reason
from gateway.decisions.ruling import Verdict
from gateway.process import metrics
from gateway.process.sparing import Sparing


class Verdicts:
    """`ruled` is called after the commit of each decision."""

    def __init__(self, *, queue_changed: asyncio.Event, holds_changed: asyncio.Event) -> None:
        self._queue_changed = queue_changed
        self._holds_changed = holds_changed
        self._held_for_a_person = Sparing[str]()
        self._log = structlog.get_logger()

    def ruled(self, verdict: Verdict) -> None:
        """A decision fell."""
        metrics.count_decision(verdict.decision, verdict.reason.value)
        if verdict.decision == "send":
            self._queue_changed.set()
        elif verdict.decision == "hold":
            self._holds_changed.set()
            if verdict.due_at is None:
                self._for_a_person(verdict)

    def tell_overdue(self) -> None:
        """What was only counted so far, once its time has come."""
        for reason, count in self._held_for_a_person.overdue().items():
            self._log.error(_event(reason), reason=reason, texts=count)

    def _for_a_person(self, verdict: Verdict) -> None:
        reason = verdict.reason.value
        if count := self._held_for_a_person.happened(reason):
            self._log.error(_event(reason), call=verdict.call, text=verdict.text, reason=reason, texts=count)


def _event(reason: object) -> str:
    """A limit has a name of its own in the log, because it may be a flood."""
    return "limit_reached" if reason == Reason.LIMIT else "text_held_for_a_person"
