"""Telephone numbers: from what a trunk wrote to E.164, and whether such a number can take a text at all.

Facts about numbers come from `phonenumbers` (Google's libphonenumber). Where a country's plan tells landlines from mobiles, as
nearly all do, landlines are not texted; in the US, Canada, Denmark, India and a few more it does not, so those are.
"""

from functools import lru_cache

import phonenumbers
from phonenumbers import PhoneNumberType

from config.model import E164

_KIND_NEVER_TEXTED = {
    PhoneNumberType.TOLL_FREE: "toll-free",
    PhoneNumberType.PREMIUM_RATE: "premium rate",
    PhoneNumberType.SHARED_COST: "shared cost",
    PhoneNumberType.PAGER: "pager",
    PhoneNumberType.UAN: "company-wide (UAN)",
    PhoneNumberType.VOICEMAIL: "voicemail access",
    PhoneNumberType.PERSONAL_NUMBER: "personal",
}
LANDLINE = "landline"
_MOBILES_LOOK_LIKE_LANDLINES = frozenset({"AR"})
"""Argentine trunks show a mobile without the 9 that makes it one."""
_US = frozenset({"US", "PR", "GU", "VI", "AS", "MP"})
"""With Puerto Rico, Guam, the Virgin Islands, American Samoa and the Northern Marianas."""


@lru_cache(maxsize=1024)
def parsed(number: E164) -> phonenumbers.PhoneNumber:
    """As the library reads it: parsing is dear, and each call asks half a dozen things of one number. Only to be read."""
    return phonenumbers.parse(number)


@lru_cache(maxsize=4096)
def read_number(as_sent: str, region: str) -> E164 | None:
    """The E.164 number that a trunk meant; None where it is no valid number (an extension, a name, a keypad's ANONYMOUS).

    Trunks write national numbers, E.164 with and without the plus, and 00 or 011 prefixes; `region` reads the national ones.
    """
    candidates = [as_sent] if as_sent.startswith("+") else [as_sent, "+" + as_sent.removeprefix("00")]
    for candidate in candidates:
        try:
            found = parsed(E164(candidate)) if candidate.startswith("+") else phonenumbers.parse(candidate, region)
            number = E164(phonenumbers.format_number(found, phonenumbers.PhoneNumberFormat.E164))
            if _type_of(number) != PhoneNumberType.UNKNOWN:
                return number
        except phonenumbers.NumberParseException:
            continue
    return None


@lru_cache(maxsize=4096)
def _type_of(number: E164) -> int:
    """Unknown: it is no valid number."""
    kind: int = phonenumbers.number_type(parsed(number))
    return kind


def read_national(written: str, region: str) -> E164 | None:
    """The number of a region's own country, written without its country code or with it; None where it is no valid one."""
    number = read_number(written, region) if written[:1].isdecimal() else None
    own = phonenumbers.country_code_for_region(region)
    return number if number is not None and parsed(number).country_code == own else None


@lru_cache(maxsize=4096)
def readings(as_sent: str, region: str) -> tuple[E164, ...]:
    """Every number that an SMS network may have meant, the likeliest first; none where it is no number.

    Without a plus `4915123456789` may be a German mobile or, in Germany, a number of the area 04915: what begins with the
    country's own code is taken for international first.
    """
    international = read_number("+" + as_sent.removeprefix("+").removeprefix("00"), region)
    national = None if as_sent.startswith("+") else read_number(as_sent, region)
    own = str(phonenumbers.country_code_for_region(region))
    is_own = as_sent.startswith((own, "00", "+"))
    found = (international, national) if is_own else (national, international)
    return tuple(dict.fromkeys(number for number in found if number is not None))


@lru_cache(maxsize=4096)
def region_of(number: E164) -> str:
    """The region a number belongs to, ISO 3166-1 alpha-2; `001` for those of no country. Tells Jamaica from the US."""
    return phonenumbers.region_code_for_number(parsed(number)) or "unknown"


def domestic(region: str) -> frozenset[str]:
    """A region with those that are the same country: a text there is no text abroad."""
    return _US if region in _US else frozenset({region})


@lru_cache(maxsize=4096)
def kind_never_texted(number: E164) -> str | None:
    """The kind of the number in words where that kind never takes a text (`LANDLINE`: by its country's plan), else None."""
    kind = _type_of(number)
    if kind == PhoneNumberType.FIXED_LINE:
        return None if region_of(number) in _MOBILES_LOOK_LIKE_LANDLINES else LANDLINE
    return _KIND_NEVER_TEXTED.get(kind)


@lru_cache(maxsize=4096)
def written_for(number: E164, reader: E164 | None) -> str:
    """The number as its reader would write it: national within one country code, else international."""
    own = parsed(number)
    same = reader is not None and parsed(reader).country_code == own.country_code
    style = phonenumbers.PhoneNumberFormat.NATIONAL if same else phonenumbers.PhoneNumberFormat.INTERNATIONAL
    return phonenumbers.format_number(own, style)


def masked(number: str | None) -> str:
    """A number for the log: enough to recognise, not enough to call. `+1415•••0100`; three digits at least are hidden."""
    if not number:
        return "withheld"
    return number[: min(5, len(number) - 7)] + "•••" + number[-4:] if len(number) > 9 else "•••" + number[-2:]
