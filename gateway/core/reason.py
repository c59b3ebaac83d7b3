"""Why a text was or was not sent: the one list of words for it.

The same word stands in the database, the log, the metrics, the page and `textback explain`; `docs/reasons.md` explains each.
"""

from enum import StrEnum


class Reason(StrEnum):
    """The reason of a decision."""

    MISSED_CALL = "missed_call"
    """The one reason to send."""
    NO_LINE = "no_line"
    LINE_OFF = "line_off"
    NOT_MISSED = "not_missed"
    TOO_SHORT = "too_short"
    WITHHELD = "withheld"
    NOT_A_NUMBER = "not_a_number"
    NUMBER_KIND = "number_kind"
    OWN_LINE = "own_line"
    REGION = "region"
    OPTED_OUT = "opted_out"
    ALREADY_TEXTED = "already_texted"
    EXPIRED = "expired"
    """Only of texts: too late by the time it could have gone."""


IN_WORDS: dict[Reason, str] = {
    Reason.MISSED_CALL: "the call was missed and nothing speaks against a text",
    Reason.NO_LINE: "the number that was dialled belongs to no line",
    Reason.LINE_OFF: "texts are switched off for this line",
    Reason.NOT_MISSED: "the call was not missed",
    Reason.TOO_SHORT: "the caller hung up too soon to have meant it",
    Reason.WITHHELD: "the caller withheld their number",
    Reason.NOT_A_NUMBER: "what the trunk gave as the caller is not a telephone number",
    Reason.NUMBER_KIND: "the caller's number is of a kind that takes no texts",
    Reason.OWN_LINE: "the caller is one of this gateway's own lines",
    Reason.REGION: "the caller's number is of a region that is not texted",
    Reason.OPTED_OUT: "the caller has said STOP",
    Reason.ALREADY_TEXTED: "the caller has already been texted",
    Reason.EXPIRED: "it could not be sent in time and would have come too late",
}
"""One clause for people, to be put after "because"."""
