"""Requests beside those that begin and end calls: some change who is calling, the others are refused and counted.

Used by the owner thread only.
"""

import re
import time
from collections.abc import Callable

from sip.call.calls import Calls
from sip.call.screening import Screening
from sip.call.session import Session
from sip.faults import say
from sip.protocol import AgentEvent, CallerChanged
from sip.wire import headers
from sip.wire.headers import SipMessage
from sip.wire.identity import after, dialog
from sip.wire.refusing import bad_request, status_of_not_taken

_REQUEST = re.compile(r"\s*(?!SIP/|ACK\b)[A-Za-z]+[ \t]")
"""How a request begins; not what keeps a connection open, nor responses, nor an ACK, which nobody answers."""
_LAST_LIMIT = 128
"""Characters of what is told of the last."""


class Requests:
    """What the SIP stack tells beside pjsua's own callbacks (`StackListener`)."""

    def __init__(self, screening: Screening, calls: Calls, tell: Callable[[AgentEvent], None]) -> None:
        self._screening = screening
        self._calls = calls
        self._tell = tell
        self.not_taken = 0
        self.last_not_taken = ""

    def in_ringing_call(self, source: str, raw: str) -> None:
        """An UPDATE or another INVITE: does it say that somebody else is calling?"""
        request = headers.parse(raw)
        session = self._calls.ringing_in(dialog(request))
        if session is not None and self._is_believed(session, source, request):
            before, session.identity = session.identity, after(session.identity, request)
            if session.identity.caller.number != before.caller.number:
                self._tell(_changed(session, request))

    def _is_believed(self, session: Session, source: str, request: SipMessage) -> bool:
        """As the INVITE was: from the call's trunk, and well formed."""
        trunk = self._screening.screen(source, request)
        if not isinstance(trunk, int) and trunk.name == session.trunk.name:
            return True
        say(f"a request in a call of {session.trunk.name} is not believed: it came from {source}, or was malformed")
        return False

    def not_taken_here(self, source: str, raw: str) -> int:
        """Refuse it; the status with which."""
        request = headers.parse(raw)
        trunk = self._screening.trunk_of(source, request)
        if trunk is None:
            return 403
        method = request.start_line.partition(" ")[0]
        self.not_taken += 1
        self.last_not_taken = headers.clean(f"{method} of {trunk.name} ({source})", _LAST_LIMIT)
        return status_of_not_taken(method)

    def unreadable(self, source: str, why: str, raw: str) -> str:
        """The response to send; empty: none."""
        if not _REQUEST.match(raw):
            return ""
        request = headers.parse(raw)
        trunk = self._screening.trunk_of(source, request)
        if trunk is None:
            return ""
        self._screening.count_malformed(trunk, source, _in_words(why, request))
        return bad_request(request)


def _in_words(why: str, request: SipMessage) -> str:
    """Also where the stack has no name for the line, or names its own error only: a header is missing."""
    if "PJSIP_" not in why:
        return headers.clean(f"a line{why}" if why.startswith(" ") else why)
    return headers.fault(request) or ("via is missing" if not headers.header(request, "Via") else headers.clean(why))


def _changed(session: Session, request: SipMessage) -> CallerChanged:
    caller = session.identity.caller
    return CallerChanged(
        key=session.key,
        at=time.time(),
        caller=caller.number,
        caller_name=caller.name,
        caller_header=caller.header,
        verstat=headers.verstat(request),
    )
