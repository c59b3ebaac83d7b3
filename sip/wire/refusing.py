"""What requests get that are no calls: of a method that is not taken here, or not to be read by the SIP stack. PURE."""

import re

from sip.wire.message import SipMessage, header, values

_ELSEWHERE = frozenset({"INFO", "MESSAGE", "NOTIFY", "PUBLISH", "REFER", "REGISTER", "SUBSCRIBE"})
"""Methods that are known, and not taken here."""
_ONLY_IN_CALLS = frozenset({"BYE", "PRACK", "UPDATE"})
_VIA = re.compile(r"SIP[ \t]*/[ \t]*2\.0[ \t]*/[ \t]*\w+[ \t]+[^\s;,]+")
_ONCE = ("From", "To", "Call-ID", "CSeq")
_AT_MOST = 4000
"""Characters of a response: it goes in one datagram."""


def status_of_not_taken(method: str) -> int:
    """By RFC 3261: §12.2.2 where there is no call, §8.2.1 where the method is known, §21.5.2 where it is not."""
    if method in _ONLY_IN_CALLS:
        return 481
    return 405 if method in _ELSEWHERE else 501


def bad_request(request: SipMessage) -> str:
    """400, which repeats what it has to as it came (RFC 3261 §8.2.6); empty where that is missing: it cannot be answered."""
    vias = values(request, "Via")
    once = {name: header(request, name) or "" for name in _ONCE}
    if not vias or not _VIA.match(vias[0]) or not all(once.values()):
        return ""
    once["To"] = _tagged(once["To"])
    lines = ["SIP/2.0 400 Bad Request", *(f"Via: {via}" for via in vias), *(f"{name}: {once[name]}" for name in _ONCE)]
    response = "\r\n".join([*lines, "Content-Length: 0", "", ""])
    return response if len(response) <= _AT_MOST else ""


def _tagged(to: str) -> str:
    return to if ";tag=" in to.lower() else f"{to};tag=textback"
