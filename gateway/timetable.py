"""Which message goes when: a line's week, as a new caller's first missed call would find it."""

from dataclasses import dataclass
from datetime import datetime, timedelta

from config.model import Line
from gateway.core.call import Call, Outcome
from gateway.core.case import Case, History, Traffic
from gateway.core.schedule import day_start, local
from gateway.core.variants import chosen, in_words
from gateway.directory import Directory

STEP = timedelta(minutes=5)


@dataclass(frozen=True, slots=True, kw_only=True)
class Stretch:
    """From one local time to another of one day the same message goes (or none)."""

    start: datetime
    end: datetime
    says: str


def week(line: Line, directory: Directory, now: datetime, days: int = 7) -> list[Stretch]:
    """The coming days from the beginning of today, in stretches that do not cross midnight; times are the line's."""
    begin = day_start(now, line.timezone)
    stretches: list[Stretch] = []
    at = begin
    while at < begin + timedelta(days=days):
        says = _says(line, directory, at)
        is_same_day = stretches and local(stretches[-1].start, line.timezone).date() == local(at, line.timezone).date()
        if stretches and is_same_day and stretches[-1].says == says:
            stretches[-1] = Stretch(start=stretches[-1].start, end=at + STEP, says=says)
        else:
            stretches.append(Stretch(start=at, end=at + STEP, says=says))
        at += STEP
    return stretches


def _says(line: Line, directory: Directory, at: datetime) -> str:
    index = chosen(first_call(line, directory, at))
    if index is None:
        return "the line's message"
    variant = line.text.variant[index]
    what = "" if variant.send else ", no text"
    return f"variant {index + 1} ({in_words(variant)}){what}"


def first_call(line: Line, directory: Directory, at: datetime) -> Case:
    """A first missed call from somebody unknown."""
    call = Call(
        caller=line.number,
        caller_as_sent=line.number,
        outcome=Outcome.NO_ANSWER,
        arrived_at=at,
        rang=timedelta(seconds=line.ring_seconds),
        missed_at=at,
    )
    return Case(call=call, history=History(), traffic=Traffic(), policy=directory.policy(line, None), now=at)
