"""From the `holidays` of some hours to the days and times at which the office is closed. PURE, but for the library's tables."""

from collections.abc import Callable
from datetime import date, datetime

from config.exceptions import is_date
from config.model import Hours
from config.public_holidays import PublicHoliday, is_called, public_holidays
from gateway.office.time_off import Closed, Closure, DayOff, TimeOff

BY_DATE = "day off"
"""What a day is called that the configuration names by its date."""
YEARS_AHEAD = 2


def years_around(now: datetime) -> range:
    """Last year to the year after next, as far as there are dates."""
    return range(max(1, now.year - 1), min(9998, now.year + YEARS_AHEAD) + 1)


def closed(hours: Hours, years: range, calendar: Callable[[str], TimeOff | None]) -> Closed:
    """`calendar` reads a calendar file by its name in the configuration; None: nothing is known of it."""
    days: list[DayOff] = []
    closures: list[Closure] = []
    unknown: list[str] = []
    for entry in hours.holidays:
        if not entry.endswith(".ics"):
            days += days_of(entry, years)
        elif (off := calendar(entry)) is not None:
            days += off.days
            closures += off.closures
        else:
            unknown.append(entry)
    excepted = _excepted(hours, days, years)
    return Closed(
        days=tuple(sorted((off for off in days if off not in excepted), key=_by_day)),
        closures=tuple(sorted(closures, key=lambda closure: (closure.start, closure.end))),
        excepted=tuple(sorted(excepted, key=_by_day)),
        unknown=tuple(unknown),
    )


def days_of(entry: str, years: range) -> list[DayOff]:
    """Of `US-TX`, `DE`, or `2026-12-24` (the configuration has checked that it is one of these)."""
    if is_date(entry):
        return [DayOff(day=date.fromisoformat(entry), name=BY_DATE, whence=entry)]
    return [_of_holiday(found, entry) for found in public_holidays(entry, years)]


def _of_holiday(holiday: PublicHoliday, region: str) -> DayOff:
    return DayOff(day=holiday.day, name=holiday.name, whence=region, also=holiday.also)


def _excepted(hours: Hours, days: list[DayOff], years: range) -> set[DayOff]:
    """A date goes for whatever falls on it; a name for public holidays: a day that has another name besides stays off."""
    dates = {date.fromisoformat(entry) for entry in hours.holidays_except if is_date(entry)}
    names = [entry for entry in hours.holidays_except if not is_date(entry)]
    found = {off for off in days if off.day in dates}
    for entry in {off.whence for off in days if names and not off.whence.endswith(".ics") and not is_date(off.whence)}:
        for holiday in public_holidays(entry, years):
            if any(is_called(holiday, name) for name in names):
                found.add(_of_holiday(holiday, entry))
    return found


def _by_day(off: DayOff) -> tuple[date, str]:
    return off.day, off.name
