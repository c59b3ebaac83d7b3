"""What the agent tells of a call's outcome, as it is written down."""

from datetime import timedelta

from gateway.core.call import Outcome
from gateway.store.calls import Ending
from gateway.store.instants import from_epoch
from sip.protocol import AgentEvent, AnsweredElsewhere, Busy, CallerHungUp, Interrupted, Refused, RingTimedOut

BUSY_HERE, NO_ROOM = 486, ';text="no room"'
"""What says of a busy call that it was us who had no room: this status, and with another of the trunk's these words."""


def ending_of(event: AgentEvent) -> tuple[str, Ending] | None:
    """The call's key and its ending; None: the event tells of no outcome."""
    match event:
        case RingTimedOut(key=key, at=at, rang=rang):
            return key, ending(Outcome.NO_ANSWER, at, rang)
        case CallerHungUp(key=key, at=at, rang=rang, reason=reason):
            return key, ending(Outcome.ABANDONED, at, rang, reason)
        case AnsweredElsewhere(key=key, at=at, rang=rang, reason=reason):
            return key, ending(Outcome.ANSWERED_ELSEWHERE, at, rang, reason)
        case Busy(key=key, at=at, status=status, is_of_stack=is_of_stack):
            why = "" if is_of_stack or status == BUSY_HERE else NO_ROOM
            return key, ending(Outcome.BUSY, at, 0.0, f"SIP;cause={status}{why}")
        case Refused(key=key, at=at, status=status):
            return key, ending(Outcome.REFUSED, at, 0.0, f"SIP;cause={status}")
        case Interrupted(key=key, at=at, rang=rang):
            return key, ending(Outcome.INTERRUPTED, at, rang)
        case _:
            return None


def ending(outcome: Outcome, at: float, rang: float, reason: str = "") -> Ending:
    """As the agent tells it: seconds since the epoch, and how many it rang."""
    return Ending(outcome=outcome, at=from_epoch(at), rang=timedelta(seconds=rang), sip_reason=reason)
