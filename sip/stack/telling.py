"""Our own part of the SIP stack (`script/pjsua2/telling.c`), which tells what pjsua keeps to itself. Owner thread only."""

import ctypes
from typing import Any, Protocol

import pjsua2 as pj

from sip.faults import say, say_fault

_IN_RINGING_CALL, _NOT_TAKEN, _UNREADABLE = range(3)
"""`textback_kind` in telling.h."""
_Callback = ctypes.CFUNCTYPE(
    ctypes.c_int, ctypes.c_int, ctypes.c_char_p, ctypes.c_char_p, ctypes.POINTER(ctypes.c_char), ctypes.c_size_t
)
_heard: list[Any] = []
"""Callbacks live as long as the stack that calls them: the process."""


class StackListener(Protocol):
    """What is told, always on the owner thread: each with the source, `host:port`, and the text of the message."""

    def in_ringing_call(self, source: str, raw: str) -> None:
        """An UPDATE or another INVITE, of a call that rings. The stack answers it."""

    def not_taken_here(self, source: str, raw: str) -> int:
        """A request whose method is not taken, or not outside a call; the status that it is refused with."""

    def unreadable(self, source: str, why: str, raw: str) -> str:
        """What the stack could not read, and why; the response that is sent, empty: none."""


def listen_in(listener: StackListener) -> bool:
    """Have it told, once the stack is initialised; False where the wheel has no such part (the ready-made one)."""
    library = ctypes.CDLL(pj._pjsua2.__file__)
    begin = getattr(library, "textback_listen", None)
    if begin is None:
        return False
    _heard.append(_Callback(_caller_of(listener, library)))
    status = begin(_heard[-1])
    if status != 0:
        say(f"the SIP stack does not take its module for requests (status {status}): MESSAGE is answered by the stack itself")
    return bool(status == 0)


def _caller_of(listener: StackListener, library: Any) -> Any:
    def told(kind: int, source: bytes, why: bytes, text: Any, length: int) -> int:
        """Called by C, which no exception may reach."""
        try:
            raw = ctypes.string_at(text, length).decode(errors="surrogateescape")
            return _tell(listener, library, kind, source.decode(), why.decode(errors="replace"), raw)
        except BaseException as error:
            say_fault(error)
            return 500

    return told


def _tell(listener: StackListener, library: Any, kind: int, source: str, why: str, raw: str) -> int:
    if kind == _NOT_TAKEN:
        return listener.not_taken_here(source, raw)
    if kind == _IN_RINGING_CALL:
        listener.in_ringing_call(source, raw)
    elif kind == _UNREADABLE and (response := listener.unreadable(source, why, raw)):
        octets = response.encode(errors="surrogateescape")
        library.textback_respond(octets, ctypes.c_size_t(len(octets)))  # who has hung up meanwhile is counted all the same
    return 0
