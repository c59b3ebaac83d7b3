"""Calls to replay: from our own journal, or from another system's call records (CSV)."""

import csv
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

from config.model import E164, Config
from gateway.core.call import MISSED, Call, Outcome
from gateway.core.phone import read_number
from gateway.core.schedule import zone
from gateway.decisions.ruling import call_of
from gateway.office.directory import Directory
from gateway.store import StoreConnection, calls

RANG_BY_DEFAULT = timedelta(seconds=20)
"""Where the records do not say how long a call rang."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Recorded:
    """One call of the past. `decision` and `reason` are what was decided then; empty where nobody decided."""

    name: str
    line: str | None
    call: Call
    decision: str = ""
    reason: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Columns:
    """Where a CSV file keeps what is needed: names of columns or, without a header, their places from 0. Of several names the
    first that the file has, and that a row fills, counts; a name may be empty: the records do not say."""

    at: str
    caller: str
    dialled: tuple[str, ...]
    outcome: str
    rang: str = ""
    talked: str = ""
    """The part of `rang` in which somebody talked."""
    call: tuple[str, ...] = ()
    """What the rows of one call have in common: a call that rings several phones has a row for each."""
    application: str = ""
    """What answered: a telephone (Dial, Queue) or a machine."""
    from_outside: str = ""
    """Empty in the rows of calls that did not come from outside."""
    has_header: bool = True


FORMATS: Mapping[str, Columns] = {
    "asterisk": Columns(
        at="9",
        caller="1",
        dialled=("2",),
        outcome="14",
        rang="12",
        talked="13",
        call=("18", "16"),
        application="7",
        has_header=False,
    ),
    "freepbx": Columns(
        at="calldate",
        caller="src",
        dialled=("did", "dst"),
        outcome="disposition",
        rang="duration",
        talked="billsec",
        call=("linkedid", "uniqueid"),
        application="lastapp",
        from_outside="did",
    ),
}
"""`asterisk`: Master.csv of cdr_csv. `freepbx`: the CDR report's export, or the table cdr. In both `duration` counts from the
call's begin, and the number that was dialled from outside is FreePBX's `did`; its `dst` is an extension or a group."""

_OUTCOMES = {
    **{outcome.value: outcome for outcome in Outcome},
    "no answer": Outcome.NO_ANSWER,
    "noanswer": Outcome.NO_ANSWER,
    "missed": Outcome.NO_ANSWER,
    "answered": Outcome.ANSWERED_ELSEWHERE,
    "busy": Outcome.BUSY,
    "cancel": Outcome.ABANDONED,
    "cancelled": Outcome.ABANDONED,
    "failed": Outcome.REFUSED,
    "congestion": Outcome.REFUSED,
}
_WITHHELD = frozenset({"", "anonymous", "unknown", "unavailable", "restricted", "private", "withheld", "s"})
"""What PBXs write as the number of a caller who shows none."""
_BY_PEOPLE = frozenset({"", "dial", "queue", "appdial", "appqueue", "bridge", "pickup", "followme"})
"""Applications of Asterisk in which a person answers; the others are announcements, menus and voicemail."""
_STRONGEST = (
    Outcome.ANSWERED_HERE,
    Outcome.ANSWERED_ELSEWHERE,
    Outcome.NO_ANSWER,
    Outcome.ABANDONED,
    Outcome.BUSY,
    Outcome.INTERRUPTED,
    Outcome.REFUSED,
)
"""How a call ended of which several phones have rung: the first of these that one of them reports."""
_TIMES = ("%Y-%m-%d %H:%M:%S", "%Y-%m-%dT%H:%M:%S", "%Y-%m-%d %H:%M")
_MONTH_FIRST = ("%m/%d/%Y %H:%M:%S", "%m/%d/%Y %H:%M")
_DAY_FIRST = ("%d/%m/%Y %H:%M:%S", "%d/%m/%Y %H:%M", "%d.%m.%Y %H:%M:%S", "%d.%m.%Y %H:%M")
_REGIONS_WITH_MONTH_FIRST = frozenset({"US", "CA", "PH", "PR", "GU"})


@dataclass(frozen=True, slots=True, kw_only=True)
class _Leg:
    """One row: one phone that rang, or the whole call."""

    number: int
    """The row's line in the file."""
    call_id: str
    as_sent: str | None
    dialled: str
    outcome: Outcome
    at: datetime
    rang: timedelta


def from_journal(db: StoreConnection, since: datetime, directory: Directory) -> list[Recorded]:
    """Our own calls since an instant, oldest first, each with the caller and line that the given configuration would find."""
    found = []
    for row in calls.since(db, since):
        ended = calls.ended_from(row)
        line = directory.line_for(ended.arrival.trunk, ended.arrival.dialled)
        found.append(
            Recorded(
                name=str(row["id"]),
                line=line.name if line else None,
                call=call_of(_read_again(ended.arrival, directory), ended.ending),
                decision=row["decision"] or "",
                reason=row["reason"] or "",
            )
        )
    return found


def _read_again(arrival: calls.Arrival, directory: Directory) -> calls.Arrival:
    """With the caller that the given configuration reads, where it has the call's trunk."""
    is_known = arrival.trunk in directory.config.trunk
    return replace(arrival, caller=directory.caller(arrival.caller_as_sent, arrival.trunk)) if is_known else arrival


def from_csv(path: Path, columns: Columns, directory: Directory, line: str | None) -> tuple[list[Recorded], list[str]]:
    """The calls of a CSV file, oldest first, and what is wrong with rows that could not be read, each with its line.

    `line` takes every call whose dialled number is that of no line.
    """
    legs: list[_Leg] = []
    problems: list[str] = []
    with path.open(newline="", encoding="utf-8-sig", errors="replace") as file:
        try:
            for number, row in _rows(file, columns):
                try:
                    if _is_from_outside(row, columns):
                        legs.append(_leg(row, columns, number, directory))
                except ValueError as error:
                    problems.append(f"{path.name}:{number}: {error}")
        except (csv.Error, _NoColumn) as error:
            problems.append(f"{path.name}: {error}")
    found = [_recorded(group, directory, line) for group in _calls(legs)]
    found.sort(key=lambda recorded: recorded.call.arrived_at)
    return found, problems


class _NoColumn(Exception):
    """The file lacks a column that is needed."""


def _rows(file: Iterator[str], columns: Columns) -> Iterator[tuple[int, dict[str, str]]]:
    """Each row with the line on which it begins; `_NoColumn` where the header lacks what is needed."""
    reader = csv.reader(file)
    names: list[str] = []
    if columns.has_header:
        names = [name.strip() for name in next(reader, [])]
        _need(names, columns)
    begins = reader.line_num + 1
    for cells in reader:
        if any(cells):
            keys = names or [str(place) for place in range(len(cells))]
            yield begins, dict(zip(keys, cells, strict=False))
        begins = reader.line_num + 1


def _need(names: list[str], columns: Columns) -> None:
    for wanted in ((columns.at,), (columns.caller,), columns.dialled, (columns.outcome,)):
        if not any(name in names for name in wanted):
            there = ", ".join(names)[:200] or "none"
            raise _NoColumn(f"there is no column {' or '.join(wanted)}; there are {there}")


def _is_from_outside(row: Mapping[str, str], columns: Columns) -> bool:
    """Calls that the office made itself, and those between its phones, have no number that was dialled from outside."""
    return not columns.from_outside or columns.from_outside not in row or bool(row[columns.from_outside].strip())


def _leg(row: Mapping[str, str], columns: Columns, number: int, directory: Directory) -> _Leg:
    at = _instant(_cell(row, columns.at), directory.config)
    ended = _cell(row, columns.outcome)
    outcome = _OUTCOMES.get(ended.lower())
    if outcome is None:
        raise ValueError(f"{ended!r} is no outcome; known are {', '.join(sorted(_OUTCOMES))}")
    if outcome is Outcome.ANSWERED_ELSEWHERE and row.get(columns.application, "").strip().lower() not in _BY_PEOPLE:
        outcome = Outcome.NO_ANSWER
    as_sent = _cell(row, columns.caller)
    rang = _seconds(row, columns.rang) if columns.rang else RANG_BY_DEFAULT
    talked = _seconds(row, columns.talked) if outcome is Outcome.ANSWERED_ELSEWHERE else timedelta(0)
    return _Leg(
        number=number,
        call_id=_first(row, columns.call),
        as_sent=None if as_sent.lower().lstrip("+") in _WITHHELD else as_sent,
        dialled=_first(row, columns.dialled),
        outcome=outcome,
        at=at,
        rang=max(rang - talked, timedelta(0)),
    )


def _cell(row: Mapping[str, str], column: str) -> str:
    if column not in row:
        raise ValueError(f"the row ends before the column {column}")
    return row[column].strip()


def _first(row: Mapping[str, str], names: Iterable[str]) -> str:
    return next((found for name in names if (found := row.get(name, "").strip())), "")


def _seconds(row: Mapping[str, str], column: str) -> timedelta:
    written = row.get(column, "").strip() or "0"
    try:
        return timedelta(seconds=float(written))
    except (ValueError, OverflowError):
        raise ValueError(f"{written!r} in the column {column} is no number of seconds") from None


def _calls(legs: Iterable[_Leg]) -> Iterable[list[_Leg]]:
    """The legs of each call together; a row that names no call is one."""
    found: dict[object, list[_Leg]] = {}
    for leg in legs:
        found.setdefault(leg.call_id or leg.number, []).append(leg)
    return found.values()


def _recorded(legs: list[_Leg], directory: Directory, line: str | None) -> Recorded:
    """One call: it came with its first leg, from that one's caller, and was missed when the last leg ended."""
    first = min(legs, key=lambda leg: (leg.at, leg.number))
    outcome = min((leg.outcome for leg in legs), key=_STRONGEST.index)
    ends = [leg.at + leg.rang for leg in legs if outcome in MISSED or leg.outcome is outcome]
    over = max(ends) if outcome in MISSED else min(ends)
    caller: E164 | None = read_number(first.as_sent, directory.config.region) if first.as_sent else None
    called = next((found for leg in legs if (found := directory.line_named(leg.dialled))), None)
    call = Call(
        caller=caller,
        caller_as_sent=first.as_sent,
        outcome=outcome,
        arrived_at=first.at,
        rang=over - first.at,
        missed_at=over,
    )
    return Recorded(name=f"row {first.number}", line=called.name if called else line, call=call)


def _instant(text: str, config: Config) -> datetime:
    """A time on the office's wall clock, ISO 8601 with a zone, or seconds since the epoch."""
    says = f"{text!r} is no time that can be read"
    try:
        if text.replace(".", "", 1).isdecimal() and len(text) > 8:
            return datetime.fromtimestamp(float(text), UTC)
        instant = _read(text, config.region)
        return (instant if instant.tzinfo else instant.replace(tzinfo=zone(config.timezone))).astimezone(UTC)
    except (ValueError, OverflowError, OSError):
        raise ValueError(says) from None


def _read(text: str, region: str) -> datetime:
    by_custom = _MONTH_FIRST if region in _REGIONS_WITH_MONTH_FIRST else _DAY_FIRST
    for form in (*_TIMES, *by_custom):
        try:
            return datetime.strptime(text, form)  # noqa: DTZ007 — on the office's own clock
        except ValueError:
            continue
    return datetime.fromisoformat(text)
