"""The SMPP bridge: hands texts over part by part, and takes in receipts and replies. `link.py` keeps the bind up.

The parts of a text go one after the other: a first part that is refused leaves nothing half sent. Once a part may have been
taken, the text is never given back to be sent again; it is accepted as a whole, or it is unknown.
"""

import asyncio
import random
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

import structlog

from config.bridges import Smpp
from sms.pacing import Pacing
from sms.segments import segment
from sms.smpp import deliver, pdu, receipt, status
from sms.smpp.link import Link
from sms.smpp.parts import messages_of
from sms.smpp.pdu import Address, Pdu
from sms.smpp.session import LinkDown, NoAnswer
from sms.text import Accepted, Health, NotSent, Outcome, Refusal, Refused, Reply, Sink, Text, Unknown

PART_TRIES = 8
"""A later part that the SMSC refuses for now is offered again so often: it was certainly not taken."""


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
        self._sink: Sink | None = None
        self._link = Link(
            name,
            settings,
            deliver=self._deliver,
            late=self._late_answer,
            changed=self._link_changed,
            alive=self._changed,
        )
        self._window = asyncio.Semaphore(settings.window)
        self._in_window = 0
        """Parts that hold a place in the window or wait for one."""
        self._pacing = Pacing(settings.per_second, self._changed)
        self._references: dict[str, int] = {}
        self._late: dict[int, _Sending] = {}
        """Last parts that got no answer in time, by sequence number."""
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
        return max(0, min(self._settings.window - self._in_window, self._pacing.room()))

    def health(self) -> Health:
        """Bound or not, and why not."""
        return Health(up=self._link.session is not None, paused=self._link.is_paused, detail=self._link.detail)

    async def submit(self, text: Text) -> Outcome:
        """Hand a text over; its parts in turn."""
        cut = segment(text.body)
        reference = self._reference(text.to) if len(cut.parts) > 1 else 0
        messages = messages_of(cut, reference, self._settings.long_texts)
        sending = _Sending(text=text, ids=[], accepted=0, parts=len(messages))
        for message in messages:
            outcome = await self._submit_part(sending, message)
            if not isinstance(outcome, Accepted):
                return outcome if not sending.accepted else _half_sent(sending, outcome)
            sending.ids += outcome.provider_ids
            sending.accepted += 1
        return Accepted(provider_ids=tuple(sending.ids))

    def ask(self, text: Text, since: datetime) -> None:
        """An SMSC is asked by its own id (query_sm), which is what was lost: nothing to be done."""

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
        session = self._link.session
        if session is None:
            return NotSent(detail=self._link.detail)
        if session.is_in_doubt and not sending.accepted:
            return NotSent(detail="the SMSC has left a text without an answer; it is being asked whether it lives")
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

    def _link_changed(self) -> None:
        """A new link knows nothing of an old one's sequence numbers."""
        self._late.clear()
        self._changed()

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


def _reply(delivered: deliver.Delivered, bridge: str, now: datetime) -> Reply:
    return Reply(
        bridge=bridge,
        sender=delivered.source,
        to=delivered.destination,
        body=delivered.text,
        at=now,
        part=delivered.part,
    )


def _half_sent(sending: _Sending, outcome: Outcome) -> Unknown:
    detail = getattr(outcome, "detail", "")
    return Unknown(detail=f"{sending.accepted} of {sending.parts} parts were accepted, then: {detail}")
