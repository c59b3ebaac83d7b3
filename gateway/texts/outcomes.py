"""What a bridge said of a text, written down as one step of the text's life. Runs in the store's thread."""

from dataclasses import dataclass, replace
from datetime import datetime

from gateway.core.delivery import TextEvent
from gateway.store import StoreConnection, queue, receipts, texts, undeliverable
from gateway.store.optouts import OptedOut, opt_out
from gateway.store.queue import Claimed
from sms.text import Accepted, NotSent, Outcome, Refusal, Refused, Unknown


@dataclass(frozen=True, slots=True, kw_only=True)
class Return:
    """What becomes of a text that was certainly not sent."""

    again_at: datetime
    """When the bridge that declined it may be asked again."""
    has_next: bool
    """Its route names a bridge that has not declined it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Consequences:
    """What else there is to tell of an outcome."""

    numbers_refused: int = 0
    """The bridge has refused so many numbers without accepting one: it is likelier at fault than they are."""
    opted_out: OptedOut | None = None
    """The network knows that the number wants no texts, and so do we now."""


def record(db: StoreConnection, text: Claimed, outcome: Outcome, back: Return, now: datetime) -> Consequences:
    """Settle a text by its outcome, or return it to the queue where nothing can have been sent."""
    match outcome:
        case Accepted(provider_ids=ids):
            receipts.accept(db, text.id, text.bridge, ids, now, outcome.find_id)
            undeliverable.accepted(db, text.recipient, text.bridge)
        case Unknown(detail=detail):
            texts.settle(db, text.id, TextEvent.NO_ANSWER, now, detail=detail)
            receipts.keep_parts(db, text.id, text.bridge, outcome.provider_ids, outcome.parts, outcome.find_id)
        case Refused(is_number_dead=True):
            return _number_refused(db, text, outcome, back, now)
        case Refused(kind=Refusal.NO_ROUTE) if not back.has_next:
            return _refuse(db, text, outcome, now)
        case Refused() if outcome.kind in (Refusal.PERMANENT, Refusal.OPTED_OUT):
            return _refuse(db, text, outcome, now)
        case Refused() | NotSent():
            queue.put_back(db, text, now, again_at=back.again_at, detail=f"{text.bridge}: {outcome.detail}")
    return Consequences()


def _number_refused(db: StoreConnection, text: Claimed, refused: Refused, back: Return, now: datetime) -> Consequences:
    """Evidence against the number; where the bridge refuses one number after the other, against the bridge."""
    run = undeliverable.refused(db, text.recipient, now, text.bridge, refused.code)
    if run >= undeliverable.RUN and back.has_next:
        queue.put_back(db, text, now, again_at=back.again_at, detail=f"{text.bridge}: {refused.detail}")
        return Consequences(numbers_refused=run)
    return replace(_refuse(db, text, refused, now), numbers_refused=run)


def _refuse(db: StoreConnection, text: Claimed, refused: Refused, now: datetime) -> Consequences:
    texts.settle(db, text.id, TextEvent.REFUSED, now, detail=f"{refused.code} {refused.detail}")
    if refused.kind is Refusal.OPTED_OUT:
        return Consequences(opted_out=opt_out(db, text.recipient, now, f"bridge:{text.bridge}"))
    return Consequences()
