"""The steps of a text between queue and bridge, with what happens by each."""

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime

from gateway.core import facts
from gateway.core.delivery import TextState
from gateway.core.facts import Fact, OfText
from gateway.core.quiet import Quiet
from gateway.core.reason import Reason
from gateway.store import StoreConnection, queue, texts
from gateway.store.queue import Claimed, QueueLook
from gateway.store.steps import WithFacts
from gateway.texts import outcomes
from gateway.texts.outcomes import Consequences, Return
from sms.text import Accepted, NotSent, Outcome, Refused, Unknown


def claim_due(
    db: StoreConnection, routes: Mapping[str, Sequence[str]], room: Mapping[str, int], quiet: Quiet
) -> WithFacts[QueueLook]:
    """One look at the queue, at the instant at which it is taken: the step before it may have queued a text a moment ago."""
    return claim_at(db, datetime.now(UTC), routes, room, quiet)


def claim_at(
    db: StoreConnection, now: datetime, routes: Mapping[str, Sequence[str]], room: Mapping[str, int], quiet: Quiet
) -> WithFacts[QueueLook]:
    """The look at an instant."""
    looked = queue.claim_due(db, now, routes, room, quiet)
    expired = [facts.TextExpired(at=now, of=texts.ids_of(db, text)) for text in looked.expired]
    cancelled = [facts.TextCancelled(at=now, of=texts.ids_of(db, text)) for text in looked.cancelled]
    postponed = [facts.TextPostponed(at=now, of=texts.ids_of(db, text), reason=Reason.QUIET_HOURS) for text in looked.postponed]
    return WithFacts(result=looked, facts=(*expired, *cancelled, *postponed))


def record(db: StoreConnection, text: Claimed, outcome: Outcome, back: Return, now: datetime) -> WithFacts[None]:
    """What a bridge said of a text."""
    consequences = outcomes.record(db, text, outcome, back, now)
    said = _said(db, text, outcome, consequences, now)
    return WithFacts(result=None, facts=(said, *_opted_out(text, consequences, now)))


def _said(db: StoreConnection, text: Claimed, outcome: Outcome, consequences: Consequences, now: datetime) -> Fact:
    of = OfText(text=text.id, call=text.call, line=text.line)
    submit = facts.Submit(of=of, bridge=text.bridge, to=text.recipient, attempts=text.attempts)
    match outcome:
        case Accepted(provider_ids=ids):
            return facts.TextAccepted(at=now, submit=submit, provider_id=ids[0] if ids else "")
        case Refused():
            return facts.TextRefused(
                at=now,
                submit=submit,
                kind=outcome.kind.value,
                code=outcome.code,
                detail=outcome.detail,
                is_account=outcome.is_account,
                numbers_refused=consequences.numbers_refused,
                is_final=_state(db, text.id) != TextState.QUEUED,
            )
        case NotSent(detail=detail):
            return facts.TextNotSent(at=now, submit=submit, detail=detail)
        case Unknown(detail=detail):
            return facts.TextUnknown(at=now, submit=submit, detail=detail)


def _opted_out(text: Claimed, consequences: Consequences, now: datetime) -> tuple[Fact, ...]:
    """Where the network refused the text because its recipient wants none."""
    if (out := consequences.opted_out) is None:
        return ()
    number, cancelled, under_way = text.recipient, out.cancelled, out.under_way
    return (facts.OptedOut(at=now, number=number, is_by_a_person=False, cancelled=cancelled, under_way=under_way),)


def _state(db: StoreConnection, text: int) -> str:
    row = texts.one(db, text)
    return row["state"] if row is not None else ""


def recover(db: StoreConnection, now: datetime) -> WithFacts[None]:
    """At the start: texts that were under way when the gateway stopped are unknown."""
    interrupted = texts.recover(db, now)
    return WithFacts(result=None, facts=tuple(facts.TextInterrupted(at=now, of=texts.ids_of(db, text)) for text in interrupted))
