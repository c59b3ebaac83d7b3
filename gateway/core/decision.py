"""Whether a missed call is texted. The rules stand in `RULES`, in order; the first that stops the text wins.

`decide` is pure: the same call, history, line and instant give the same decision, with the trace of every rule looked at, so
that `textback explain` can say why for any call, past or imagined.
"""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta

from config.model import E164, Line
from gateway.core.call import MISSED, Call, Outcome
from gateway.core.phone import kind_never_texted, region_of
from gateway.core.reason import Reason
from gateway.core.schedule import local_day


@dataclass(frozen=True, slots=True, kw_only=True)
class PastText:
    """The newest text that went, or is on its way, to this caller from this line."""

    queued_at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class History:
    """What is known of a caller when the decision falls. Texts count from the moment they are queued."""

    last_text: PastText | None = None
    opted_out_at: datetime | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Policy:
    """The part of the configuration that the rules read."""

    line: Line
    own_numbers: frozenset[E164]
    regions: frozenset[str]


@dataclass(frozen=True, slots=True, kw_only=True)
class Step:
    """One rule's part of the trace."""

    rule: str
    saw: str
    verdict: str
    """`pass`, or the reason that stopped the text."""
    config: str
    """The key that the rule went by, empty where there is none."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Send:
    """Text the caller."""

    trace: tuple[Step, ...]
    reason: Reason = Reason.MISSED_CALL


@dataclass(frozen=True, slots=True, kw_only=True)
class Skip:
    """Do not text the caller, and why."""

    reason: Reason
    trace: tuple[Step, ...]


Decision = Send | Skip


@dataclass(frozen=True, slots=True, kw_only=True)
class _Case:
    call: Call
    history: History
    policy: Policy
    now: datetime

    def key(self, name: str) -> str:
        return f"line.{self.policy.line.name}.{name}"


@dataclass(frozen=True, slots=True)
class _Finding:
    saw: str
    stop: Reason | None = None
    config: str = ""


def decide(call: Call, history: History, policy: Policy, now: datetime) -> Decision:
    """Look at each rule in turn until one stops the text; none does: send."""
    case = _Case(call=call, history=history, policy=policy, now=now)
    trace: list[Step] = []
    for name, rule in RULES:
        found = rule(case)
        verdict = found.stop.value if found.stop else "pass"
        trace.append(Step(rule=name, saw=found.saw, verdict=verdict, config=found.config))
        if found.stop:
            return Skip(reason=found.stop, trace=tuple(trace))
    return Send(trace=tuple(trace))


def _line_on(case: _Case) -> _Finding:
    enabled = case.policy.line.text.enabled
    saw = "texts are on" if enabled else "texts are off"
    return _Finding(saw, None if enabled else Reason.LINE_OFF, case.key("text.enabled"))


def _missed(case: _Case) -> _Finding:
    outcome = case.call.outcome
    return _Finding(outcome.value, None if outcome in MISSED else Reason.NOT_MISSED)


def _rang_long_enough(case: _Case) -> _Finding:
    """Only a caller who hung up can have been too quick: a busy or interrupted call was not theirs to end."""
    least, rang = case.policy.line.min_ring, case.call.rang
    too_short = case.call.outcome is Outcome.ABANDONED and rang < least
    saw = f"rang {_seconds(rang)}, at least {_seconds(least)} asked"
    return _Finding(saw, Reason.TOO_SHORT if too_short else None, case.key("min_ring"))


def _caller_shown(case: _Case) -> _Finding:
    withheld = case.call.caller_as_sent is None
    return _Finding("withheld" if withheld else "shown", Reason.WITHHELD if withheld else None)


def _caller_is_a_number(case: _Case) -> _Finding:
    if case.call.caller is None:
        return _Finding(f"{case.call.caller_as_sent!r} is no valid telephone number", Reason.NOT_A_NUMBER, "region")
    return _Finding("a valid telephone number", None, "region")


def _kind_takes_texts(case: _Case) -> _Finding:
    kind = case.call.caller and kind_never_texted(case.call.caller)
    return _Finding(kind or "may take texts", Reason.NUMBER_KIND if kind else None)


def _region_allowed(case: _Case) -> _Finding:
    region = region_of(case.call.caller) if case.call.caller else "unknown"
    allowed = region in case.policy.regions
    saw = f"{region}, allowed are {', '.join(sorted(case.policy.regions))}"
    return _Finding(saw, None if allowed else Reason.REGION, "limits.regions")


def _not_own_line(case: _Case) -> _Finding:
    own = case.call.caller in case.policy.own_numbers
    return _Finding("a line of ours" if own else "not a line of ours", Reason.OWN_LINE if own else None)


def _not_opted_out(case: _Case) -> _Finding:
    at = case.history.opted_out_at
    return _Finding(f"opted out at {at.isoformat()}" if at else "not opted out", Reason.OPTED_OUT if at else None)


def _not_texted_lately(case: _Case) -> _Finding:
    line, last = case.policy.line, case.history.last_text
    key = case.key("text.once_per")
    if last is None:
        return _Finding("never texted from this line", None, key)
    saw = f"last text at {last.queued_at.isoformat()}, once per {_once_per(line.text.once_per)}"
    return _Finding(saw, Reason.ALREADY_TEXTED if _within(line, last.queued_at, case.now) else None, key)


RULES: tuple[tuple[str, Callable[[_Case], _Finding]], ...] = (
    ("line_on", _line_on),
    ("missed", _missed),
    ("rang_long_enough", _rang_long_enough),
    ("caller_shown", _caller_shown),
    ("caller_is_a_number", _caller_is_a_number),
    ("kind_takes_texts", _kind_takes_texts),
    ("region_allowed", _region_allowed),
    ("not_own_line", _not_own_line),
    ("not_opted_out", _not_opted_out),
    ("not_texted_lately", _not_texted_lately),
)
"""Every rule by name, in the order in which they are looked at."""


def _within(line: Line, texted_at: datetime, now: datetime) -> bool:
    """Is a text at that instant still the caller's one text for now? A clock set back never makes room for a second."""
    once_per = line.text.once_per
    if once_per == "call":
        return False
    if once_per == "day":
        return local_day(now, line.timezone) <= local_day(texted_at, line.timezone)
    return now - texted_at < once_per


def _once_per(value: str | timedelta) -> str:
    return value if isinstance(value, str) else _seconds(value)


def _seconds(length: timedelta) -> str:
    return f"{length.total_seconds():g} s"
