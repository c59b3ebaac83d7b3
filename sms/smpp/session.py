"""One bound SMPP link over asyncio streams: requests with their answers, the SMSC's own requests, and signs of life.

The session knows nothing of texts. A request's future holds the response, or `NoAnswer`, or `LinkDown`; a response that comes
after its request was given up is told to `late`, as long as the link lives.
"""

import asyncio
import itertools
from collections import deque
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
UNBIND_WITHIN_S = 2.0
LAST_SEQUENCE = 0x7FFFFFFF


class LinkDown(Exception):
    """The link ended; the sentence says why."""


class NoAnswer(Exception):
    """The response did not come in time; it may still come."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Timeouts:
    """How long to wait for a response, and how long the link may be silent before it is asked whether it lives."""

    response: timedelta
    enquire_link: timedelta


class Session:
    """Owns the two streams from the moment they are connected. `run` lives as long as the link."""

    def __init__(
        self,
        reader: asyncio.StreamReader,
        writer: asyncio.StreamWriter,
        *,
        timeouts: Timeouts,
        deliver: Callable[[Pdu], Awaitable[int]],
        late: Callable[[Pdu], Awaitable[None]],
        alive: Callable[[], None],
    ) -> None:
        self._reader, self._writer = reader, writer
        self._timeouts = timeouts
        self._deliver = deliver
        self._late = late
        self._alive = alive
        self._in_doubt = False
        self._splitter = Splitter()
        self._sequences = itertools.cycle(range(1, LAST_SEQUENCE))
        self._pending: dict[int, asyncio.Future[Pdu]] = {}
        self._given_up: deque[int] = deque(maxlen=GIVEN_UP_AT_MOST)
        self._to_store: asyncio.Queue[Pdu] = asyncio.Queue(TO_STORE_AT_MOST)
        self._heard = asyncio.Event()
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
    def is_waiting(self) -> bool:
        """Has any request of ours no answer yet?"""
        return bool(self._pending)

    def next_sequence(self) -> int:
        """A sequence number for one request."""
        return next(self._sequences)

    async def run(self) -> None:
        """Read until the link ends, answer, and keep it alive. Always ends by raising `LinkDown`."""
        try:
            async with asyncio.TaskGroup() as tasks:
                tasks.create_task(self._read(), name="smpp-read")
                tasks.create_task(self._keep_alive(), name="smpp-alive")
                tasks.create_task(self._work_off(), name="smpp-deliveries")
        except* LinkDown as group:
            self._down = str(group.exceptions[0])
        finally:
            self.close(self._down or "the link was closed")
        raise LinkDown(self._down)

    async def request(self, sequence: int, written: bytes) -> Pdu:
        """Send a request and wait for its response: `NoAnswer` after the timeout, `LinkDown` where the link ends first."""
        if self._down:
            raise LinkDown(self._down)
        future: asyncio.Future[Pdu] = asyncio.get_running_loop().create_future()
        self._pending[sequence] = future
        self._writer.write(written)
        try:
            async with asyncio.timeout(self._timeouts.response.total_seconds()):
                return await future
        except TimeoutError:
            self._given_up.append(sequence)
            self._in_doubt = True
            self._ask_now.set()
            raise NoAnswer(f"no answer in {self._timeouts.response.total_seconds():g} s") from None
        finally:
            self._pending.pop(sequence, None)

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
        """End the link; whatever waits for an answer hears `LinkDown`."""
        self._down = self._down or why
        for future in self._pending.values():
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
            self._heard.set()
            if self._in_doubt:
                self._in_doubt = False
                self._alive()
            try:
                for one in self._splitter.feed(chunk):
                    self._take(one)
            except Garbage as error:
                raise LinkDown(f"the SMSC sent {error}; the link is closed") from None

    def _take(self, one: Pdu) -> None:
        if one.is_response:
            self._take_response(one)
            return
        match one.command:
            case pdu.ENQUIRE_LINK:
                self._writer.write(pdu.answer(one))
            case pdu.DELIVER_SM | pdu.DATA_SM:
                self._queue(one)
            case pdu.UNBIND:
                self._writer.write(pdu.answer(one))
                self._down = "the SMSC ended the bind"
            case pdu.ALERT_NOTIFICATION | pdu.OUTBIND:
                pass
            case _:
                self._writer.write(pdu.nack(one))

    def _take_response(self, one: Pdu) -> None:
        future = self._pending.get(one.sequence)
        if future is not None:
            if not future.done():
                future.set_result(one)
        elif one.sequence in self._given_up:
            self._given_up.remove(one.sequence)
            self._queue(one)
        else:
            self._log.warning("smpp_answer_to_nothing", command=f"0x{one.command:08X}", sequence=one.sequence)

    def _queue(self, one: Pdu) -> None:
        try:
            self._to_store.put_nowait(one)
        except asyncio.QueueFull:
            if not one.is_response:
                self._writer.write(pdu.answer(one, pdu.ESME_RMSGQFUL))

    async def _work_off(self) -> None:
        """Deliveries and late responses in order; a delivery is answered only when it has been stored."""
        while True:
            one = await self._to_store.get()
            if one.is_response:
                await self._late(one)
                continue
            status = await self._deliver(one)
            if not self._writer.is_closing():
                self._writer.write(pdu.answer(one, status))

    async def _keep_alive(self) -> None:
        """After silence, or a response that did not come, ask; no answer to that: the link is down."""
        while True:
            self._heard.clear()
            self._ask_now.clear()
            await self._until_silent_or_asked()
            sequence = self.next_sequence()
            try:
                await self.request(sequence, pdu.enquire_link(sequence))
            except NoAnswer:
                raise LinkDown("the SMSC does not answer (enquire_link)") from None

    async def _until_silent_or_asked(self) -> None:
        try:
            async with asyncio.timeout(self._timeouts.enquire_link.total_seconds()):
                await self._ask_now.wait()
        except TimeoutError:
            return
