"""How a value is shown in an error, and what no line may hold. PURE, and light: every command loads it."""

import re
from datetime import date, time
from typing import Any

_CONTROL = re.compile("[\x00-\x1f\x7f-\x9f\u2028\u2029]")
_SHOWN_AT_MOST = 60
OF_A_SHELL = 'begins with ~, which only a shell knows; write the whole path, such as "/home/mike/…"'
"""What is said of a file's name that begins so."""


class Misplaced(ValueError):
    """What is wrong with a section because of one of its keys: the error is told at that key."""

    def __init__(self, key: str, says: str) -> None:
        self.key = key
        super().__init__(says)


def written(value: Any) -> str:
    """A value as it stands in the file, near enough, and never longer than a line; `this` where it is a list or a section."""
    match value:
        case bool():
            return str(value).lower()
        case str():
            return _cut(repr(value))
        case int() | float():
            return _number(value)
        case date() | time():
            return value.isoformat()
        case _:
            return "this"


def _cut(text: str) -> str:
    return text if len(text) <= _SHOWN_AT_MOST else f"{text[: _SHOWN_AT_MOST - 1]}…{text[-1]}"


def _number(value: float) -> str:
    try:
        return _cut(repr(value))
    except ValueError:  # an integer of more digits than Python prints
        return "this number"


def control_characters(text: str, allowed: str = "") -> str:
    """The first character of a text that no keyboard writes and no line may hold, as `U+0000`; empty where there is none."""
    found = next((match[0] for match in _CONTROL.finditer(text) if match[0] not in allowed), "")
    return f"U+{ord(found):04X}" if found else ""


def is_home(name: str) -> bool:
    """Does a file's name begin with what a shell alone makes a home directory of?"""
    return name.lstrip().startswith("~")


def visible(text: str) -> str:
    r"""The text in one line: a control character as `\x1b` or `\n`."""
    return _CONTROL.sub(lambda found: found[0].encode("unicode_escape").decode(), text)
