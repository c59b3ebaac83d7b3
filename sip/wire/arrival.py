"""An INVITE from a trunk as the event that tells of the call. PURE."""

from sip.protocol import CallArrived
from sip.wire import headers

_CALL_ID_LIMIT = 512
"""Characters kept."""


def arrival(invite: headers.SipMessage, *, key: str, trunk: str, source: str, at: float) -> CallArrived:
    """What an INVITE says of its call."""
    caller = headers.caller(invite)
    return CallArrived(
        key=key,
        call_id=headers.clean(headers.header(invite, "Call-ID") or "", _CALL_ID_LIMIT),
        trunk=trunk,
        source=source,
        caller=caller.number,
        caller_name=caller.name,
        caller_header=caller.header,
        dialled=headers.dialled(invite),
        diversions=headers.diversions(invite),
        verstat=headers.verstat(invite),
        at=at,
    )
