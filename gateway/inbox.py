"""What comes back from the networks: receipts, replies, late answers. Stored durably before the bridge acknowledges them."""

import sqlite3
from collections.abc import Callable
from datetime import UTC, datetime

import structlog

from gateway.answers import answer
from gateway.core.consent import Wish, wish
from gateway.core.delivery import Event
from gateway.core.phone import masked, read_number
from gateway.outbox import opt_out
from gateway.ruling import Ruling
from gateway.store import consent, receipts, replies, texts
from gateway.store.database import Database
from sms.smpp.receipt import find_id
from sms.text import Accepted, Outcome, Receipt, Refused, Reply


class Inbox:
    """The bridges' `Sink`."""

    def __init__(self, *, store: Database, ruling: Ruling, bridge_changed: Callable[[], None]) -> None:
        self._store = store
        self._ruling = ruling
        self._bridge_changed = bridge_changed
        self._log = structlog.get_logger()

    async def receipt(self, receipt: Receipt) -> None:
        """Keep and apply a receipt."""
        text = await self._store.write(lambda db: receipts.add(db, receipt, find_id))
        self._log.info("receipt_received", bridge=receipt.bridge, text=text, state=receipt.state.value, code=receipt.code)

    async def reply(self, reply: Reply) -> None:
        """Keep a reply; an opt-out is obeyed before the network hears that we have it."""
        wished = wish(reply.body)
        if await self._store.write(lambda db: self._keep(db, reply, wished)):
            self._bridge_changed()
        self._log.info(
            "reply_received",
            bridge=reply.bridge,
            sender=masked(reply.sender),
            wish=wished.value if wished else "none",
        )

    async def late(self, key: str, outcome: Outcome) -> None:
        """Settle a text that was held as unknown."""
        text, now = int(key), datetime.now(UTC)
        match outcome:
            case Accepted(provider_ids=ids):
                await self._store.insist(lambda db: self._accept_late(db, text, ids, now))
            case Refused(code=code, detail=detail):
                await self._store.insist(lambda db: texts.settle(db, text, Event.REFUSED, now, detail=f"{code} {detail}"))
            case _:
                return
        self._log.info("unknown_text_settled", text=text, by=type(outcome).__name__.lower())

    def bridge_changed(self, bridge: str) -> None:
        """Room again, or a link gone."""
        self._bridge_changed()

    def _keep(self, db: sqlite3.Connection, reply: Reply, wished: Wish | None) -> bool:
        """Store the reply and what follows from it, in one transaction; True where an answer was queued."""
        kept = replies.add(db, reply, wished)
        sender = read_number(reply.sender, self._ruling.directory.config.region)
        if sender is None or wished is None:
            return False
        is_out = consent.opted_out_at(db, sender) is not None
        if wished is Wish.OPT_OUT:
            opt_out(db, sender, reply.at, f"reply:{kept}")
        elif wished is Wish.OPT_IN and is_out:
            consent.add(db, number=sender, wish=wished, at=reply.at, source=f"reply:{kept}")
        is_new = {Wish.OPT_OUT: not is_out, Wish.OPT_IN: is_out, Wish.HELP: True}[wished]
        if not is_new:
            return False
        return answer(db, self._ruling.directory, to=sender, of=reply.to, wish=wished, now=reply.at) is not None

    def _accept_late(self, db: sqlite3.Connection, text: int, ids: tuple[str, ...], now: datetime) -> None:
        bridge = texts.bridge_of(db, text)
        if bridge is not None:
            receipts.accept(db, text, bridge, ids, now, find_id)
