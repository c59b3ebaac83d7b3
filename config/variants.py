"""Variants that can never apply: what only their order, or the rest of their line, makes wrong."""

from collections.abc import Iterator
from datetime import time

from config.model import Line, Variant

_CONDITIONS = ("hours", "missed", "days", "between", "caller", "outcome")

_WIDER = {("hours", "closed", "holiday"), ("caller", "known", "vip")}
"""Conditions of which the first holds whenever the second does."""


def conditions(variant: Variant) -> tuple[str, ...]:
    """The conditions that a variant names."""
    return tuple(name for name in _CONDITIONS if getattr(variant, name) is not None)


def faults_of(line: Line) -> Iterator[tuple[str, str]]:
    """Keys below the line's `text`, and what is wrong with each."""
    variants = line.text.variant
    for index, variant in enumerate(variants):
        place = f"variant.{index + 1}"
        earlier = next((n for n in range(index) if _covers(variants[n], variant)), None)
        if earlier is not None:
            yield place, f"never applies: variant {earlier + 1} always comes before it; put this one first, or remove it"
        if not conditions(variant):
            yield place, "has no condition, so the line's own message would never be sent; give it one, or change the message"
        if variant.hours is not None and line.hours is None:
            yield f"{place}.hours", f'never applies: the line has no hours; say hours = "…" in [line.{line.name}]'
        if (variant.missed or 1) > 1 and line.text.once_per == "call":
            yield f"{place}.missed", 'never applies: with once_per = "call" every call is the first; say "day", for instance'


def _covers(earlier: Variant, later: Variant) -> bool:
    """Does the earlier variant apply whenever the later one does?"""
    names = conditions(earlier)
    return bool(names) and all(_is_as_wide(name, earlier, later) for name in names)


def _is_as_wide(name: str, earlier: Variant, later: Variant) -> bool:
    if name == "days":
        return earlier.days is not None and _days(later, is_by_calendar=earlier.between is None) <= earlier.days
    first, second = getattr(earlier, name), getattr(later, name)
    return first == second or (name, first, second) in _WIDER


def _days(variant: Variant, *, is_by_calendar: bool) -> frozenset[int]:
    """The days on which a variant may apply; by the calendar, a span that runs past midnight reaches into the next one."""
    found = frozenset(range(7)) if variant.days is None else variant.days
    span = variant.between
    if not is_by_calendar or span is None or span.start < span.end or span.end == time.min:
        return found
    return found | {(day + 1) % 7 for day in found}
