"""A segmented text as what its submit_sm carry, in one of three ways."""

import random
from typing import Literal

from sms.segments import Alphabet, Segmented, gsm_7, ucs_2
from sms.smpp.pdu import ShortMessage, tlv

DATA_CODING = {Alphabet.GSM_7: 0x00, Alphabet.UCS_2: 0x08}
"""SMPP 3.4 §5.2.19."""
SAR_MSG_REF_NUM, SAR_TOTAL_SEGMENTS, SAR_SEGMENT_SEQNUM, MESSAGE_PAYLOAD = 0x020C, 0x020E, 0x020F, 0x0424
"""§5.3.2.22 to 24, and 32."""

Way = Literal["udh", "sar", "payload"]


class References:
    """The numbers that tie a text's parts together, 1 to 255, counted for each destination of the last so many."""

    def __init__(self, at_most: int = 10_000) -> None:
        self._at_most = at_most
        self._last: dict[str, int] = {}
        """The destination that was texted last is at the end."""

    def next(self, to: str) -> int:
        """Another than the last 254 of this destination."""
        self._last[to] = self._last.pop(to, random.randrange(255)) % 255 + 1  # noqa: S311 — no secret
        if len(self._last) > self._at_most:
            del self._last[next(iter(self._last))]
        return self._last[to]

    def __len__(self) -> int:
        return len(self._last)


def messages_of(cut: Segmented, reference: int, way: Way) -> list[ShortMessage]:
    """What to submit, in order. A long text goes in parts, tied together by a UDH with an 8-bit reference (3GPP TS 23.040
    §9.2.3.24.1) or by `sar` parameters, or whole as `message_payload`, which the SMSC then cuts."""
    coding = DATA_CODING[cut.alphabet]
    if len(cut.parts) == 1:
        return [ShortMessage(octets=_octets(cut.text, cut.alphabet), data_coding=coding)]
    if way == "payload":
        return [ShortMessage(octets=b"", data_coding=coding, tlvs=tlv(MESSAGE_PAYLOAD, _octets(cut.text, cut.alphabet)))]
    total = len(cut.parts)
    messages = []
    for number, part in enumerate(cut.parts, start=1):
        octets = _octets(part, cut.alphabet)
        if way == "udh":
            header = bytes((0x05, 0x00, 0x03, reference, total, number))
            messages.append(ShortMessage(octets=header + octets, data_coding=coding, has_udh=True))
        else:
            ties = (
                tlv(SAR_MSG_REF_NUM, reference.to_bytes(2)),
                tlv(SAR_TOTAL_SEGMENTS, bytes((total,))),
                tlv(SAR_SEGMENT_SEQNUM, bytes((number,))),
            )
            messages.append(ShortMessage(octets=octets, data_coding=coding, tlvs=b"".join(ties)))
    return messages


def _octets(text: str, alphabet: Alphabet) -> bytes:
    return gsm_7(text) if alphabet is Alphabet.GSM_7 else ucs_2(text)
