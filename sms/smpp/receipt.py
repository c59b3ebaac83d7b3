"""Delivery receipts: what a deliver_sm says of a text. PURE."""

import re
from datetime import datetime

from sms.masking import without_numbers
from sms.smpp.deliver import MESSAGE_STATE, RECEIPTED_MESSAGE_ID, Delivered
from sms.smpp.ids import find_id
from sms.text import NOT_IN_TIME, Receipt, ReceiptState

_FIELD = re.compile(r"\b(id|stat|err)\s*:\s*([^\s]+)", re.IGNORECASE)
_BY_NUMBER = {
    1: ("ENROUTE", ReceiptState.ON_ITS_WAY),
    2: ("DELIVRD", ReceiptState.DELIVERED),
    3: ("EXPIRED", ReceiptState.UNDELIVERED),
    4: ("DELETED", ReceiptState.UNDELIVERED),
    5: ("UNDELIV", ReceiptState.UNDELIVERED),
    6: ("ACCEPTD", ReceiptState.ON_ITS_WAY),
    7: ("UNKNOWN", ReceiptState.ON_ITS_WAY),
    8: ("REJECTD", ReceiptState.UNDELIVERED),
}
"""SMPP 3.4 §5.2.28. UNKNOWN says nothing, so it settles nothing."""
_BY_WORD = dict(_BY_NUMBER.values())


def read(delivered: Delivered, bridge: str, at: datetime, *, is_of_part: bool = True) -> Receipt:
    """The receipt in a deliver_sm: TLVs before the text (SMPP 3.4 appendix B). `ValueError` where it names no text."""
    fields: dict[str, str] = {}
    for name, value in _FIELD.findall(delivered.text):
        fields.setdefault(name.lower(), value)
    tlv = delivered.tlvs.get(RECEIPTED_MESSAGE_ID, b"").split(b"\0", 1)[0].decode("latin-1").strip()
    provider_id = tlv or fields.get("id", "")
    if not provider_id:
        raise ValueError("a receipt without an id")
    number = delivered.tlvs.get(MESSAGE_STATE, b"")[:1]
    word, state = _BY_NUMBER.get(number[0] if number else 0, ("", None))
    if state is None:
        word = fields.get("stat", "").upper()[:7]
        state = _BY_WORD.get(word, ReceiptState.ON_ITS_WAY)
    error = fields.get("err", "")
    return Receipt(
        bridge=bridge,
        provider_id=provider_id[:128],
        to=delivered.source or None,
        state=state,
        code=without_numbers(_code(word or "no state", error)),
        at=at,
        is_of_part=is_of_part,
        find_id=find_id,
    )


def _code(word: str, error: str) -> str:
    said = f"{word} err:{error}"[:64] if error.strip("0") else word
    return f"{said}: {NOT_IN_TIME}"[:64] if word == "EXPIRED" else said
