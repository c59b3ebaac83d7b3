"""What an SMSC's command_status means for a text (SMPP 3.4 §5.1.3). PURE."""

from datetime import timedelta

from sms.text import Refusal, Refused

THROTTLED = frozenset({0x14, 0x58})
"""Queue full, throttling: the link is well, we are too fast."""
ALREADY_BOUND = 0x05
"""To a bind: the one before has not ended yet, which takes seconds, or another program has it."""
BIND_REFUSED_FOR_GOOD = frozenset({0x04, 0x0D, 0x0E, 0x0F})
"""Wrong state, bind failed, password, system_id: hammering will not help."""

_TEMPORARY = THROTTLED | {0x08, 0x45, 0x64, 0xFF}
"""Also: system error, submit failed, temporary application error, an error that the SMSC itself does not know."""
_ACCOUNT = frozenset({0x04, 0x0D, 0x0E, 0x0F})
"""Our bind."""
_CONFIGURATION = frozenset(
    {
        *(
            0x02,
            0x03,
            0x05,
            0x06,
            0x07,
            0x33,
            0x34,
            0x40,
            0x42,
            0x43,
            0x44,
            0x54,
            0x55,
            0x61,
            0x63,
            0xC0,
            0xC1,
            0xC2,
            0xC3,
            0xC4,
        ),
        *(0x0A, 0x48, 0x49),
        *(0x50, 0x51, 0x15, 0x53, 0x62),
    }
)
"""How the text was written, which `long_texts`, `receipts` and the rest of the settings decide; our sender; dest_ton, dest_npi,
service_type, system_type, validity."""
_PERMANENT = frozenset({0x01, 0x65, 0x66, 0xFE})
"""The text: its length, or refused for good."""
_IN_WORDS = {
    0x01: "message length is invalid",
    0x03: "command is not known",
    0x04: "the bind does not allow it",
    0x05: "already bound",
    0x08: "system error",
    0x0A: "the sender is not allowed",
    0x0B: "the destination is invalid, or there is no route to it",
    0x0D: "bind failed",
    0x0E: "the password is wrong",
    0x0F: "the system_id is not known",
    0x14: "its queue is full",
    0x15: "the service_type is not allowed",
    0x45: "submit failed",
    0x48: "the sender's type of number is wrong",
    0x49: "the sender's numbering plan is wrong",
    0x50: "the destination's type of number is wrong (dest_ton)",
    0x51: "the destination's numbering plan is wrong (dest_npi)",
    0x53: "the system_type is not allowed",
    0x58: "we send faster than it allows",
    0x62: "the validity period is not allowed (validity)",
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
    return Refused(
        kind=_kind(status),
        code=code(status),
        detail=in_words(status),
        retry_after=pause,
        is_account=status in _ACCOUNT,
    )


def _kind(status: int) -> Refusal:
    """0x0B says that a number is none, or that this SMSC has no route to it (Jasmin), and a vendor's own code says nothing at
    all: another bridge may do better."""
    for kind, statuses in (
        (Refusal.TEMPORARY, _TEMPORARY),
        (Refusal.CONFIGURATION, _ACCOUNT | _CONFIGURATION),
        (Refusal.PERMANENT, _PERMANENT),
    ):
        if status in statuses:
            return kind
    return Refusal.NO_ROUTE
