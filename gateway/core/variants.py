"""Which message a caller gets: the first variant whose conditions all hold, else the line's own. PURE."""

from bisect import bisect_left
from datetime import datetime, timedelta

from config.model import Line, Variant
from config.variants import conditions
from gateway.core.case import Case, Circumstances, Contact
from gateway.core.hours import OfficeHours, Standing, standing
from gateway.core.schedule import day_start, local


def chosen(case: Case) -> int | None:
    """The index of the variant that applies, or None for the line's own message."""
    for index, variant in enumerate(case.policy.line.text.variant):
        if all(holds(variant, condition, case) for condition in conditions(variant)):
            return index
    return None


def holds(variant: Variant, condition: str, case: Case) -> bool:
    """Does one condition of a variant hold?"""
    wanted = getattr(variant, condition)
    match condition:
        case "missed":
            return missed_count(case) == int(wanted)
        case "outcome":
            return bool(case.call.outcome.value == wanted)
        case _:
            return holds_in(variant, condition, case.circumstances)


def holds_in(variant: Variant, condition: str, circumstances: Circumstances) -> bool:
    """Does a condition hold that asks nothing of what became of the call: `hours`, `days`, `between`, `caller`?"""
    wanted = getattr(variant, condition)
    now, timezone = circumstances.now, circumstances.policy.line.timezone
    match condition:
        case "hours":
            return _stands(wanted, circumstances.standing)
        case "days" if variant.between is None:
            return local(now, timezone).weekday() in wanted
        case "days" | "between":
            return _is_in_span(variant, now, timezone)
        case "caller":
            return wanted in _kinds(circumstances.policy.contact)
        case _:
            raise LookupError(f"{condition} cannot be asked before a call has its outcome")


def missed_count(case: Case) -> int:
    """Which missed call of the caller's within `once_per` this is: 1 for the first. A held text's call stays what it was."""
    since = once_per_since(case.policy.line, case.call.arrived_at)
    if since is None:
        return 1
    missed = case.history.missed_at
    return 1 + max(0, bisect_left(missed, case.call.arrived_at) - bisect_left(missed, since))


def once_per_since(line: Line, now: datetime) -> datetime | None:
    """When the `once_per` began that holds at an instant; None: each call has its own."""
    once_per = line.text.once_per
    if isinstance(once_per, timedelta):
        return now - once_per
    return day_start(now, line.timezone) if once_per == "day" else None


def is_within_once_per(line: Line, then: datetime, now: datetime) -> bool:
    """Does an earlier instant fall into the same `once_per` as now? A clock set back never makes room for a second text."""
    since = once_per_since(line, now)
    return since is not None and (then > since if isinstance(line.text.once_per, timedelta) else then >= since)


def is_for_a_later_call(case: Case) -> bool:
    """A variant of `missed = 2` or more that the caller has not had, where no text about a later call comes anyway."""
    index, history = case.variant, case.history
    if index is None or index in history.variants_texted or history.is_overtaken:
        return False
    return (case.policy.line.text.variant[index].missed or 1) > 1


def in_words(variant: Variant) -> str:
    """The conditions for people: `hours = closed, missed = 2`."""
    return ", ".join(f"{name} = {_shown(getattr(variant, name))}" for name in conditions(variant)) or "no condition"


def _stands(wanted: str, now: Standing | None) -> bool:
    """A holiday is closed too; an office without hours is neither open nor closed."""
    if now is None:
        return False
    return now.value == wanted or (wanted == "closed" and now is Standing.HOLIDAY)


def _is_in_span(variant: Variant, now: datetime, timezone: str) -> bool:
    """Days and span as one, as office hours are: what runs past midnight is of the day on which it starts."""
    spans = (variant.between,) if variant.between else ()
    week = tuple(spans if variant.days is None or day in variant.days else () for day in range(7))
    return standing(OfficeHours(name="", week=week), now, timezone) is Standing.OPEN


def _kinds(contact: Contact | None) -> set[str]:
    return {"new"} if contact is None else {"known", contact.group}


def _shown(value: object) -> str:
    if isinstance(value, frozenset):
        names = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")
        return " ".join(names[day] for day in sorted(value))
    return str(value)
