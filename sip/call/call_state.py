"""A call's stages, and its outcome, which falls once: the one table that tells an answered call from a missed one.

    ringing ─┬─ caller hangs up ─────────────► over        abandoned            missed
             ├─ another phone takes it ──────► over        answered_elsewhere
             ├─ ring time runs out ──────────► over        no_answer            missed
             ├─ no room for it ──────────────► over        busy                 missed
             ├─ plan or stack refuses it ────► over        refused
             ├─ stopped before its 180 ──────► over        refused
             ├─ agent or stack stops ────────► over        interrupted          missed
             ├─ a phone of ours takes it ────► talking     answered_here
             └─ greeting begins ─────────────► greeting    no_answer            missed

    greeting ─┬─ recording begins ──► recording ─┬─ recording ends ──► over
              └─ greeting ends ─────► over       │
    talking ─── phone hangs up ─────► over       │
    all three ─ caller hangs up, agent or stack stops ──────────────► over

A call has its outcome once it no longer rings, and keeps it: whoever hears a greeting has reached nobody, however long they
stay, and the text may have gone. What the table does not list for a stage comes too late and changes nothing: a CANCEL that
crosses our final response (RFC 3261 §9.2), a phone that picks up when the greeting has begun.
"""

from enum import StrEnum


class Stage(StrEnum):
    """Where a call is."""

    RINGING = "ringing"
    """The INVITE has no final response."""
    GREETING = "greeting"
    RECORDING = "recording"
    TALKING = "talking"
    """With somebody at a phone that we rang."""
    OVER = "over"
    """Its final response other than 2xx, or a BYE, has gone out or come in; its dialog may last a moment longer."""


class Outcome(StrEnum):
    """What became of the INVITE. The gateway's words (`gateway/core/call.py`), which a test compares."""

    ANSWERED_HERE = "answered_here"
    ANSWERED_ELSEWHERE = "answered_elsewhere"
    ABANDONED = "abandoned"
    NO_ANSWER = "no_answer"
    BUSY = "busy"
    REFUSED = "refused"
    INTERRUPTED = "interrupted"


class Happening(StrEnum):
    """What can befall a call."""

    CALLER_HUNG_UP = "caller_hung_up"
    """A CANCEL while it rings, or a BYE, which may end an early dialog too (RFC 3261 §9, §15)."""
    ANSWERED_ELSEWHERE = "answered_elsewhere"
    """A CANCEL whose Reason says that another phone took the call (RFC 3326), from a trunk that is believed."""
    RING_TIME_RAN_OUT = "ring_time_ran_out"
    NO_ROOM = "no_room"
    REFUSED = "refused"
    """By its plan, or by the SIP stack itself; or, before its 180, because agent or gateway stops."""
    PHONE_PICKED_UP = "phone_picked_up"
    PHONE_HUNG_UP = "phone_hung_up"
    GREETING_BEGAN = "greeting_began"
    GREETING_ENDED = "greeting_ended"
    """And nothing is recorded after it."""
    RECORDING_BEGAN = "recording_began"
    RECORDING_ENDED = "recording_ended"
    """It is as long as it may be, or the caller ended it by a key."""
    STOPPED = "stopped"
    """The agent was stopped, or the SIP stack failed."""


TABLE: dict[Stage, dict[Happening, tuple[Stage, Outcome | None]]] = {
    Stage.RINGING: {
        Happening.CALLER_HUNG_UP: (Stage.OVER, Outcome.ABANDONED),
        Happening.ANSWERED_ELSEWHERE: (Stage.OVER, Outcome.ANSWERED_ELSEWHERE),
        Happening.RING_TIME_RAN_OUT: (Stage.OVER, Outcome.NO_ANSWER),
        Happening.NO_ROOM: (Stage.OVER, Outcome.BUSY),
        Happening.REFUSED: (Stage.OVER, Outcome.REFUSED),
        Happening.STOPPED: (Stage.OVER, Outcome.INTERRUPTED),
        Happening.PHONE_PICKED_UP: (Stage.TALKING, Outcome.ANSWERED_HERE),
        Happening.GREETING_BEGAN: (Stage.GREETING, Outcome.NO_ANSWER),
    },
    Stage.GREETING: {
        Happening.RECORDING_BEGAN: (Stage.RECORDING, None),
        Happening.GREETING_ENDED: (Stage.OVER, None),
        Happening.CALLER_HUNG_UP: (Stage.OVER, None),
        Happening.STOPPED: (Stage.OVER, None),
    },
    Stage.RECORDING: {
        Happening.RECORDING_ENDED: (Stage.OVER, None),
        Happening.CALLER_HUNG_UP: (Stage.OVER, None),
        Happening.STOPPED: (Stage.OVER, None),
    },
    Stage.TALKING: {
        Happening.PHONE_HUNG_UP: (Stage.OVER, None),
        Happening.CALLER_HUNG_UP: (Stage.OVER, None),
        Happening.STOPPED: (Stage.OVER, None),
    },
    Stage.OVER: {},
}


def after(stage: Stage, happening: Happening) -> tuple[Stage, Outcome | None]:
    """The stage that follows, and the outcome where it falls now; what comes too late changes nothing."""
    return TABLE[stage].get(happening, (stage, None))
