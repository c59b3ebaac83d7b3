"""Variants that can never apply: what only their order, or the rest of their line, makes wrong."""

from collections.abc import Iterator

from config.model import Line, Variant

_CONDITIONS = ("hours", "missed", "days", "between", "caller", "outcome")


def conditions(variant: Variant) -> tuple[str, ...]:
    """The conditions that a variant names."""
    return tuple(name for name in _CONDITIONS if getattr(variant, name) is not None)


def faults_of(line: Line) -> Iterator[tuple[str, str]]:
    """Keys below the line's `text`, and what is wrong with each."""
    variants = line.text.variant
    for index, variant in enumerate(variants):
        place = f"variant.{index}"
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
    for name in conditions(earlier):
        first, second = getattr(earlier, name), getattr(later, name)
        is_wider = name == "hours" and first == "closed" and second == "holiday"
        is_wider = is_wider or (name == "caller" and first == "known" and second == "vip")
        is_wider = is_wider or (name == "days" and second is not None and second <= first)
        if first != second and not is_wider:
            return False
    return bool(conditions(earlier))
