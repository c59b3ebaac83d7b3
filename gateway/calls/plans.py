"""A call's plan in the words of the SIP agent."""

from gateway.core.plan import Cause, Plan, RingFor, TurnAway
from sip.protocol import Refuse, Ring

_RESPONSES = {Cause.NO_LINE: (404, "Not Found")}
"""The final response's status and reason phrase (RFC 3261 §21)."""


def command(key: str, plan: Plan) -> Ring | Refuse:
    """What the agent is told to do with the call of this key."""
    match plan:
        case RingFor(length=length):
            return Ring(key=key, seconds=length.total_seconds())
        case TurnAway(cause=cause):
            status, phrase = _RESPONSES[cause]
            return Refuse(key=key, status=status, reason=phrase)
