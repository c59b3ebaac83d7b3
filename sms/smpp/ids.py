"""The ids of texts as SMSCs write them: one way in the response to the submit, often another in the receipt. PURE."""

import re
from collections.abc import Callable, Sequence


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
