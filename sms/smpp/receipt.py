"""Delivery receipts: what a deliver_sm says of a text, and which of our ids it means. PURE."""

import re
from collections.abc import Callable, Sequence
from datetime import datetime

from sms.masking import without_numbers
from sms.smpp.deliver import MESSAGE_STATE, RECEIPTED_MESSAGE_ID, Delivered
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
    )


def _code(word: str, error: str) -> str:
    said = f"{word} err:{error}"[:64] if error.strip("0") else word
    return f"{said}: {NOT_IN_TIME}"[:64] if word == "EXPIRED" else said


def find_id(theirs: str, ours: Sequence[str]) -> int | None:
    """Which of our ids a receipt means: as it stands, in another case, hexadecimal for decimal, without leading zeros.

    Each way is tried on all ids before the next, so that a looser way never beats an exact match.
    """
    for form in _FORMS:
        wanted = form(theirs)
        for index, own in enumerate(ours):
            if wanted & form(own):
                return index
    return None


def _hexadecimal_or_decimal(text: str) -> frozenset[str]:
    values = {f"dec {int(text)}"} if text.isascii() and text.isdecimal() else set()
    if re.fullmatch(r"[0-9A-Fa-f]{1,32}", text):
        values.add(f"dec {int(text, 16)}")
    return frozenset(values)


_FORMS: tuple[Callable[[str], frozenset[str]], ...] = (
    lambda text: frozenset({text}),
    lambda text: frozenset({text.casefold()}),
    lambda text: frozenset({text.casefold().lstrip("0")}),
    _hexadecimal_or_decimal,
)
