"""Calls to replay: from our own journal, or from another system's call records (CSV)."""

import csv
import sqlite3
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path

from config.model import E164
from gateway.core.call import Call, Outcome
from gateway.core.phone import read_number
from gateway.core.schedule import zone
from gateway.directory import Directory
from gateway.ruling import call_of
from gateway.store import calls


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
    """Where a CSV file keeps what is needed: names of columns or, without a header, their places from 0."""

    at: str
    caller: str
    dialled: str
    outcome: str
    rang: str = ""
    has_header: bool = True


FORMATS: Mapping[str, Columns] = {
    "asterisk": Columns(at="9", caller="1", dialled="2", outcome="14", rang="12", has_header=False),
    "freepbx": Columns(at="calldate", caller="src", dialled="dst", outcome="disposition", rang="duration"),
}
"""`asterisk`: Master.csv of cdr_csv. `freepbx`: the CDR report's export. In both `duration` counts from the call's begin."""

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
_TIMES = ("%Y-%m-%d %H:%M:%S", "%Y-%m-%dT%H:%M:%S", "%m/%d/%Y %H:%M:%S", "%m/%d/%Y %H:%M", "%Y-%m-%d %H:%M")


def from_journal(db: sqlite3.Connection, since: datetime, directory: Directory) -> list[Recorded]:
    """Our own calls since an instant, oldest first, each for the line that the given configuration would find."""
    found = []
    for row in calls.since(db, since):
        ended = calls.ended_from(row)
        line = directory.line_for(ended.arrival.trunk, ended.arrival.dialled)
        found.append(
            Recorded(
                name=str(row["id"]),
                line=line.name if line else None,
                call=call_of(ended.arrival, ended.ending),
                decision=row["decision"] or "",
                reason=row["reason"] or "",
            )
        )
    return found


def from_csv(path: Path, columns: Columns, directory: Directory, line: str | None) -> tuple[list[Recorded], list[str]]:
    """The calls of a CSV file, oldest first, and what is wrong with rows that could not be read, each with its line.

    `line` takes every call whose dialled number is that of no line.
    """
    found: list[Recorded] = []
    problems: list[str] = []
    with path.open(newline="", encoding="utf-8-sig", errors="replace") as file:
        for number, row in _rows(file, columns):
            try:
                found.append(_read(row, columns, number, directory, line))
            except (ValueError, KeyError) as error:
                missing = f"there is no column {error}" if isinstance(error, KeyError) else str(error)
                problems.append(f"{path.name}:{number}: {missing}")
    found.sort(key=lambda recorded: recorded.call.arrived_at)
    return found, problems


def _rows(file: Iterator[str], columns: Columns) -> Iterator[tuple[int, dict[str, str]]]:
    if columns.has_header:
        named = csv.DictReader(file)
        for row in named:
            yield named.line_num, {str(key): str(value or "") for key, value in row.items()}
    else:
        plain = csv.reader(file)
        for cells in plain:
            if cells:
                yield plain.line_num, {str(place): cell for place, cell in enumerate(cells)}


def _read(row: Mapping[str, str], columns: Columns, number: int, directory: Directory, line: str | None) -> Recorded:
    at = _instant(row[columns.at].strip(), directory.config.timezone)
    outcome = _OUTCOMES.get(row[columns.outcome].strip().lower())
    if outcome is None:
        raise ValueError(f"{row[columns.outcome]!r} is no outcome; known are {', '.join(sorted(_OUTCOMES))}")
    rang = timedelta(seconds=float(row[columns.rang] or 0)) if columns.rang else timedelta(seconds=20)
    as_sent = row[columns.caller].strip() or None
    caller: E164 | None = read_number(as_sent, directory.config.region) if as_sent else None
    called = directory.line_named(row[columns.dialled].strip())
    call = Call(caller=caller, caller_as_sent=as_sent, outcome=outcome, arrived_at=at, rang=rang, missed_at=at + rang)
    return Recorded(name=f"row {number}", line=called.name if called else line, call=call)


def _instant(text: str, timezone: str) -> datetime:
    """A time on the office's wall clock, ISO 8601 with a zone, or seconds since the epoch."""
    if text.replace(".", "", 1).isdecimal() and len(text) > 8:
        return datetime.fromtimestamp(float(text), UTC)
    for form in _TIMES:
        try:
            return datetime.strptime(text, form).replace(tzinfo=zone(timezone)).astimezone(UTC)
        except ValueError:
            continue
    try:
        instant = datetime.fromisoformat(text)
    except ValueError:
        raise ValueError(f"{text!r} is no time that can be read") from None
    return (instant if instant.tzinfo else instant.replace(tzinfo=zone(timezone))).astimezone(UTC)
