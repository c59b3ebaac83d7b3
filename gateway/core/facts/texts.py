"""What happens to a text, in the order of its life (`core/delivery.py`).

That it is claimed is nobody's news; what a receipt makes of it is told by `ReceiptArrived`, how many a STOP cancels by
`OptedOut`.
"""

from dataclasses import dataclass
from datetime import datetime
from typing import ClassVar

from gateway.core.kind import TextKind
from gateway.core.reason import Reason


@dataclass(frozen=True, slots=True, kw_only=True)
class OfText:
    """Which text a fact is about."""

    text: int
    call: int | None = None
    """None: it is the text of no call, a test or what we say to STOP, START and HELP."""
    line: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Submit:
    """Which text was handed to which bridge."""

    of: OfText
    bridge: str
    to: str
    attempts: int
    """How often it has been handed to a bridge, this time included."""


@dataclass(frozen=True, slots=True, kw_only=True)
class TextQueued:
    """A new text may go now. The text of a call: `CallMissed` was said before."""

    name: ClassVar = "text.queued"
    at: datetime
    of: OfText
    to: str
    kind: TextKind
    is_claimed_next: bool = False
    """A claim follows its step, so that nobody has to look for it in the queue."""


@dataclass(frozen=True, slots=True, kw_only=True)
class TextHeld:
    """A new text waits, until an instant or for a person (None)."""

    name: ClassVar = "text.held"
    at: datetime
    of: OfText
    reason: Reason
    until: datetime | None


@dataclass(frozen=True, slots=True, kw_only=True)
class HeldTextDecided:
    """A held text was decided once more: it is queued (`send`), stays held (`hold`), or does not go (`skip`)."""

    name: ClassVar = "text.decided"
    at: datetime
    of: OfText
    decision: str
    reason: Reason
    until: datetime | None = None
    """Where it stays held: until then, None: for a person."""


@dataclass(frozen=True, slots=True, kw_only=True)
class TextReleased:
    """A person let a held text go past the limits; what came of it."""

    name: ClassVar = "text.released"
    at: datetime
    of: OfText
    decision: str
    reason: Reason


@dataclass(frozen=True, slots=True, kw_only=True)
class TextPostponed:
    """A queued text may not go now after all: it is held, and decided anew at once."""

    name: ClassVar = "text.postponed"
    at: datetime
    of: OfText
    reason: Reason


@dataclass(frozen=True, slots=True, kw_only=True)
class TextExpired:
    """A queued text could not go in time, and does not go."""

    name: ClassVar = "text.expired"
    at: datetime
    of: OfText


@dataclass(frozen=True, slots=True, kw_only=True)
class TextCancelled:
    """A queued text does not go: its recipient opted out or got through before a bridge could have it."""

    name: ClassVar = "text.cancelled"
    at: datetime
    of: OfText


@dataclass(frozen=True, slots=True, kw_only=True)
class TextDropped:
    """A person cancelled a text that was held or queued."""

    name: ClassVar = "text.dropped"
    at: datetime
    of: OfText


@dataclass(frozen=True, slots=True, kw_only=True)
class TextResent:
    """A person has a text whose fate is unknown sent once more: it is queued."""

    name: ClassVar = "text.resent"
    at: datetime
    of: OfText


@dataclass(frozen=True, slots=True, kw_only=True)
class TextAccepted:
    """The network said yes."""

    name: ClassVar = "text.accepted"
    at: datetime
    submit: Submit
    provider_id: str
    """Of its first part; empty where the network gives none."""


@dataclass(frozen=True, slots=True, kw_only=True)
class TextRefused:
    """The network said no."""

    name: ClassVar = "text.refused"
    at: datetime
    submit: Submit
    kind: str
    """Whose fault it is, in the bridge's word (`Refusal`)."""
    code: str
    detail: str
    is_account: bool
    """The account itself is refused, of which the bridge tells."""
    numbers_refused: int
    """So many numbers the bridge has called dead without accepting one."""
    is_final: bool
    """False: it is queued again, for another bridge or for later."""


@dataclass(frozen=True, slots=True, kw_only=True)
class TextNotSent:
    """Certainly nothing reached the network; the text is queued again."""

    name: ClassVar = "text.not_sent"
    at: datetime
    submit: Submit
    detail: str


@dataclass(frozen=True, slots=True, kw_only=True)
class TextUnknown:
    """It was handed over, and no answer came."""

    name: ClassVar = "text.unknown"
    at: datetime
    submit: Submit
    detail: str


@dataclass(frozen=True, slots=True, kw_only=True)
class TextInterrupted:
    """At the start: the gateway had stopped while it was being sent; its fate is unknown."""

    name: ClassVar = "text.interrupted"
    at: datetime
    of: OfText


@dataclass(frozen=True, slots=True, kw_only=True)
class LateAnswerCame:
    """The network's answer to a text whose fate was unknown."""

    name: ClassVar = "text.answered_late"
    at: datetime
    of: OfText
    answer: str
    """`accepted` or `refused`."""


@dataclass(frozen=True, slots=True, kw_only=True)
class PartAnswered:
    """The network's late answer to one part of a text whose fate stays unknown."""

    name: ClassVar = "text.part_answered"
    at: datetime
    of: OfText
    detail: str


@dataclass(frozen=True, slots=True, kw_only=True)
class TextSettled:
    """A person knows that a text whose fate was unknown did go."""

    name: ClassVar = "text.settled"
    at: datetime
    of: OfText
