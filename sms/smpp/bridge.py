"""The SMPP bridge: hands texts over part by part, and takes in receipts and replies. `link.py` keeps the bind up.

A text has one place in the window from its first part to its last. Its parts go one after the other over one link: a first part
that is refused leaves nothing half sent. Once a part may have been taken, the text is never given back to be sent again; it is
accepted as a whole, or it is unknown.
"""

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from functools import partial

import structlog

from config.bridges import Smpp
from sms.masking import without_numbers
from sms.pacing import Pacing
from sms.segments import segment
from sms.smpp import deliver, pdu, receipt, status, validity
from sms.smpp.ids import find_id
from sms.smpp.link import TAKEN_FOR_S, Link
from sms.smpp.parts import References, messages_of
from sms.smpp.pdu import Address, Pdu
from sms.smpp.session import LinkDown, NoAnswer, Session
from sms.text import Accepted, Health, NotSent, Outcome, Receipt, Refusal, Refused, Reply, Sink, Text, Unknown

PART_AGAIN_S = (1.0, 2.0, 4.0, 8.0, 15.0, 15.0, 15.0)
"""A later part that the SMSC refuses for now is offered again after these pauses, because half a text is none: it was certainly
not taken. A minute in all, long before a text is too old."""


@dataclass(slots=True)
class _Sending:
    """How far a text has come."""

    text: Text
    messages: Sequence[pdu.ShortMessage]
    ids: list[str]
    """Of the parts that were accepted, "" where one got none."""

    @property
    def outcome(self) -> Accepted | Unknown:
        """What is known of it so far."""
        ids, parts = tuple(self.ids), len(self.messages)
        if len(ids) == parts:
            return Accepted(provider_ids=ids if any(ids) else (), find_id=find_id)
        detail = f"{len(ids)} of {parts} parts were accepted"
        return Unknown(detail=detail, provider_ids=ids, parts=parts, find_id=find_id)


class SmppBridge:
    """One `[sms.NAME]` of kind smpp."""

    def __init__(
        self,
        name: str,
        settings: Smpp,
        *,
        part_again: Sequence[float] = PART_AGAIN_S,
        taken_for_s: float = TAKEN_FOR_S,
    ) -> None:
        self.name = name
        self._settings = settings
        self._part_again = part_again
        self._sink: Sink | None = None
        self._link = Link(name, settings, deliver=self._deliver, changed=self._changed, taken_for_s=taken_for_s)
        self._under_way = 0
        """Texts in the window."""
        self._fault = ""
        """Why the last text was refused, where that was our account's or our settings' fault."""
        self._pacing = Pacing(settings.per_second, self._changed)
        self._references = References()
        self._log = structlog.get_logger().bind(bridge=name)

    async def run(self, sink: Sink) -> None:
        """Keep the link up until cancelled; then wait for the answers under way, and unbind."""
        self._sink = sink
        await self._link.run()

    # --- what the gateway asks ---

    def room(self) -> int:
        """Free places in the window as the pace allows; none while down, or while nobody knows whether the link lives."""
        if self._link.session is None or self._link.session.is_in_doubt:
            return 0
        return self._pacing.room(self._settings.window - self._under_way)

    def health(self) -> Health:
        """Bound or not, and why not."""
        is_up = self._link.session is not None
        fault = f"; the last text was refused: {self._fault}" if is_up and self._fault else ""
        return Health(up=is_up, paused=self._link.is_paused, detail=self._link.detail + fault)

    async def submit(self, text: Text) -> Outcome:
        """Hand a text over, its parts in turn, the first at once."""
        session = self._link.session
        if session is None:
            return NotSent(detail=self._link.detail)
        if session.is_in_doubt:
            return NotSent(detail="the SMSC has left a text without an answer; it is being asked whether it lives")
        if self._under_way >= self._settings.window or not self._pacing.take():
            return NotSent(detail="no room: the window is full, or the pace does not allow it now")
        self._under_way += 1
        try:
            return await self._hand_over(session, self._cut(text))
        finally:
            self._under_way -= 1
            self._changed()

    def ask(self, text: Text, since: datetime) -> None:
        """An SMSC is asked by its own id (query_sm), which is what was lost: nothing to be done."""

    # --- one text ---

    def _cut(self, text: Text) -> _Sending:
        cut = segment(text.body)
        reference = self._references.next(text.to) if len(cut.parts) > 1 else 0
        return _Sending(text=text, messages=messages_of(cut, reference, self._settings.long_texts), ids=[])

    async def _hand_over(self, session: Session, sending: _Sending) -> Outcome:
        """The parts in turn, as far as they are accepted."""
        first, *later = sending.messages
        outcome = await self._submit_part(session, sending, first)
        for message in later:
            if not isinstance(outcome, Accepted):
                break
            outcome = await self._submit_later(session, sending, message)
        if isinstance(outcome, Accepted):
            return sending.outcome
        if sending.ids:
            return Unknown(
                detail=f"{len(sending.ids)} of {len(sending.messages)} parts were accepted, then: {outcome.detail}",
                provider_ids=tuple(sending.ids),
                parts=len(sending.messages),
                find_id=find_id,
            )
        return outcome

    async def _submit_later(self, session: Session, sending: _Sending, message: pdu.ShortMessage) -> Outcome:
        """A part that waits for its turn; one that is refused for now is offered again, later and later."""
        outcome = await self._submit_in_turn(session, sending, message)
        loop = asyncio.get_running_loop()
        until = loop.time() + sum(self._part_again)
        for seconds in self._part_again:
            pause = max(seconds, self._pacing.seconds_held())
            if not _is_for_now(outcome) or loop.time() + pause > until:
                break
            outcome = await self._submit_in_turn(session, sending, message, pause)
        return outcome

    async def _submit_in_turn(
        self, session: Session, sending: _Sending, message: pdu.ShortMessage, pause: float = 0.0
    ) -> Outcome:
        try:
            await session.unless_down(_passed(pause))
            await session.unless_down(self._pacing.turn())
        except LinkDown as error:
            return NotSent(detail=f"the link ended: {error}")
        return await self._submit_part(session, sending, message)

    async def _submit_part(self, session: Session, sending: _Sending, message: pdu.ShortMessage) -> Outcome:
        sequence = session.next_sequence()
        written = pdu.submit(
            sequence,
            self._source(sending.text.sender),
            Address(digits=sending.text.to.lstrip("+"), ton=self._settings.dest_ton, npi=self._settings.dest_npi),
            message,
            service_type=self._settings.service_type,
            wants_receipt=self._settings.receipts,
            validity_period=validity.written(sending.text.validity, self._settings.validity),
        )
        try:
            response = await session.request(sequence, written, late=partial(self._late_answer, sending))
        except NoAnswer as error:
            return Unknown(detail=str(error), parts=len(sending.messages))
        except LinkDown as error:
            return Unknown(detail=f"the link ended before the answer: {error}", parts=len(sending.messages))
        return self._outcome(sending, response)

    def _outcome(self, sending: _Sending, response: Pdu) -> Outcome:
        """What an answer means for its part; an id is written down."""
        if response.command not in (pdu.SUBMIT_SM | pdu.RESPONSE, pdu.GENERIC_NACK):
            return Unknown(detail=f"the SMSC answered with command 0x{response.command:08X}", parts=len(sending.messages))
        if response.status in status.THROTTLED:
            self._pacing.slow_down()
            return status.refused(response.status, pause=timedelta(seconds=self._pacing.seconds_held()))
        if response.status != pdu.ESME_ROK:
            refused = status.refused(response.status)
            self._fault = refused.detail if refused.kind is Refusal.CONFIGURATION else ""
            return refused
        if response.command == pdu.GENERIC_NACK:
            return Unknown(detail="the SMSC answered with a generic_nack without an error", parts=len(sending.messages))
        self._pacing.went_well()
        self._fault = ""
        sending.ids.append(pdu.message_id(response))
        return Accepted(provider_ids=(sending.ids[-1],), find_id=find_id)

    def _source(self, sender: str) -> Address:
        is_number = sender.lstrip("+").isdecimal()
        ton, npi = (1, 1) if sender.startswith("+") else (3, 0) if is_number else (5, 0)
        set_ton, set_npi = self._settings.source_ton, self._settings.source_npi
        return Address(
            digits=sender.lstrip("+"),
            ton=ton if set_ton is None else set_ton,
            npi=npi if set_npi is None else set_npi,
        )

    def _changed(self) -> None:
        if self._sink is not None:
            self._sink.bridge_changed(self.name)

    # --- what the SMSC says on its own account ---

    async def _deliver(self, one: Pdu) -> int:
        """Store a reply or a receipt; the status to answer with."""
        assert self._sink is not None
        try:
            said = self._read(one)
        except ValueError as error:
            self._log.error("delivery_unreadable", error=without_numbers(str(error)), octets=len(one.body))
            return pdu.ESME_RX_P_APPN
        try:
            await (self._sink.receipt(said) if isinstance(said, Receipt) else self._sink.reply(said))
        except Exception as error:
            self._log.error("delivery_not_stored", error=without_numbers(str(error)), kind=type(error).__name__)
            return pdu.ESME_RX_T_APPN
        return pdu.ESME_ROK

    def _read(self, one: Pdu) -> Receipt | Reply:
        delivered, now = deliver.read(one), datetime.now(UTC)
        if delivered.is_receipt:
            return receipt.read(delivered, self.name, now, is_of_part=self._settings.long_texts != "payload")
        return _reply(delivered, self.name, now)

    async def _late_answer(self, sending: _Sending, response: Pdu) -> None:
        """Of the one part that got none in time. Where others are missing the text stays unknown, with what is known now."""
        assert self._sink is not None
        outcome = self._outcome(sending, response)
        if isinstance(outcome, Accepted) or sending.ids:
            outcome = sending.outcome
        await self._sink.late(sending.text.key, outcome)


def _is_for_now(outcome: Outcome) -> bool:
    return isinstance(outcome, Refused) and outcome.kind is Refusal.TEMPORARY


def _passed(seconds: float) -> asyncio.Future[None]:
    """Done after so long."""
    loop = asyncio.get_running_loop()
    passed: asyncio.Future[None] = loop.create_future()
    timer = loop.call_later(seconds, lambda: None if passed.done() else passed.set_result(None))
    passed.add_done_callback(lambda _: timer.cancel())
    return passed


def _reply(delivered: deliver.Delivered, bridge: str, now: datetime) -> Reply:
    return Reply(
        bridge=bridge,
        sender=delivered.source,
        to=delivered.destination,
        body=delivered.text,
        at=now,
        part=delivered.part,
    )
