"""What the headers of an INVITE are read as, step by step: who calls by which of them, and for which line."""

import argparse
import re
from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass
from datetime import UTC, datetime

from config.model import Config, Line
from config.problems import did_you_mean
from gateway.cli.given import WrongUse
from gateway.cli.known import directory_now
from gateway.cli.say import complain, say, say_json
from gateway.core.case import Contact
from gateway.core.numbering import Reading
from gateway.office.directory import Directory
from sip.wire import headers
from sip.wire.headers import SipMessage
from sip.wire.message import values

_OF_CALLERS = ("P-Asserted-Identity", "Remote-Party-ID", "From")
"""By order of trust."""
_KNOWN = (*_OF_CALLERS, "Privacy", "Request-URI", "P-Called-Party-ID", "To", "Diversion", "History-Info")
_SHORT = {"f": "From", "t": "To"}
_NEVER_TEXTED = ("staff", "blocked")


@dataclass(frozen=True, slots=True, kw_only=True)
class _Number:
    """One number that stands in a header, read."""

    header: str
    as_sent: str
    reading: Reading
    line: Line | None


@dataclass(frozen=True, slots=True, kw_only=True)
class _Read:
    """All that the headers say."""

    trunk: str
    who: headers.Caller | None
    """None: no header was given that could name a caller."""
    passed_over: tuple[str, ...]
    """Headers that would name the caller too."""
    caller: _Number | None
    """None also where the caller shows no number."""
    contact: Contact | None
    dialled: tuple[_Number, ...]
    line: Line | None
    found_by: str
    """The header that the line was found by, or `default_line`; empty where there is no line."""


def explain(options: argparse.Namespace, config: Config) -> int:
    """0; 2 on wrong use."""
    try:
        trunk, message = _trunk(options.trunk, config), _message(options.header)
    except WrongUse as error:
        complain(f"textback: {error}")
        return 2
    read = _read(message, trunk, directory_now(config, datetime.now(UTC)))
    if options.json:
        say_json(_as_json(read, config))
    else:
        say(*_in_words(read, config))
    return 0


def _trunk(name: str | None, config: Config) -> str:
    """The trunk of that name, or the only one."""
    if name is None and len(config.trunk) == 1:
        return next(iter(config.trunk))
    trunks = ", ".join(config.trunk) or "none"
    if name is None:
        raise WrongUse(f"explain --header wants --trunk NAME, because each trunk writes numbers in its own way: {trunks}")
    if name not in config.trunk:
        raise WrongUse(f"there is no trunk {name}; the trunks are {trunks}")
    return name


def _message(given: Sequence[str]) -> SipMessage:
    """An INVITE of these headers; `Request-URI: …` or the whole first line gives what it is addressed to."""
    start_line, found = "", []
    for one in given:
        text = one.strip()
        if text.upper().startswith("INVITE "):
            start_line = text
            continue
        name, colon, value = text.partition(":")
        known = _name(name.strip(), text if not colon or "\n" in text else "")
        _look_at_uris(text)
        if known == "Request-URI":
            start_line = f"INVITE {value.strip().strip('<>')} SIP/2.0"
        else:
            found.append(f"{known}: {value.strip()}")
    return headers.parse("\r\n".join((start_line, *found)))


def _look_at_uris(text: str) -> None:
    """The SIP stack reads none of these: such an INVITE is malformed, and no call."""
    for uri in re.findall(r"<([^>]*)>", text):
        if not uri.isascii() or re.search(r"\s", uri):
            raise WrongUse(f"<{uri}> is no URI, and the INVITE would get 400: it has spaces as %20, and ASCII alone")


def _name(name: str, misshapen: str) -> str:
    """As a header is written."""
    if misshapen:
        raise WrongUse(f"{misshapen!r} is no header; write it whole in one line, such as 'From: <sip:+14155550123@pbx>'")
    by_lower = {known.lower(): known for known in _KNOWN} | _SHORT
    if name.lower() not in by_lower:
        raise WrongUse(f"no number is read from a header called {name}{did_you_mean(name, _KNOWN)}")
    return by_lower[name.lower()]


# --- reading ----------------------------------------------------------------------------------------------------------


def _read(message: SipMessage, trunk: str, directory: Directory) -> _Read:
    there = tuple(name for name in _OF_CALLERS if values(message, name))
    who = headers.caller(message) if there else None
    caller = _number(who.header, who.number, trunk, directory) if who and who.number else None
    dialled = headers.dialled_by(message)
    numbers = tuple(_number(header, as_sent, trunk, directory) for as_sent, header in dialled.items())
    line = directory.line_for(trunk, tuple(dialled)) if dialled or who is None else None
    by = next((number.header for number in numbers if line and number.line == line), "default_line")
    return _Read(
        trunk=trunk,
        who=who,
        passed_over=tuple(name for name in there if who and name != who.header),
        caller=caller,
        contact=directory.contact(caller.reading.number) if caller else None,
        dialled=numbers,
        line=line,
        found_by=by if line else "",
    )


def _number(header: str, as_sent: str, trunk: str, directory: Directory) -> _Number:
    reading, line = directory.reading(as_sent, trunk), directory.line_named(as_sent, trunk)
    return _Number(header=header, as_sent=as_sent, reading=reading, line=line)


# --- in words ---------------------------------------------------------------------------------------------------------


def _in_words(read: _Read, config: Config) -> Iterator[str]:
    yield from _caller_in_words(read, config)
    for number in read.dialled:
        yield f"Dialled, by {number.header}: {number.as_sent}"
        yield from _steps_in_words(number.reading, read.trunk, config)
        yield f"  {_whose(number.line, read.trunk)}"
    if not read.dialled and read.who is not None:
        return
    if read.line is not None:
        by = f"{read.trunk}'s default_line" if read.found_by == "default_line" else read.found_by
        yield f"The call is for line {read.line.name}, by {by}."
    else:
        yield f"The call is for no line, and gets 404: nothing dialled is a number of a line that takes calls of {read.trunk}."


def _caller_in_words(read: _Read, config: Config) -> Iterator[str]:
    if read.who is None:
        return
    over = f" ({', '.join(read.passed_over)} counts for less)" if read.passed_over else ""
    if read.caller is None:
        yield f"Caller, by {read.who.header}{over}: withheld ({read.who.withheld_by}); gets no text"
        return
    yield f"Caller, by {read.who.header}{over}: {read.caller.as_sent}"
    yield from _steps_in_words(read.caller.reading, read.trunk, config)
    if read.caller.reading.number is None:
        yield "  gets no text: that takes a telephone number"
    elif read.caller.line is not None:
        yield f"  the number of line {read.caller.line.name} itself: is never texted"
    elif read.contact is not None:
        yield f"  {_contact_in_words(read.contact)}"
    elif config.contacts is not None:
        yield f"  nobody in {config.contacts.file.name}"


def _contact_in_words(contact: Contact) -> str:
    group = contact.group or "of no group"
    never = ": is never texted" if contact.group in _NEVER_TEXTED else ""
    return f"in the contacts: {contact.name or 'without a name'}, {group}{never}"


def _steps_in_words(reading: Reading, trunk: str, config: Config) -> Iterator[str]:
    for step in reading.steps:
        made = f"{step.before} -> {step.after or 'nothing'}"
        yield f"  {step.key:<22} {made:<36} {_where(step.key, trunk, config)}"
    number = reading.number or "is no telephone number"
    yield f"  {f'read in {config.region}':<22} {number}"


def _where(key: str, trunk: str, config: Config) -> str:
    """The key with its place in the file; an entry of a list at least with the list's."""
    whole = f"trunk.{trunk}.{key}"
    place = whole if config.is_set(whole) else whole.rstrip("0123456789").rstrip(".")
    return f"{whole} ({config.where(place)})"


def _whose(line: Line | None, trunk: str) -> str:
    if line is None:
        return "is no line's number"
    return f"line {line.name}" + ("" if trunk in line.trunks else f", which takes no calls of {trunk}")


# --- as JSON ----------------------------------------------------------------------------------------------------------


def _as_json(read: _Read, config: Config) -> dict[str, object]:
    return {
        "trunk": read.trunk,
        "caller": _caller_json(read, config),
        "dialled": [_number_json(number, read.trunk, config) for number in read.dialled],
        "line": read.line.name if read.line else None,
        "found_by": read.found_by or None,
    }


def _caller_json(read: _Read, config: Config) -> dict[str, object] | None:
    if read.who is None:
        return None
    nobody = _Number(header=read.who.header, as_sent="", reading=Reading(number=None), line=None)
    return {
        **_number_json(read.caller or nobody, read.trunk, config),
        "as_sent": read.who.number,
        "name": read.who.name,
        "withheld_by": read.who.withheld_by,
        "passed_over": list(read.passed_over),
        "contact": asdict(read.contact) if read.contact else None,
    }


def _number_json(number: _Number, trunk: str, config: Config) -> dict[str, object]:
    steps = [{**asdict(step), "config": _where(step.key, trunk, config)} for step in number.reading.steps]
    return {
        "header": number.header,
        "as_sent": number.as_sent,
        "number": number.reading.number,
        "steps": steps,
        "line": number.line.name if number.line else None,
    }
