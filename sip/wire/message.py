"""Raw SIP text into a start-line, headers and body (RFC 3261 §7). PURE: it reads whatever came, and raises nothing.

Header names are compared without case and in their long form; folded lines are joined. The order of values is kept.
"""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache

_COMPACT = {
    "a": "accept-contact",
    "b": "referred-by",
    "c": "content-type",
    "e": "content-encoding",
    "f": "from",
    "i": "call-id",
    "k": "supported",
    "l": "content-length",
    "m": "contact",
    "o": "event",
    "r": "refer-to",
    "s": "subject",
    "t": "to",
    "u": "allow-events",
    "v": "via",
    "x": "session-expires",
}
_END_OF_HEAD = re.compile(r"\r?\n\r?\n")
_PORT = re.compile(r":\d*$")
HEADERS_AT_MOST = 256
"""No proper INVITE has as many; what follows is not read."""


@dataclass(frozen=True, slots=True, kw_only=True)
class SipMessage:
    """One SIP message."""

    start_line: str
    """Of a request: method, Request-URI and version."""
    headers: Mapping[str, tuple[str, ...]]
    """The values of each header in their order, by its name in lower case and long."""
    body: str


def parse(raw: str) -> SipMessage:
    """The message in a raw text, with CRLF or LF line ends."""
    end = _END_OF_HEAD.search(raw)
    head, body = (raw[: end.start()], raw[end.end() :]) if end else (raw, "")
    lines = re.sub(r"\r?\n[ \t]+", " ", head).replace("\r\n", "\n").split("\n", HEADERS_AT_MOST + 1)
    headers: dict[str, tuple[str, ...]] = {}
    for line in lines[1 : HEADERS_AT_MOST + 1]:
        name, colon, value = line.partition(":")
        if colon:
            lower = name.strip().lower()
            long = _COMPACT.get(lower, lower)
            headers[long] = (*headers.get(long, ()), value.strip())
    return SipMessage(start_line=lines[0].strip(), headers=headers, body=body)


def values(message: SipMessage, name: str) -> tuple[str, ...]:
    """Every value of a header, in order, each as its own line stood."""
    return message.headers.get(name.lower(), ())


def header(message: SipMessage, name: str) -> str | None:
    """The first value of a header, or None."""
    found = values(message, name)
    return found[0] if found else None


def elements(message: SipMessage, name: str) -> list[str]:
    """Every element of a header that is a comma-separated list, over all its lines."""
    return [element for value in values(message, name) for element in split(value, ",")]


def split(text: str, separator: str) -> list[str]:
    """Split at a separator outside quotes and angle brackets; empty parts are dropped."""
    parts = _split(text, separator) if '"' in text or "<" in text else text.split(separator)
    return [part.strip() for part in parts if part.strip()]


def _split(text: str, separator: str) -> list[str]:
    parts, start, depth, is_quoted, at = [], 0, 0, False, 0
    while at < len(text):
        character = text[at]
        if is_quoted:
            if character == "\\":
                at += 1
            elif character == '"':
                is_quoted = False
        elif character == '"':
            is_quoted = True
        elif character == "<":
            depth += 1
        elif character == ">":
            depth = max(0, depth - 1)
        elif character == separator and depth == 0:
            parts.append(text[start:at])
            start = at + 1
        at += 1
    parts.append(text[start:])
    return parts


@dataclass(frozen=True, slots=True, kw_only=True)
class Address:
    """A name-addr or addr-spec (RFC 3261 §25.1) with its header parameters, lower-cased names, values unquoted."""

    name: str
    scheme: str
    user: str
    host: str
    """Without the port; an IPv6 reference in its brackets."""
    uri_parameters: tuple[tuple[str, str], ...]
    uri_headers: str
    """What stands after the URI's question mark, unescaped."""
    parameters: tuple[tuple[str, str], ...]

    def parameter(self, name: str) -> str | None:
        """A parameter of the header or, where it has none of that name, of the URI."""
        for found, value in (*self.parameters, *self.uri_parameters):
            if found == name:
                return value
        return None


@lru_cache(maxsize=256)
def address(value: str) -> Address | None:
    """The address in a header's value, or None where there is no URI in it."""
    opening = _unquoted(value, "<")
    if opening >= 0:
        closing = value.find(">", opening)
        if closing < 0:
            return None
        name, uri, rest = value[:opening], value[opening + 1 : closing], value[closing + 1 :]
        header_parameters: Sequence[str] = split(rest, ";")
    else:
        name, (uri, *header_parameters) = "", split(value, ";") or [""]
    return _address(uri.strip(), unquoted(name.strip()), _parameters(header_parameters))


def uri(text: str) -> Address | None:
    """The parts of a bare URI, such as a Request-URI."""
    return _address(text, "", ())


def _address(uri_text: str, name: str, parameters: tuple[tuple[str, str], ...]) -> Address | None:
    scheme, colon, rest = uri_text.partition(":")
    if not colon or not scheme.strip().isalpha():
        return None
    rest, _, uri_headers = rest.partition("?")
    userinfo, at, hostport = rest.rpartition("@")
    if not at and scheme.lower() == "tel":
        userinfo, hostport = rest, ""
    host_and_port, *uri_parameters = split(hostport, ";") or [""]
    user, *user_parameters = userinfo.split(";")
    return Address(
        name=name,
        scheme=scheme.strip().lower(),
        user=_unescaped(user.partition(":")[0].strip()),
        host=_PORT.sub("", host_and_port),
        uri_parameters=_parameters([*user_parameters, *uri_parameters]),
        uri_headers=_unescaped(uri_headers),
        parameters=parameters,
    )


def _parameters(parts: Sequence[str]) -> tuple[tuple[str, str], ...]:
    pairs = (part.partition("=") for part in parts)
    return tuple((name.strip().lower(), unquoted(value.strip())) for name, _, value in pairs if name.strip())


def unquoted(text: str) -> str:
    """A quoted string's content, or the text itself."""
    if len(text) >= 2 and text[0] == text[-1] == '"':
        return re.sub(r"\\(.)", r"\1", text[1:-1])
    return text


def _unescaped(text: str) -> str:
    if "%" not in text:
        return text
    return re.sub(r"%([0-9A-Fa-f]{2})", lambda match: chr(int(match[1], 16)), text)


def _unquoted(text: str, wanted: str) -> int:
    """The place of a character outside quotes, or -1."""
    if '"' not in text:
        return text.find(wanted)
    is_quoted, at = False, 0
    while at < len(text):
        if is_quoted and text[at] == "\\":
            at += 1
        elif text[at] == '"':
            is_quoted = not is_quoted
        elif not is_quoted and text[at] == wanted:
            return at
        at += 1
    return -1
