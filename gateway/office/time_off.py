"""When and why an office is closed: values that calendars and holidays come to."""

from dataclasses import dataclass
from datetime import date, datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class DayOff:
    """A whole local day on which the office is closed, why, and where that stands."""

    day: date
    name: str
    whence: str
    also: str = ""
    """Its English name, where that is another one."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Closure:
    """Closed from the first instant until before the second."""

    start: datetime
    end: datetime
    name: str
    whence: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Remark:
    """What there is to say of a line of a calendar file."""

    line: int
    says: str


@dataclass(frozen=True, slots=True, kw_only=True)
class TimeOff:
    """What a calendar closes within some years, and what in it does not count."""

    days: tuple[DayOff, ...] = ()
    closures: tuple[Closure, ...] = ()
    problems: tuple[Remark, ...] = ()
    """Events that cannot be read."""
    remarks: tuple[Remark, ...] = ()
    """Events that do not mean what somebody may think."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Closed:
    """When an office is closed beside its hours, by everything that its `holidays` names."""

    days: tuple[DayOff, ...]
    closures: tuple[Closure, ...]
    excepted: tuple[DayOff, ...] = ()
    """Days on which it is open all the same, by `holidays_except`."""
    unknown: tuple[str, ...] = ()
    """Calendar files of which nothing is known."""
