"""What a call's messages say: who calls, which number was dialled, by which detours, and why it was cancelled. PURE.

Everything that leaves this file has been cleaned: no NUL, no lone surrogate, bounded in length, whatever a peer sent.
"""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import islice, pairwise

from sip.protocol import Diversion
from sip.wire.message import Address, SipMessage, address, elements, header, parse, split, unquoted, uri, values

__all__ = [
    "Caller", "ReasonHeader", "SipMessage", "caller", "clean", "dialled", "diversions", "expires", "fault", "header",
    "is_answered_elsewhere", "parse", "privacy", "reasons", "verstat",
]  # fmt: skip

CALL_TEST_HEADER = "X-Textback-Call-Test"
"""An INVITE of this machine that bears the gateway's token in it is a test call."""
FIELD_LIMIT = 256
"""Characters kept of a number, a name, a reason."""
LIST_LIMIT = 16
"""Elements kept of a list that a peer wrote."""
_ONLY_ONCE = ("from", "to", "call-id", "cseq", "max-forwards", "content-length")
_WITHHELD = frozenset({"", "anonymous", "unknown", "restricted", "private", "unavailable", "withheld", "266696687"})
"""Users that mean nobody; the last is ANONYMOUS on a keypad."""
_REASON_OF_CAUSE = {
    "302": "unconditional",
    "404": "unknown",
    "408": "no-answer",
    "480": "deflection",
    "486": "user-busy",
    "487": "deflection",
    "503": "unavailable",
}
"""RFC 4458 causes as Diversion's words (RFC 5806)."""


def clean(text: str, limit: int = FIELD_LIMIT) -> str:
    """Text that any database, log and pipe takes: control characters and bytes that are no text are replaced, the rest cut."""
    return re.sub(r"[\x00-\x1f\x7f\ud800-\udfff]", "\ufffd", text[:limit])


_OVER_UDP = re.compile(r"\s*SIP\s*/\s*2\.0\s*/\s*UDP\b", re.IGNORECASE)


# --- is it a call at all? ---------------------------------------------------------------------------------------------


def fault(message: SipMessage) -> str | None:
    """What makes an INVITE unfit to ring (it gets 400), or None. The SIP stack lets all of these through."""
    for name in _ONLY_ONCE:
        if len(values(message, name)) > 1:
            return f"{name} stands more than once"
    for name in ("from", "to", "call-id", "cseq"):
        if not header(message, name):
            return f"{name} is missing"
    if (header(message, "cseq") or "").split()[-1:] != message.start_line.split(" ")[:1]:
        return "cseq is of another method"
    if (sender := address(header(message, "from") or "")) is None or not (sender.host or sender.scheme == "tel"):
        return "from holds no usable address"
    length = header(message, "content-length")
    if length is not None:
        if not length.isascii() or not length.isdecimal():
            return "content-length is no number"
        if int(length[:12]) > len(message.body.encode(errors="surrogateescape")):
            return "content-length is more than the body"
    return None


def is_repeated(invite: SipMessage) -> bool:
    """Does its sender repeat it until it is answered? Over UDP only (RFC 3261 §17.1.1.2)."""
    return bool(_OVER_UDP.match(header(invite, "Via") or ""))


def expires(message: SipMessage) -> float | None:
    """How many seconds an INVITE is meant to ring at most (RFC 3261 §20.19); None: it does not say.

    0 says nothing too: nobody could ever answer such a call.
    """
    value = header(message, "Expires") or ""
    seconds = int(value) if re.fullmatch(r"[0-9]{1,10}", value) else 0
    return float(seconds) or None


# --- who calls --------------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True, kw_only=True)
class Caller:
    """The calling party: `number` as the trunk wrote it, None where it was withheld."""

    number: str | None
    name: str
    header: str
    """The header that it was read from."""
    withheld_by: str = ""
    """What says that it is not to be shown; empty where it is."""
    user: str = ""
    """What stands there, also where it is to be withheld; for comparison alone."""


def caller(message: SipMessage) -> Caller:
    """The caller, by order of trust: P-Asserted-Identity (RFC 3325), Remote-Party-ID, From. P-Preferred-Identity never."""
    found, source = _calling_party(message)
    if found is None:
        return Caller(number=None, name="", header=source, withheld_by=f"no address in {source}")
    user, why = clean(found.user), privacy(message) or _hidden_by(found)
    return Caller(number=None if why else user, name=clean(found.name), header=source, withheld_by=why, user=user)


def _calling_party(message: SipMessage) -> tuple[Address | None, str]:
    asserted = [found for element in elements(message, "P-Asserted-Identity") if (found := address(element))]
    if asserted:
        by_number = [found for found in asserted if found.scheme == "tel" or _looks_like_number(found.user)]
        return (by_number or asserted)[0], "P-Asserted-Identity"
    for element in elements(message, "Remote-Party-ID"):
        found = address(element)
        if found is not None and (found.parameter("party") or "calling").lower() == "calling":
            return found, "Remote-Party-ID"
    return address(header(message, "From") or ""), "From"


def privacy(message: SipMessage) -> str:
    """Privacy (RFC 3323) other than none, or a From that hides although somebody asserted an identity; else empty."""
    wishes = {wish.strip().lower() for value in values(message, "Privacy") for wish in re.split("[;,]", value)} - {""}
    if wishes and wishes != {"none"}:
        return clean(f"Privacy: {', '.join(sorted(wishes))}")
    shown = address(header(message, "From") or "")
    is_hidden = shown is not None and shown.host.lower().endswith("anonymous.invalid")
    return "From at anonymous.invalid" if is_hidden else ""


def _hidden_by(found: Address) -> str:
    wish = (found.parameter("privacy") or "off").lower()
    if wish in ("full", "yes", "uri"):
        return f"privacy={wish}"
    return f"the user {found.user!r}" if found.user.lower().lstrip("+") in _WITHHELD else ""


def _looks_like_number(user: str) -> bool:
    return re.fullmatch(r"\+?[\d().-]{3,}", user) is not None


# --- which number was dialled -----------------------------------------------------------------------------------------


def dialled(message: SipMessage) -> tuple[str, ...]:
    """Candidates for the number that the caller dialled, best first, each once."""
    return tuple(dialled_by(message))


def dialled_by(message: SipMessage) -> dict[str, str]:
    """The same, each with the header that names it.

    The Request-URI, P-Called-Party-ID, To; then where the call was diverted from, and where else it has been, the original
    number first.
    """
    request = message.start_line.split(" ")
    candidates = [("Request-URI", uri(request[1]))] if len(request) == 3 else []
    candidates += [("P-Called-Party-ID", address(value)) for value in values(message, "P-Called-Party-ID")]
    candidates += [("To", address(header(message, "To") or ""))]
    users = [(clean(found.user), source) for source, found in candidates if found is not None and found.user]
    detours = "Diversion" if _forwardings(message) else "History-Info"
    users += [(diversion.number, detours) for diversion in reversed(diversions(message))]
    users += [(clean(target.user), "History-Info") for target in _targets(message)]
    first: dict[str, str] = {}
    for number, source in users:
        first.setdefault(number, source)
    return dict(islice(first.items(), LIST_LIMIT))


def diversions(message: SipMessage) -> tuple[Diversion, ...]:
    """The detours on the call's way, the latest first: Diversion (RFC 5806), else History-Info (RFC 7044)."""
    return tuple((_forwardings(message) or _history(message))[:LIST_LIMIT])


def _forwardings(message: SipMessage) -> list[Diversion]:
    return [
        Diversion(number=clean(at.user), reason=clean(at.parameter("reason") or "unknown"))
        for element in elements(message, "Diversion")
        if (at := address(element)) is not None and at.user
    ]


def _targets(message: SipMessage) -> list[Address]:
    """Every target that History-Info names, in its order; those that want to stay unnamed are left out."""
    found = [address(element) for element in elements(message, "History-Info")]
    return [target for target in found if target is not None and target.user.lower() not in _WITHHELD]


def _history(message: SipMessage) -> list[Diversion]:
    """A target with a cause, or `mp` (another user), was reached because the one before did not take the call (RFC 7044)."""
    found = []
    for before, entry in pairwise(_targets(message)):
        left = re.search(r"cause=(\d+)", before.uri_headers)  # ?Reason=SIP%3Bcause%3D486 on the target that was left
        cause = entry.parameter("cause") or (left[1] if left else None)
        if (cause or entry.parameter("mp")) and before.user != entry.user:
            found.append(Diversion(number=clean(before.user), reason=_REASON_OF_CAUSE.get(cause or "", "unknown")))
    return found[::-1]


def verstat(message: SipMessage) -> str:
    """The trunk's STIR/SHAKEN verdict: `TN-Validation-Passed-A`, `TN-Validation-Failed` …; empty where it gave none."""
    for name in ("P-Asserted-Identity", "From"):
        for element in elements(message, name):
            found = address(element)
            verdict = found.parameter("verstat") if found else None
            if verdict:
                return clean(verdict)
    return clean(header(message, "X-Plivo-Stir-Verification") or "")


# --- why it was cancelled ---------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True, kw_only=True)
class ReasonHeader:
    """One element of a Reason header (RFC 3326)."""

    protocol: str
    cause: int | None
    text: str

    def __str__(self) -> str:
        cause = f";cause={self.cause}" if self.cause is not None else ""
        return f"{self.protocol}{cause}" + (f';text="{self.text}"' if self.text else "")


def reasons(message: SipMessage) -> tuple[ReasonHeader, ...]:
    """Every element of every Reason header."""
    return tuple(_reason(element) for element in elements(message, "Reason")[:LIST_LIMIT])


def _reason(element: str) -> ReasonHeader:
    protocol, *parameters = split(element, ";") or [""]
    named = {}
    for parameter in parameters:
        name, _, value = parameter.partition("=")
        named[name.strip().lower()] = unquoted(value.strip())
    cause = named.get("cause", "")
    return ReasonHeader(
        protocol=clean(protocol.strip()),
        cause=int(cause) if cause.isascii() and cause.isdecimal() and len(cause) < 6 else None,
        text=clean(named.get("text", "")),
    )


def is_answered_elsewhere(found: Sequence[ReasonHeader]) -> bool:
    """Does any element say that another phone took the call: `SIP;cause=200`, `Q.850;cause=26`?"""
    return any((reason.protocol.lower(), reason.cause) in (("sip", 200), ("q.850", 26)) for reason in found)
