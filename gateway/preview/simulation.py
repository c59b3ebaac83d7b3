"""Replays calls through a configuration: what would have been texted, held, skipped, and why. Sends nothing, writes nothing.

The caller's history is made anew by the replay, because what would have been texted is what is asked; opt-outs and replies are
those that really came.
"""

import heapq
from bisect import bisect_right, insort
from collections import defaultdict, deque
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from config.model import E164, Line
from gateway.core.call import ANSWERED, MISSED, is_too_short
from gateway.core.case import Case, History, Traffic, Twin
from gateway.core.decision import Decision, Hold, Send, Step, decide, word_of
from gateway.core.phone import region_of
from gateway.core.reason import Reason
from gateway.core.schedule import day_start
from gateway.core.variants import is_within_once_per
from gateway.decisions.drafts import message_of
from gateway.decisions.ruling import Ruling
from gateway.preview.records import Recorded


@dataclass(frozen=True, slots=True, kw_only=True)
class Known:
    """What really came from callers: when each number opted out or in (newest last), and wrote."""

    wishes: Mapping[E164, Sequence[tuple[datetime, bool]]] = field(default_factory=dict)
    """(when, True: out)"""
    replies: Mapping[E164, Sequence[datetime]] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class Replayed:
    """What would have become of one call."""

    recorded: Recorded
    decision: str
    reason: Reason
    trace: tuple[Step, ...]
    segments: int
    cost: float
    body: str

    @property
    def is_changed(self) -> bool:
        """Would it be another outcome than the one that was logged?"""
        return bool(self.recorded.decision) and (self.recorded.decision, self.recorded.reason) != (self.decision, self.reason)


class _Caller:
    """One caller's history on one line, as the replay makes it."""

    __slots__ = ("last_text_at", "missed", "through", "variants")

    def __init__(self) -> None:
        self.last_text_at: datetime | None = None
        self.missed: list[datetime] = []
        self.through: list[datetime] = []
        self.variants: dict[int, datetime] = {}
        """When each variant's message was last sent."""


class Simulation:
    """Feed it calls, oldest first."""

    def __init__(self, ruling: Ruling, known: Known) -> None:
        self._ruling = ruling
        self._known = known
        self._callers: dict[tuple[E164 | None, str], _Caller] = defaultdict(_Caller)
        self._sent: deque[tuple[datetime, str]] = deque()
        self._held: list[tuple[datetime, int, Recorded]] = []
        self._turn = 0

    def replay(self, recorded: Iterable[Recorded]) -> Iterator[Replayed]:
        """What would have become of each call, in the order in which it would have been settled."""
        for one in recorded:
            yield from self._due_until(one.call.missed_at)
            caller = self._callers[one.call.caller, one.line or ""]
            yield from self._settle(one, one.call.missed_at)
            if self._counts_as_missed(one):
                insort(caller.missed, one.call.arrived_at)
            elif one.call.outcome in ANSWERED:
                caller.missed.clear()
                insort(caller.through, one.call.arrived_at)
        yield from self._due_until(None)

    def _counts_as_missed(self, one: Recorded) -> bool:
        line = self._ruling.directory.config.line.get(one.line or "")
        is_meant = one.reason != Reason.DUPLICATE and not (line and is_too_short(line, one.call))
        return one.call.outcome in MISSED and is_meant

    def _due_until(self, now: datetime | None) -> Iterator[Replayed]:
        while self._held and (now is None or self._held[0][0] <= now):
            at, _, one = heapq.heappop(self._held)
            yield from self._settle(one, at)

    def _settle(self, one: Recorded, now: datetime) -> Iterator[Replayed]:
        line = self._ruling.directory.config.line.get(one.line or "")
        if line is None:
            yield _without_text(one, "skip", Reason.NO_LINE, ())
            return
        decision = decide(self._case(one, line, now))
        if isinstance(decision, Hold) and decision.until is not None:
            self._turn += 1
            heapq.heappush(self._held, (decision.until, self._turn, one))
        elif isinstance(decision, Send) and one.call.caller is not None:
            yield self._text(one, line, one.call.caller, decision, now)
        else:
            yield _without_text(one, word_of(decision), decision.reason, decision.trace)

    def _text(self, one: Recorded, line: Line, caller: E164, decision: Decision, now: datetime) -> Replayed:
        variant = decision.variant if isinstance(decision, Send) else None
        message = message_of(self._ruling.directory, line, variant, caller=caller, called_at=one.call.arrived_at, now=now)
        cut = message.segmented
        history = self._callers[caller, line.name]
        history.last_text_at = now
        if variant is not None:
            history.variants[variant] = now
        self._sent.append((now, region_of(caller)))
        bridges = [self._ruling.directory.config.sms[name] for name in line.sms]
        price = getattr(bridges[0], "cost_per_segment", 0.0) if bridges else 0.0
        return Replayed(
            recorded=one,
            decision="send",
            reason=decision.reason,
            trace=decision.trace,
            segments=len(cut.parts),
            cost=len(cut.parts) * price,
            body=cut.text,
        )

    def _case(self, one: Recorded, line: Line, now: datetime) -> Case:
        directory = self._ruling.directory
        return Case(
            call=one.call,
            history=self._history(one, line, now),
            traffic=self._traffic(one.call.caller, now),
            policy=directory.policy(line, one.call.caller),
            now=now,
            owed_since=now,  # a simulation is never late
        )

    def _history(self, one: Recorded, line: Line, now: datetime) -> History:
        number = one.call.caller
        if number is None:
            return History()
        caller = self._callers[number, line.name]
        replies = self._known.replies.get(number, ())
        written = replies[bisect_right(replies, now) - 1] if bisect_right(replies, now) else None
        wishes = [wish for wish in self._known.wishes.get(number, ()) if wish[0] <= now]
        through = caller.through[-1] if caller.through else None
        reached = [at for at in (through, written) if at is not None and at > one.call.arrived_at]
        return History(
            last_text_at=caller.last_text_at,
            variants_texted=frozenset(index for index, at in caller.variants.items() if is_within_once_per(line, at, now)),
            missed_at=tuple(at for at in caller.missed[-1000:] if at != one.call.arrived_at),
            opted_out_at=wishes[-1][0] if wishes and wishes[-1][1] else None,
            last_reply_at=written,
            reached_at=max(reached, default=None),
            undeliverable_at=one.call.arrived_at if one.reason == Reason.UNDELIVERABLE else None,
            twin=Twin.DECIDED if one.reason == Reason.DUPLICATE else None,
        )

    def _traffic(self, number: E164 | None, now: datetime) -> Traffic:
        today = day_start(now, self._ruling.directory.config.timezone)
        while self._sent and self._sent[0][0] < min(today, now - timedelta(minutes=1)):
            self._sent.popleft()
        region = region_of(number) if number else ""
        minute = now - timedelta(minutes=1)
        return Traffic(
            last_minute=sum(at >= minute for at, _ in self._sent),
            today=sum(at >= today for at, _ in self._sent),
            today_in_region=sum(at >= today and where == region for at, where in self._sent),
        )


def _without_text(one: Recorded, word: str, reason: Reason, trace: tuple[Step, ...]) -> Replayed:
    return Replayed(recorded=one, decision=word, reason=reason, trace=trace, segments=0, cost=0.0, body="")
