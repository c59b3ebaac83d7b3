"""How a number is read that came by a trunk: what the trunk's keys take away and put in its place, step by step. PURE.

    as sent ──► strip ──► replace ──► international_prefix, national_prefix ──► the region's own way of dialling

`strip` counts where a valid number is left in the end; otherwise the number is read as if nothing stood before it: with
`strip = "9"`, 9195550123 stays a number of North Carolina. The prefixes likewise. `replace` is taken at its word. So, without
one, a valid number with its plus is never read as another.
"""

from collections.abc import Iterator
from dataclasses import dataclass

from config.model import E164, Trunk
from gateway.core.phone import read_national, read_number

LONGEST = 64
"""Characters; what is longer is no number, and is not rewritten."""
_BETWEEN_DIGITS = str.maketrans("", "", " -.()/")
"""What may stand between digits for the eye (RFC 3966 §5.1.1), and the slash of German numbers."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Step:
    """What one key of a trunk did."""

    key: str
    """`strip.1`, `replace.2`, `national_prefix`: entries of lists count from 1."""
    before: str
    after: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Reading:
    """What a number is read as, None where it is none, and by which steps."""

    number: E164 | None
    steps: tuple[Step, ...] = ()


def read(as_sent: str, region: str, trunk: Trunk | None) -> Reading:
    """The number that a trunk meant; without a trunk, as the region writes numbers."""
    if trunk is None or len(as_sent) > LONGEST or not _rewrites(trunk):
        return Reading(number=read_number(as_sent, region))
    plain = as_sent.translate(_BETWEEN_DIGITS)
    readings = (_read_on(begun, plain, region, trunk) for begun in (*_stripped(plain, region, trunk), ()))
    unread = Reading(number=None)
    for reading in readings:
        if reading.number is not None:
            return reading
        unread = reading
    return unread


def _rewrites(trunk: Trunk) -> bool:
    has_prefix = trunk.national_prefix is not None or trunk.international_prefix is not None
    return bool(trunk.strip or trunk.replace or has_prefix)


def _stripped(plain: str, region: str, trunk: Trunk) -> Iterator[tuple[Step, ...]]:
    """Each way to begin by `strip`, in its order; none for a number that is whole."""
    if plain.startswith("+") and read_number(plain, region) is not None:
        return
    for index, front in enumerate(trunk.strip, start=1):
        if plain.startswith(front):
            yield (Step(key=f"strip.{index}", before=plain, after=plain.removeprefix(front)),)


def _read_on(begun: tuple[Step, ...], plain: str, region: str, trunk: Trunk) -> Reading:
    """From what `strip` has left: the replacements, each of what the one before has made, then the prefixes."""
    steps = list(begun)
    text = steps[-1].after if steps else plain
    for index, replacement in enumerate(trunk.replace, start=1):
        replaced = replacement.of(text)
        if replaced is not None:
            steps.append(Step(key=f"replace.{index}", before=text, after=replaced))
            text = replaced
    for step, number in _by_prefix(text, region, trunk):
        if number is not None:
            return Reading(number=number, steps=(*steps, step))
    return Reading(number=read_number(text, region), steps=tuple(steps))


def _by_prefix(text: str, region: str, trunk: Trunk) -> Iterator[tuple[Step, E164 | None]]:
    """What the prefixes make of a number, the longer one first: 00 before 0."""
    international, national = trunk.international_prefix, trunk.national_prefix
    known = (("international_prefix", international), ("national_prefix", national))
    for key, front in sorted(known, key=lambda one: -len(one[1] or "")):
        if front is None or text.startswith("+") or not text.startswith(front):
            continue
        rest = text.removeprefix(front)
        is_abroad = key == "international_prefix"
        number = _international(rest, region) if is_abroad else read_national(rest, region)
        yield Step(key=key, before=text, after=f"+{rest}" if is_abroad else rest), number


def _international(rest: str, region: str) -> E164 | None:
    return read_number(f"+{rest}", region) if rest[:1].isdecimal() else None
