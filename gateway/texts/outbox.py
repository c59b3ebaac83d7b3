"""From queued texts to bridges and back: claim, submit, record.

Texts are claimed by looks at the queue, whenever one falls due or a bridge has room again. The text of a call that was missed
just now need not wait for one: `claim_next` puts its claim right behind the step that decides about it, in the same
transaction.

A claim is committed before a byte leaves, so after any crash a text that may have gone is known (`sending`): it becomes
`unknown`, and is never sent again. What a bridge says becomes a state through `core/delivery.py`; the next bridge is tried only
where nothing can have been sent. How the bridges are is asked on the event loop before a look; what runs in the store's thread
gets plain values.
"""

import asyncio
import random
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

import structlog

from config.model import Config
from gateway.core.call import ring_time
from gateway.core.quiet import NEVER, Quiet
from gateway.core.rounds import Rings, RingsOf
from gateway.core.zones import home_of
from gateway.repeated import Repeated
from gateway.store import StoreRow, texts
from gateway.store.database import Database, StoreError
from gateway.store.instants import read
from gateway.store.queue import NO_ROUNDS, Claimed, QueueLook
from gateway.texts import handover
from gateway.texts.outcomes import Return
from gateway.texts.queue_wake import QueueWake
from gateway.texts.room import Room
from sms.text import Bridge, NotSent, Outcome, Refused, Text, Unknown, Validity

BACKOFF_FIRST_S = 2.0
BACKOFF_MOST_S = 120.0
ASK_BACK = timedelta(days=1)
"""At the start networks are asked for texts of so long ago."""
RECORD_WITHIN_S = 1.0
"""At the end an answer that cannot be written down in this time is given up; the text is unknown at the next start."""

Routes = Mapping[str, Sequence[str]]
"""Each line's bridges in order."""


@dataclass(frozen=True, slots=True, kw_only=True)
class LastTexts:
    """How long the end may take, in seconds."""

    claim_within_s: float = 3.0
    """Texts that are due still go."""
    answers_within_s: float = 2.0
    """Answers are waited for after that."""


class Outbox:
    """Sends what is due. `wake` says when a text was queued, was not taken, or a bridge has room for what is left."""

    def __init__(
        self,
        *,
        store: Database,
        bridges: Mapping[str, Bridge],
        routes: Routes,
        wake: QueueWake,
        quiet: Quiet = NEVER,
        rings: RingsOf = NO_ROUNDS,
        jitter: Callable[[], float] = random.random,
    ) -> None:
        self._store = store
        self._bridges = bridges
        self.routes = routes
        self.quiet = quiet
        self.rings = rings
        """All three replaced when the configuration is loaded again."""
        self._jitter = jitter
        self._wake = wake
        self._repeated = Repeated("outbox", self._turn, wake.event)
        self._tasks: asyncio.TaskGroup | None = None
        """None: nothing may be claimed, because `run` has not begun or is about to end."""
        self._room = Room(bridges)
        self._claiming: set[asyncio.Task[None]] = set()
        self._submitting: set[asyncio.Task[None]] = set()
        self._last = LastTexts()
        self._is_stopping = False
        self._ended = asyncio.Event()
        self._log = structlog.get_logger()

    def wake(self) -> None:
        """Look at the queue soon."""
        self._repeated.wake()

    async def run(self) -> None:
        """Send until `stop`. A text that was claimed is always handed over: the loop ends between two looks only."""
        try:
            async with asyncio.TaskGroup() as tasks:
                self._tasks = tasks
                await self._ask_for_unknown()
                await self._repeated.run()
                await self._finish(self._last)
        finally:
            self._tasks = None
            self._ended.set()

    def claim_next(self, line: str) -> Callable[[], None] | None:
        """What claims a text of a line in the transaction of the step that is given to the store just before, and queues it.

        To be called right behind that step. None: no bridge has room, so that a look at the queue has to find the text.
        """
        route = self.routes.get(line, ())
        room = self._room.for_one(route)
        if self._tasks is None or self._repeated.is_stopping or not any(room.values()):
            return None
        return lambda: self._claim_behind(line, route, room)

    def _claim_behind(self, line: str, route: Sequence[str], room: Mapping[str, int]) -> None:
        assert self._tasks is not None
        self._room.promise(room)
        claim = self._store.run(handover.claim_due, {line: route}, room, self.quiet, self.rings)
        task = self._tasks.create_task(self._claimed_behind(claim, room), name=f"claim {line}")
        self._claiming.add(task)
        task.add_done_callback(self._claiming.discard)

    async def _claimed_behind(self, claim: "asyncio.Future[QueueLook]", room: Mapping[str, int]) -> None:
        """Hand over what was claimed. Where texts are left in the queue, one of them may be that which was to be claimed."""
        try:
            looked = await claim
            if looked.next_at is not None:
                self.wake()
            await self._follow(looked)
        except StoreError:  # the decision waits as well; the next look tells
            self.wake()
        except Exception:
            self._log.exception("queue_not_sent", detail="the next look tries again")
            self.wake()
        finally:
            if self._room.give_back(room):
                self.wake()

    async def stop(self, last: LastTexts) -> None:
        """Ask `run` to end, and wait until it has."""
        self._last = last
        self._repeated.stop()
        await self._ended.wait()

    async def _finish(self, last: LastTexts) -> None:
        """Send what is due for a while, wait for the answers, then call unknown what has none."""
        clock = asyncio.get_running_loop()
        until = clock.time() + last.claim_within_s
        if self._claiming:
            await asyncio.wait(self._claiming, timeout=last.claim_within_s)
        for claiming in self._claiming:
            claiming.cancel()
        while clock.time() < until:
            looked = await self._last_look()
            if not self._submitting and not looked.claimed:
                break
            await self._one_is_answered(until - clock.time())
        self._is_stopping = True
        if self._submitting:
            await asyncio.wait(self._submitting, timeout=last.answers_within_s)
        for task in self._submitting:
            task.cancel()

    async def _last_look(self) -> QueueLook:
        try:
            return await self._look()
        except StoreError as error:
            self._log.warning("queue_not_sent", why=str(error), detail=_NEXT_START)
        except Exception:
            self._log.exception("queue_not_sent", detail=_NEXT_START)
        return QueueLook()

    async def _one_is_answered(self, seconds: float) -> None:
        if self._submitting and seconds > 0:
            await asyncio.wait(self._submitting, timeout=seconds, return_when=asyncio.FIRST_COMPLETED)

    async def _ask_for_unknown(self) -> None:
        """Texts that a stop or a crash cut off from their answer: some networks can be asked for them."""
        try:
            rows = await self._store.run(texts.unknown_since, datetime.now(UTC) - ASK_BACK)
        except StoreError as error:
            self._log.warning("unknown_texts_not_asked_for", detail=str(error))
            return
        for row in rows:
            bridge = self._bridges.get(row["bridge"])
            if bridge is not None:
                self._ask(bridge, row)

    def _ask(self, bridge: Bridge, row: StoreRow) -> None:
        text = Text(key=texts.key_of(row), to=row["recipient"], sender=row["sender"], body=row["body"])
        try:
            bridge.ask(text, read(row["claimed_at"]))
        except Exception:
            self._log.exception("bridge_failed", bridge=row["bridge"], text=row["id"])

    async def _turn(self) -> datetime | None:
        return (await self._look()).next_at

    async def _look(self) -> QueueLook:
        """Claim what can go now and start its submits."""
        room = self._room.for_all()
        self._wake.is_empty = False
        looked = await self._store.run(handover.claim_due, self.routes, room, self.quiet, self.rings)
        self._wake.is_empty = looked.next_at is None
        self._room.used(room, (text.bridge for text in looked.claimed) if looked.next_at else ())
        await self._follow(looked)
        return looked

    async def _follow(self, looked: QueueLook) -> None:
        """Hand over what was claimed; returns when each text has taken its place in its bridge."""
        assert self._tasks is not None
        for text in looked.claimed:
            task = self._tasks.create_task(self._submit(text), name=f"submit {text.id}")
            self._submitting.add(task)
            task.add_done_callback(self._submitting.discard)
        await asyncio.sleep(0)  # the new tasks run before anybody asks a bridge for its room again

    async def _submit(self, text: Claimed) -> None:
        outcome = await self._handed_over(text)
        await self._record(text, outcome)

    async def _handed_over(self, text: Claimed) -> Outcome:
        """What the bridge says; that the gateway stops meanwhile, or that the bridge is gone, is an outcome too."""
        bridge = self._bridges.get(text.bridge)
        if bridge is None:
            return NotSent(detail=f"[sms.{text.bridge}] is no longer in the configuration")
        try:
            return await bridge.submit(_text(text, datetime.now(UTC)))
        except asyncio.CancelledError:
            return Unknown(detail="the gateway stopped before the answer came")
        except Exception as error:
            self._log.exception("bridge_failed", bridge=text.bridge, text=text.id)
            return Unknown(detail=f"the bridge failed: {type(error).__name__}")

    async def _record(self, text: Claimed, outcome: Outcome) -> None:
        """Written down, however long the file cannot be written; at the end only for a moment."""
        values = (text, outcome, self._return(text, outcome), datetime.now(UTC))
        try:
            async with asyncio.timeout(RECORD_WITHIN_S if self._is_stopping else None):
                await self._store.insist(handover.record, *values)
        except (Exception, asyncio.CancelledError):  # it stays `sending`, and is held as unknown at the next start
            self._log.exception("text_not_recorded", text=text.id, bridge=text.bridge, outcome=type(outcome).__name__)

    def _return(self, text: Claimed, outcome: Outcome) -> Return:
        declined = {*text.tried, text.bridge}
        return Return(
            again_at=datetime.now(UTC) + self._pause(text.attempts, outcome),
            has_next=any(name not in declined for name in self.routes.get(text.line, ())),
        )

    def _pause(self, attempts: int, outcome: Outcome) -> timedelta:
        """Doubling, half of it left to chance, and never sooner than the network asked."""
        most = min(BACKOFF_MOST_S, BACKOFF_FIRST_S * 2 ** min(attempts - 1, 10))
        pause = timedelta(seconds=most * (0.5 + self._jitter() / 2))
        asked = outcome.retry_after if isinstance(outcome, Refused) else None
        return max(pause, asked) if asked else pause


def _text(text: Claimed, now: datetime) -> Text:
    """As it is handed to a bridge at an instant."""
    validity = Validity(until=text.expires_at, left=text.expires_at - now)
    return Text(key=text.key, to=text.recipient, sender=text.sender, body=text.body, validity=validity)


_NEXT_START = "what is still queued goes at the next start"


def quiet_of(config: Config) -> Quiet:
    """Who may not be texted when."""
    return Quiet(consent=config.consent, homes={line.name: home_of(line, config.region) for line in config.line.values()})


def routes_of(config: Config) -> dict[str, tuple[str, ...]]:
    """Each line's bridges in order."""
    return {line.name: line.sms for line in config.line.values()}


def rings_of(config: Config) -> dict[str, Rings]:
    """How calls ring, on each line on which they may ring in rounds."""
    return {
        line.name: Rings(within=line.same_call_within, at_most=ring_time(line))
        for line in config.line.values()
        if line.same_call_within is not None
    }
