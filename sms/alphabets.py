"""What came over the air as text, where the alphabet that is named is not always the one that was used. PURE.

Some networks write UTF-16 with the octets of each unit the other way round, or UTF-8 and UTF-16 as if they were the default
alphabet. What is meant is taken only where it cannot well be anything else: a STOP must be read, and nothing else must become
one.
"""

import unicodedata

from sms.segments import from_gsm_7

UTF_8_MARK, BIG_ENDIAN_MARK, LITTLE_ENDIAN_MARK = b"\xef\xbb\xbf", b"\xfe\xff", b"\xff\xfe"
SCRIPTS_WITH_LETTERS = 0x0700
"""Below it are Latin, Greek, Cyrillic, Armenian, Hebrew and Arabic."""
UNITS_BESIDE_GSM_7 = 3
"""UTF-16 of so few units is GSM-7 with at signs: `a@b@`."""


def from_default(octets: bytes) -> str:
    """SMPP's data_coding 0: GSM-7 by octet, or what the network takes for its default: UTF-8, Latin-1, even UTF-16."""
    marked = _marked(octets)
    if marked is not None:
        return marked
    is_gsm_7 = max(octets, default=0) < 0x80
    if len(octets) >= 2 * UNITS_BESIDE_GSM_7 and len(octets) % 2 == 0:
        for high, low, codec in ((0, 1, "utf-16-be"), (1, 0, "utf-16-le")):
            if not any(octets[high::2]) and _is_plain(octets[low::2]):
                return octets.decode(codec)
    return from_gsm_7(octets) if is_gsm_7 else _utf_8(octets) or octets.decode("latin-1")


def from_utf_16(octets: bytes) -> str:
    """SMPP's data_coding 8: big-endian, unless it bears a mark or reads as letters only the other way round."""
    marked = _marked(octets)
    if marked is not None:
        return marked
    if len(octets) % 2:  # no UTF-16 at all
        return _utf_8(octets) or octets.decode("utf-16-be", "replace")
    return octets.decode("utf-16-le" if _is_little_endian(octets) else "utf-16-be", "replace")


def utf_8_or(octets: bytes, codec: str) -> str:
    """UTF-8 where it can only be that, else as the network says."""
    return (_utf_8(octets) if max(octets, default=0) >= 0x80 else None) or octets.decode(codec, "replace")


def _marked(octets: bytes) -> str | None:
    """By its byte order mark, which is not shown."""
    if octets.startswith(UTF_8_MARK):
        return octets.decode("utf-8-sig", "replace")
    is_marked = octets.startswith((BIG_ENDIAN_MARK, LITTLE_ENDIAN_MARK)) and len(octets) % 2 == 0
    return octets.decode("utf-16", "replace") if is_marked else None


def _is_little_endian(octets: bytes) -> bool:
    """Latin-1 throughout, with a letter or figure, and not one character again and again (`☀☀` is `&&` the other way); or, of
    four units or more, letters of the scripts that have them, which the other reading spreads over scripts that have none."""
    count = len(octets) // 2
    if not any(octets[1::2]):
        lows = octets[0::2]
        return len(set(lows)) > 1 and _is_plain(lows) and any(chr(low).isalnum() for low in lows)
    if count < 4 or max(octets[1::2]) >= SCRIPTS_WITH_LETTERS >> 8 or max(octets[0::2]) < SCRIPTS_WITH_LETTERS >> 8:
        return False
    return all(_is_written(character) for character in octets.decode("utf-16-le", "replace"))


def _is_plain(octets: bytes) -> bool:
    """Printable Latin-1, and line breaks."""
    return all(_is_written(chr(octet)) for octet in octets)


def _is_written(character: str) -> bool:
    """What people write: no control character, none that is not assigned, no mark on its own."""
    return character in "\n\r" or unicodedata.category(character)[0] not in "CM"


def _utf_8(octets: bytes) -> str | None:
    """None where it is none, or holds no whole character of more than one octet, which alone tells it from Latin-1. A character
    that the cut between two parts has torn is left out at either end."""
    start = next((at for at, octet in enumerate(octets[:4]) if octet & 0xC0 != 0x80), 0)
    try:
        text = octets[start:].decode()
    except UnicodeDecodeError as error:
        if error.reason != "unexpected end of data":
            return None
        text = octets[start : start + error.start].decode()
    return text if not text.isascii() or octets.isascii() else None
