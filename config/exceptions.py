"""`holidays_except`: names that no holiday bears, and dates that contradict `holidays`."""

import re
from collections.abc import Iterator
from datetime import UTC, datetime

from config.model import Config, Hours

_DATE = re.compile(r"\d{4}-\d{2}-\d{2}")
NAMES_SHOWN = 30


def is_date(entry: str) -> bool:
    """`2026-12-24`."""
    return _DATE.fullmatch(entry) is not None


def regions_of(hours: Hours) -> list[str]:
    """The entries of `holidays` that are countries or parts of them."""
    return [entry for entry in hours.holidays if not is_date(entry) and not entry.endswith(".ics")]


def faults_of(config: Config) -> Iterator[tuple[str, str, str]]:
    """The name of the hours, a key below them, and what is wrong with it."""
    for name, hours in config.hours.items():
        for index, entry in enumerate(hours.holidays_except, start=1):
            says = _of_date(entry, hours) if is_date(entry) else _of_name(entry, regions_of(hours))
            if says:
                yield name, f"holidays_except.{index}", says


def _of_date(entry: str, hours: Hours) -> str:
    return f"{entry} stands in holidays too; remove it from one of the two" if entry in hours.holidays else ""


def _of_name(entry: str, regions: list[str]) -> str:
    from config.public_holidays import names_near  # noqa: PLC0415 — the library takes a while, and few name exceptions

    if not regions:
        return f"{entry!r} is the name of no holiday: holidays names no country; write dates here, or add a country there"
    near = names_near(entry, regions, datetime.now(UTC).year)
    where = " and ".join(regions)
    if not near:
        return ""
    return f"{entry!r} is no holiday of {where}; there {'is' if len(near) == 1 else 'are'} {', '.join(near[:NAMES_SHOWN])}"
