"""The life of a text, as a table.

    held ◄► queued ─► sending ─► accepted ─► delivered | undelivered
      │       │  ▲       ├─► queued      not sent, or refused for now
      │       │  │       ├─► refused     refused for good
      │       │  └───────┘
      │       │          └─► unknown     handed over and no answer: never sent again by itself; a late answer,
      ├───────┼─► expired                a receipt or a person still settles it
      └───────┴─► cancelled              opted out, resolved, or dropped by a person meanwhile

A queued text goes back to `held` where quiet hours have begun before a bridge could have it.

A receipt may come before the answer to the submit; it settles `sending` and `unknown` too. Whatever a row says, only these
changes are taken: a happening that the table does not list for a state changes nothing.
"""

from enum import StrEnum


class TextState(StrEnum):
    """Where a text is."""

    HELD = "held"
    """Waits for an instant, or for a person; decided once more then."""
    QUEUED = "queued"
    SENDING = "sending"
    ACCEPTED = "accepted"
    DELIVERED = "delivered"
    UNDELIVERED = "undelivered"
    REFUSED = "refused"
    UNKNOWN = "unknown"
    EXPIRED = "expired"
    CANCELLED = "cancelled"


class TextEvent(StrEnum):
    """What can befall a text."""

    RELEASED = "released"
    POSTPONED = "postponed"
    """It may not go now after all, and is decided once more."""
    CLAIMED = "claimed"
    ACCEPTED = "accepted"
    NOT_NOW = "not_now"
    REFUSED = "refused"
    NO_ANSWER = "no_answer"
    RESENT = "resent"
    """A person has decided that a text whose fate is unknown shall go (again)."""
    DELIVERED = "delivered"
    UNDELIVERED = "undelivered"
    EXPIRED = "expired"
    CANCELLED = "cancelled"


_S, _E = TextState, TextEvent

TABLE: dict[TextState, dict[TextEvent, TextState]] = {
    _S.HELD: {_E.RELEASED: _S.QUEUED, _E.EXPIRED: _S.EXPIRED, _E.CANCELLED: _S.CANCELLED},
    _S.QUEUED: {_E.CLAIMED: _S.SENDING, _E.POSTPONED: _S.HELD, _E.EXPIRED: _S.EXPIRED, _E.CANCELLED: _S.CANCELLED},
    _S.SENDING: {
        _E.ACCEPTED: _S.ACCEPTED,
        _E.NOT_NOW: _S.QUEUED,
        _E.REFUSED: _S.REFUSED,
        _E.NO_ANSWER: _S.UNKNOWN,
        _E.DELIVERED: _S.DELIVERED,
        _E.UNDELIVERED: _S.UNDELIVERED,
    },
    _S.UNKNOWN: {
        _E.RESENT: _S.QUEUED,
        _E.ACCEPTED: _S.ACCEPTED,
        _E.REFUSED: _S.REFUSED,
        _E.DELIVERED: _S.DELIVERED,
        _E.UNDELIVERED: _S.UNDELIVERED,
    },
    _S.ACCEPTED: {_E.DELIVERED: _S.DELIVERED, _E.UNDELIVERED: _S.UNDELIVERED},
    _S.DELIVERED: {},
    _S.UNDELIVERED: {_E.DELIVERED: _S.DELIVERED},
    _S.REFUSED: {},
    _S.EXPIRED: {},
    _S.CANCELLED: {},
}

COUNTS_AS_TEXTED = frozenset(
    {_S.HELD, _S.QUEUED, _S.SENDING, _S.ACCEPTED, _S.DELIVERED, _S.UNKNOWN},
)
"""States in which the caller has, may have, or is about to have the text. One that a network could not deliver (the phone was
off until its time was up) is none: the next missed call is texted. A number that can never be texted is remembered apart."""
COUNTS_AS_SENT = COUNTS_AS_TEXTED - {_S.HELD} | {_S.UNDELIVERED}
"""States that count towards the limits: the text went, or is about to, and costs what it costs."""


def after(state: TextState, event: TextEvent) -> TextState | None:
    """The state that follows, or None where the event comes too late to change anything."""
    return TABLE[state].get(event)
