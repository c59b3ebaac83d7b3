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
from gateway.core.call import ANSWERED, MISSED, UNANSWERED, is_too_short
from gateway.core.case import Case, History, SameCall, Traffic, Twin
from gateway.core.decision import Decision, Hold, Send, TraceEntry, decide, word_of
from gateway.core.phone import region_of
from gateway.core.reason import Reason
from gateway.core.rounds import Round, earlier, missed_calls
from gateway.core.schedule import day_start
from gateway.core.variants import is_within_once_per
from gateway.decisions.drafts import message_of
from gateway.decisions.ruling import Ruling
from gateway.preview.records import Recorded

LOOKED_AT = 1000
"""So many of a caller's calls since they last got through."""


@dataclass(frozen=True, slots=True, kw_only=True)
class FromCallers:
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
    trace: tuple[TraceEntry, ...]
    segments: int
    cost: float
    body: str
    went_at: datetime | None = None
    """When its text would have gone; None: none would."""

    @property
    def is_changed(self) -> bool:
        """Would it be another outcome than the one that was logged?"""
        return bool(self.recorded.decision) and (self.recorded.decision, self.recorded.reason) != (self.decision, self.reason)


class _Caller:
    """One caller's history on one line, as the replay makes it."""

    __slots__ = ("coming", "last_text_at", "rounds", "texted", "through", "variants")

    def __init__(self) -> None:
        self.last_text_at: datetime | None = None
        self.texted: dict[str, datetime] = {}
        """When the text of each call went."""
        self.coming: list[Round] = []
        """Every call of theirs, replayed or not, in the order of arrival."""
        self.rounds: list[Round] = []
        """The calls replayed since the caller last got through."""
        self.through: list[datetime] = []
        self.variants: dict[int, datetime] = {}
        """When each variant's message was last sent."""

    def before(self, one: Round) -> list[Round]:
        """The newest of the replayed calls that came before another, in the order of arrival."""
        found = (other for other in self.rounds[-LOOKED_AT:] if other.name != one.name and other.arrived_at <= one.arrived_at)
        return sorted(found, key=lambda other: other.arrived_at)

    def is_rung_again(self, one: Round, now: datetime, within: timedelta | None) -> bool:
        """Does a later round of the call ring at an instant?"""
        later = self.coming[bisect_right(self.coming, one.arrived_at, key=lambda other: other.arrived_at) :]
        for index, other in enumerate(later):
            if other.arrived_at > now:
                return False
            if other.ended_at is not None and other.ended_at > now:
                before = (*reversed(later[:index]), one)
                return one in earlier(before, other.arrived_at, within)
        return False


class Simulation:
    """Feed it calls, oldest first."""

    def __init__(self, ruling: Ruling, from_callers: FromCallers) -> None:
        self._ruling = ruling
        self._from_callers = from_callers
        self._callers: dict[tuple[E164 | None, str], _Caller] = defaultdict(_Caller)
        self._sent: deque[tuple[datetime, str]] = deque()
        self._held: list[tuple[datetime, int, Recorded]] = []
        self._turn = 0

    def replay(self, recorded: Iterable[Recorded]) -> Iterator[Replayed]:
        """What would have become of each call, in the order in which it would have been decided."""
        recorded = list(recorded)
        for one in recorded:
            self._callers[one.call.caller, one.line or ""].coming.append(_round(one, self._line(one)))
        for one in recorded:
            yield from self._due_until(one.call.missed_at)
            caller = self._callers[one.call.caller, one.line or ""]
            yield from self._decided(one, one.call.missed_at)
            caller.rounds.append(_round(one, self._line(one)))
            if one.call.outcome in ANSWERED:
                caller.rounds.clear()
                insort(caller.through, one.call.arrived_at)
        yield from self._due_until(None)

    def _line(self, one: Recorded) -> Line | None:
        return self._ruling.directory.config.line.get(one.line or "")

    def _due_until(self, now: datetime | None) -> Iterator[Replayed]:
        while self._held and (now is None or self._held[0][0] <= now):
            at, _, one = heapq.heappop(self._held)
            yield from self._decided(one, at)

    def _decided(self, one: Recorded, now: datetime) -> Iterator[Replayed]:
        line = self._line(one)
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
        history.last_text_at = history.texted[one.name] = now
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
            went_at=now,
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
        own, within = _round(one, line), line.same_call_within
        before = caller.before(own)
        same = earlier(reversed(before), own.arrived_at, within)
        replies = self._from_callers.replies.get(number, ())
        written = replies[bisect_right(replies, now) - 1] if bisect_right(replies, now) else None
        wishes = [wish for wish in self._from_callers.wishes.get(number, ()) if wish[0] <= now]
        through = caller.through[-1] if caller.through else None
        reached = [at for at in (through, written) if at is not None and at > one.call.arrived_at]
        return History(
            last_text_at=caller.last_text_at,
            variants_texted=frozenset(index for index, at in caller.variants.items() if is_within_once_per(line, at, now)),
            missed_at=missed_calls(before, within, [other.name for other in same]),
            opted_out_at=wishes[-1][0] if wishes and wishes[-1][1] else None,
            last_reply_at=written,
            reached_at=max(reached, default=None),
            undeliverable_at=one.call.arrived_at if one.reason == Reason.UNDELIVERABLE else None,
            twin=self._twin(one, own, caller, now, within),
            same_call=_same_call(same, caller),
        )

    def _twin(self, one: Recorded, own: Round, caller: _Caller, now: datetime, within: timedelta | None) -> Twin | None:
        if caller.is_rung_again(own, now, within):
            return Twin.RINGS_AGAIN
        return Twin.DECIDED if one.reason == Reason.DUPLICATE else None

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


def _round(one: Recorded, line: Line | None) -> Round:
    call = one.call
    is_meant = one.reason != Reason.DUPLICATE and not (line and is_too_short(line, call))
    return Round(
        name=one.name,
        arrived_at=call.arrived_at,
        ended_at=call.missed_at,
        rang=call.rang,
        is_answered=call.outcome in ANSWERED,
        is_missed=call.outcome in MISSED and is_meant,
        is_unanswered=call.outcome in UNANSWERED,
    )


def _same_call(rounds: Sequence[Round], caller: _Caller) -> SameCall | None:
    if not rounds:
        return None
    texted = [at for one in rounds if (at := caller.texted.get(one.name)) is not None]
    rang = sum((one.rang for one in rounds), timedelta(0))
    unanswered = any(one.is_unanswered for one in rounds)
    return SameCall(first=rounds[-1].name, rang=rang, texted_at=max(texted, default=None), was_unanswered=unanswered)


def _without_text(one: Recorded, word: str, reason: Reason, trace: tuple[TraceEntry, ...]) -> Replayed:
    return Replayed(recorded=one, decision=word, reason=reason, trace=trace, segments=0, cost=0.0, body="")
