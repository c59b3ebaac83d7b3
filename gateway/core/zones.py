"""In which time zones a caller may be, so that none is woken and none waits for an hour that is not theirs. PURE.

Many numbers say where they lie: an area code, a mobile range. Others say their country and no more, and `phonenumbers` then
names every zone of the country code: for an Australian mobile also those of Eucla, Lord Howe and Christmas Island, for a mobile
of Antigua also Guam's. Such a caller is taken for one of the many: of the office's own zone where the country is the
office's, else of the zones in which nearly all of that country's people live.
"""

from dataclasses import dataclass
from datetime import datetime
from functools import lru_cache

from phonenumbers import PhoneNumber
from phonenumbers.timezone import time_zones_for_geographical_number, time_zones_for_number

from config.model import E164, Line
from gateway.core.phone import parsed, region_of
from gateway.core.schedule import local

UNKNOWN = "Etc/Unknown"

_PEOPLE: dict[str, tuple[str, ...]] = {
    "AU": ("Australia/Sydney", "Australia/Brisbane", "Australia/Perth"),  # the east 60 %, Queensland 20 %, the west 11 %
    "BQ": ("America/Kralendijk",),
    "BR": ("America/Sao_Paulo",),  # 93 %; Amazonia is an hour behind
    "CA": ("America/Toronto", "America/Edmonton", "America/Vancouver"),  # 61 %, 12 %, 14 %; the prairies lie between
    "CC": ("Indian/Cocos",),
    "CD": ("Africa/Kinshasa", "Africa/Lubumbashi"),  # about half each
    "CL": ("America/Santiago",),  # all but Easter Island
    "CW": ("America/Curacao",),
    "CX": ("Indian/Christmas",),
    "EC": ("America/Guayaquil",),  # all but the Galapagos
    "ES": ("Europe/Madrid",),  # 95 %; the Canaries are an hour behind
    "FI": ("Europe/Helsinki",),
    "GB": ("Europe/London",),
    "GG": ("Europe/Guernsey",),
    "GL": ("America/Nuuk",),  # 95 %
    "ID": ("Asia/Jakarta", "Asia/Makassar"),  # 80 %, 17 %
    "IE": ("Europe/Dublin",),
    "IM": ("Europe/Isle_of_Man",),
    "IT": ("Europe/Rome",),
    "JE": ("Europe/Jersey",),
    "KI": ("Pacific/Tarawa",),  # nine in ten
    "KZ": ("Asia/Almaty",),  # one zone since 2024; +7 is Russia's too
    "MN": ("Asia/Ulaanbaatar",),  # 92 %; the far west is an hour behind
    "MX": ("America/Mexico_City",),  # nine in ten
    "NO": ("Europe/Oslo",),
    "NZ": ("Pacific/Auckland",),  # all but Chatham
    "PF": ("Pacific/Tahiti",),  # 96 %
    "PT": ("Europe/Lisbon",),  # 95 %; the Azores are an hour behind
    "RE": ("Indian/Reunion",),
    "RU": ("Europe/Moscow", "Asia/Yekaterinburg"),  # 66 %, 14 %; no zone east of it has a tenth
    "US": ("America/New_York", "America/Chicago", "America/Los_Angeles"),  # 47 %, 29 %, 17 %; Denver lies between
    "YT": ("Indian/Mayotte",),
    # Of +1 beside the US and Canada: one zone each.
    "AG": ("America/Antigua",),
    "AI": ("America/Anguilla",),
    "AS": ("Pacific/Pago_Pago",),
    "BB": ("America/Barbados",),
    "BM": ("Atlantic/Bermuda",),
    "BS": ("America/Nassau",),
    "DM": ("America/Dominica",),
    "DO": ("America/Santo_Domingo",),
    "GD": ("America/Grenada",),
    "GU": ("Pacific/Guam",),
    "JM": ("America/Jamaica",),
    "KN": ("America/St_Kitts",),
    "KY": ("America/Cayman",),
    "LC": ("America/St_Lucia",),
    "MP": ("Pacific/Saipan",),
    "MS": ("America/Montserrat",),
    "PR": ("America/Puerto_Rico",),
    "SX": ("America/Lower_Princes",),
    "TC": ("America/Grand_Turk",),
    "TT": ("America/Port_of_Spain",),
    "VC": ("America/St_Vincent",),
    "VG": ("America/Tortola",),
    "VI": ("America/St_Thomas",),
}
"""The zones in which a tenth of a country's people or more live; regions as in ISO 3166-1."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Home:
    """Where a line's office is: its countries, and the time zone of its clock."""

    countries: frozenset[str]
    timezone: str


def home_of(line: Line, region: str) -> Home:
    """The home of a line whose office reads numbers as those of a region; the line's own number may be of another country."""
    return Home(countries=frozenset({region, region_of(line.number)}), timezone=line.timezone)


def zones_for(number: E164, home: Home, now: datetime) -> tuple[str, ...]:
    """The zones that have to allow a text of this office to this number."""
    zones = zones_of(number)
    if not zones:
        return (home.timezone,)
    if len(zones) == 1 or not says_only_its_country(number):
        return zones
    region = region_of(number)
    clocks = {local(now, name).utcoffset() for name in zones}
    if region in home.countries and local(now, home.timezone).utcoffset() in clocks:
        return (home.timezone,)
    return _PEOPLE.get(region, zones)


@lru_cache(maxsize=4096)
def zones_of(number: E164) -> tuple[str, ...]:
    """Every zone that a number may lie in; empty where nothing is known."""
    zones = time_zones_for_number(parsed(number))
    return tuple(name for name in zones if name != UNKNOWN)


@lru_cache(maxsize=4096)
def says_only_its_country(number: E164) -> bool:
    """Is nothing known of where a number lies but its country code?"""
    code = parsed(number).country_code
    anywhere = PhoneNumber(country_code=code, national_number=0)
    return zones_of(number) == tuple(time_zones_for_geographical_number(anywhere))
