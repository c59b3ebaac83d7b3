"""Which calls or texts are asked for, by what stands in their rows."""

from dataclasses import dataclass
from datetime import datetime

from gateway.store.instants import written


@dataclass(frozen=True, slots=True, kw_only=True)
class Caller:
    """A caller, by their number or by what the trunk sent for one; both None: withheld."""

    number: str | None
    as_sent: str | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Selection:
    """Everything that is None is not asked."""

    since: datetime | None = None
    until: datetime | None = None
    line: str | None = None
    caller: Caller | None = None
    states: tuple[str, ...] = ()
    """Any of these; none: not asked."""
    above: int | None = None
    """Only what has a greater id."""
    limit: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Names:
    """The columns of one table that answer; `as_sent` None: its rows have a number each."""

    table: str
    at: str
    caller: str
    as_sent: str | None
    state: str


def where(selection: Selection, names: Names) -> tuple[str, list[object]]:
    """The WHERE clause, and its values; only what is asked stands in it, so that indices serve."""
    asked = [
        (f"{names.at} >= ?", written(selection.since) if selection.since else None),
        (f"{names.at} < ?", written(selection.until) if selection.until else None),
        (f"{names.table}.line = ?", selection.line),
        (f"{names.table}.id > ?", selection.above),
    ]
    conditions = [condition for condition, value in asked if value is not None]
    values: list[object] = [value for _, value in asked if value is not None]
    if selection.states:
        conditions.append(f"coalesce({names.state}, 'ringing') IN ({', '.join('?' * len(selection.states))})")
        values += selection.states
    if selection.caller is not None:
        condition, more = _by_caller(selection.caller, names)
        conditions.append(condition)
        values += more
    return f"WHERE {' AND '.join(conditions)}" if conditions else "", values


def _by_caller(caller: Caller, names: Names) -> tuple[str, list[object]]:
    if names.as_sent is None:
        return f"{names.caller} IS ?", [caller.number]
    if caller.as_sent is None:
        return f"{names.as_sent} IS NULL", []
    return f"({names.caller} = ? OR {names.as_sent} = ?)", [caller.number, caller.as_sent]
