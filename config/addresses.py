"""What the configuration names by an address: hosts, web and SIP addresses, files."""

import ipaddress
import re
from pathlib import Path
from typing import Annotated, Any
from urllib.parse import urlsplit

from config.checked import checked
from config.values import number
from config.written import OF_A_SHELL, is_home, written

_LABEL = re.compile(r"[^\W_](?:[\w-]{0,61}[^\W_])?|_[\w-]{0,62}")
_SIP = re.compile(r"sips?:[^\s@]*@?[^\s@]+")
_HEADER = re.compile(r"[A-Za-z0-9!#$%&'*+.^_`|~-]+")
_IDENTITY = re.compile(r"[!-~]{1,200}")
FRAMING_HEADERS = ("content-length", "transfer-encoding", "host", "connection", "content-encoding")
LONGEST_NAME, LONGEST_PATH = 255, 4000


def host(value: Any) -> str:
    """The name or the address of a machine, and nothing else: `smsc.carrier.example`, `192.0.2.7`, `2001:db8::7`."""
    if not isinstance(value, str):
        raise ValueError(f"{written(value)} must be a host in quotes, {_HOSTS}")
    if not value:
        raise ValueError(f"must not be empty; write a host, {_HOSTS}")
    if _is_host(value):
        return value
    raise ValueError(f"{written(value)} is no host; {_meant_host(value)}")


_HOSTS = 'such as "smsc.carrier.example" or "192.0.2.7"'


def _is_host(text: str) -> bool:
    try:
        ipaddress.ip_address(text)
    except ValueError:
        labels = text.removesuffix(".").split(".")
        is_number = all(label.isdecimal() for label in labels)
        return len(text) <= 253 and not is_number and all(_LABEL.fullmatch(label) for label in labels)
    return True


def _meant_host(text: str) -> str:
    rest = re.sub(r"^[a-z+]+://", "", text).partition("/")[0]
    name, _, port = rest.rpartition(":")
    name = name.strip("[]")
    if port.isdecimal() and _is_host(name):
        return f'write "{name}" here, and the port {port} into a key of its own where there is one'
    bare = rest.strip("[]")
    return f'write "{bare}"' if _is_host(bare) else f"write a name or an address, {_HOSTS}"


Host = Annotated[str, checked(host)]


def host_port(value: Any) -> str:
    """A host, and a port where it is not the usual one: `stun.example.net:3478`."""
    name, colon, port = value.rpartition(":") if isinstance(value, str) else ("", "", "")
    if colon and _is_host(name.strip("[]")) and port.isascii() and port.isdecimal() and 0 < int(port) <= 65535:
        return str(value)
    return host(value)


HostPort = Annotated[str, checked(host_port)]


def url(value: Any) -> str:
    """An address that begins with `http://` or `https://` and that a request can be sent to."""
    says = f"{written(value)} must be an address like https://sms.example.com"
    if not isinstance(value, str) or not re.fullmatch(r"https?://[^\s/]+[^\s]*", value):
        raise ValueError(says)
    try:
        parts = urlsplit(value)
        name, port = parts.hostname or "", parts.port
    except ValueError as error:
        raise ValueError(f"{says} ({error})") from None
    if not _is_host(name) or port == 0 or parts.netloc.endswith(":"):
        raise ValueError(says)
    if "@" in parts.netloc:
        raise ValueError(f"has a user or a password in it; write the address without, like https://{parts.hostname}")
    return value


Url = Annotated[str, checked(url)]


def sip_address(value: Any) -> str:
    """`sip:sip.carrier.example`, `sips:…`, with or without a user."""
    if isinstance(value, str) and _SIP.fullmatch(value):
        return value
    raise ValueError(f'{written(value)} must be a SIP address, such as "sip:sip.carrier.example"')


SipAddress = Annotated[str, checked(sip_address)]


def phone(value: Any) -> str:
    """What a call can be sent on to: a SIP address or a number."""
    if isinstance(value, str) and _SIP.fullmatch(value):
        return value
    if isinstance(value, str) and value.startswith("+"):
        return number(value)
    raise ValueError(f'{written(value)} must be a SIP address such as "sip:101@192.0.2.20", or a number such as "+14155550123"')


Phone = Annotated[str, checked(phone)]


def named_file(value: Any) -> Path:
    """A file's name. Relative ones are made whole by `config/files.py`."""
    if isinstance(value, Path):
        return value
    if not isinstance(value, str):
        raise ValueError(f"{written(value)} must be the name of a file, in quotes")
    if not value.strip():
        raise ValueError("must not be empty; write the name of a file, or leave the key out")
    if is_home(value):
        raise ValueError(f"{written(value)} {OF_A_SHELL}")
    is_too_long = any(len(name.encode()) > LONGEST_NAME for name in value.split("/"))
    if "\0" in value or is_too_long or len(value.encode()) > LONGEST_PATH:
        raise ValueError(f"{written(value)} can be the name of no file; write one of at most {LONGEST_NAME} letters")
    return Path(value)


NamedFile = Annotated[Path, checked(named_file)]


def header_name(value: Any) -> str:
    """A header's name (RFC 9110 §5.1), but for those that the request itself decides about."""
    if not isinstance(value, str) or not _HEADER.fullmatch(value):
        raise ValueError(f"{written(value)} is no name of a header, which is one word such as X-Api-Key")
    if value.lower() in FRAMING_HEADERS:
        raise ValueError(f"{value} is set by Textback itself; leave it out")
    return value


HeaderName = Annotated[str, checked(header_name)]


def identity(value: Any) -> str:
    """An account's or an application's id, which stands in addresses and before the colon of a login."""
    if not isinstance(value, str) or not _IDENTITY.fullmatch(value) or set(value) & set("/?#:%\\"):
        raise ValueError(f"{written(value)} must be 1 to 200 plain letters, digits and signs, in quotes, none of / ? # : % \\")
    return value


Identity = Annotated[str, checked(identity)]


def template_value(value: Any) -> Any:
    """What may stand in a request that the configuration describes: what JSON has too."""
    match value:
        case dict():
            return {str(name): template_value(inner) for name, inner in value.items()}
        case list():
            return [template_value(inner) for inner in value]
        case bool() | str():
            return value
        case int() | float() if value == value and abs(value) < 1e300:  # noqa: PLR0124 — not a number equals nothing
            return value
        case _:
            raise ValueError(f"{written(value)} cannot be sent; write text in quotes, a number, true, false, a list or a table")


TemplateValue = Annotated[Any, checked(template_value)]


def mail_address(value: str) -> str:
    """Whom an email reaches."""
    name, _, domain = value.partition("@")
    if not name or "." not in domain or "@" in domain or " " in value:
        raise ValueError(f'{written(value)} must be an address such as "mike@abchvac.example"')
    return value


REACHED_BY = {"email": mail_address, "webhook": url, "text": number}
"""How what an alert goes to is written, by its kind."""
