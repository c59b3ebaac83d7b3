"""INVITEs that the SIP stack refused by itself, before they became calls of the agent's: what is told of them. PURE.

Refused without a transaction, one that is repeated on its way comes again as if it were new (RFC 3261 §17.1.1.2). It is known
by its Call-ID, CSeq and From, and gets what it got.
"""

from sip.protocol import AgentEvent, Busy, CallArrived, CallEnded, Refused
from sip.wire.message import SipMessage, header

REPEATED_WITHIN_S = 32.0
"""Timer B: no INVITE is repeated for longer."""
REMEMBERED_AT_MOST = 8192
LAST_LIMIT = 512
"""Characters of what is told of the last."""
_FOR_WANT_OF_US = frozenset({415, 480, 486, 488})
"""Statuses, beside all from 500, that say nothing against the call: it was a proper one, and missed."""
WHY = {
    415: "its body is of a kind that is unknown here",
    420: "it requires an extension that is unknown here",
    421: "it lacks an extension that is required here",
    481: "it replaces a call that is not here",
    486: "no more calls fit into the SIP stack",
    488: "it offers no media that is known here",
}
"""In words, of the INVITE."""


def events_of_refused(arrived: CallArrived, status: int) -> tuple[AgentEvent, ...]:
    """The whole of such a call."""
    outcome: AgentEvent
    if status in _FOR_WANT_OF_US or status >= 500:
        outcome = Busy(key=arrived.key, at=arrived.at, status=status, is_of_stack=True)
    else:
        outcome = Refused(key=arrived.key, at=arrived.at, status=status)
    return arrived, outcome, CallEnded(key=arrived.key, at=arrived.at, status=status)


class Refusals:
    """Those of trunks, counted; the newest are remembered. `now` is seconds on the monotonic clock."""

    def __init__(self) -> None:
        self._statuses: dict[tuple[str | None, ...], tuple[float, int]] = {}
        """By identity, the oldest first: when, and with which status."""
        self.count = 0
        self.last = ""

    def take(self, invite: SipMessage, status: int, *, trunk: str, source: str, now: float) -> bool:
        """Count one; False where it is one that came before."""
        if self.status_of(invite, now) is not None:
            return False
        self._statuses[_identity(invite)] = (now, status)
        if len(self._statuses) > REMEMBERED_AT_MOST:
            del self._statuses[next(iter(self._statuses))]
        self.count += 1
        why = WHY.get(status)
        self.last = f"{trunk} ({source}): {status}{f', {why}' if why else ''}"[:LAST_LIMIT]
        return True

    def status_of(self, invite: SipMessage, now: float) -> int | None:
        """What an INVITE was refused with when it came before."""
        while self._statuses:
            oldest, (since, _) = next(iter(self._statuses.items()))
            if now - since <= REPEATED_WITHIN_S:
                break
            del self._statuses[oldest]
        found = self._statuses.get(_identity(invite))
        return found[1] if found else None


def _identity(invite: SipMessage) -> tuple[str | None, ...]:
    return tuple(header(invite, name) for name in ("call-id", "cseq", "from"))
