"""What a trunk's past callers say of how it writes numbers: a digit before each, no numbers, always the same. PURE."""

from collections import Counter
from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass

from config.model import E164, Trunk
from config.rewriting import ENTRIES, replacement
from gateway.core.numbering import LONGEST, read
from gateway.core.phone import domestic, masked, region_of

FEWEST_CALLS = 10
"""Of fewer nothing is said: it may be chance."""
LONGEST_FRONT = 4
_NANP_LOCAL = "NXXXXXX -> {front}"


@dataclass(frozen=True, slots=True, kw_only=True)
class Sent:
    """What a trunk wrote for the caller of so many calls; None: withheld."""

    as_sent: str | None
    calls: int


def of_trunk(sent: Collection[Sent], trunk: Trunk, region: str, lines: Mapping[E164, str]) -> str | None:
    """What to think about a trunk, by its callers; None where they give no reason. `lines` are the names of our own numbers."""
    total = sum(one.calls for one in sent)
    if total < FEWEST_CALLS:
        return None
    shown = {one.as_sent: one.calls for one in sent if one.as_sent is not None}
    withheld = total - sum(shown.values())
    if withheld * 10 >= total * 9:
        return f"{withheld} of {total} callers were withheld, who get no text; does the PBX or carrier hide the numbers?"
    return (
        _of_the_same(shown, total, trunk, region, lines)
        or _of_a_cure(shown, total, trunk, region, lines)
        or _of_no_numbers(shown, total, trunk, region)
    )


def _of_the_same(shown: Mapping[str, int], total: int, trunk: Trunk, region: str, lines: Mapping[E164, str]) -> str | None:
    counts: Counter[str] = Counter()
    for as_sent, calls in shown.items():
        counts[read(as_sent, region, trunk).number or as_sent] += calls
    number, calls = max(counts.items(), key=lambda one: one[1])
    if calls * 10 < total * 9:
        return None
    line = lines.get(E164(number))
    if line is not None:
        whose, unless = f"the number of line {line} itself, which is never texted", ""
    else:
        whose, unless = f"one and the same, {_example(number)}", "unless one person calls, "
    return (
        f"{calls} of {total} callers were {whose}: {unless}the PBX writes a number of its own in place of the caller's (in"
        " Asterisk from_user); have it send the caller's (docs/numbers.md)"
    )


def _of_a_cure(shown: Mapping[str, int], total: int, trunk: Trunk, region: str, lines: Mapping[E164, str]) -> str | None:
    """The key that would make numbers of this country of at least half of the callers, and would change no other."""
    best: tuple[int, str, str] = (0, "", "")
    for cured, key in _cures(shown, total, trunk, lines):
        gained = _gained(shown, trunk, cured, region)
        best = max(best, (sum(gained.values()), key, next(iter(gained), "")), key=lambda one: one[0])
    calls, key, example = best
    if calls * 2 < total:
        return None
    return (
        f"{calls} of {total} callers came in a form that is no number of {region}, such as {_example(example)}; {key} would"
        " read them as such (docs/numbers.md)"
    )


def _cures(shown: Mapping[str, int], total: int, trunk: Trunk, lines: Mapping[E164, str]) -> Iterator[tuple[Trunk, str]]:
    """The trunk with one more entry, and that entry: what most callers have in front, or the lines' own area."""
    fronts: Counter[str] = Counter()
    for as_sent, calls in shown.items():
        for size in range(1, LONGEST_FRONT + 1):
            if len(as_sent) > size and (as_sent[:size].isascii() and as_sent[:size].isdecimal()):
                fronts[as_sent[:size]] += calls
    for front, calls in fronts.items():
        if calls * 2 >= total and len(trunk.strip) < ENTRIES:
            yield trunk.model_copy(update={"strip": (*trunk.strip, front)}), f'strip = "{front}"'
    areas = dict.fromkeys(number[:5] for number in lines if number.startswith("+1"))
    for area in areas if len(trunk.replace) < ENTRIES else ():
        local = replacement(_NANP_LOCAL.format(front=area))
        yield trunk.model_copy(update={"replace": (*trunk.replace, local)}), f'replace = "{local.written}"'


def _gained(shown: Mapping[str, int], trunk: Trunk, cured: Trunk, region: str) -> dict[str, int]:
    """Whose calls would be of this country's numbers and are not now; nobody's where another number would be changed."""
    gained = {}
    for as_sent, calls in shown.items():
        before, after = read(as_sent, region, trunk).number, read(as_sent, region, cured).number
        if _is_home(before, region) and after != before:
            return {}
        if after != before and _is_home(after, region):
            gained[as_sent] = calls
    return gained


def _is_home(number: E164 | None, region: str) -> bool:
    return number is not None and region_of(number) in domestic(region)


def _of_no_numbers(shown: Mapping[str, int], total: int, trunk: Trunk, region: str) -> str | None:
    unread = {as_sent: calls for as_sent, calls in shown.items() if read(as_sent, region, trunk).number is None}
    calls = sum(unread.values())
    if calls * 2 < total:
        return None
    example = max(unread, key=lambda as_sent: unread[as_sent])
    return (
        f"{calls} of {total} callers were no telephone numbers, such as {_example(example)}, and get no text; does the PBX"
        " write its extensions there? docs/numbers.md says what to set, there and here"
    )


def _example(number: str) -> str:
    """Enough to recognise it, and of a telephone number not all."""
    return repr(number[:LONGEST] if len(number) < len("5550123") else masked(number[:LONGEST]))
