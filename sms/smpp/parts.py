"""A segmented text as the octets of submit_sm. PURE."""

from sms.segments import Alphabet, Segmented, gsm_7, ucs_2
from sms.smpp.pdu import ShortMessage

DATA_CODING = {Alphabet.GSM_7: 0x00, Alphabet.UCS_2: 0x08}
"""SMPP 3.4 §5.2.19."""


def octets_of(cut: Segmented, number: int, reference: int) -> ShortMessage:
    """Part `number` (from 1); several parts bear a UDH with an 8-bit reference (3GPP TS 23.040 §9.2.3.24.1)."""
    body = cut.parts[number - 1]
    octets = gsm_7(body) if cut.alphabet is Alphabet.GSM_7 else ucs_2(body)
    if len(cut.parts) == 1:
        return ShortMessage(octets=octets, data_coding=DATA_CODING[cut.alphabet])
    header = bytes((0x05, 0x00, 0x03, reference, len(cut.parts), number))
    return ShortMessage(octets=header + octets, data_coding=DATA_CODING[cut.alphabet], has_udh=True)
