"""SMPP 3.4 PDUs: bytes out of the stream, requests of ours into bytes. smpplib writes the requests; nothing else touches it.

What arrives is never given to smpplib: a TLV that it does not expect would make it drop a reply.
"""

import struct
from dataclasses import dataclass
from typing import ClassVar

import smpplib.smpp
from smpplib.command import Command, SubmitSM
from smpplib.consts import OPTIONAL_PARAMS

HEADER = struct.Struct(">IIII")
"""command_length, command_id, command_status, sequence_number (§3.2)."""
LONGEST = 65536
RESPONSE = 0x80000000

GENERIC_NACK = 0x80000000
BIND_RECEIVER, BIND_TRANSMITTER, BIND_TRANSCEIVER = 0x01, 0x02, 0x09
ANSWERS_TO_BIND = frozenset({RESPONSE | BIND_TRANSMITTER, RESPONSE | BIND_TRANSCEIVER, GENERIC_NACK})
SUBMIT_SM, DELIVER_SM, DATA_SM = 0x04, 0x05, 0x103
UNBIND, ENQUIRE_LINK, ALERT_NOTIFICATION = 0x06, 0x15, 0x102
OUTBIND = 0x0B

ESME_ROK = 0x00
ESME_RINVCMDID = 0x03
ESME_RMSGQFUL = 0x14
ESME_RX_T_APPN = 0x64
"""Temporary: the SMSC keeps what it wanted to deliver and tries again."""
ESME_RX_P_APPN = 0x65


class Garbage(Exception):
    """The stream holds no PDUs any more: a length that cannot be. The link must be closed."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Pdu:
    """One PDU, its body unread."""

    command: int
    status: int
    sequence: int
    body: bytes

    @property
    def is_response(self) -> bool:
        return bool(self.command & RESPONSE)


class Splitter:
    """Cuts a byte stream into PDUs, however it was chunked."""

    def __init__(self) -> None:
        self._begun = bytearray()

    def feed(self, chunk: bytes) -> list[Pdu]:
        """The PDUs that these bytes complete; `Garbage` where a length is below 16 or above `LONGEST`."""
        self._begun += chunk
        found, at = [], 0
        while len(self._begun) - at >= HEADER.size:
            length, command, status, sequence = HEADER.unpack_from(self._begun, at)
            if not HEADER.size <= length <= LONGEST:
                raise Garbage(f"a PDU of {length} octets")
            if len(self._begun) - at < length:
                break
            body = bytes(self._begun[at + HEADER.size : at + length])
            found.append(Pdu(command=command, status=status, sequence=sequence, body=body))
            at += length
        del self._begun[:at]
        return found


def message_id(response: Pdu) -> str:
    """The id in a submit_sm_resp (§4.4.2), up to its NUL; empty where there is none."""
    return response.body.split(b"\0", 1)[0].decode("latin-1").strip()


def answer(request: Pdu, status: int = ESME_ROK) -> bytes:
    """The response to a request of the SMSC's; those to deliver_sm and data_sm bear an empty message_id (§4.6.2)."""
    body = b"\0" if request.command in (DELIVER_SM, DATA_SM) and status == ESME_ROK else b""
    return header(request.command | RESPONSE, status, request.sequence, body)


def nack(request: Pdu) -> bytes:
    """generic_nack for a command that we do not know (§4.3)."""
    return header(GENERIC_NACK, ESME_RINVCMDID, request.sequence)


def header(command: int, status: int, sequence: int, body: bytes = b"") -> bytes:
    """A whole PDU around a body that is bytes already."""
    return HEADER.pack(HEADER.size + len(body), command, status, sequence) + body


class _Sequence:
    """What smpplib wants for a client. The number itself is set afterwards."""

    sequence = 0

    def next_sequence(self) -> int:
        return 0


def bind(kind: str, sequence: int, *, system_id: str, password: str, system_type: str) -> bytes:
    """bind_transceiver or bind_transmitter (§4.1)."""
    return _written(
        f"bind_{kind}",
        sequence,
        system_id=system_id,
        password=password,
        system_type=system_type,
        interface_version=0x34,
        addr_ton=0,
        addr_npi=0,
        address_range="",
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class Address:
    """A source or destination with its type of number and numbering plan (§5.2.5, §5.2.6)."""

    digits: str
    ton: int
    npi: int


@dataclass(frozen=True, slots=True, kw_only=True)
class ShortMessage:
    """What a submit_sm carries: octets in an alphabet, with a UDH in front where `has_udh`, and optional parameters."""

    octets: bytes
    data_coding: int
    has_udh: bool = False
    tlvs: bytes = b""


class _SubmitSm(SubmitSM):  # type: ignore[misc]
    """Without the optional parameters, which `submit` appends: to look for thirty takes longer than the rest."""

    params_order: ClassVar = tuple(name for name in SubmitSM.params_order if name not in OPTIONAL_PARAMS)
    params: ClassVar = {name: SubmitSM.params[name] for name in params_order}


def submit(
    sequence: int,
    source: Address,
    destination: Address,
    message: ShortMessage,
    *,
    service_type: str,
    wants_receipt: bool,
    validity_period: str = "",
) -> bytes:
    """submit_sm (§4.4.1)."""
    pdu = _SubmitSm(
        "submit_sm",
        client=_Sequence(),
        service_type=service_type,
        source_addr_ton=source.ton,
        source_addr_npi=source.npi,
        source_addr=source.digits,
        dest_addr_ton=destination.ton,
        dest_addr_npi=destination.npi,
        destination_addr=destination.digits,
        esm_class=0x40 if message.has_udh else 0x00,
        protocol_id=0,
        priority_flag=0,
        validity_period=validity_period,
        registered_delivery=1 if wants_receipt else 0,
        replace_if_present_flag=0,
        data_coding=message.data_coding,
        sm_default_msg_id=0,
        short_message=message.octets,
    )
    written = _with_sequence(pdu, sequence)
    return (len(written) + len(message.tlvs)).to_bytes(4) + written[4:] + message.tlvs


def tlv(tag: int, value: bytes) -> bytes:
    """An optional parameter (§5.3.1)."""
    return tag.to_bytes(2) + len(value).to_bytes(2) + value


def enquire_link(sequence: int) -> bytes:
    """enquire_link (§4.11)."""
    return header(ENQUIRE_LINK, 0, sequence)


def unbind(sequence: int) -> bytes:
    """unbind (§4.2)."""
    return header(UNBIND, 0, sequence)


def _written(command: str, sequence: int, **fields: object) -> bytes:
    return _with_sequence(smpplib.smpp.make_pdu(command, client=_Sequence(), **fields), sequence)


def _with_sequence(pdu: Command, sequence: int) -> bytes:
    pdu.sequence = sequence
    written: bytes = pdu.generate()
    return written
