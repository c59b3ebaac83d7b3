"""What a trunk writes before and around numbers: prefixes, and patterns with what takes their place. PURE.

A pattern is written as in Asterisk's dial plan, and matches a whole number: `X` is any digit, `Z` one of 1-9, `N` one of 2-9,
`[14-6]` one of 1, 4, 5, 6; `.` at its end is anything, one character at least; digits, `+`, `*` and `#` are themselves. There
is nothing in it that is tried twice, so it takes one look at each character.
"""

import re
from dataclasses import dataclass
from typing import Annotated, Any

from config.checked import checked
from config.written import written

ENTRIES = 16
"""So many patterns, or prefixes to strip, a trunk may have."""
LONGEST_PATTERN = 32
_DIGITS = "0123456789"
_CLASSES = {"X": _DIGITS, "Z": _DIGITS[1:], "N": _DIGITS[2:]}
_PLACE = re.compile(r"\[([0-9-]{1,20})\]|([XZNxzn0-9+*#])")
_FRONT = re.compile(r"\+?[0-9*#]{0,31}")
_SYNTAX = (
    'write "PATTERN -> FRONT", such as "NXXXXXX -> +1415" or "9|1NXXNXXXXXX -> +": X is any digit, Z 1-9, N 2-9, [14-6] one of'
    " these, . at the end anything; what stands before | is taken away, FRONT is put before the rest"
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Replacement:
    """One entry of `replace`: numbers of this form lose what stands before the bar, and get `front` in its place."""

    written: str
    places: tuple[str, ...]
    """The characters that may stand at each place."""
    cut: int
    """So many characters are taken away."""
    is_open: bool
    """More characters follow, at least one."""
    front: str

    def of(self, number: str) -> str | None:
        """The number with its front replaced; None where it has another form."""
        fits = len(number) > len(self.places) if self.is_open else len(number) == len(self.places)
        if not fits or any(digit not in place for digit, place in zip(number, self.places, strict=False)):
            return None
        return self.front + number[self.cut :]


def replacement(value: Any) -> Replacement:
    """`"NXXXXXX -> +1415"`: seven digits, written without the area."""
    if isinstance(value, Replacement):
        return value
    pattern, arrow, front = value.partition("->") if isinstance(value, str) else ("", "", "")
    pattern, front = pattern.strip(), front.strip()
    taken, _, kept = pattern.rpartition("|")
    is_open = kept.endswith(".")
    before, after = _places(taken), _places(kept.removesuffix("."))
    if not arrow or before is None or after is None or not _FRONT.fullmatch(front):
        raise ValueError(f"{written(value)} is no replacement; {_SYNTAX}")
    if not before + after:
        raise ValueError(f"{written(value)} fits every number; begin it with what these numbers begin with, as in 9|X.")
    if len(before + after) > LONGEST_PATTERN:
        raise ValueError(f"{written(value)} is longer than any number; a pattern has at most {LONGEST_PATTERN} places")
    return Replacement(written=value, places=before + after, cut=len(before), is_open=is_open, front=front)


def _places(pattern: str) -> tuple[str, ...] | None:
    """What may stand at each place of a pattern without bar and dot; None where it is none."""
    found, at = [], 0
    while at < len(pattern):
        match = _PLACE.match(pattern, at)
        characters = _characters(match) if match else ""
        if match is None or not characters:
            return None
        found.append(characters)
        at = match.end()
    return tuple(found)


def _characters(match: re.Match[str]) -> str:
    """Of one place; empty where brackets hold no set of digits."""
    if match[1] is None:
        return _CLASSES.get(match[2].upper(), match[2])
    if re.fullmatch(r"(\d(-\d)?)+", match[1]) is None:
        return ""
    ranges = re.findall(r"(\d)(?:-(\d))?", match[1])
    return "".join(_DIGITS[int(first) : int(last or first) + 1] for first, last in ranges)


def stripped(value: Any) -> str:
    """What is taken away at the front: `"9"`."""
    if isinstance(value, str) and re.fullmatch(r"\+?[0-9*#]{0,15}", value) and value.strip("+"):
        return value
    raise ValueError(f'{written(value)} must be what stands before the number, 1 to 15 digits in quotes, such as "9"')


def prefix(value: Any) -> str | None:
    """What a trunk writes before national numbers."""
    if value is None or (isinstance(value, str) and re.fullmatch(r"[0-9*#]{1,8}", value)):
        return value
    raise ValueError(
        f'{written(value)} must be 1 to 8 digits in quotes, such as "0"; leave the key out where nothing is written'
    )


def prefix_or_none(value: Any) -> str | None:
    """What a trunk writes before a country code; it may be nothing."""
    if value is None or (isinstance(value, str) and re.fullmatch(r"[0-9*#]{0,8}", value)):
        return value
    says = 'must be at most 8 digits in quotes, such as "011"; "" where the country code comes first, without a plus'
    raise ValueError(f"{written(value)} {says}")


Replace = Annotated[Replacement, checked(replacement)]
Strip = Annotated[str, checked(stripped)]
NationalPrefix = Annotated[str | None, checked(prefix)]
InternationalPrefix = Annotated[str | None, checked(prefix_or_none)]
