"""deliver_sm and data_sm as they come from an SMSC, read tolerantly: an unknown TLV must never cost a reply. PURE."""

from collections.abc import Iterator
from dataclasses import dataclass

from sms.alphabets import from_default, from_utf_16, utf_8_or
from sms.smpp.pdu import DATA_SM, Pdu
from sms.text import Part

RECEIPTED_MESSAGE_ID = 0x001E
MESSAGE_STATE = 0x0427
MESSAGE_PAYLOAD = 0x0424
SAR_REFERENCE, SAR_TOTAL, SAR_NUMBER = 0x020C, 0x020E, 0x020F
INTERNATIONAL = 1
CONCATENATED_8, CONCATENATED_16 = 0x00, 0x08
"""Information elements of a user data header (3GPP TS 23.040 §9.2.3.24.1 and .8)."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Delivered:
    """What the SMSC delivers: a reply or a receipt."""

    source: str
    destination: str
    """Both E.164 where their type of number says so, else as they came."""
    esm_class: int
    data_coding: int
    octets: bytes
    """short_message or message_payload, as it came."""
    tlvs: dict[int, bytes]

    @property
    def is_receipt(self) -> bool:
        """An SMSC delivery receipt (§5.2.12)."""
        return self.esm_class & 0x3C == 0x04

    @property
    def text(self) -> str:
        """The body for people, without a user data header."""
        return decoded(self.octets[len(self._header) :], self.data_coding)

    @property
    def part(self) -> Part | None:
        """Which part of a long reply this is, by its user data header or its `sar` parameters."""
        elements = dict(_elements(self._header[1:]))
        if len(found := elements.get(CONCATENATED_8, b"")) == 3:
            return Part(reference=found[0], total=found[1], number=found[2])
        if len(found := elements.get(CONCATENATED_16, b"")) == 4:
            return Part(reference=int.from_bytes(found[:2]), total=found[2], number=found[3])
        reference, total, number = (self.tlvs.get(tag, b"") for tag in (SAR_REFERENCE, SAR_TOTAL, SAR_NUMBER))
        if reference and len(total) == len(number) == 1:
            return Part(reference=int.from_bytes(reference), total=total[0], number=number[0])
        return None

    @property
    def _header(self) -> bytes:
        """The user data header with its length, where esm_class says that there is one and it fits."""
        if not self.esm_class & 0x40 or not self.octets:
            return b""
        length = 1 + self.octets[0]
        return self.octets[:length] if length <= len(self.octets) else b""


def read(pdu: Pdu) -> Delivered:
    """Read a deliver_sm (§4.6.1) or data_sm (§4.7.1); `ValueError` where even the mandatory fields are not there."""
    fields = _Fields(pdu.body)
    fields.c_string()  # service_type
    source, destination = fields.address(), fields.address()
    esm_class = fields.octet()
    short_message = b""
    if pdu.command == DATA_SM:
        fields.octet()  # registered_delivery
        data_coding = fields.octet()
    else:
        fields.octet(), fields.octet()  # protocol_id, priority_flag
        fields.c_string(), fields.c_string()  # schedule_delivery_time, validity_period
        fields.octet(), fields.octet()  # registered_delivery, replace_if_present_flag
        data_coding = fields.octet()
        fields.octet()  # sm_default_msg_id
        short_message = fields.take(fields.octet())
    tlvs = fields.tlvs()
    return Delivered(
        source=source,
        destination=destination,
        esm_class=esm_class,
        data_coding=data_coding,
        octets=short_message or tlvs.get(MESSAGE_PAYLOAD, b""),
        tlvs=tlvs,
    )


def _elements(header: bytes) -> Iterator[tuple[int, bytes]]:
    """A user data header's elements; one that is cut off is the last."""
    at = 0
    while at + 2 <= len(header):
        length = header[at + 1]
        yield header[at], header[at + 2 : at + 2 + length]
        at += 2 + length


def decoded(octets: bytes, data_coding: int) -> str:
    """Octets in one of SMPP's alphabets (§5.2.19) as text; what cannot be read is replaced, never dropped."""
    match data_coding:
        case 8:
            return from_utf_16(octets)
        case 3:
            return octets.decode("latin-1")
        case 1:
            return utf_8_or(octets, "ascii")
        case 0 | 0xF1 | 0xF0 | 0x11 | 0x10:
            return from_default(octets)
        case _:
            return octets.decode("utf-8", "replace")


class _Fields:
    def __init__(self, body: bytes) -> None:
        self._body = body
        self._at = 0

    def c_string(self) -> str:
        end = self._body.find(b"\0", self._at)
        if end < 0:
            raise ValueError("a string without its end")
        start, self._at = self._at, end + 1
        return self._body[start:end].decode("latin-1").strip()

    def octet(self) -> int:
        return self.take(1)[0]

    def take(self, length: int) -> bytes:
        if self._at + length > len(self._body):
            raise ValueError(f"{length} octets wanted, {len(self._body) - self._at} left")
        start, self._at = self._at, self._at + length
        return self._body[start : self._at]

    def address(self) -> str:
        """With a plus where it is international (§5.2.5); a number of unknown type may be national, so it stays as it is."""
        type_of_number, _ = self.take(2)  # and the numbering plan
        digits = self.c_string()
        is_number = digits.isascii() and digits.isdecimal() and len(digits) > 8
        return f"+{digits.removeprefix('00')}" if is_number and type_of_number == INTERNATIONAL else digits

    def tlvs(self) -> dict[int, bytes]:
        """Tag to value; a TLV that is cut off is the last one read."""
        found: dict[int, bytes] = {}
        while self._at + 4 <= len(self._body):
            tag, length = (int.from_bytes(self.take(2)) for _ in range(2))
            found[tag] = self._body[self._at : self._at + length]
            self._at += length
        return found
