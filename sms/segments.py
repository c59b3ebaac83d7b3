"""A text's body into what goes over the air: GSM-7 or UCS-2, one segment or several parts (3GPP TS 23.038, 23.040). PURE.

GSM-7 holds 160 septets alone and 153 in parts, UCS-2 70 and 67 code units. An escape sequence or a surrogate pair is never
split between two parts.
"""

from dataclasses import dataclass
from enum import StrEnum
from functools import lru_cache

GSM_BASIC = (
    "@£$¥èéùìòÇ\nØø\rÅåΔ_ΦΓΛΩΠΨΣΘΞ\x1bÆæßÉ !\"#¤%&'()*+,-./0123456789:;<=>?"
    "¡ABCDEFGHIJKLMNOPQRSTUVWXYZÄÖÑÜ§¿abcdefghijklmnopqrstuvwxyzäöñüà"
)
"""TS 23.038 §6.2.1; the place in the string is the septet. The escape itself is no character."""
GSM_EXTENSION = {"\f": 0x0A, "^": 0x14, "{": 0x28, "}": 0x29, "\\": 0x2F, "[": 0x3C, "~": 0x3D, "]": 0x3E, "|": 0x40, "€": 0x65}
"""§6.2.1.1: each costs two septets, the escape and its own."""
ESCAPE = 0x1B

_SEPTETS = {
    **{character: bytes((septet,)) for septet, character in enumerate(GSM_BASIC) if septet != ESCAPE},
    **{character: bytes((ESCAPE, septet)) for character, septet in GSM_EXTENSION.items()},
}
_PLAIN = str.maketrans(
    {
        **dict.fromkeys("‘’‚‛′`´", "'"),
        **dict.fromkeys("“”„‟″", '"'),
        **dict.fromkeys("‐‑‒–—―−", "-"),
        **dict.fromkeys("\u00a0\u2002\u2003\u2007\u2009\u202f", " "),
        **dict.fromkeys("\u200b\u200c\u2060\ufeff", ""),
        "…": "...",
        "•": "-",
        "\t": " ",
    }
)
"""What word processors and phones put in without being asked, as GSM-7 writes it."""


class Alphabet(StrEnum):
    """How a text is written over the air."""

    GSM_7 = "gsm-7"
    UCS_2 = "ucs-2"


LIMITS = {Alphabet.GSM_7: (160, 153), Alphabet.UCS_2: (70, 67)}
"""Units in a single segment, and in each of several parts."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Segmented:
    """A text as it will be sent."""

    text: str
    """The body after transliteration, which is what the phone shows."""
    alphabet: Alphabet
    parts: tuple[str, ...]


@lru_cache(maxsize=256)
def segment(body: str) -> Segmented:
    """Choose the alphabet and cut. Curly quotes, dashes and the like become plain where that makes the whole text GSM-7."""
    body = body.replace("\r\n", "\n")
    plain = body.translate(_PLAIN)
    if first_not_gsm(plain) is None:
        return _cut(plain, Alphabet.GSM_7)
    return _cut(encodable(body), Alphabet.UCS_2)


def first_not_gsm(text: str) -> str | None:
    """The first character that GSM-7 does not have, or None."""
    strange = set(text).difference(_SEPTETS)
    return next(character for character in text if character in strange) if strange else None


def encodable(text: str) -> str:
    """The text with what UTF-16 cannot write (a lone surrogate) replaced."""
    return text.encode("utf-16-be", "surrogatepass").decode("utf-16-be", "replace")


def length(text: str, alphabet: Alphabet) -> int:
    """Septets or UCS-2 code units of a whole text."""
    return len(gsm_7(text)) if alphabet is Alphabet.GSM_7 else len(ucs_2(text)) // 2


def units(character: str, alphabet: Alphabet) -> int:
    """Septets or UCS-2 code units of one character."""
    if alphabet is Alphabet.GSM_7:
        return len(_SEPTETS[character])
    return 2 if ord(character) > 0xFFFF else 1


def gsm_7(text: str) -> bytes:
    """One octet a septet, unpacked, as SMPP's default alphabet (data_coding 0) carries it; `KeyError` for what is not GSM-7."""
    return b"".join(map(_SEPTETS.__getitem__, text))


def ucs_2(text: str) -> bytes:
    """UTF-16, big-endian (data_coding 8); phones show the pairs beyond UCS-2 too."""
    return text.encode("utf-16-be")


def from_gsm_7(octets: bytes) -> str:
    """Unpacked septets as text; an escape before an unknown septet is a space (TS 23.038 §6.2.1)."""
    extension = {septet: character for character, septet in GSM_EXTENSION.items()}
    text, is_escaped = [], False
    for octet in octets:
        if is_escaped:
            text.append(extension.get(octet, " "))
            is_escaped = False
        elif octet == ESCAPE:
            is_escaped = True
        else:
            text.append(GSM_BASIC[octet] if octet < len(GSM_BASIC) else "\ufffd")
    return "".join(text)


def _cut(text: str, alphabet: Alphabet) -> Segmented:
    alone, in_parts = LIMITS[alphabet]
    if length(text, alphabet) <= alone:
        return Segmented(text=text, alphabet=alphabet, parts=(text,))
    parts: list[str] = []
    part: list[str] = []
    used = 0
    for character in text:
        cost = units(character, alphabet)
        if used + cost > in_parts:
            parts.append("".join(part))
            part, used = [], 0
        part.append(character)
        used += cost
    parts.append("".join(part))
    return Segmented(text=text, alphabet=alphabet, parts=tuple(parts))
