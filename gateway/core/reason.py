"""Why a text was or was not sent: the one list of words for it.

The same word stands in the database, the log, the metrics, the page and `textback explain`; `docs/reasons.md` explains each.
"""

from collections.abc import Mapping
from enum import StrEnum


class Reason(StrEnum):
    """The reason of a decision."""

    MISSED_CALL = "missed_call"
    """The one reason to send."""
    NO_LINE = "no_line"
    LINE_GONE = "line_gone"
    LINE_OFF = "line_off"
    NOT_MISSED = "not_missed"
    TOO_SHORT = "too_short"
    DUPLICATE = "duplicate"
    WITHHELD = "withheld"
    NOT_A_NUMBER = "not_a_number"
    NUMBER_KIND = "number_kind"
    LANDLINE = "landline"
    REGION = "region"
    OWN_LINE = "own_line"
    STAFF = "staff"
    BLOCKED = "blocked"
    UNDELIVERABLE = "undeliverable"
    ATTESTATION = "attestation"
    OPTED_OUT = "opted_out"
    RESOLVED = "resolved"
    CONTACTS_UNKNOWN = "contacts_unknown"
    VARIANT_OFF = "variant_off"
    ALREADY_TEXTED = "already_texted"
    NEVER_REPLIED = "never_replied"
    EXPIRED = "expired"
    """Too late by the time it could have been decided, or have gone."""
    LIMIT = "limit"
    WAIT = "wait"
    QUIET_HOURS = "quiet_hours"


_HELD_ALONE = frozenset({Reason.CONTACTS_UNKNOWN, Reason.LIMIT, Reason.WAIT})
AS_DECIDED: Mapping[str, frozenset[Reason]] = {
    "send": frozenset({Reason.MISSED_CALL}),
    "hold": _HELD_ALONE | {Reason.ATTESTATION, Reason.QUIET_HOURS},
    "skip": frozenset(Reason) - _HELD_ALONE - {Reason.MISSED_CALL},
}
"""The reasons that each decision can have."""

IN_WORDS: dict[Reason, str] = {
    Reason.MISSED_CALL: "the call was missed and nothing speaks against a text",
    Reason.NO_LINE: "the number that was dialled belongs to no line",
    Reason.LINE_GONE: "its line was taken out of the configuration before it could be decided",
    Reason.LINE_OFF: "texts are switched off for this line",
    Reason.NOT_MISSED: "the call was not missed",
    Reason.TOO_SHORT: "the caller hung up too soon to have meant it",
    Reason.DUPLICATE: "it is the same call as another one, which decides",
    Reason.WITHHELD: "the caller withheld their number",
    Reason.NOT_A_NUMBER: "what the trunk gave as the caller is not a telephone number",
    Reason.NUMBER_KIND: "the caller's number is of a kind that takes no texts",
    Reason.LANDLINE: "the caller's number is a landline by its country's plan",
    Reason.REGION: "the caller's number is of a region that is not texted",
    Reason.OWN_LINE: "the caller is one of this gateway's own lines",
    Reason.STAFF: "the caller is staff",
    Reason.BLOCKED: "the caller is blocked in the contacts",
    Reason.UNDELIVERABLE: "the network said lately that this number cannot be texted",
    Reason.ATTESTATION: "the caller's number is not attested",
    Reason.OPTED_OUT: "the caller wants no texts",
    Reason.RESOLVED: "the caller has got through since, or was called back",
    Reason.CONTACTS_UNKNOWN: "the contacts file cannot be read, and the caller may be blocked in it",
    Reason.VARIANT_OFF: "the message that would apply is switched off",
    Reason.ALREADY_TEXTED: "the caller has already been texted",
    Reason.NEVER_REPLIED: "the caller was texted before and never replied",
    Reason.EXPIRED: "it could not be sent in time and would have come too late",
    Reason.LIMIT: "a limit has been reached, and a person has to release it",
    Reason.WAIT: "the line waits before it texts",
    Reason.QUIET_HOURS: "it is quiet hours where the caller is",
}
"""One clause for people, to be put after "because"."""
