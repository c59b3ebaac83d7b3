"""Phone numbers out of what networks say, before it is logged or kept as a text's detail. PURE."""

import re

DIGITS = range(7, 16)
"""As many as a phone number has (E.164 has at most 15)."""
SHOWN = 2

_OCTET = r"(?:25[0-5]|2[0-4]\d|1\d\d|[1-9]?\d)"
_ADDRESS = rf"(?:{_OCTET}\.){{3}}{_OCTET}(?!\.?\d)"
_DAY = r"(?:19|20)\d\d-[01]\d-[0-3]\d(?:[ T][0-2]\d)?(?!-?\d)"
_BETWEEN = r"[ \u00a0().\u2010-\u2015\-]"
_RUN = rf"(?:(?:%2[Bb]|\+)\(?|\((?!{_ADDRESS}))?\d(?:{_BETWEEN}{{0,3}}(?!(?<!\d)(?:{_ADDRESS}))\d)*"
"""Digits with what people write between them, up to an IPv4 address."""
_FOUND = re.compile(rf"(?<![0-9A-Za-z])(?:(?P<kept>{_ADDRESS}|{_DAY})|{_RUN})(?![0-9A-Za-z])")
"""A part of a word, such as a hexadecimal id, is none of these."""
_ALONE = re.compile(r"\d+")


def without_numbers(text: str) -> str:
    """The text with every run that looks like a phone number reduced to its last two digits: `•••23`.

    Codes such as `0x0000000B`, `21610` or `err:011`, short ids, days and addresses of machines stay.
    """
    return _FOUND.sub(lambda found: found["kept"] or _masked(found[0]), text)


def _masked(run: str) -> str:
    digits = "".join(_ALONE.findall(run))
    if len(digits) in DIGITS:
        return "•••" + digits[-SHOWN:]
    if len(digits) in range(DIGITS.stop) or run.isdecimal():
        return run  # a code, or an id longer than any number
    return _ALONE.sub(lambda found: "•••" + found[0][-SHOWN:] if len(found[0]) > SHOWN else found[0], run)
