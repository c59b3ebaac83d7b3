"""The SMPP bridge: keeps one bind up, and hands texts over part by part.

The parts of a text go one after the other: a first part that is refused leaves nothing half sent. Once a part may have been
taken, the text is never given back to be sent again; it is accepted as a whole, or it is unknown.
"""

import asyncio
import contextlib
import random
import ssl
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

import structlog

from config.bridges import Smpp
from sms.segments import segment
from sms.smpp import deliver, pdu, receipt, status
from sms.smpp.pacing import Pacing
from sms.smpp.parts import octets_of
from sms.smpp.pdu import Address, Pdu
from sms.smpp.session import LinkDown, NoAnswer, Session, Timeouts
from sms.text import Accepted, Health, NotSent, Outcome, Refusal, Refused, Reply, Sink, Text, Unknown

RECONNECT_FIRST_S = 1.0
PAUSE_FIRST_S = 15.0
"""After a bind that was refused for good: the account is asked again later and later, up to `PAUSE_MOST_S`."""
PAUSE_MOST_S = 600.0
LAST_ANSWERS_WITHIN_S = 4.0
PART_TRIES = 8
"""A later part that the SMSC refuses for now is offered again so often: it was certainly not taken."""


class BindRefused(Exception):
    """The SMSC does not let us in."""

    def __init__(self, code: int) -> None:
        super().__init__(status.in_words(code))
        self.is_for_good = code in status.BIND_REFUSED_FOR_GOOD


@dataclass(slots=True)
class _Sending:
    """How far a text has come."""

    text: Text
    ids: list[str]
    accepted: int
    parts: int


class SmppBridge:
    """One `[sms.NAME]` of kind smpp."""

    def __init__(self, name: str, settings: Smpp) -> None:
        self.name = name
        self._settings = settings
        self._session: Session | None = None
        self._sink: Sink | None = None
        self._is_paused = False
        self._detail = "not connected yet"
        self._window = asyncio.Semaphore(settings.window)
        self._in_window = 0
        """Parts that hold a place in the window or wait for one."""
        self._pacing = Pacing(settings.per_second, self._changed)
        self._references: dict[str, int] = {}
        self._late: dict[int, _Sending] = {}
        """Last parts that got no answer in time, by sequence number."""
        self._log = structlog.get_logger().bind(bridge=name)

    # --- what the gateway asks ---

    def room(self) -> int:
        """Free places in the window, one where the pace is limited, none while down."""
        if self._session is None or self._session.is_down:
            return 0
        return max(0, min(self._settings.window - self._in_window, self._pacing.room()))

    def health(self) -> Health:
        """Bound or not, and why not."""
        is_up = self._session is not None and not self._session.is_down
        return Health(up=is_up, paused=self._is_paused, detail=self._detail)

    async def submit(self, text: Text) -> Outcome:
        """Hand a text over; its parts in turn."""
        cut = segment(text.body)
        reference = self._reference(text.to) if len(cut.parts) > 1 else 0
        sending = _Sending(text=text, ids=[], accepted=0, parts=len(cut.parts))
        for number in range(1, len(cut.parts) + 1):
            message = octets_of(cut, number, reference)
            outcome = await self._submit_part(sending, message)
            if not isinstance(outcome, Accepted):
                return outcome if not sending.accepted else _half_sent(sending, outcome)
            sending.ids += outcome.provider_ids
            sending.accepted += 1
        return Accepted(provider_ids=tuple(sending.ids))

    # --- one part ---

    async def _submit_part(self, sending: _Sending, message: pdu.ShortMessage) -> Outcome:
        """A part of its own; a later part that is refused for now is offered again, because half a text is none."""
        tries = PART_TRIES if sending.accepted else 1
        outcome = await self._submit_once(sending, message)
        while tries > 1 and isinstance(outcome, Refused) and outcome.kind is Refusal.TEMPORARY:
            await asyncio.sleep(self._pacing.seconds_to_room())
            outcome = await self._submit_once(sending, message)
            tries -= 1
        return outcome

    async def _submit_once(self, sending: _Sending, message: pdu.ShortMessage) -> Outcome:
        self._in_window += 1
        try:
            async with self._window:
                await self._pacing.turn()
                return await self._hand_over(sending, message)
        finally:
            self._in_window -= 1
            self._changed()

    async def _hand_over(self, sending: _Sending, message: pdu.ShortMessage) -> Outcome:
        session = self._session
        if session is None or session.is_down:
            return NotSent(detail=self._detail)
        sequence = session.next_sequence()
        written = pdu.submit(
            sequence,
            self._source(sending.text.sender),
            Address(digits=sending.text.to.lstrip("+"), ton=self._settings.dest_ton, npi=self._settings.dest_npi),
            message,
            service_type=self._settings.service_type,
            wants_receipt=self._settings.receipts,
        )
        try:
            response = await session.request(sequence, written)
        except NoAnswer as error:
            if sending.accepted == sending.parts - 1:
                self._late[sequence] = sending
            return Unknown(detail=str(error))
        except LinkDown as error:
            return Unknown(detail=f"the link ended before the answer: {error}")
        return self._outcome(response)

    def _outcome(self, response: Pdu) -> Outcome:
        if response.status == pdu.ESME_ROK and response.command == pdu.SUBMIT_SM | pdu.RESPONSE:
            self._pacing.went_well()
            found = pdu.message_id(response)
            return Accepted(provider_ids=(found,) if found else ())
        if response.status in status.THROTTLED:
            self._pacing.slow_down()
            return status.refused(response.status, pause=timedelta(seconds=self._pacing.seconds_to_room()))
        if response.status == pdu.ESME_ROK:
            return Unknown(detail=f"the SMSC answered with command 0x{response.command:08X}")
        return status.refused(response.status)

    def _source(self, sender: str) -> Address:
        is_number = sender.lstrip("+").isdecimal()
        ton, npi = (1, 1) if sender.startswith("+") else (3, 0) if is_number else (5, 0)
        set_ton, set_npi = self._settings.source_ton, self._settings.source_npi
        return Address(
            digits=sender.lstrip("+"),
            ton=ton if set_ton is None else set_ton,
            npi=npi if set_npi is None else set_npi,
        )

    def _reference(self, to: str) -> int:
        """The number that ties a text's parts together: counted for each destination, 1 to 255."""
        self._references[to] = self._references.get(to, random.randrange(255)) % 255 + 1  # noqa: S311 — no secret
        return self._references[to]

    def _changed(self) -> None:
        if self._sink is not None:
            self._sink.bridge_changed(self.name)

    # --- the link ---

    async def run(self, sink: Sink) -> None:
        """Bind, and bind again whenever the link ends; after cancellation say goodbye."""
        self._sink = sink
        pause = RECONNECT_FIRST_S
        while True:
            bound_at = None
            try:
                session = await self._bound()
                bound_at = asyncio.get_running_loop().time()
                await self._live(session)
            except BindRefused as error:
                pause = self._after_refusal(error, pause)
            except (LinkDown, OSError, TimeoutError, ssl.SSLError) as error:
                pause = self._after_loss(error, pause, bound_at)
            self._changed()
            await asyncio.sleep(pause * random.uniform(0.75, 1.0))  # noqa: S311 — jitter
            pause = min(pause * 2, PAUSE_MOST_S if self._is_paused else self._settings.reconnect_most.total_seconds())

    async def _bound(self) -> Session:
        """A session whose bind has been answered with yes. Its tasks run in `_live`; until then nothing else reads."""
        settings = self._settings
        async with asyncio.timeout(settings.connect_timeout.total_seconds()):
            reader, writer = await asyncio.open_connection(settings.host, settings.port, ssl=self._tls())
        return Session(
            reader,
            writer,
            timeouts=Timeouts(response=settings.response_timeout, enquire_link=settings.enquire_link),
            deliver=self._deliver,
            late=self._late_answer,
        )

    async def _live(self, session: Session) -> None:
        ended: BindRefused | LinkDown | None = None
        async with asyncio.TaskGroup() as tasks:
            running = tasks.create_task(_until_down(session), name="smpp-session")
            try:
                await self._bind(session)
                self._session, self._is_paused = session, False
                self._detail = f"bound to {self._settings.host}:{self._settings.port} as {self._settings.system_id}"
                self._log.info("bridge_up", detail=self._detail)
                self._changed()
                await asyncio.shield(running)
            except (BindRefused, LinkDown) as error:
                ended = error
            except asyncio.CancelledError:
                await self._goodbye(session)
                raise
            finally:
                self._session = None
                self._late.clear()
                session.close("the link was closed")
                running.cancel()
        raise ended or LinkDown(session.why_down)

    async def _bind(self, session: Session) -> None:
        settings = self._settings
        sequence = session.next_sequence()
        written = pdu.bind(
            settings.bind,
            sequence,
            system_id=settings.system_id,
            password=settings.password.get_secret_value(),
            system_type=settings.system_type,
        )
        try:
            response = await session.request(sequence, written)
        except NoAnswer:
            raise LinkDown("the SMSC did not answer the bind") from None
        if response.status != pdu.ESME_ROK:
            raise BindRefused(response.status)

    async def _goodbye(self, session: Session) -> None:
        """Wait for answers under way, then unbind."""
        until = asyncio.get_running_loop().time() + LAST_ANSWERS_WITHIN_S
        while session.is_waiting and asyncio.get_running_loop().time() < until:
            await asyncio.sleep(0.02)
        await session.unbind()

    def _after_refusal(self, error: BindRefused, pause: float) -> float:
        if error.is_for_good:
            if not self._is_paused:
                self._log.error("bridge_paused", detail=str(error), cure="correct this bridge's system_id or password")
                pause = PAUSE_FIRST_S
            self._is_paused = True
        self._detail = f"the bind was refused: {error}"
        if not error.is_for_good:
            self._log.warning("bridge_down", detail=self._detail, retry_in_s=round(pause, 1))
        return pause

    def _after_loss(self, error: Exception, pause: float, bound_at: float | None) -> float:
        detail = _in_words(error)
        if bound_at is not None and asyncio.get_running_loop().time() - bound_at > RECONNECT_FIRST_S:
            pause = RECONNECT_FIRST_S
        if detail != self._detail and not self._is_paused:
            self._log.warning("bridge_down", detail=detail, retry_in_s=round(pause, 1))
        if not self._is_paused:
            self._detail = detail
        return pause

    def _tls(self) -> ssl.SSLContext | None:
        return ssl.create_default_context(cafile=self._settings.tls_ca) if self._settings.tls else None

    # --- what the SMSC says on its own account ---

    async def _deliver(self, one: Pdu) -> int:
        """Store a reply or a receipt; the status to answer with."""
        assert self._sink is not None
        now = datetime.now(UTC)
        try:
            delivered = deliver.read(one)
            if delivered.is_receipt:
                await self._sink.receipt(receipt.read(delivered, self.name, now))
            else:
                await self._sink.reply(_reply(delivered, self.name, now))
        except ValueError as error:
            self._log.error("delivery_unreadable", error=str(error), octets=len(one.body))
            return pdu.ESME_RX_P_APPN
        except Exception as error:
            self._log.error("delivery_not_stored", error=str(error))
            return pdu.ESME_RX_T_APPN
        return pdu.ESME_ROK

    async def _late_answer(self, response: Pdu) -> None:
        sending = self._late.pop(response.sequence, None)
        if sending is None or self._sink is None:
            return
        outcome = self._outcome(response)
        if isinstance(outcome, Accepted):
            outcome = Accepted(provider_ids=(*sending.ids, *outcome.provider_ids))
        elif not isinstance(outcome, Refused) or sending.accepted:
            return
        await self._sink.late(sending.text.key, outcome)


async def _until_down(session: Session) -> None:
    with contextlib.suppress(LinkDown):
        await session.run()


def _reply(delivered: deliver.Delivered, bridge: str, now: datetime) -> Reply:
    return Reply(
        bridge=bridge,
        sender=receipt.e164(delivered.source) or "",
        to=receipt.e164(delivered.destination) or "",
        body=delivered.text,
        at=now,
    )


def _half_sent(sending: _Sending, outcome: Outcome) -> Unknown:
    detail = getattr(outcome, "detail", "")
    return Unknown(detail=f"{sending.accepted} of {sending.parts} parts were accepted, then: {detail}")


def _in_words(error: Exception) -> str:
    if isinstance(error, ssl.SSLCertVerificationError):
        return f"the SMSC's certificate is not trusted: {error.verify_message}"
    if isinstance(error, ssl.SSLError):
        return f"TLS failed: {error.reason or error}"
    if isinstance(error, TimeoutError):
        return "the SMSC cannot be reached: no answer"
    if isinstance(error, OSError):
        return f"the SMSC cannot be reached: {error.strerror or error}"
    return str(error)
