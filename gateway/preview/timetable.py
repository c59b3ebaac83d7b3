"""Which message goes when: a line's week, as the first missed call of a new caller from the line's own country and time zone
would find it."""

from dataclasses import dataclass
from datetime import datetime, timedelta

from config.model import Line
from gateway.core.call import Call, Outcome, ring_time
from gateway.core.case import Case, History, Traffic
from gateway.core.quiet import quiet_hours_for, quiet_until
from gateway.core.schedule import day_start, local
from gateway.core.variants import chosen, in_words
from gateway.office.directory import Directory

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
    """The rules' own order: a variant that sends nothing is asked before the quiet hours, and a held text is decided anew."""
    is_sent, message = _message(line, directory, at)
    consent = directory.config.consent
    quiet = quiet_hours_for(line.number, consent)
    until = quiet_until(at, quiet, (line.timezone,)) if quiet else None
    if not is_sent or until is None:
        return message
    if consent.when_quiet == "skip":
        return "no text (quiet hours)"
    return f"{_message(line, directory, until)[1]}, held until {local(until, line.timezone):%H:%M} (quiet hours)"


def _message(line: Line, directory: Directory, at: datetime) -> tuple[bool, str]:
    """Whether a text would go but for the quiet hours, and which."""
    index = chosen(first_call(line, directory, at))
    if index is None:
        return True, "the line's message"
    variant = line.text.variant[index]
    what = "" if variant.send else ", no text"
    return variant.send, f"variant {index + 1} ({in_words(variant)}){what}"


def first_call(line: Line, directory: Directory, at: datetime) -> Case:
    """A first missed call from somebody unknown."""
    call = Call(
        caller=line.number,
        caller_as_sent=line.number,
        outcome=Outcome.NO_ANSWER,
        arrived_at=at,
        rang=ring_time(line),
        missed_at=at,
    )
    return Case(call=call, history=History(), traffic=Traffic(), policy=directory.policy(line, None), now=at)
