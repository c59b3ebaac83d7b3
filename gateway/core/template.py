"""Merge fields: `{business}`, and with a fallback for when there is nothing to say `{contact|there}`."""

import re
from collections.abc import Mapping
from datetime import datetime

from config.model import E164, MERGE_FIELD, Line
from gateway.core.phone import written_for
from gateway.core.schedule import local, local_day

_TWELVE_HOURS = frozenset({"US", "CA", "AU", "NZ", "PH", "IN"})
_MONTHS = (
    "January", "February", "March", "April", "May", "June", "July", "August", "September", "October", "November", "December",
)  # fmt: skip
_DAYS = ("Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday")


def render(message: str, fields: Mapping[str, str]) -> str:
    """The message with every field filled in; an empty field gives its fallback, or nothing.

    A value is never read for fields again, so a contact named `{number}` stays a name. White space that an empty field
    leaves doubled is closed.
    """
    emptied = False

    def fill(match: re.Match[str]) -> str:
        nonlocal emptied
        value = fields.get(match[1], "") or (match[2] or "").strip()
        emptied = emptied or not value
        return value

    filled = MERGE_FIELD.sub(fill, message)
    return re.sub(r" {2,}", " ", filled).strip() if emptied else filled.strip()


def clock(instant: datetime, timezone: str, region: str) -> str:
    """The time of day as the region writes it: `2:05 PM` or `14:05`."""
    at = local(instant, timezone)
    if region in _TWELVE_HOURS:
        return f"{at.hour % 12 or 12}:{at.minute:02d} {'AM' if at.hour < 12 else 'PM'}"
    return f"{at.hour:02d}:{at.minute:02d}"


def weekday(instant: datetime, timezone: str) -> str:
    """The day of the week, in English."""
    return _DAYS[local(instant, timezone).weekday()]


def opening(opens: datetime, now: datetime, timezone: str, region: str) -> str:
    """When the office opens, as one says it: `today at 1:00 PM`, `Monday at 8:00 AM`, `Monday, January 4 at 8:00 AM`."""
    days = (local_day(opens, timezone) - local_day(now, timezone)).days
    at = local(opens, timezone)
    day = {0: "today", 1: "tomorrow"}.get(days, _DAYS[at.weekday()])
    if days >= 7:
        day = f"{day}, {_MONTHS[at.month - 1]} {at.day}"
    return f"{day} at {clock(opens, timezone, region)}"


def merge_fields(
    line: Line, *, caller: E164, called_at: datetime, region: str, contact: str = "", opens: str = ""
) -> dict[str, str]:
    """What the fields say for one call to a line; `contact` and `opens` are empty where nothing is known."""
    return {
        "business": line.business,
        "staff": line.staff,
        "number": written_for(line.number, caller),
        "caller": written_for(caller, line.number),
        "contact": contact,
        "time": clock(called_at, line.timezone, region),
        "day": weekday(called_at, line.timezone),
        "opens": opens,
    }
