"""The kinds of value in the configuration, from the strings that people write: lengths of time, addresses, numbers."""

import ipaddress
import re
from dataclasses import dataclass
from datetime import timedelta
from typing import Annotated, Any, NewType
from zoneinfo import ZoneInfo

import phonenumbers
from pydantic import BeforeValidator, Field

from config.checked import checked
from config.written import written

E164 = NewType("E164", str)
"""A telephone number with its plus and country code (ITU-T E.164): `+14155550100`."""

MERGE_FIELDS = ("business", "staff", "number", "caller", "contact", "time", "day", "opens")
"""Every name that may stand in braces in a message."""
MERGE_FIELD = re.compile(r"\{\s*(\w+)\s*(?:\|([^{}]*))?\}")

_UNITS = {"ms": 0.001, "s": 1, "m": 60, "h": 3600, "d": 86400}
_DURATION = re.compile(r"(\d+(?:\.\d+)?)\s*(ms|s|m|h|d)")
LONGEST = timedelta(days=3650)
AGES = timedelta(days=999_999)
LONGEST_RING = timedelta(minutes=10)
"""Nothing that a line says lets a call ring longer."""
LONGEST_STOP = timedelta(seconds=60)
"""systemd's unit gives the gateway half a minute more than this."""


def duration(value: Any) -> timedelta:
    """`"20s"`, `"20m"`, `"24h"`, `"90d"`, `"500ms"`."""
    if isinstance(value, timedelta):
        return value
    length = any_length(value)
    if length > LONGEST:
        raise ValueError(f'{written(value)} is longer than ten years; write a shorter time, at most "{LONGEST.days}d"')
    return length


def any_length(value: Any) -> timedelta:
    """As `duration`, however long; what no calendar reaches is cut short."""
    match = _DURATION.fullmatch(value.strip()) if isinstance(value, str) else None
    if match is None:
        raise ValueError(f'{written(value)} must be a length of time in quotes, such as "20s", "20m", "24h" or "90d"')
    seconds = float(match[1]) * _UNITS[match[2]]
    return timedelta(seconds=min(seconds, AGES.total_seconds()))


def some_time(value: Any) -> timedelta:
    """A length of time that is not nothing."""
    length = duration(value)
    if not length:
        raise ValueError(f'{written(value)} must be longer than nothing, such as "10s" or "15m"')
    return length


def soon_again(value: Any) -> timedelta | None:
    """How soon an INVITE must follow another to be the same call: a length of time, or None for `"off"`."""
    if value is None or value == "off":
        return None
    try:
        length = some_time(value)
    except ValueError as error:
        raise ValueError(f'{error}, or "off"') from None
    if length > timedelta(minutes=10):
        raise ValueError(f'{written(value)} is longer than ten minutes; write a shorter time such as "20s", or "off"')
    return length


def ring_most(value: Any) -> timedelta:
    """How long a call may ring that somebody else ends."""
    length = some_time(value)
    if not timedelta(seconds=1) <= length <= LONGEST_RING:
        raise ValueError(f'{written(value)} must be a length of time from "1s" to "10m", such as "5m"')
    return length


def stop_within(value: Any) -> timedelta:
    """How long calls that ring may ring out when the gateway stops."""
    length = duration(value)
    if length > LONGEST_STOP:
        raise ValueError(f'{written(value)} must be a length of time from "0s" to "60s", such as "10s"')
    return length


Duration = Annotated[timedelta, checked(duration)]
SoonAgain = Annotated[timedelta | None, checked(soon_again)]
RingMost = Annotated[timedelta, checked(ring_most)]
StopWithin = Annotated[timedelta, checked(stop_within)]
SomeTime = Annotated[timedelta, checked(some_time)]
Flag = Annotated[bool, Field(strict=True)]
Whole = Annotated[int, Field(strict=True)]
Decimal = Annotated[float, Field(strict=True, allow_inf_nan=False)]


def pace(value: Any) -> float | None:
    """So many a second: `1.0`; None for `"unlimited"`."""
    if value is None or value == "unlimited":
        return None
    if isinstance(value, int | float) and not isinstance(value, bool) and 0 < value <= 10_000:
        return float(value)
    raise ValueError(f'{written(value)} must be a number above 0 and at most 10000, such as 1.0, or "unlimited"')


Pace = Annotated[float | None, checked(pace)]


def number(value: Any) -> E164:
    """An E.164 number in a string, spaces and punctuation allowed."""
    if isinstance(value, str) and value.strip().startswith("+"):
        try:
            parsed = phonenumbers.parse(value)
        except phonenumbers.NumberParseException:
            parsed = None
        if parsed is not None and phonenumbers.is_valid_number(parsed):
            return E164(phonenumbers.format_number(parsed, phonenumbers.PhoneNumberFormat.E164))
    raise ValueError(f'{written(value)} is no valid telephone number; write it with + and country code, such as "+14155550100"')


def sender(value: Any) -> str:
    """A number, a short code, or an alphanumeric name (3GPP TS 23.040 §9.1.2.5)."""
    if isinstance(value, str):
        if value.startswith("+"):
            return number(value)
        is_name = value.isascii() and value.replace(" ", "").isalnum() and len(value) <= 11
        if is_name and (not value.isdecimal() or 3 <= len(value) <= 8):
            return value
    raise ValueError(
        f'{written(value)} must be a number such as "+14155550100", or a name of at most 11 letters, digits and spaces'
    )


Sender = Annotated[str, checked(sender)]

Number = Annotated[E164, checked(number)]


def timezone(value: Any) -> str:
    """A name of the IANA time zone database."""
    try:
        ZoneInfo(value)
    except Exception:
        raise ValueError(
            f'{written(value)} is no time zone; write a name such as "America/Chicago" or "Europe/London"'
        ) from None
    return str(value)


Timezone = Annotated[str, checked(timezone)]


def region(value: Any) -> str:
    """A country by its two letters (ISO 3166-1)."""
    if not isinstance(value, str) or value.upper() not in phonenumbers.SUPPORTED_REGIONS:
        raise ValueError(f'{written(value)} is no country; write its two letters, such as "US" or "GB"')
    return value.upper()


Region = Annotated[str, checked(region)]


@dataclass(frozen=True, slots=True, kw_only=True)
class Place:
    """A host and port to listen on."""

    host: str
    port: int

    def __str__(self) -> str:
        return f"[{self.host}]:{self.port}" if ":" in self.host else f"{self.host}:{self.port}"

    @property
    def is_loopback(self) -> bool:
        return ipaddress.ip_address(self.host).is_loopback


@dataclass(frozen=True, slots=True, kw_only=True)
class Listen:
    """A SIP transport: `udp:0.0.0.0:5060`."""

    transport: str
    place: Place

    def __str__(self) -> str:
        return f"{self.transport}:{self.place}"


def place(value: Any) -> Place:
    """`"127.0.0.1:8080"`, `"[::1]:8080"`."""
    if isinstance(value, str):
        host, _, port = value.rpartition(":")
        host = "127.0.0.1" if host == "localhost" else host.strip("[]")
        try:
            ipaddress.ip_address(host)
        except ValueError:
            host = ""
        if host and port.isascii() and port.isdecimal() and 0 < int(port) <= 65535:
            return Place(host=host, port=int(port))
    raise ValueError(f'{written(value)} must be an address and a port, such as "127.0.0.1:8080"')


def listen(value: Any) -> Listen:
    """`"udp:0.0.0.0:5060"`, also `tcp:` and `tls:`."""
    transport, _, rest = value.partition(":") if isinstance(value, str) else ("", "", "")
    if transport not in ("udp", "tcp", "tls"):
        raise ValueError(f'{written(value)} must name a transport, an address and a port, such as "udp:0.0.0.0:5060"')
    return Listen(transport=transport, place=place(rest))


WebListen = Annotated[Place, checked(place)]
SipListen = Annotated[Listen, checked(listen)]


@dataclass(frozen=True, slots=True, kw_only=True)
class PortRange:
    """UDP ports, both ends included."""

    first: int
    last: int


def port_range(value: Any) -> PortRange:
    """`"10000-10299"`."""
    match = re.fullmatch(r"(\d{1,5})-(\d{1,5})", value.strip()) if isinstance(value, str) else None
    if match and 1024 <= int(match[1]) < int(match[2]) <= 65535:
        return PortRange(first=int(match[1]), last=int(match[2]))
    raise ValueError(f'{written(value)} must be a range of ports between 1024 and 65535, such as "10000-10299"')


RtpPorts = Annotated[PortRange, checked(port_range)]


def peer(value: Any) -> str:
    """An address or a network."""
    try:
        return str(ipaddress.ip_network(value, strict=True)) if "/" in value else str(ipaddress.ip_address(value))
    except (ValueError, TypeError) as error:
        why = "has host bits set" if "host bits" in str(error) else "is no IP address"
        raise ValueError(
            f'{written(value)} {why}; write an address such as "192.0.2.10" or a network such as "198.51.100.0/28"'
        ) from None


Peer = Annotated[str, checked(peer)]


def listed(value: Any) -> Any:
    """One value where a list may stand."""
    return [value] if isinstance(value, str | int) else value


OneOrMore = BeforeValidator(listed)
