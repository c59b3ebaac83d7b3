"""What crosses between gateway and agent: every value comes out of its line as it went in, also those that are still to come."""

import inspect
from dataclasses import dataclass, is_dataclass
from types import UnionType
from typing import Any, get_args, get_origin, get_type_hints

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sip import protocol
from sip.pipe.lines import ProtocolError, decode, decode_command, decode_event, encode
from sip.protocol import (
    AgentEvent,
    CallArrived,
    Command,
    Diversion,
    Ring,
    Start,
    Trunk,
    UseTrunks,
)


def values_of(kind: Any) -> st.SearchStrategy[Any]:
    """Any value of a class, with every field drawn, those with defaults too."""
    if is_dataclass(kind) and isinstance(kind, type):
        return st.builds(kind, **{name: values_of(hint) for name, hint in get_type_hints(kind).items()})
    if get_origin(kind) is tuple:
        return st.lists(values_of(get_args(kind)[0]), max_size=3).map(tuple)
    if isinstance(kind, UnionType):
        return st.one_of([values_of(one) for one in get_args(kind)])
    return st.floats(allow_nan=False) if kind is float else st.from_type(kind)


@given(st.one_of([values_of(kind) for kind in get_args(Command)]))
def test_every_command_comes_out_as_it_went_in(command: Command) -> None:
    assert decode_command(encode(command)) == command


@given(st.one_of([values_of(kind) for kind in get_args(AgentEvent)]))
def test_every_event_comes_out_as_it_went_in(event: AgentEvent) -> None:
    assert decode_event(encode(event)) == event


@dataclass(frozen=True, slots=True, kw_only=True)
class Phone:
    uri: str
    headers: tuple[Diversion, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class RingPhones:
    key: str
    phones: tuple[Phone, ...]
    last: Phone
    otherwise: Phone | None = None
    names: tuple[str, ...] | None = None
    seconds: float = 1.0


@given(values_of(RingPhones))
def test_a_class_that_joins_the_union_needs_nothing_else(command: Any) -> None:
    with pytest.raises(ProtocolError):
        decode_command(encode(command))
    assert decode(encode(command), Command | RingPhones) == command


def within(kind: Any) -> set[Any]:
    """The dataclasses that a type names, itself too, however deep."""
    inner = get_type_hints(kind).values() if is_dataclass(kind) else get_args(kind)
    return {kind for kind in (kind,) if is_dataclass(kind)}.union(*map(within, inner))


def test_no_class_was_left_out_of_the_unions() -> None:
    assert within(RingPhones) == {RingPhones, Phone, Diversion}
    assert {kind for _, kind in inspect.getmembers(protocol, is_dataclass)} == within(Command | AgentEvent)


@pytest.mark.parametrize(
    ("value", "line"),
    [
        (Ring(key="k-1", seconds=20.0), b'{"type": "Ring", "key": "k-1", "seconds": 20.0}\n'),
        (
            UseTrunks(trunks=(Trunk(name="pbx", peers=("192.0.2.10",)),)),
            b'{"type": "UseTrunks", "trunks": [{"name": "pbx", "peers": ["192.0.2.10"], "trust_answered_elsewhere": true,'
            b' "ring_seconds": 20.0, "no_answer": 480, "busy_answer": 486}]}\n',
        ),
        (
            CallArrived(
                key="k-1", call_id="a@b", trunk="pbx", source="192.0.2.10:5060", caller=None, caller_name="Zoë", caller_header="From",
                dialled=("100",), diversions=(Diversion(number="200", reason="user-busy"),), verstat="", at=1.5,
            ),
            b'{"type": "CallArrived", "key": "k-1", "call_id": "a@b", "trunk": "pbx", "source": "192.0.2.10:5060", "caller": null,'
            b' "caller_name": "Zo\\u00eb", "caller_header": "From", "dialled": ["100"],'
            b' "diversions": [{"number": "200", "reason": "user-busy"}], "verstat": "", "at": 1.5}\n',
        ),
    ],
)  # fmt: skip
def test_how_a_line_looks(value: Command | AgentEvent, line: bytes) -> None:
    assert encode(value) == line
    assert decode(line, Command | AgentEvent) == value


@pytest.mark.parametrize(
    "line",
    [
        b"", b"[]", b"7", b"{}", b'{"type": "Nobody"}', b'{"type": ["Stop"]}', b'{"type": "Stop", "more": 1}', b'{"type": "Ring", "key": "k"}',
        b'{"type": "UseTrunks", "trunks": "pbx"}', b'{"type": "UseTrunks", "trunks": ["pbx"]}',
        b'{"type": "UseTrunks", "trunks": [{"name": "pbx"}]}', b'{"type": "UseTrunks", "trunks": [{"name": "pbx", "peers": "192.0.2.10"}]}',
        b"[" * 100_000, b"\xff\x00",
    ],
)  # fmt: skip
def test_a_line_that_is_no_command(line: bytes) -> None:
    with pytest.raises(ProtocolError):
        decode_command(line)


def test_members_that_a_line_leaves_out_have_their_defaults() -> None:
    line = b'{"type": "Start", "listen": ["udp:0.0.0.0:5060"], "rtp_first": 1, "rtp_last": 2, "max_calls": 3, "trunks": []}'
    expected = Start(listen=("udp:0.0.0.0:5060",), rtp_first=1, rtp_last=2, max_calls=3, trunks=())
    assert decode_command(line) == expected
