"""One bound SMPP link over asyncio streams: requests with their answers, the SMSC's own requests, and signs of life.

The session knows nothing of texts. A request's future holds the response, or `NoAnswer`, or `LinkDown`; a response that comes
after its request was given up goes to the function that the request named for it, as long as the link lives.
"""

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from datetime import timedelta

import structlog

from sms.smpp import pdu
from sms.smpp.pdu import Garbage, Pdu, Splitter

CHUNK = 64 * 1024
TO_STORE_AT_MOST = 200
"""Deliveries that wait to be stored; more are told to come again."""
GIVEN_UP_AT_MOST = 10_000
UNREAD_AT_MOST = 1_000_000
"""Octets of ours that the SMSC has not read."""
UNBIND_WITHIN_S = 2.0
LAST_SEQUENCE = 0x7FFFFFFF

Late = Callable[[Pdu], Awaitable[None]]
"""What is to be done with a response that comes too late."""


class LinkDown(Exception):
    """The link ended; the sentence says why."""


class NoAnswer(Exception):
    """The response did not come in time; it may still come."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Timeouts:
    """How long to wait for a response, and how long the link may be silent before it is asked whether it lives."""

    response: timedelta
    enquire_link: timedelta


async def _nothing(response: Pdu) -> None:
    """For requests whose late response says nothing."""


class Session:
    """Owns the two streams from the moment they are connected. `run` lives as long as the link."""

    def __init__(
        self,
        reader: asyncio.StreamReader,
        writer: asyncio.StreamWriter,
        *,
        timeouts: Timeouts,
        deliver: Callable[[Pdu], Awaitable[int]],
        alive: Callable[[], None],
    ) -> None:
        self._reader, self._writer = reader, writer
        self._timeouts = timeouts
        self._deliver = deliver
        self._alive = alive
        self._in_doubt = False
        self._splitter = Splitter()
        self._sequence = 0
        self._bind: int | None = None
        """The bind's, while it has no answer."""
        self._pending: dict[int, asyncio.Future[Pdu]] = {}
        self._waits: set[asyncio.Future[None]] = set()
        self._given_up: dict[int, Late] = {}
        """Requests without a response, the oldest first."""
        self._late: asyncio.Queue[tuple[Late, Pdu]] = asyncio.Queue()
        """Each was given up, so there are never more of them than there are of these."""
        self._to_store: asyncio.Queue[Pdu] = asyncio.Queue(TO_STORE_AT_MOST)
        self._is_storing = False
        self._heard_at = asyncio.get_running_loop().time()
        self._ask_now = asyncio.Event()
        self._down: str = ""
        self._log = structlog.get_logger()

    @property
    def is_down(self) -> bool:
        """The link has ended, or the SMSC has asked to end it."""
        return bool(self._down)

    @property
    def why_down(self) -> str:
        """Why the link ended; empty while it lives."""
        return self._down

    @property
    def is_in_doubt(self) -> bool:
        """A response did not come and nothing has been heard since: whatever is sent now may fall into a black hole."""
        return self._in_doubt

    @property
    def is_busy(self) -> bool:
        """Does a request of ours wait for its answer, a part for its turn, or a delivery to be stored?"""
        return bool(self._pending or self._waits) or self._is_storing or not self._to_store.empty()

    def next_sequence(self) -> int:
        """A sequence number for one request, from 1 (§3.2)."""
        self._sequence = self._sequence % LAST_SEQUENCE + 1
        return self._sequence

    async def run(self) -> None:
        """Read until the link ends, answer, and keep it alive. Always ends by raising `LinkDown`, or by a fault of our own."""
        try:
            async with asyncio.TaskGroup() as tasks:
                tasks.create_task(self._read(), name="smpp-read")
                tasks.create_task(self._keep_alive(), name="smpp-alive")
                tasks.create_task(self._work_off(), name="smpp-deliveries")
                tasks.create_task(self._work_off_late(), name="smpp-late")
        except* LinkDown as group:
            self._down = str(group.exceptions[0])
        finally:
            self.close("the link was closed")
        while not self._late.empty():  # had been answered before the link ended
            await self._hand_on_late()
        raise LinkDown(self._down)

    async def request(self, sequence: int, written: bytes, late: Late = _nothing) -> Pdu:
        """Send a request, at once, and wait for its response: `NoAnswer` after the timeout, `LinkDown` where the link ends
        first. A response that comes after its time goes to `late`."""
        if self._down:
            raise LinkDown(self._down)
        future: asyncio.Future[Pdu] = asyncio.get_running_loop().create_future()
        self._pending[sequence] = future
        self._writer.write(written)
        try:
            async with asyncio.timeout(self._timeouts.response.total_seconds()):
                return await future
        except TimeoutError:
            self._give_up(sequence, late)
            raise NoAnswer(f"no answer in {self._timeouts.response.total_seconds():g} s") from None
        finally:
            self._pending.pop(sequence, None)

    async def request_bind(self, sequence: int, written: bytes) -> Pdu:
        """`request`, for the first request of a link: a refusal that bears another sequence number can only be meant for it."""
        self._bind = sequence
        try:
            return await self.request(sequence, written)
        finally:
            self._bind = None

    async def unless_down(self, wait: asyncio.Future[None]) -> None:
        """Wait for something else, no longer than the link lives: then `LinkDown`."""
        try:
            if self._down:
                raise LinkDown(self._down)
            self._waits.add(wait)
            await wait
        finally:
            self._waits.discard(wait)
            wait.cancel()

    async def unbind(self) -> None:
        """Say goodbye; an SMSC that does not answer is left all the same."""
        if self._down:
            return
        sequence = self.next_sequence()
        try:
            async with asyncio.timeout(UNBIND_WITHIN_S):
                await self.request(sequence, pdu.unbind(sequence))
        except (TimeoutError, NoAnswer, LinkDown):
            return

    def close(self, why: str) -> None:
        """End the link; whatever waits hears `LinkDown`."""
        self._down = self._down or why
        waiting: list[asyncio.Future[Pdu] | asyncio.Future[None]] = [*self._pending.values(), *self._waits]
        for future in waiting:
            if not future.done():
                future.set_exception(LinkDown(self._down))
        self._writer.close()

    # --- the link's own tasks ---

    async def _read(self) -> None:
        while True:
            try:
                chunk = await self._reader.read(CHUNK)
            except OSError as error:
                raise LinkDown(f"the link broke: {error.strerror or error}") from None
            if not chunk:
                raise LinkDown(self._down or "the SMSC closed the link")
            self._heard()
            answers: list[bytes] = []
            try:
                for one in self._splitter.feed(chunk):
                    self._take(one, answers)
            except Garbage as error:
                raise LinkDown(f"the SMSC sent {error}; the link is closed") from None
            finally:
                self._writer.write(b"".join(answers))  # at once: asyncio goes through all that waits with every write
            if self._writer.transport.get_write_buffer_size() > UNREAD_AT_MOST:
                raise LinkDown("the SMSC sends and does not read; the link is closed")

    def _heard(self) -> None:
        self._heard_at = asyncio.get_running_loop().time()
        if self._in_doubt:
            self._in_doubt = False
            self._alive()

    def _take(self, one: Pdu, answers: list[bytes]) -> None:
        if one.is_response:
            self._take_response(one)
            return
        match one.command:
            case pdu.ENQUIRE_LINK:
                answers.append(pdu.answer(one))
            case pdu.DELIVER_SM | pdu.DATA_SM:
                self._queue(one, answers)
            case pdu.UNBIND:
                answers.append(pdu.answer(one))
                self._down = "the SMSC ended the bind"
            case pdu.ALERT_NOTIFICATION | pdu.OUTBIND:
                pass
            case _:
                answers.append(pdu.nack(one))

    def _take_response(self, one: Pdu) -> None:
        refuses_bind = self._bind is not None and one.status != pdu.ESME_ROK and one.command in pdu.ANSWERS_TO_BIND
        future = self._pending.get(self._bind if self._bind is not None and refuses_bind else one.sequence)
        late = self._given_up.pop(one.sequence, None)
        if future is not None and not future.done():
            future.set_result(one)
        elif late is not None:
            self._late.put_nowait((late, one))
        else:
            self._log.warning("smpp_answer_to_nothing", command=f"0x{one.command:08X}", sequence=one.sequence)

    def _queue(self, one: Pdu, answers: list[bytes]) -> None:
        try:
            self._to_store.put_nowait(one)
        except asyncio.QueueFull:
            answers.append(pdu.answer(one, pdu.ESME_RMSGQFUL))

    async def _work_off(self) -> None:
        """Deliveries in order; each is answered only when it has been stored."""
        while True:
            one = await self._to_store.get()
            self._is_storing = True
            try:
                status = await self._deliver(one)
                if not self._writer.is_closing():
                    self._writer.write(pdu.answer(one, status))
            finally:
                self._is_storing = False

    async def _work_off_late(self) -> None:
        while True:
            await self._hand_on_late()

    async def _hand_on_late(self) -> None:
        late, response = await self._late.get()
        try:
            await late(response)
        except Exception:
            self._log.exception("late_answer_not_stored", sequence=response.sequence, effect="its text stays unknown")

    async def _keep_alive(self) -> None:
        """After silence, or a response that did not come, ask; no answer to that: the link is down."""
        while True:
            await self._until_silent_or_asked()
            self._ask_now.clear()
            sequence = self.next_sequence()
            try:
                await self.request(sequence, pdu.enquire_link(sequence))
            except NoAnswer:
                raise LinkDown("the SMSC does not answer (enquire_link)") from None

    async def _until_silent_or_asked(self) -> None:
        loop, patience = asyncio.get_running_loop(), self._timeouts.enquire_link.total_seconds()
        while (silent := loop.time() - self._heard_at) < patience:
            try:
                async with asyncio.timeout(patience - silent):
                    await self._ask_now.wait()
            except TimeoutError:
                continue
            return

    def _give_up(self, sequence: int, late: Late) -> None:
        """Nothing more is sent until something is heard; a response may still come."""
        self._given_up[sequence] = late
        if len(self._given_up) > GIVEN_UP_AT_MOST:
            del self._given_up[next(iter(self._given_up))]
        self._in_doubt = True
        self._ask_now.set()
