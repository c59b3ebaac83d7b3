"""Who a call's requests say is calling, and whether a later one says that it is somebody else (RFC 4916). PURE.

Each request stands for itself, as an INVITE does: whoever it names calls from then on, a caller who is withheld too. But one
that names nobody new changes nothing, so that no refresh unveils a caller who was withheld.
"""

from dataclasses import dataclass

from sip.wire.headers import Caller, caller, header, privacy
from sip.wire.message import SipMessage, address


@dataclass(frozen=True, slots=True, kw_only=True)
class Identity:
    """Who calls, by one request."""

    caller: Caller
    shown: tuple[str, str] = ("", "")
    """User and host of its From."""


NOBODY = Identity(caller=Caller(number=None, name="", header="From"))


def identity(request: SipMessage) -> Identity:
    """By the same order of trust as in an INVITE."""
    shown = address(header(request, "From") or "")
    return Identity(caller=caller(request), shown=(shown.user, shown.host.lower()) if shown else ("", ""))


def after(before: Identity, request: SipMessage) -> Identity:
    """Who calls once this request of the same call has come.

    Where it asserts nobody, its From has to differ: whom the INVITE asserted has not gone because a refresh leaves that out.
    """
    now = identity(request)
    is_asserted = now.caller.header != "From"
    is_other = now.caller.user != before.caller.user if is_asserted else now.shown != before.shown
    is_hidden = now.caller.number is None and (is_asserted or bool(privacy(request)))
    return now if is_other or is_hidden else before


def dialog(request: SipMessage) -> tuple[str, str]:
    """The caller's half of a dialog's identity: Call-ID and the tag of From (RFC 3261 §12)."""
    sender = address(header(request, "From") or "")
    return header(request, "Call-ID") or "", (sender.parameter("tag") if sender else None) or ""
