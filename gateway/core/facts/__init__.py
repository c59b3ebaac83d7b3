"""What happens, as frozen values: one class for each, which the log, the metrics and whoever else tells of it go by.

A step returns its facts (`WithFacts` in `store/steps.py`), and they are published once it is committed, in order. What never
touches the database (a bridge went down, an agent was lost) is published where it is noticed. A fact holds its instant, ids and
plain values, whole numbers too: a listener that writes one where others read it masks them.

Write them with their module, `facts.CallCameIn`. What the agent tells is no fact yet, and is named otherwise.
"""

from collections.abc import Callable
from typing import get_args

from gateway.core.facts.calls import CallCameIn, CallChangedCaller, CallDone, CallMissed, CallNotMissed, NumberHasNoLine
from gateway.core.facts.replies import NumberForgotten, OptedIn, OptedOut, ReceiptArrived, ReplyArrived, ReplyNotAnswered
from gateway.core.facts.surroundings import (
    AgentGone,
    BridgeDown,
    BridgeFault,
    BridgePaused,
    BridgeUp,
    DatabaseNotWritable,
    DatabaseWritableAgain,
)
from gateway.core.facts.texts import (
    HeldTextDecided,
    LateAnswerCame,
    OfText,
    PartAnswered,
    Submit,
    TextAccepted,
    TextCancelled,
    TextDropped,
    TextExpired,
    TextHeld,
    TextInterrupted,
    TextNotSent,
    TextPostponed,
    TextQueued,
    TextRefused,
    TextReleased,
    TextResent,
    TextSettled,
    TextUnknown,
)

OfACall = CallCameIn | CallChangedCaller | NumberHasNoLine | CallMissed | CallNotMissed | CallDone
OfAText = (
    TextQueued
    | TextHeld
    | HeldTextDecided
    | TextReleased
    | TextPostponed
    | TextExpired
    | TextCancelled
    | TextDropped
    | TextResent
    | TextAccepted
    | TextRefused
    | TextNotSent
    | TextUnknown
    | TextInterrupted
    | LateAnswerCame
    | PartAnswered
    | TextSettled
)
OfAReply = ReceiptArrived | ReplyArrived | ReplyNotAnswered | OptedOut | OptedIn | NumberForgotten
OfWhatIsAround = BridgeUp | BridgeDown | BridgePaused | BridgeFault | DatabaseNotWritable | DatabaseWritableAgain | AgentGone

Fact = OfACall | OfAText | OfAReply | OfWhatIsAround
ALL: tuple[type[Fact], ...] = get_args(Fact)
Publish = Callable[[Fact], None]
"""Tells a fact to whoever listens; called on the event loop, and never blocks."""

__all__ = [
    "ALL",
    "AgentGone",
    "BridgeDown",
    "BridgeFault",
    "BridgePaused",
    "BridgeUp",
    "CallCameIn",
    "CallChangedCaller",
    "CallDone",
    "CallMissed",
    "CallNotMissed",
    "DatabaseNotWritable",
    "DatabaseWritableAgain",
    "Fact",
    "HeldTextDecided",
    "LateAnswerCame",
    "NumberForgotten",
    "NumberHasNoLine",
    "OfText",
    "OptedIn",
    "OptedOut",
    "PartAnswered",
    "Publish",
    "ReceiptArrived",
    "ReplyArrived",
    "ReplyNotAnswered",
    "Submit",
    "TextAccepted",
    "TextCancelled",
    "TextDropped",
    "TextExpired",
    "TextHeld",
    "TextInterrupted",
    "TextNotSent",
    "TextPostponed",
    "TextQueued",
    "TextRefused",
    "TextReleased",
    "TextResent",
    "TextSettled",
    "TextUnknown",
]
