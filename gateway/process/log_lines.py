"""What happened, as lines of the log: one table, by fact. Numbers are masked here, and nothing that a caller wrote is shown."""

import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, Literal

import structlog

from gateway.core import facts
from gateway.core.facts import Fact, Submit
from gateway.core.kind import TextKind
from gateway.core.phone import masked
from gateway.core.reason import Reason
from gateway.process.counted_warnings import CountedWarnings

Level = Literal["info", "warning", "error"]
_NO_LINE = (
    "it is obeyed; but the network does not say to which of our numbers it was written, and no line has texted this number or "
    "was called by it, so that nobody knows which one should answer"
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Line:
    """One line of the log."""

    event: str
    level: Level = "info"
    fields: Mapping[str, Any] = field(default_factory=dict)
    at_most_once_of: str = ""
    """What is said once in a while and counted meanwhile, because there may be a flood of it; empty: each is said."""


def _line(event: str, level: Level = "info", **fields: Any) -> tuple[Line]:
    return (Line(event=event, level=level, fields=fields),)


def _call_ended(fact: facts.CallMissed | facts.CallNotMissed) -> tuple[Line, ...]:
    return _line(
        "call_ended",
        call=fact.call,
        outcome=fact.outcome.value,
        rang_s=round(fact.rang.total_seconds(), 3),
        decision=fact.decision,
        reason=fact.reason.value,
        text=fact.text,
        same_call_as=fact.same_call_as,
    )


def _call_arrived(fact: facts.CallCameIn) -> tuple[Line, ...]:
    return _line("call_arrived", call=fact.call, line=fact.line, trunk=fact.trunk, caller=masked(fact.caller))


def _caller_changed(fact: facts.CallChangedCaller) -> tuple[Line, ...]:
    caller, before = masked(fact.caller), masked(fact.before)
    return _line("caller_changed", call=fact.call, line=fact.line, trunk=fact.trunk, caller=caller, before=before)


def _number_has_no_line(fact: facts.NumberHasNoLine) -> tuple[Line, ...]:
    dialled = " ".join(map(masked, fact.dialled))
    return _line("number_has_no_line", "warning", call=fact.call, trunk=fact.trunk, dialled=dialled)


def _queued(fact: facts.TextQueued) -> tuple[Line, ...]:
    """A call's is told with the call, a confirmation with the reply."""
    if fact.kind is not TextKind.TEST:
        return ()
    return _line("test_text_queued", text=fact.of.text, line=fact.of.line, to=masked(fact.to))


def _held(fact: facts.TextHeld) -> tuple[Line, ...]:
    """Where a person is needed. What waits for its time is told with the call."""
    return _for_a_person(fact) if fact.until is None else ()


def _for_a_person(fact: facts.TextHeld | facts.HeldTextDecided) -> tuple[Line]:
    reason = fact.reason.value
    fields = {"call": fact.of.call, "text": fact.of.text, "reason": reason}
    return (Line(event=_needs_a_person(reason), level="error", fields=fields, at_most_once_of=reason),)


def _needs_a_person(reason: str) -> str:
    """A limit has a name of its own in the log, because it may be a flood."""
    return "limit_reached" if reason == Reason.LIMIT else "text_held_for_a_person"


def _decided(fact: facts.HeldTextDecided) -> tuple[Line, ...]:
    of = fact.of
    line = _line("held_text_decided", call=of.call, text=of.text, decision=fact.decision, reason=fact.reason.value)
    return (*line, *_for_a_person(fact)) if fact.decision == "hold" and fact.until is None else line


def _of(submit: Submit) -> dict[str, Any]:
    return {"call": submit.of.call, "text": submit.of.text, "bridge": submit.bridge, "to": masked(submit.to)}


def _accepted(fact: facts.TextAccepted) -> tuple[Line, ...]:
    return _line("text_accepted", **_of(fact.submit), provider_id=fact.provider_id, attempts=fact.submit.attempts)


def _refused(fact: facts.TextRefused) -> tuple[Line, ...]:
    return _line("text_refused", "warning", **_of(fact.submit), kind=fact.kind, code=fact.code, detail=fact.detail)


def _interrupted(fact: facts.TextInterrupted) -> tuple[Line, ...]:
    return _line(
        "text_unknown",
        "error",
        text=fact.of.text,
        detail="the gateway stopped while it was being sent; a receipt or a person settles it",
    )


def _released(fact: facts.TextReleased) -> tuple[Line, ...]:
    return _line("text_released", text=fact.of.text, decision=fact.decision, reason=fact.reason.value)


def _receipt(fact: facts.ReceiptArrived) -> tuple[Line, ...]:
    text = fact.of.text if fact.of else None
    return _line("receipt_received", bridge=fact.bridge, text=text, state=fact.state, code=fact.code)


def _reply(fact: facts.ReplyArrived) -> tuple[Line, ...]:
    event = "reply_repeated" if fact.reply is None else "reply_received"
    return _line(event, bridge=fact.bridge, sender=masked(fact.sender), wish=fact.wish.value if fact.wish else "none")


def _not_answered(fact: facts.ReplyNotAnswered) -> tuple[Line, ...]:
    return _line("reply_not_answered", "warning", sender=masked(fact.sender), wish=fact.wish.value, detail=_NO_LINE)


def _opted_out(fact: facts.OptedOut) -> tuple[Line, ...]:
    """A reply or a receipt that says so is told itself."""
    if not fact.is_by_a_person:
        return ()
    return _line("number_opted_out", number=masked(fact.number), cancelled=fact.cancelled, under_way=fact.under_way)


def _opted_in(fact: facts.OptedIn) -> tuple[Line, ...]:
    return _line("number_opted_in", number=masked(fact.number)) if fact.is_by_a_person else ()


def _bridge_fault(fact: facts.BridgeFault) -> tuple[Line, ...]:
    seen = {**_of(fact.submit), "detail": fact.detail} if fact.submit else {"bridge": fact.bridge}
    return _line(f"bridge_{fact.fault.value}", "error", **seen, code=fact.code, cure=fact.cure)


def _said_where_it_is_noticed(_: Any) -> tuple[Line, ...]:
    """`sip` and `sms` know no facts, and the store says it also where no event loop runs any more: each has told it itself."""
    return ()


LINES: Mapping[type[Fact], Callable[[Any], tuple[Line, ...]]] = {
    facts.CallCameIn: _call_arrived,
    facts.CallChangedCaller: _caller_changed,
    facts.NumberHasNoLine: _number_has_no_line,
    facts.CallMissed: _call_ended,
    facts.CallNotMissed: _call_ended,
    facts.CallDone: lambda fact: _line("call_done", call=fact.call),
    facts.TextQueued: _queued,
    facts.TextHeld: _held,
    facts.HeldTextDecided: _decided,
    facts.TextReleased: _released,
    facts.TextPostponed: lambda fact: _line("text_postponed", text=fact.of.text, reason=fact.reason.value),
    facts.TextExpired: lambda fact: _line("text_expired", "warning", text=fact.of.text),
    facts.TextCancelled: lambda fact: _line("text_cancelled", text=fact.of.text),
    facts.TextDropped: lambda fact: _line("text_dropped", text=fact.of.text),
    facts.TextResent: lambda fact: _line("text_resent", "warning", text=fact.of.text),
    facts.TextAccepted: _accepted,
    facts.TextRefused: _refused,
    facts.TextNotSent: lambda fact: _line("text_not_sent", "warning", **_of(fact.submit), detail=fact.detail),
    facts.TextUnknown: lambda fact: _line("text_unknown", "error", **_of(fact.submit), detail=fact.detail),
    facts.TextInterrupted: _interrupted,
    facts.LateAnswerCame: lambda fact: _line("unknown_text_settled", text=fact.of.text, by=fact.answer),
    facts.PartAnswered: lambda fact: _line("unknown_text_known_better", text=fact.of.text, detail=fact.detail),
    facts.TextSettled: lambda fact: _line("text_settled", text=fact.of.text),
    facts.ReceiptArrived: _receipt,
    facts.ReplyArrived: _reply,
    facts.ReplyNotAnswered: _not_answered,
    facts.OptedOut: _opted_out,
    facts.OptedIn: _opted_in,
    facts.NumberForgotten: lambda fact: _line("number_forgotten", number=masked(fact.number)),
    facts.BridgeUp: _said_where_it_is_noticed,
    facts.BridgeDown: _said_where_it_is_noticed,
    facts.BridgePaused: _said_where_it_is_noticed,
    facts.BridgeFault: _bridge_fault,
    facts.DatabaseNotWritable: _said_where_it_is_noticed,
    facts.DatabaseWritableAgain: _said_where_it_is_noticed,
    facts.AgentGone: _said_where_it_is_noticed,
}


class LogLines:
    """A listener: writes what happened into the log."""

    def __init__(self, *, clock: Callable[[], float] = time.monotonic) -> None:
        self._for_a_person = CountedWarnings[str](clock=clock)
        """By the reason for which texts wait."""
        self._log = structlog.get_logger()

    def hear(self, fact: Fact) -> None:
        """The lines of one fact."""
        for line in LINES[type(fact)](fact):
            if not line.at_most_once_of:
                self._write(line.level, line.event, line.fields)
            elif count := self._for_a_person.happened(line.at_most_once_of):
                self._write(line.level, line.event, {**line.fields, "texts": count})

    def tell_overdue(self) -> None:
        """What was only counted so far, once its time has come."""
        for reason, count in self._for_a_person.overdue().items():
            self._write("error", _needs_a_person(reason), {"reason": reason, "texts": count})

    def _write(self, level: Level, event: str, fields: Mapping[str, Any]) -> None:
        getattr(self._log, level)(event, **fields)
