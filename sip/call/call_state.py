"""How a call ends: the one table that tells an answered call from a missed one.

    ringing ─┬─ caller cancelled ────────────► abandoned            missed
             ├─ cancelled, answered elsewhere ► answered_elsewhere
             ├─ ring time ran out ───────────► no_answer            missed
             ├─ no room for it ──────────────► busy                 missed
             ├─ plan refuses it ─────────────► refused
             └─ agent or gateway stopped ────► interrupted          missed

Every end is final: a CANCEL that crosses our final response has no effect (RFC 3261 §9.2).
"""

from enum import StrEnum


class CallState(StrEnum):
    """Where a call is; all but RINGING are outcomes."""

    RINGING = "ringing"
    ABANDONED = "abandoned"
    ANSWERED_ELSEWHERE = "answered_elsewhere"
    NO_ANSWER = "no_answer"
    BUSY = "busy"
    REFUSED = "refused"
    INTERRUPTED = "interrupted"


class Happening(StrEnum):
    """What can befall a call."""

    CANCELLED = "cancelled"
    CANCELLED_ELSEWHERE = "cancelled_elsewhere"
    RING_TIME_RAN_OUT = "ring_time_ran_out"
    NO_ROOM = "no_room"
    REFUSED_BY_PLAN = "refused_by_plan"
    STOPPED = "stopped"


TABLE: dict[CallState, dict[Happening, CallState]] = {
    CallState.RINGING: {
        Happening.CANCELLED: CallState.ABANDONED,
        Happening.CANCELLED_ELSEWHERE: CallState.ANSWERED_ELSEWHERE,
        Happening.RING_TIME_RAN_OUT: CallState.NO_ANSWER,
        Happening.NO_ROOM: CallState.BUSY,
        Happening.REFUSED_BY_PLAN: CallState.REFUSED,
        Happening.STOPPED: CallState.INTERRUPTED,
    },
    CallState.ABANDONED: {},
    CallState.ANSWERED_ELSEWHERE: {},
    CallState.NO_ANSWER: {},
    CallState.BUSY: {},
    CallState.REFUSED: {},
    CallState.INTERRUPTED: {},
}


def after(state: CallState, happening: Happening) -> CallState | None:
    """The state that follows, or None where the happening comes too late to change anything."""
    return TABLE[state].get(happening)
