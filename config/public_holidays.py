"""Public holidays of countries and their parts, with their names, as the library `holidays` knows them.

Of its categories the public ones alone count: no optional, school or half days. Which days these are is the law's view; what an
office works through all the same stands in `holidays_except`.
"""

import re
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date
from difflib import get_close_matches
from functools import lru_cache

ENGLISH = "en_US"
NAMES_OF_YEARS = 6
"""Names are looked for in so many years: some holidays come every fourth or fifth year only."""
_DELIMITER = "; "
_MOVED = re.compile(r"\s*\((?:observed|estimated|observed, estimated)\)$", re.IGNORECASE)


@dataclass(frozen=True, slots=True, kw_only=True)
class PublicHoliday:
    """One day and one of its names. A day may have several, of which each closes the office."""

    day: date
    name: str
    also: str = ""
    """Its English name, where that is another one."""


def public_holidays(region: str, years: range) -> list[PublicHoliday]:
    """Of `US-TX` or `DE`, by day; years that the calendar does not have are left out."""
    own = _days(region, years, "")
    english = _days(region, years, ENGLISH)
    return [
        PublicHoliday(day=day, name=name, also=_english(names, english.get(day, ())) if english else "")
        for day, names in sorted(own.items())
        for name in names
    ]


def name_of(region: str) -> str:
    """`Israel`, `Illinois (United States)`; empty for what is no part of its country."""
    import holidays  # noqa: PLC0415 — the library takes a while; a gateway whose offices name no country starts without
    from holidays.registry import COUNTRIES  # noqa: PLC0415

    country, _, part = region.partition("-")
    name = next((names[0] for names in COUNTRIES.values() if country in names), country)
    spaced = re.sub(r"(?<=[a-z])(?=[A-Z])", " ", name)
    if not part:
        return spaced
    kind = getattr(holidays, country, None)
    if kind is None or part not in kind.subdivisions:
        return ""
    aliases = getattr(kind, "subdivisions_aliases", {})
    return f"{next((alias for alias, known in aliases.items() if known == part), part)} ({spaced})"


def is_called(holiday: PublicHoliday, name: str) -> bool:
    """Is this its name, in its own language or in English? That of a moved day is also that of the day itself."""
    wanted = _plain(name)
    names = [known for known in (holiday.name, holiday.also) if known]
    return wanted in {_plain(known) for known in names} | {_plain(_MOVED.sub("", known)) for known in names}


def names_near(name: str, regions: Iterable[str], first_year: int) -> list[str]:
    """No names where one of these regions has a holiday of this name, else those that may have been meant, best first."""
    years = range(first_year, first_year + NAMES_OF_YEARS)
    known = [holiday for region in regions for holiday in public_holidays(region, years)]
    if any(is_called(holiday, name) for holiday in known):
        return []
    names = {_plain(found): found for holiday in known for found in (holiday.name, holiday.also) if found}
    wanted = _plain(name)
    near = [plain for plain in names if wanted and (wanted in plain or plain in wanted)]
    near += [plain for plain in get_close_matches(wanted, names, n=5, cutoff=0.5) if plain not in near]
    return [names[plain] for plain in near[:5] or sorted(names)]


@lru_cache(maxsize=64)
def _days(region: str, years: range, language: str) -> dict[date, tuple[str, ...]]:
    """Empty for a language that the region's holidays are not named in."""
    import holidays  # noqa: PLC0415 — as above

    country, _, part = region.partition("-")
    kind = getattr(holidays, country)
    if language and (language not in kind.supported_languages or language == kind.default_language):
        return {}
    language = language or kind.default_language  # never that of whoever runs this
    sensible = [year for year in years if 1 <= year <= 9999]
    found = holidays.country_holidays(
        country, subdiv=part or None, years=sensible, categories=(holidays.PUBLIC,), language=language or None
    )
    return {day: tuple(names.split(_DELIMITER)) for day, names in found.items()}


def _english(own: tuple[str, ...], english: tuple[str, ...]) -> str:
    """Where a day has several names their order differs by language, so that none can be told to be the other."""
    return english[0] if len(own) == len(english) == 1 and own != english else ""


def _plain(name: str) -> str:
    """For comparing: whatever the case, the quotes and the spaces."""
    return " ".join(name.replace("’", "'").casefold().split())
