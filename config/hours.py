"""Hours, days and holidays as people write them in the configuration."""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, time
from typing import Annotated, Any, Literal

from config.checked import checked
from config.written import OF_A_SHELL, is_home, written

DAYS = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")
LONGEST_QUIET_BY_DAY_H = 10
_CLOCK = re.compile(r"([01]\d|2[0-4]):([0-5]\d)")
_LOOSE_SPAN = re.compile(r"\s*(\d{1,2})(?:[:.h](\d\d))?\s*[-–—‒−]\s*(\d{1,2})(?:[:.h](\d\d))?\s*")
_NIGHT = 'such as "21:00-08:00"'


@dataclass(frozen=True, slots=True, kw_only=True)
class Span:
    """A span of local time; one that ends at or before its start runs past midnight. From 00:00 to 00:00 is a whole day."""

    start: time
    end: time
    """24:00 is kept as 00:00."""

    def __str__(self) -> str:
        """As it is written in the configuration."""
        return f"{self.start:%H:%M}-{self.end:%H:%M}" if self.end != time() else f"{self.start:%H:%M}-24:00"


def span(value: Any) -> Span:
    """`"08:00-12:00"`."""
    start, _, end = value.partition("-") if isinstance(value, str) else ("", "", "")
    times = [_clock(part.strip()) for part in (start, end)]
    is_whole_day = (start.strip(), end.strip()) == ("00:00", "24:00")
    if None in times or (times[0] == times[1] and not is_whole_day):
        raise ValueError(f"{written(value)} must be a span of time of 24 hours, {_cure_of_span(value)}")
    return Span(start=times[0] or time(), end=times[1] or time())


def _cure_of_span(value: Any) -> str:
    """What was most likely meant, else how spans are written."""
    match = _LOOSE_SPAN.fullmatch(value) if isinstance(value, str) else None
    if match:
        suggestion = f"{int(match[1]):02}:{match[2] or '00'}-{int(match[3]):02}:{match[4] or '00'}"
        start, _, end = suggestion.partition("-")
        if _clock(start) is not None and _clock(end) is not None and start != end:
            return f'written "{suggestion}"'
    if value is False or (isinstance(value, str) and value.strip().lower() in ("closed", "off", "none", "")):
        return 'such as "08:00-17:00"; for none at all leave the key out'
    return 'such as "08:00-17:00"; past midnight: "20:00-02:00"; a whole day: "00:00-24:00"'


def _clock(text: str) -> time | None:
    match = _CLOCK.fullmatch(text)
    if match is None or (match[1] == "24" and match[2] != "00"):
        return None
    return time(int(match[1]) % 24, int(match[2]))


TimeSpan = Annotated[Span, checked(span)]


def quiet_hours(value: Any) -> Span | Literal["off"]:
    """Hours in which nobody is texted, or `"off"`; those of a whole day, or of the day instead of the night, are a mistake."""
    if value == "off":
        return "off"
    try:
        quiet = span(value)
    except ValueError:
        raise ValueError(f'{written(value)} must be a span of time of 24 hours, {_NIGHT}, or "off"') from None
    hours = (quiet.end.hour * 60 + quiet.end.minute - quiet.start.hour * 60 - quiet.start.minute) / 60
    start, end = f"{quiet.start:%H:%M}", f"{quiet.end:%H:%M}"
    if quiet.start == quiet.end:
        raise ValueError(f"{written(value)} is the whole day, so no text would ever go; write the night's hours, {_NIGHT}")
    if hours >= LONGEST_QUIET_BY_DAY_H:
        raise ValueError(f'{written(value)} is quiet by day, and texts would go at night; turn it around: "{end}-{start}"')
    return quiet


QuietHours = Annotated[Span | Literal["off"], checked(quiet_hours)]
_QUIET_IN_THE_US = span("21:00-08:00")
QUIET_HOURS: Mapping[str, Span] = {
    **dict.fromkeys(("US", "PR", "GU", "VI", "AS", "MP"), _QUIET_IN_THE_US),
    "CA": span("21:30-09:00"),
}
"""By the caller's country, where `consent.quiet_hours` does not say. US and its territories: 47 CFR 64.1200(c)(1). Canada:
CRTC, Unsolicited Telecommunications Rules, the hours of weekdays. `docs/reasons.md` says why they hold for texts to callers."""


def days(value: Any) -> frozenset[int]:
    """`"mon-fri"`, `"sat"`, `"fri-mon"`, `"mon,wed"`: weekdays, Monday is 0."""
    found: set[int] = set()
    for part in str(value).lower().split(","):
        first, dash, last = part.strip().partition("-")
        if first not in DAYS or (dash and last not in DAYS):
            raise ValueError(f'{written(value)} names no days; write "mon", "mon-fri", "sat,sun"')
        start = DAYS.index(first)
        length = (DAYS.index(last) - start) % 7 if dash else 0
        found |= {(start + step) % 7 for step in range(length + 1)}
    return frozenset(found)


Days = Annotated[frozenset[int], checked(days)]


def day_names(value: Any) -> str:
    """As `days`, as it stands in the file."""
    days(value)
    return str(value)


DayNames = Annotated[str, checked(day_names)]


def holiday(value: Any) -> str:
    """A country or a part of one (`US-TX`, `DE`), a date (`2026-12-24`), or a calendar file (`closures.ics`)."""
    says = f'{written(value)} must be a country or its part ("US-TX"), a date in quotes ("2026-12-24"), or a file ("x.ics")'
    if not isinstance(value, str):
        raise ValueError(says)
    if value.endswith(".ics"):
        if is_home(value):
            raise ValueError(f"{written(value)} {OF_A_SHELL}")
        return value
    if re.fullmatch(r"\d{4}-\d{2}-\d{2}", value):
        try:
            date.fromisoformat(value)
        except ValueError:
            raise ValueError(f"{written(value)} is no date") from None
        return value
    from holidays.utils import list_supported_countries  # noqa: PLC0415 — all the world's holidays come with it

    country, _, part = value.partition("-")
    known = list_supported_countries(include_aliases=True)
    if country not in known:
        raise ValueError(says)
    if part and part not in known[country]:
        parts = ", ".join(known[country][:60]) or "none"
        raise ValueError(f"{written(value)}: {country} has no part {part} whose holidays are known; there are {parts}")
    return value


Holiday = Annotated[str, checked(holiday)]


def no_holiday(value: Any) -> str:
    """The name of a public holiday (`Columbus Day`), or a date (`2026-11-27`), on which the office is open all the same."""
    if not isinstance(value, str) or not value.strip():
        raise ValueError(
            f'{written(value)} must be the name of a holiday such as "Columbus Day", or a date such as "2026-11-27"'
        )
    return holiday(value) if re.fullmatch(r"\d{4}-\d{2}-\d{2}", value) else value.strip()


NoHoliday = Annotated[str, checked(no_holiday)]
