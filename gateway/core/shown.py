"""What strangers wrote, so that it can be shown: on a terminal and in a log it is text and nothing else. PURE.

A reply, a caller's name or a provider's word may hold escape sequences that a terminal obeys, line ends that forge a second
line, and marks that turn the order of the letters around.
"""

import re

_OBEYED = re.compile(
    "[\x00-\x1f\x7f-\x9f"  # C0, DEL, C1
    "\u2028\u2029"  # line and paragraph separators
    "\u202a-\u202e\u2066-\u2069"  # marks of direction that reach over what follows (Unicode TR 9)
    "\ud800-\udfff]"  # half a surrogate pair: cannot be written at all
)
_SHORT = {"\n": r"\n", "\r": r"\r", "\t": r"\t"}


def shown(text: str) -> str:
    r"""The text with each such character as `\x1b`, `\u202e`, `\n`; everything else stays."""
    return _OBEYED.sub(_escaped, text)


def _escaped(found: re.Match[str]) -> str:
    character = found[0]
    code = ord(character)
    return _SHORT.get(character) or (f"\\x{code:02x}" if code < 0x100 else f"\\u{code:04x}")
