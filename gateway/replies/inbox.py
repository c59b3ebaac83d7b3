"""What comes back from the networks: receipts, replies, late answers. Stored durably before the bridge acknowledges them.

What happened by each is told after the commit: a step returns it.
"""

import asyncio
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import structlog

from config.model import E164, Line
from gateway.core import facts
from gateway.core.consent import Wish, wish
from gateway.core.delivery import TextEvent
from gateway.core.facts import Fact
from gateway.core.kind import TextKind
from gateway.core.phone import masked, read_number, readings
from gateway.decisions.ruling import InForce
from gateway.office.directory import Directory
from gateway.replies.confirmations import confirm, confirming_line
from gateway.store import StoreConnection, consent, history, receipts, replies, texts
from gateway.store.database import Database, StoreError
from gateway.store.optouts import opt_out
from gateway.store.steps import WithFacts
from sms.text import Accepted, NotSent, Outcome, Receipt, Refused, Reply, Unknown

PARTS_AT_MOST = 255
"""What an octet can count (3GPP TS 23.040 §9.2.3.24.1); what claims more is no part."""
PARTS_WITHIN = timedelta(minutes=10)
"""The parts of a long reply follow each other within seconds; one that is missing so long after the last will not come."""
LOOK_FOR_PARTS_EVERY = timedelta(minutes=1)


class Inbox:
    """The bridges' `Sink`."""

    def __init__(self, *, store: Database, in_force: InForce, bridge_changed: Callable[[str], None]) -> None:
        self._store = store
        self._in_force = in_force
        self._bridge_changed = bridge_changed
        self._waiting: set[tuple[str, str]] = set()
        """Who opted out by which bridge while it could not be written down."""

    async def receipt(self, receipt: Receipt) -> None:
        """Keep and apply a receipt."""
        await self._store.run(_keep_receipt, self._in_force.directory, receipt)

    async def reply(self, reply: Reply) -> None:
        """Keep a reply; an opt-out is obeyed before the network hears that we have it.

        While the file cannot be written the network is told so, and sends the reply again. An opt-out does not wait for that:
        it is written down before any text can be claimed.
        """
        try:
            await self._store.run(_take, self._in_force.directory, reply)
        except StoreError:
            who = (reply.bridge, reply.sender)
            if reply.part is None and (wish(reply.body) or wish(reply.word)) is Wish.OPT_OUT and who not in self._waiting:
                self._waiting.add(who)
                waiting = self._store.insist(_take, self._in_force.directory, reply)
                waiting.add_done_callback(lambda done: self._written(who, done))
            raise

    def _written(self, who: tuple[str, str], done: "asyncio.Future[None]") -> None:
        self._waiting.discard(who)
        if not done.cancelled() and (error := done.exception()) is not None:  # the network sends it again
            structlog.get_logger().warning("opt_out_not_stored", bridge=who[0], sender=masked(who[1]), detail=str(error))

    async def give_up_on_parts(self) -> datetime:
        """Long replies of which a part never came are shown as far as they did; when to look again."""
        now = datetime.now(UTC)
        await self._store.run(_keep_incomplete, self._in_force.directory, now - PARTS_WITHIN)
        return now + LOOK_FOR_PARTS_EVERY

    async def late(self, key: str, outcome: Outcome) -> None:
        """Settle a text that was unknown."""
        await self._store.insist(_take_late, int(key.partition("-")[0]), outcome, datetime.now(UTC))

    def bridge_changed(self, bridge: str) -> None:
        """Room again, up, down or paused."""
        self._bridge_changed(bridge)


# --- steps: they run in the store's thread -------------------------------------------------------------------------------


def _take(db: StoreConnection, directory: Directory, reply: Reply) -> WithFacts[None]:
    """A reply, or a part of one that may make it whole; while it is not, nothing has happened."""
    config = directory.config
    ours = {number for line in config.line.values() for number in (line.number, line.sender)}
    candidates = readings(reply.to, config.region)
    to = next((number for number in candidates if number in ours), candidates[0] if candidates else reply.to)
    whole = replace(reply, sender=_number(db, directory, reply.sender), to=to)
    part = reply.part
    if part is not None and 1 <= part.number <= part.total and 1 < part.total <= PARTS_AT_MOST:
        joined = replies.add_part(db, whole, part)
        if joined is None:
            return WithFacts(result=None, facts=())
        whole = joined
    return WithFacts(result=None, facts=tuple(_keep(db, directory, whole)))


def _number(db: StoreConnection, directory: Directory, written: str) -> str:
    """E.164 of what a network may have written nationally: one that we know, else the likeliest; what is none stays."""
    candidates = readings(written, directory.config.region)
    return next((number for number in candidates if history.is_known(db, number)), candidates[0] if candidates else written)


def _keep_receipt(db: StoreConnection, directory: Directory, receipt: Receipt) -> WithFacts[None]:
    """Store and apply a receipt, in one transaction. That the network knows of a STOP enters the ledger."""
    number = E164(_number(db, directory, receipt.to)) if receipt.to is not None else None
    kept = receipts.add(db, replace(receipt, to=number), receipt.find_id)
    arrived = facts.ReceiptArrived(
        at=receipt.at,
        bridge=receipt.bridge,
        of=texts.ids_of(db, kept.text) if kept.text is not None else None,
        state=receipt.state.value,
        code=receipt.code,
        is_new=kept.is_new,
        is_bridge_fault=receipt.is_bridge_fault,
    )
    if kept.is_new and receipt.is_opted_out and number is not None and consent.opted_out_at(db, number) is None:
        return WithFacts(result=None, facts=(arrived, _opt_out(db, number, receipt.at, f"bridge:{receipt.bridge}")))
    return WithFacts(result=None, facts=(arrived,))


def _keep_incomplete(db: StoreConnection, directory: Directory, before: datetime) -> WithFacts[None]:
    happened = [fact for reply in replies.take_incomplete(db, before) for fact in _keep(db, directory, reply)]
    return WithFacts(result=None, facts=tuple(happened))


def _keep(db: StoreConnection, directory: Directory, reply: Reply) -> list[Fact]:
    """Store the reply and what follows from it, in one transaction."""
    wished = wish(reply.body) or wish(reply.word)
    sender = read_number(reply.sender, directory.config.region)
    line = confirming_line(db, directory, to=sender, written_to=reply.to, bridge=reply.bridge) if sender is not None else None
    if line is not None and not reply.to:
        reply = replace(reply, to=line.sender)
    kept = replies.add(db, reply, wished)
    arrived = facts.ReplyArrived(at=reply.at, bridge=reply.bridge, sender=reply.sender, wish=wished, reply=kept)
    if kept is None or sender is None or wished is None:
        return [arrived]
    happened = _obey(db, directory, reply, sender, wished, kept, line)
    if line is None:
        return [arrived, facts.ReplyNotAnswered(at=reply.at, sender=reply.sender, wish=wished), *happened]
    return [arrived, *happened]


def _obey(
    db: StoreConnection, directory: Directory, reply: Reply, sender: E164, wished: Wish, kept: int, line: Line | None
) -> list[Fact]:
    """The ledger, and the one confirmation."""
    is_out = consent.opted_out_at(db, sender) is not None
    happened: list[Fact] = []
    if wished is Wish.OPT_OUT:
        happened.append(_opt_out(db, sender, reply.at, f"reply:{kept}"))
    elif wished is Wish.OPT_IN and is_out:
        consent.add(db, number=sender, wish=wished, at=reply.at, source=f"reply:{kept}")
        happened.append(facts.OptedIn(at=reply.at, number=sender, is_by_a_person=False))
    is_new = {Wish.OPT_OUT: not is_out, Wish.OPT_IN: is_out, Wish.HELP: True}[wished]
    if is_new and line is not None:
        text = confirm(db, directory, to=sender, line=line, wish=wished, now=reply.at)
        if text is not None:
            happened.append(facts.TextQueued(at=reply.at, of=texts.ids_of(db, text), to=sender, kind=TextKind.CONFIRMATION))
    return happened


def _opt_out(db: StoreConnection, number: E164, at: datetime, source: str) -> facts.OptedOut:
    done = opt_out(db, number, at, source)
    return facts.OptedOut(at=at, number=number, is_by_a_person=False, cancelled=done.cancelled, under_way=done.under_way)


def _take_late(db: StoreConnection, text: int, outcome: Outcome, now: datetime) -> WithFacts[None]:
    """The answer to a text whose fate was unknown, or to a part of it; the bridge is the one that has or had it."""
    of, bridge = texts.ids_of(db, text), texts.bridge_of(db, text)
    match outcome:
        case Accepted(provider_ids=ids):
            if bridge is not None:
                receipts.accept(db, text, bridge, ids, now, outcome.find_id)
        case Refused(code=code, detail=detail):
            texts.settle(db, text, TextEvent.REFUSED, now, detail=f"{code} {detail}")
        case Unknown(detail=detail):
            if bridge is not None:
                receipts.keep_parts(db, text, bridge, outcome.provider_ids, outcome.parts, outcome.find_id)
            return WithFacts(result=None, facts=(facts.PartAnswered(at=now, of=of, detail=detail),))
        case NotSent():
            return WithFacts(result=None, facts=())
    late = facts.LateAnswerCame(at=now, of=of, answer=type(outcome).__name__.lower())
    return WithFacts(result=None, facts=(late,))
