"""The lines that cross between the two processes: one JSON object each, of the types in `sip/protocol.py`.

Which types there are, and how they nest, is read off the unions and the fields themselves.
"""

import json
from dataclasses import fields, is_dataclass
from functools import cache
from types import NoneType, UnionType
from typing import Any, get_args, get_origin, get_type_hints

from sip.protocol import AgentEvent, Command

MAX_LINE = 256 * 1024
"""Bytes: a longer line is a fault of the peer, not an event."""


class ProtocolError(ValueError):
    """A line that is not one of ours."""


def encode(value: Command | AgentEvent) -> bytes:
    """One line of JSON with its type's name, ended by a newline."""
    return _JSON.encode({"type": type(value).__name__, **_plain(value)}).encode() + b"\n"


_JSON = json.JSONEncoder(ensure_ascii=True)


def _plain(value: Any) -> Any:
    """What JSON can hold of a value, as `asdict` gives it; without copying what is frozen anyway."""
    if isinstance(value, tuple):
        return [_plain(one) for one in value]
    names = _names(value.__class__)
    return value if names is None else {name: _plain(getattr(value, name)) for name in names}


@cache
def _names(kind: type[Any]) -> tuple[str, ...] | None:
    """The fields of a dataclass; None: it is none."""
    return tuple(field.name for field in fields(kind)) if is_dataclass(kind) else None


def decode_command(line: bytes) -> Command:
    """The command in one line; `ProtocolError` where it is none."""
    command: Command = decode(line, Command)
    return command


def decode_event(line: bytes) -> AgentEvent:
    """The event in one line; `ProtocolError` where it is none."""
    event: AgentEvent = decode(line, AgentEvent)
    return event


def decode(line: bytes, union: UnionType) -> Any:
    """The value in one line, of one of the union's classes; `ProtocolError` where it is of none of them."""
    try:
        members = json.loads(line)
        return _read(_by_name(union)[members.pop("type")], members)
    except (ValueError, KeyError, TypeError, AttributeError, RecursionError) as error:
        raise ProtocolError(f"not an event or command: {line[:80]!r}: {error!r}") from error


@cache
def _by_name(union: UnionType) -> dict[str, type[Any]]:
    return {kind.__name__: kind for kind in get_args(union)}


def _read(hint: Any, value: Any) -> Any:
    """What JSON holds, as the field's type has it: objects are dataclasses, lists are tuples."""
    if isinstance(hint, type) and is_dataclass(hint):
        structured = _structured(hint)
        members = {name: _read(structured[name], member) if name in structured else member for name, member in value.items()}
        return hint(**members)
    if get_origin(hint) is not tuple:
        return value if value is None else _read(_not_none(hint), value)
    if not isinstance(value, list):
        raise TypeError(f"a list is wanted, not {value!r:.80}")
    element = get_args(hint)[0]
    return tuple(_read(element, member) for member in value) if is_dataclass(element) else tuple(value)


@cache
def _structured(kind: type[Any]) -> dict[str, Any]:
    """The fields of a dataclass that hold other dataclasses or tuples, with their types."""
    hints = get_type_hints(kind).items()
    return {name: hint for name, hint in hints if is_dataclass(_not_none(hint)) or get_origin(_not_none(hint)) is tuple}


def _not_none(hint: Any) -> Any:
    """`X` of `X | None`, and any other type as it is."""
    return next((one for one in get_args(hint) if one is not NoneType), hint) if isinstance(hint, UnionType) else hint
