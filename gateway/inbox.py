"""What comes back from the networks: receipts, replies, late answers. Stored durably before the bridge acknowledges them."""

import sqlite3
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import structlog

from config.model import E164
from gateway import metrics
from gateway.answers import answer
from gateway.core.consent import Wish, wish
from gateway.core.delivery import Event
from gateway.core.phone import masked, read_number, readings
from gateway.outbox import opt_out
from gateway.ruling import Ruling
from gateway.store import consent, history, receipts, replies, texts
from gateway.store.database import Database
from sms.smpp.receipt import find_id
from sms.text import Accepted, Outcome, Receipt, Refused, Reply, Unknown

PARTS_AT_MOST = 255
"""What an octet can count (3GPP TS 23.040 §9.2.3.24.1); what claims more is no part."""
PARTS_WITHIN = timedelta(minutes=10)
"""The parts of a long reply follow each other within seconds; one that is missing so long after the last will not come."""


class Inbox:
    """The bridges' `Sink`."""

    def __init__(self, *, store: Database, ruling: Ruling, bridge_changed: Callable[[], None]) -> None:
        self._store = store
        self._ruling = ruling
        self._bridge_changed = bridge_changed
        self._log = structlog.get_logger()

    async def receipt(self, receipt: Receipt) -> None:
        """Keep and apply a receipt."""
        text = await self._store.write(lambda db: self._keep_receipt(db, receipt))
        metrics.count_receipt(receipt.bridge, receipt.state.value)
        self._log.info("receipt_received", bridge=receipt.bridge, text=text, state=receipt.state.value, code=receipt.code)

    async def reply(self, reply: Reply) -> None:
        """Keep a reply; an opt-out is obeyed before the network hears that we have it."""
        await self._store.write(lambda db: self._take(db, reply))
        self._bridge_changed()

    async def give_up_on_parts(self) -> None:
        """Long replies of which a part never came are shown as far as they did."""
        before = datetime.now(UTC) - PARTS_WITHIN
        await self._store.write(lambda db: self._keep_incomplete(db, before))

    async def late(self, key: str, outcome: Outcome) -> None:
        """Settle a text that was held as unknown."""
        text, now = int(key.partition("-")[0]), datetime.now(UTC)
        match outcome:
            case Accepted(provider_ids=ids):
                await self._store.insist(lambda db: self._accept_late(db, text, ids, now))
            case Refused(code=code, detail=detail):
                await self._store.insist(lambda db: texts.settle(db, text, Event.REFUSED, now, detail=f"{code} {detail}"))
            case Unknown(detail=detail):
                await self._store.insist(lambda db: self._keep_late_part(db, text, outcome))
                self._log.info("unknown_text_known_better", text=text, detail=detail)
                return
            case _:
                return
        self._log.info("unknown_text_settled", text=text, by=type(outcome).__name__.lower())

    def bridge_changed(self, bridge: str) -> None:
        """Room again, or a link gone."""
        self._bridge_changed()

    def _take(self, db: sqlite3.Connection, reply: Reply) -> None:
        """A reply, or a part of one that may make it whole."""
        config = self._ruling.directory.config
        ours = {number for line in config.line.values() for number in (line.number, line.sender)}
        meant = readings(reply.to, config.region)
        to = next((number for number in meant if number in ours), meant[0] if meant else reply.to)
        reply = replace(reply, sender=self._number(db, reply.sender), to=to)
        whole, part = reply, reply.part
        if part is not None and 1 <= part.number <= part.total and 1 < part.total <= PARTS_AT_MOST:
            joined = replies.add_part(db, reply, part)
            if joined is None:
                return
            whole = joined
        self._keep(db, whole)

    def _number(self, db: sqlite3.Connection, written: str) -> str:
        """E.164 of what a network may have written nationally: one that we know, else the likeliest; what is none stays."""
        meant = readings(written, self._ruling.directory.config.region)
        return next((number for number in meant if history.is_known(db, number)), meant[0] if meant else written)

    def _keep_receipt(self, db: sqlite3.Connection, receipt: Receipt) -> int | None:
        """Store and apply a receipt, in one transaction; its text. That the network knows of a STOP enters the ledger."""
        number = E164(self._number(db, receipt.to)) if receipt.to is not None else None
        kept = receipts.add(db, replace(receipt, to=number), find_id)
        if kept.is_new and receipt.is_opted_out and number is not None and consent.opted_out_at(db, number) is None:
            opt_out(db, number, receipt.at, f"bridge:{receipt.bridge}")
        return kept.text

    def _keep_incomplete(self, db: sqlite3.Connection, before: datetime) -> None:
        for reply in replies.take_incomplete(db, before):
            self._keep(db, reply)

    def _keep(self, db: sqlite3.Connection, reply: Reply) -> None:
        """Store the reply and what follows from it, in one transaction."""
        wished = wish(reply.body) or wish(reply.word)
        kept = replies.add(db, reply, wished)
        sender = read_number(reply.sender, self._ruling.directory.config.region)
        self._log.info(
            "reply_repeated" if kept is None else "reply_received",
            bridge=reply.bridge,
            sender=masked(reply.sender),
            wish=wished.value if wished else "none",
        )
        if kept is not None:
            metrics.count_reply(reply.bridge, wished.value if wished else "none")
        if kept is None or sender is None or wished is None:
            return
        is_out = consent.opted_out_at(db, sender) is not None
        if wished is Wish.OPT_OUT:
            opt_out(db, sender, reply.at, f"reply:{kept}")
        elif wished is Wish.OPT_IN and is_out:
            consent.add(db, number=sender, wish=wished, at=reply.at, source=f"reply:{kept}")
        is_new = {Wish.OPT_OUT: not is_out, Wish.OPT_IN: is_out, Wish.HELP: True}[wished]
        if is_new:
            answer(db, self._ruling.directory, to=sender, of=reply.to, wish=wished, now=reply.at)

    def _accept_late(self, db: sqlite3.Connection, text: int, ids: tuple[str, ...], now: datetime) -> None:
        bridge = texts.bridge_of(db, text)
        if bridge is not None:
            receipts.accept(db, text, bridge, ids, now, find_id)

    def _keep_late_part(self, db: sqlite3.Connection, text: int, outcome: Unknown) -> None:
        bridge = texts.bridge_of(db, text)
        if bridge is not None:
            receipts.keep_parts(db, text, bridge, outcome.provider_ids, outcome.parts, find_id)
