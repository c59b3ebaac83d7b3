"""From queued texts to bridges and back: claim, submit, record.

A claim is committed before a byte leaves, so after any crash a text that may have gone is known (`sending`) and is held, never
sent again. What a bridge says becomes a state through `core/delivery.py`; the next bridge is tried only where nothing can have
been sent.
"""

import asyncio
import random
import sqlite3
from collections.abc import Callable, Mapping, Sequence
from datetime import UTC, datetime, timedelta

import structlog

from config.model import E164, Config
from gateway import metrics
from gateway.core.consent import Wish
from gateway.core.delivery import Event
from gateway.core.phone import masked
from gateway.store import consent, receipts, texts, undeliverable
from gateway.store.database import Database, StoreError
from gateway.store.instants import read
from gateway.store.texts import Claimed, Round
from sms.route import may_try_next
from sms.smpp.receipt import find_id
from sms.text import Accepted, Bridge, NotSent, Outcome, Refusal, Refused, Text, Unknown

BACKOFF_FIRST_S = 2.0
BACKOFF_MOST_S = 120.0
ASK_BACK = timedelta(days=1)
"""At the start networks are asked for texts of so long ago."""
LOOK_AGAIN_S = 60.0
"""The queue is looked at so often even when nothing calls for it."""


class Outbox:
    """Sends what is due. `woken` is set when a text was queued or a bridge has room again."""

    def __init__(
        self,
        *,
        store: Database,
        bridges: Mapping[str, Bridge],
        routes: Mapping[str, Sequence[str]],
        tasks: asyncio.TaskGroup,
        woken: asyncio.Event,
        jitter: Callable[[], float] = random.random,
    ) -> None:
        self._store = store
        self._bridges = bridges
        self.routes = routes
        """Each line's bridges in order; replaced when the configuration is loaded again."""
        self._tasks = tasks
        self._jitter = jitter
        self._woken = woken
        self._under_way: set[asyncio.Task[None]] = set()
        self._log = structlog.get_logger()

    def wake(self) -> None:
        """Look at the queue soon."""
        self._woken.set()

    async def run(self) -> None:
        """Send until cancelled; what is under way is then left to `finish`."""
        await self._ask_for_unknown()
        while True:
            self._woken.clear()
            looked = await self._round()
            await self._sleep_until(looked.next_at if looked else datetime.now(UTC) + timedelta(seconds=1))

    async def finish(self, seconds: float) -> None:
        """After `run` was cancelled: send what fell due meanwhile and wait for the answers, so long at the most."""
        until = asyncio.get_running_loop().time() + seconds
        while (left := until - asyncio.get_running_loop().time()) > 0:
            looked = await self._round()
            if not self._under_way and (looked is None or not looked.claimed):
                return
            if self._under_way:
                await asyncio.wait(self._under_way, timeout=left, return_when=asyncio.FIRST_COMPLETED)
        for task in self._under_way:
            task.cancel()

    async def _ask_for_unknown(self) -> None:
        """Texts that a stop or a crash cut off from their answer: some networks can be asked for them."""
        since = datetime.now(UTC) - ASK_BACK
        try:
            rows = await self._store.write(lambda db: texts.unknown_since(db, since))
        except StoreError:
            return
        for row in rows:
            bridge = self._bridges.get(row["bridge"])
            if bridge is not None:
                text = Text(key=texts.key_of(row), to=row["recipient"], sender=row["sender"], body=row["body"])
                bridge.ask(text, read(row["claimed_at"]))

    async def _round(self) -> Round | None:
        """Claim what can go now and start its submits; None while the database cannot be written."""
        room = {name: bridge.room() for name, bridge in self._bridges.items() if bridge.health().up}
        try:
            looked = await self._store.write(
                lambda db: texts.claim_due(db, datetime.now(UTC), self.routes, room),
            )
        except StoreError as error:
            self._log.error("queue_unreadable", error=str(error))
            return None
        for text in looked.claimed:
            task = self._tasks.create_task(self._submit(text), name=f"submit {text.id}")
            self._under_way.add(task)
            task.add_done_callback(self._under_way.discard)
        for expired in looked.expired:
            self._log.warning("text_expired", text=expired)
        for cancelled in looked.cancelled:
            self._log.info("text_cancelled", text=cancelled)
        return looked

    async def _sleep_until(self, at: datetime | None) -> None:
        seconds = LOOK_AGAIN_S if at is None else (at - datetime.now(UTC)).total_seconds()
        try:
            await asyncio.wait_for(self._woken.wait(), max(0.001, min(seconds, LOOK_AGAIN_S)))
        except TimeoutError:
            return

    async def _submit(self, text: Claimed) -> None:
        bridge = self._bridges[text.bridge]
        outcome = await self._handed_over(bridge, text)
        try:
            await asyncio.shield(self._store.insist(lambda db: self.record(db, text, outcome, datetime.now(UTC))))
        except Exception:  # it stays `sending`, and is held as unknown at the next start
            self._log.exception("text_not_recorded", text=text.id)
        self._report(text, outcome)
        if not isinstance(outcome, Accepted):
            self.wake()

    async def _handed_over(self, bridge: Bridge, text: Claimed) -> Outcome:
        try:
            return await bridge.submit(Text(key=text.key, to=text.recipient, sender=text.sender, body=text.body))
        except Exception as error:
            self._log.exception("bridge_failed", bridge=bridge.name, text=text.id)
            return Unknown(detail=f"the bridge failed: {type(error).__name__}")

    def record(self, db: sqlite3.Connection, text: Claimed, outcome: Outcome, now: datetime) -> None:
        """What a bridge said, as one step of the text's life. Runs in the store's thread."""
        match outcome:
            case Accepted(provider_ids=ids):
                receipts.accept(db, text.id, text.bridge, ids, now, find_id)
            case Unknown(detail=detail):
                texts.settle(db, text.id, Event.NO_ANSWER, now, detail=detail)
                receipts.keep_parts(db, text.id, text.bridge, outcome.provider_ids, outcome.parts, find_id)
            case Refused() if outcome.kind in (Refusal.PERMANENT, Refusal.OPTED_OUT):
                texts.settle(db, text.id, Event.REFUSED, now, detail=f"{outcome.code} {outcome.detail}")
                if outcome.is_number_dead:
                    undeliverable.add(db, text.recipient, now, f"{text.bridge} {outcome.code}")
                if outcome.kind is Refusal.OPTED_OUT:
                    opt_out(db, text.recipient, now, f"bridge:{text.bridge}")
            case Refused() | NotSent():
                self._put_back(db, text, outcome, now)

    def _put_back(self, db: sqlite3.Connection, text: Claimed, outcome: Refused | NotSent, now: datetime) -> None:
        tried = [*text.tried, text.bridge]
        others = [
            name
            for name in self.routes.get(text.line, ())
            if name not in tried and name in self._bridges and self._bridges[name].health().up
        ]
        if others and may_try_next(outcome):
            due_at = now
        else:
            tried, due_at = [], now + self._pause(text.attempts, outcome)
        detail = f"{text.bridge}: {outcome.detail}"
        texts.put_back(db, text.id, now, due_at=due_at, tried=tried, detail=detail)

    def _pause(self, attempts: int, outcome: Refused | NotSent) -> timedelta:
        """Doubling, half of it left to chance, and never sooner than the network asked."""
        most = min(BACKOFF_MOST_S, BACKOFF_FIRST_S * 2 ** min(attempts - 1, 10))
        pause = timedelta(seconds=most * (0.5 + self._jitter() / 2))
        asked = outcome.retry_after if isinstance(outcome, Refused) else None
        return max(pause, asked) if asked else pause

    def _report(self, text: Claimed, outcome: Outcome) -> None:
        metrics.count_submit(text.bridge, outcome)
        log = self._log.bind(call=text.call, text=text.id, bridge=text.bridge, to=masked(text.recipient))
        match outcome:
            case Accepted(provider_ids=ids):
                log.info("text_accepted", provider_id=ids[0] if ids else "", attempts=text.attempts)
            case Refused(kind=kind, code=code, detail=detail):
                log.warning("text_refused", kind=kind.value, code=code, detail=detail)
            case NotSent(detail=detail):
                log.warning("text_not_sent", detail=detail)
            case Unknown(detail=detail):
                log.error("text_unknown", detail=detail)


def routes_of(config: Config) -> dict[str, tuple[str, ...]]:
    """Each line's bridges in order."""
    return {line.name: line.sms for line in config.line.values()}


def opt_out(db: sqlite3.Connection, number: E164, at: datetime, source: str) -> None:
    """Into the ledger, and whatever is still queued for the number is cancelled, in the same transaction."""
    consent.add(db, number=number, wish=Wish.OPT_OUT, at=at, source=source)
    texts.cancel_for(db, number, at, "opted out before it was sent")
