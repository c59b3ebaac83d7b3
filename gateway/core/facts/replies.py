"""What comes back from phones and networks, and who wants no texts."""

from dataclasses import dataclass
from datetime import datetime
from typing import ClassVar

from gateway.core.consent import Wish
from gateway.core.facts.texts import OfText


@dataclass(frozen=True, slots=True, kw_only=True)
class ReceiptArrived:
    """A delivery receipt was kept, and applied where it is new."""

    name: ClassVar = "receipt.arrived"
    at: datetime
    bridge: str
    of: OfText | None
    """None: nobody knows (yet) which text it is about."""
    state: str
    """`delivered`, `undelivered` or `on_its_way`."""
    code: str
    is_new: bool
    is_bridge_fault: bool = False
    """It was not delivered because of our account or our sender."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ReplyArrived:
    """A reply was kept, or only repeated by the network."""

    name: ClassVar = "reply.arrived"
    at: datetime
    bridge: str
    sender: str
    wish: Wish | None
    """None: it is a message for people."""
    reply: int | None
    """Its id; None: it was repeated."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ReplyNotAnswered:
    """A wish was obeyed, and nobody knows which line should say so."""

    name: ClassVar = "reply.not_answered"
    at: datetime
    sender: str
    wish: Wish


@dataclass(frozen=True, slots=True, kw_only=True)
class OptedOut:
    """Somebody wants no more texts; what waited for them is cancelled."""

    name: ClassVar = "consent.opted_out"
    at: datetime
    number: str
    is_by_a_person: bool
    """A person wrote it down; else a reply said it, or a network."""
    cancelled: int
    under_way: int
    """Texts that nobody can take back."""


@dataclass(frozen=True, slots=True, kw_only=True)
class OptedIn:
    """Somebody who wanted no texts wants them again."""

    name: ClassVar = "consent.opted_in"
    at: datetime
    number: str
    is_by_a_person: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class NumberForgotten:
    """A person has what networks said of a number forgotten."""

    name: ClassVar = "number.forgotten"
    at: datetime
    number: str
