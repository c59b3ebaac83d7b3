"""What an SMSC's command_status means for a text (SMPP 3.4 §5.1.3). PURE."""

from datetime import timedelta

from sms.text import Refusal, Refused

THROTTLED = frozenset({0x14, 0x58})
"""Queue full, throttling: the link is well, we are too fast."""
ALREADY_BOUND = 0x05
"""To a bind: the one before has not ended yet, which takes seconds, or another program has it."""
BIND_REFUSED_FOR_GOOD = frozenset({0x04, 0x0D, 0x0E, 0x0F})
"""Wrong state, bind failed, password, system_id: hammering will not help."""

INVALID_DESTINATION = 0x0B
_TEMPORARY = THROTTLED | {0x08, 0x45, 0x64}
"""Also: system error, submit failed, temporary application error."""
_CONFIGURATION = frozenset({0x04, 0x0A, 0x0D, 0x0E, 0x0F, 0x15, 0x48, 0x49, 0x53})
"""Our bind, our sender (0x0A, 0x48, 0x49), our service_type or system_type."""
_IN_WORDS = {
    0x01: "message length is invalid",
    0x03: "command is not known",
    0x04: "the bind does not allow it",
    0x05: "already bound",
    0x08: "system error",
    0x0A: "the sender is not allowed",
    0x0B: "the destination is invalid",
    0x0D: "bind failed",
    0x0E: "the password is wrong",
    0x0F: "the system_id is not known",
    0x14: "its queue is full",
    0x15: "the service_type is not allowed",
    0x45: "submit failed",
    0x48: "the sender's type of number is wrong",
    0x49: "the sender's numbering plan is wrong",
    0x53: "the system_type is not allowed",
    0x58: "we send faster than it allows",
    0x64: "temporary error",
    0x65: "permanent error",
    0x66: "the text was rejected",
}


def in_words(status: int) -> str:
    """`the SMSC says 0x0000000E: the password is wrong`."""
    words = _IN_WORDS.get(status)
    return f"the SMSC says {code(status)}" + (f": {words}" if words else "")


def code(status: int) -> str:
    """As SMPP people write it."""
    return f"0x{status:08X}"


def refused(status: int, *, pause: timedelta | None = None) -> Refused:
    """The refusal that a submit_sm_resp with this status is."""
    kind = Refusal.PERMANENT
    if status in _TEMPORARY:
        kind = Refusal.TEMPORARY
    elif status in _CONFIGURATION:
        kind = Refusal.CONFIGURATION
    return Refused(
        kind=kind,
        code=code(status),
        detail=in_words(status),
        retry_after=pause,
        is_number_dead=status == INVALID_DESTINATION,
    )
