"""Whether a missed call is texted, now or later. The rules stand in `rules.py`, in order; the first that speaks up wins.

`decide` is pure: the same case gives the same decision, with the trace of every rule looked at, so that `textback explain` can
say why for any call, past or imagined. It runs when a call is missed, and again when a held text falls due.
"""

from dataclasses import dataclass, replace
from datetime import datetime

from gateway.core.case import Case
from gateway.core.reason import Reason
from gateway.core.rules import RULES
from gateway.core.variants import chosen


@dataclass(frozen=True, slots=True, kw_only=True)
class TraceEntry:
    """One rule's part of the trace."""

    rule: str
    saw: str
    verdict: str
    """`pass`, or the reason that stopped or held the text."""
    config: str
    """The key that the rule went by, empty where there is none."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Send:
    """Text the caller now."""

    trace: tuple[TraceEntry, ...]
    variant: int | None = None
    """Which variant's message; None: the line's own."""
    reason: Reason = Reason.MISSED_CALL


@dataclass(frozen=True, slots=True, kw_only=True)
class Hold:
    """Decide again later: at `until`, or when a person says so (None)."""

    until: datetime | None
    reason: Reason
    trace: tuple[TraceEntry, ...]
    variant: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Skip:
    """Do not text the caller, and why."""

    reason: Reason
    trace: tuple[TraceEntry, ...]


Decision = Send | Hold | Skip


def decide(case: Case) -> Decision:
    """Look at each rule in turn until one stops or holds the text; none does: send."""
    case = replace(case, variant=chosen(case))
    trace: list[TraceEntry] = []
    for rule in RULES:
        found = rule(case)
        verdict = found.stop.value if found.stop else "pass"
        trace.append(TraceEntry(rule=rule.__name__, saw=found.saw, verdict=verdict, config=found.config))
        if found.stop and found.is_hold:
            return Hold(until=found.until, reason=found.stop, trace=tuple(trace), variant=case.variant)
        if found.stop:
            return Skip(reason=found.stop, trace=tuple(trace))
    return Send(trace=tuple(trace), variant=case.variant)


def word_of(decision: Decision) -> str:
    """`send`, `hold` or `skip`."""
    return type(decision).__name__.lower()
