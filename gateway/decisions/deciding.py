"""The steps that decide, with what happens by each: a call that ended, a held text whose time has come."""

from datetime import datetime

from gateway.core import facts
from gateway.core.call import MISSED
from gateway.core.facts import Fact
from gateway.core.kind import TextKind
from gateway.decisions.ruling import Ruling, Verdict
from gateway.store import StoreConnection, holds, texts
from gateway.store.calls import Arrival, Ending
from gateway.store.steps import WithFacts


def end(
    db: StoreConnection, ruling: Ruling, arrival: Arrival, ending: Ending, now: datetime, *, is_claimed_next: bool = False
) -> WithFacts[Verdict | None]:
    """A call's outcome, the decision, and its text. None: it had ended before."""
    verdict = ruling.on_ended(db, arrival, ending, now)
    if verdict is None:
        return WithFacts(result=None, facts=())
    return WithFacts(
        result=verdict, facts=(_ended(arrival, ending, verdict), *_new_text(arrival, verdict, now, is_claimed_next))
    )


def _ended(arrival: Arrival, ending: Ending, verdict: Verdict) -> facts.CallMissed | facts.CallNotMissed:
    fact = facts.CallMissed if ending.outcome in MISSED else facts.CallNotMissed
    return fact(
        at=ending.at,
        call=verdict.call,
        line=arrival.line,
        outcome=ending.outcome,
        rang=ending.rang,
        decision=verdict.decision,
        reason=verdict.reason,
        text=verdict.text,
    )


def _new_text(arrival: Arrival, verdict: Verdict, now: datetime, is_claimed_next: bool) -> tuple[Fact, ...]:
    if verdict.text is None:
        return ()
    of = facts.OfText(text=verdict.text, call=verdict.call, line=arrival.line)
    if verdict.decision == "hold":
        return (facts.TextHeld(at=now, of=of, reason=verdict.reason, until=verdict.due_at),)
    to, kind = arrival.caller or "", TextKind.MISSED_CALL
    return (facts.TextQueued(at=now, of=of, to=to, kind=kind, is_claimed_next=is_claimed_next),)


def decide_anew(
    db: StoreConnection, ruling: Ruling, text: int, now: datetime, *, is_released: bool = False
) -> WithFacts[Verdict | None]:
    """A held text, by itself or because a person released it. None: it is not held any more."""
    verdict = ruling.on_due(db, text, now, is_released=is_released)
    if verdict is None:
        return WithFacts(result=None, facts=())
    of = texts.ids_of(db, text)
    decided = facts.HeldTextDecided(at=now, of=of, decision=verdict.decision, reason=verdict.reason, until=verdict.due_at)
    released = facts.TextReleased(at=now, of=of, decision=verdict.decision, reason=verdict.reason)
    return WithFacts(result=verdict, facts=(decided, released) if is_released else (decided,))


def release_many(
    db: StoreConnection, ruling: Ruling, line: str | None, since: datetime | None, now: datetime
) -> WithFacts[list[tuple[int, Verdict]]]:
    """`decide_anew` for the held texts of one line or of all, whose call came since, as a person released them."""
    found: list[tuple[int, Verdict]] = []
    happened: list[Fact] = []
    for text in holds.held_since(db, line, since):
        decided = decide_anew(db, ruling, text, now, is_released=True)
        happened += decided.facts
        if decided.result is not None:
            found.append((text, decided.result))
    return WithFacts(result=found, facts=tuple(happened))
