"""What an admin types after a command, read: instants, lengths of time, ids, counts, numbers, lines. `ValueError` says what is
wrong with it and what to write; `as_argument` makes that wrong use."""

import argparse
from collections.abc import Callable, Iterable, Sequence
from datetime import UTC, date, datetime, time, timedelta
from typing import TypeVar

from config.model import E164, Config
from config.problems import did_you_mean
from config.values import any_length, duration
from gateway.core.schedule import instants_of, local, zone

T = TypeVar("T")
YEARS = range(1970, 2200)
"""Instants that a command takes; calendars reach no further either."""
WITHHELD = frozenset({"anonymous", "withheld", "private", "restricted", "unavailable", "unknown"})
"""What stands for a caller who shows no number."""
WHEN = "a length of time back from now (2h, 7d), a day (2026-11-23) or a time (2026-11-23T14:05) of the office's clock"


class WrongUse(Exception):
    """What was asked makes no sense; the sentence says why. Exit status 2."""


def about(document: str | None) -> str:
    """A command's module's docstring as its help: without the command's name and marks of code."""
    says = (document or "").partition(": ")[2].replace("`", "")
    return says[:1].upper() + says[1:]


def as_argument(read: Callable[[str], T]) -> Callable[[str], T]:
    """A reader of ours as argparse wants one."""

    def argument(text: str) -> T:
        try:
            return read(text)
        except ValueError as error:
            raise argparse.ArgumentTypeError(str(error)) from None

    return argument


def count(text: str) -> int:
    """A whole number above 0."""
    if not (text.isascii() and text.isdecimal()) or not 0 < int(text) < 10**9:
        raise ValueError(f"{text!r} must be a whole number above 0")
    return int(text)


def identity(text: str) -> int:
    """The number of a call or text, as the lists show it."""
    if not (text.isascii() and text.isdecimal()) or len(text) > 18:
        raise ValueError(f"{text!r} is no number of a call or text; textback calls and textback texts show them")
    return int(text)


def length(text: str) -> timedelta:
    """A length of time in seconds (`12`, `2.5`), or with its unit (`2h`)."""
    try:
        return timedelta(seconds=float(text)) if text.replace(".", "", 1).isdecimal() else duration(text)
    except (ValueError, OverflowError):
        raise ValueError(f"{text!r} must be a length of time, such as 20s, 20m, 24h or 90d") from None


def instant(text: str, timezone: str, now: datetime, *, is_end: bool = False) -> datetime:
    """So long ago, or a time of the clock in a zone, or with a zone of its own. A day is its begin; as an end, its end."""
    far = f"{text!r} is out of reach; the years {YEARS.start} to {YEARS.stop - 1} are known"
    try:
        at = _instant(text.strip(), timezone, now, is_end=is_end)
    except OverflowError:
        raise ValueError(far) from None
    except _NotOnce as error:
        raise ValueError(f"{text!r} {error}") from None
    except ValueError:
        raise ValueError(f"{text!r} must be {WHEN}") from None
    if at.year not in YEARS:
        raise ValueError(far)
    return at


def _instant(text: str, timezone: str, now: datetime, *, is_end: bool) -> datetime:
    if text[-1:] in "smhd" and not text[:1].isalpha():
        return now - any_length(text)
    if len(text) == len("2026-11-23"):
        day = date.fromisoformat(text) + timedelta(days=is_end)
        return datetime.combine(day, time(), zone(timezone)).astimezone(UTC)
    at = datetime.fromisoformat(text)
    return at.astimezone(UTC) if at.tzinfo else _only_one(at, timezone)


class _NotOnce(Exception):
    """A clock shows a time never, or twice; the sentence says what to write."""


def _only_one(wall: datetime, timezone: str) -> datetime:
    """The instant at which a zone's clock shows a time."""
    found = instants_of(wall, timezone)
    if len(found) == 1:
        return found[0]
    if found:
        first, second = (local(at, timezone).isoformat() for at in found)
        raise _NotOnce(f"comes twice on the clock of {timezone}, which goes back then; write {first} or {second}")
    after = local(wall.replace(tzinfo=zone(timezone)).astimezone(UTC), timezone)
    raise _NotOnce(f"is not on the clock of {timezone}, which goes forward then; write {after:%Y-%m-%dT%H:%M} or another time")


def number(text: str, config: Config) -> E164:
    """A telephone number, also as the office's region writes it."""
    from gateway.core.phone import read_number  # noqa: PLC0415 — its tables are large, and few commands want them

    found = read_number(text, config.region)
    if found is None:
        says = 'is no valid telephone number; write it with + and country code, such as "+14155550100"'
        raise ValueError(f"{text!r} {says}, or as it is written in {config.region}")
    return found


def caller(text: str | None, config: Config) -> E164 | None:
    """`number`, or None for one who shows none: nothing given, or `anonymous`."""
    return number(text, config) if text is not None and text.strip().lower() not in WITHHELD else None


def choice(word: str, known: Sequence[str], what: str) -> str:
    """One of the words that there are for something; `what` is it one of?"""
    if word in known:
        return word
    meant = did_you_mean(word, known)
    raise ValueError(f"there is no {what} {word}{meant}" + (f" There are {', '.join(known)}" if meant.endswith("?") else ""))


def unknown_line(name: str, known: Iterable[str]) -> str:
    """The sentence about a line that there is not."""
    return f"there is no line {name}; the lines are {', '.join(known)}"
