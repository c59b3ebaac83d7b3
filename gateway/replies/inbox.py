"""What comes back from the networks: receipts, replies, late answers. Stored durably before the bridge acknowledges them.

What is told of them, in the log and the metrics, is told after the commit: a step says what it kept by what it returns.
"""

import sqlite3
from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta

import structlog

from config.model import E164, Line
from gateway.core.consent import Wish, wish
from gateway.core.delivery import TextEvent
from gateway.core.phone import masked, read_number, readings
from gateway.decisions.directory import Directory
from gateway.decisions.ruling import InForce
from gateway.process import metrics
from gateway.replies.confirmations import confirm, confirming_line
from gateway.store import consent, history, receipts, replies, texts
from gateway.store.database import Database
from gateway.store.optouts import opt_out
from sms.text import Accepted, Outcome, Receipt, ReceiptState, Refused, Reply, Unknown

PARTS_AT_MOST = 255
"""What an octet can count (3GPP TS 23.040 §9.2.3.24.1); what claims more is no part."""
PARTS_WITHIN = timedelta(minutes=10)
"""The parts of a long reply follow each other within seconds; one that is missing so long after the last will not come."""
LOOK_FOR_PARTS_EVERY = timedelta(minutes=1)
_SEE_TO_IT = "it accepts texts that are then not delivered because of the account or the sender: see to these at the provider"
_NO_LINE = (
    "it is obeyed; but the network does not say to which of our numbers it was written, and no line has texted this number or "
    "was called by it, so that nobody knows which one should confirm it"
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Kept:
    """A reply that was kept, or was only repeated."""

    reply: Reply
    wish: Wish | None
    is_new: bool
    has_no_line: bool = False
    """It wanted a confirmation, and nobody knows whose line it was written to."""


class Inbox:
    """The bridges' `Sink`."""

    def __init__(self, *, store: Database, in_force: InForce, bridge_changed: Callable[[], None]) -> None:
        self._store = store
        self._in_force = in_force
        self._bridge_changed = bridge_changed
        self._faults: set[tuple[str, str]] = set()
        """The bridges and codes of which it was told that texts are accepted and then not delivered by their own fault."""
        self._log = structlog.get_logger()

    async def receipt(self, receipt: Receipt) -> None:
        """Keep and apply a receipt."""
        text = await self._store.write(_keep_receipt, self._in_force.directory, receipt)
        self._tell_fault(receipt)
        metrics.count_receipt(receipt.bridge, receipt.state.value)
        self._log.info("receipt_received", bridge=receipt.bridge, text=text, state=receipt.state.value, code=receipt.code)

    def _tell_fault(self, receipt: Receipt) -> None:
        """Once for each code, until something is delivered: the texts were accepted, so no other bridge gets them."""
        if receipt.state is ReceiptState.DELIVERED:
            self._faults = {one for one in self._faults if one[0] != receipt.bridge}
        elif receipt.is_bridge_fault and (receipt.bridge, receipt.code) not in self._faults:
            self._faults.add((receipt.bridge, receipt.code))
            self._log.error("bridge_does_not_deliver", bridge=receipt.bridge, code=receipt.code, cure=_SEE_TO_IT)

    async def reply(self, reply: Reply) -> None:
        """Keep a reply; an opt-out is obeyed before the network hears that we have it."""
        kept = await self._store.write(_take, self._in_force.directory, reply)
        if kept is not None:
            self._tell(kept)
        self._bridge_changed()

    async def give_up_on_parts(self) -> datetime:
        """Long replies of which a part never came are shown as far as they did; when to look again."""
        now = datetime.now(UTC)
        for kept in await self._store.write(_keep_incomplete, self._in_force.directory, now - PARTS_WITHIN):
            self._tell(kept)
        return now + LOOK_FOR_PARTS_EVERY

    async def late(self, key: str, outcome: Outcome) -> None:
        """Settle a text that was held as unknown."""
        text, now = int(key.partition("-")[0]), datetime.now(UTC)
        match outcome:
            case Accepted():
                await self._store.insist(_accept_late, text, outcome, now)
            case Refused(code=code, detail=detail):
                await self._store.insist(texts.settle, text, TextEvent.REFUSED, now, detail=f"{code} {detail}")
            case Unknown(detail=detail):
                await self._store.insist(_keep_late_part, text, outcome)
                self._log.info("unknown_text_known_better", text=text, detail=detail)
                return
            case _:
                return
        self._log.info("unknown_text_settled", text=text, by=type(outcome).__name__.lower())

    def bridge_changed(self, bridge: str) -> None:
        """Room again, or a link gone."""
        self._bridge_changed()

    def _tell(self, kept: Kept) -> None:
        word = kept.wish.value if kept.wish else "none"
        if kept.is_new:
            metrics.count_reply(kept.reply.bridge, word)
        event = "reply_received" if kept.is_new else "reply_repeated"
        self._log.info(event, bridge=kept.reply.bridge, sender=masked(kept.reply.sender), wish=word)
        if kept.has_no_line:
            self._log.warning("reply_not_answered", sender=masked(kept.reply.sender), wish=word, detail=_NO_LINE)


# --- steps: they run in the store's thread -------------------------------------------------------------------------------


def _take(db: sqlite3.Connection, directory: Directory, reply: Reply) -> Kept | None:
    """A reply, or a part of one that may make it whole; None while it is not."""
    config = directory.config
    ours = {number for line in config.line.values() for number in (line.number, line.sender)}
    candidates = readings(reply.to, config.region)
    to = next((number for number in candidates if number in ours), candidates[0] if candidates else reply.to)
    whole = replace(reply, sender=_number(db, directory, reply.sender), to=to)
    part = reply.part
    if part is not None and 1 <= part.number <= part.total and 1 < part.total <= PARTS_AT_MOST:
        joined = replies.add_part(db, whole, part)
        if joined is None:
            return None
        whole = joined
    return _keep(db, directory, whole)


def _number(db: sqlite3.Connection, directory: Directory, written: str) -> str:
    """E.164 of what a network may have written nationally: one that we know, else the likeliest; what is none stays."""
    candidates = readings(written, directory.config.region)
    return next((number for number in candidates if history.is_known(db, number)), candidates[0] if candidates else written)


def _keep_receipt(db: sqlite3.Connection, directory: Directory, receipt: Receipt) -> int | None:
    """Store and apply a receipt, in one transaction; its text. That the network knows of a STOP enters the ledger."""
    number = E164(_number(db, directory, receipt.to)) if receipt.to is not None else None
    kept = receipts.add(db, replace(receipt, to=number), receipt.find_id)
    if kept.is_new and receipt.is_opted_out and number is not None and consent.opted_out_at(db, number) is None:
        opt_out(db, number, receipt.at, f"bridge:{receipt.bridge}")
    return kept.text


def _keep_incomplete(db: sqlite3.Connection, directory: Directory, before: datetime) -> list[Kept]:
    return [_keep(db, directory, reply) for reply in replies.take_incomplete(db, before)]


def _keep(db: sqlite3.Connection, directory: Directory, reply: Reply) -> Kept:
    """Store the reply and what follows from it, in one transaction."""
    wished = wish(reply.body) or wish(reply.word)
    sender = read_number(reply.sender, directory.config.region)
    line = confirming_line(db, directory, to=sender, written_to=reply.to, bridge=reply.bridge) if sender is not None else None
    if line is not None and not reply.to:
        reply = replace(reply, to=line.sender)
    kept = replies.add(db, reply, wished)
    if kept is None or sender is None or wished is None:
        return Kept(reply=reply, wish=wished, is_new=kept is not None)
    _obey(db, directory, reply, sender, wished, kept, line)
    return Kept(reply=reply, wish=wished, is_new=True, has_no_line=line is None)


def _obey(
    db: sqlite3.Connection, directory: Directory, reply: Reply, sender: E164, wished: Wish, kept: int, line: Line | None
) -> None:
    """The ledger, and the one confirmation."""
    is_out = consent.opted_out_at(db, sender) is not None
    if wished is Wish.OPT_OUT:
        opt_out(db, sender, reply.at, f"reply:{kept}")
    elif wished is Wish.OPT_IN and is_out:
        consent.add(db, number=sender, wish=wished, at=reply.at, source=f"reply:{kept}")
    is_new = {Wish.OPT_OUT: not is_out, Wish.OPT_IN: is_out, Wish.HELP: True}[wished]
    if is_new and line is not None:
        confirm(db, directory, to=sender, line=line, wish=wished, now=reply.at)


def _accept_late(db: sqlite3.Connection, text: int, outcome: Accepted, now: datetime) -> None:
    bridge = texts.bridge_of(db, text)
    if bridge is not None:
        receipts.accept(db, text, bridge, outcome.provider_ids, now, outcome.find_id)


def _keep_late_part(db: sqlite3.Connection, text: int, outcome: Unknown) -> None:
    bridge = texts.bridge_of(db, text)
    if bridge is not None:
        receipts.keep_parts(db, text, bridge, outcome.provider_ids, outcome.parts, outcome.find_id)
