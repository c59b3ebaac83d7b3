"""The words that bridges and the gateway share: a text, what became of handing it over, and what comes back.

Everything here is a frozen value. A bridge never raises to say that a text was not taken: it returns an `Outcome`.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from enum import StrEnum
from typing import Protocol

FindId = Callable[[str, Sequence[str]], int | None]
"""Finds a network's id among those that it gave us before; the index, or None."""


def find_exactly(theirs: str, ours: Sequence[str]) -> int | None:
    """Where a network writes an id the same each time."""
    return ours.index(theirs) if theirs in ours else None


@dataclass(frozen=True, slots=True, kw_only=True)
class Validity:
    """How long a text is wanted. Networks are told in whichever of the two they ask for."""

    until: datetime
    """It is not to arrive later."""
    left: timedelta
    """How long that is from when it was handed over."""

    def within(self, least: timedelta, most: timedelta) -> "Validity":
        """No shorter and no longer than a network takes it."""
        left = min(max(self.left, least), most)
        return Validity(until=self.until + (left - self.left), left=left)

    @property
    def seconds(self) -> int:
        """What is left, in whole seconds."""
        return int(self.left.total_seconds())

    @property
    def minutes(self) -> int:
        """What is left, in minutes, a part of one counting as one."""
        return -(-self.seconds // 60)

    @property
    def instant(self) -> str:
        """RFC 3339, in UTC: `2026-11-23T12:15:00.000Z`."""
        return f"{self.until.astimezone(UTC):%Y-%m-%dT%H:%M:%S}.000Z"


@dataclass(frozen=True, slots=True, kw_only=True)
class Text:
    """One SMS to hand to a network. `to` is E.164 with its plus; `sender` E.164 or, where the network allows it, a name."""

    key: str
    """Ours, the same for every attempt and never used for another text, at most 36 characters: what a network dedupes by, and
    gives back with a receipt."""
    to: str
    sender: str
    body: str
    validity: Validity | None = None
    """None: the network's own."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Accepted:
    """The network said yes to every part."""

    provider_ids: tuple[str, ...]
    """One id a part, in order, as the network wrote them, "" for a part that got none; empty where the network gives none."""
    find_id: FindId = field(default=find_exactly, compare=False, repr=False)
    """How the network's receipts are found by these ids."""


class Refusal(StrEnum):
    """Whose fault a refusal is, which decides what may be tried next."""

    PERMANENT = "permanent"
    """The number or the text: no bridge will do better."""
    TEMPORARY = "temporary"
    """Throttled, queue full: later, or by another bridge."""
    CONFIGURATION = "configuration"
    """Our account, password or sender, or where the account may send: another bridge may be used, and somebody is told."""
    NO_ROUTE = "no_route"
    """This bridge has no way to the number, which says nothing of the number: another may have one."""
    OPTED_OUT = "opted_out"
    """The network knows that this number said STOP."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Refused:
    """The network said no: certain that nothing was sent."""

    kind: Refusal
    code: str
    """As the network writes it: `0x0000000B`, `21610`."""
    detail: str
    retry_after: timedelta | None = None
    is_number_dead: bool = False
    """The network knows that this number can never be texted: a landline, no number at all."""
    is_account: bool = False
    """With `CONFIGURATION`: not this text's sender or destination, but whatever else the account would send."""


@dataclass(frozen=True, slots=True, kw_only=True)
class NotSent:
    """Certain that no part of the text reached the network: no link, refused connection, no room."""

    detail: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Unknown:
    """Handed over, in whole or in part, and no answer. Never to be sent again by a machine."""

    detail: str
    provider_ids: tuple[str, ...] = ()
    """The ids of the parts that were accepted, each in its place, "" in the place of one that is not known; it may be shorter
    than the text has parts."""
    parts: int = 1
    """How many parts the whole text has at the network, each with receipts of its own."""
    find_id: FindId = field(default=find_exactly, compare=False, repr=False)
    """As in `Accepted`."""


Outcome = Accepted | Refused | NotSent | Unknown


NOT_IN_TIME = "its time was up before it was delivered"
"""Added to the code of a receipt that says so, in whatever words."""


class ReceiptState(StrEnum):
    """What a receipt (DLR) says, reduced to what a text's life knows."""

    ON_ITS_WAY = "on_its_way"
    DELIVERED = "delivered"
    UNDELIVERED = "undelivered"


@dataclass(frozen=True, slots=True, kw_only=True)
class Receipt:
    """A delivery receipt as a bridge received it. `to` is the handset's number, written as in a `Reply`; None: left out."""

    bridge: str
    provider_id: str
    to: str | None
    state: ReceiptState
    code: str
    """The network's own words: `DELIVRD`, `UNDELIV err:011`."""
    at: datetime
    is_number_dead: bool = False
    """As in `Refused`."""
    is_opted_out: bool = False
    """The network did not deliver it because this number said STOP to the sender."""
    is_bridge_fault: bool = False
    """The network did not deliver it because of our account or our sender, as it would others."""
    key: str = ""
    """The text's own key, where the network gives it back."""
    is_of_part: bool = False
    """It speaks of one part alone, and a long text has as many of them as segments."""
    find_id: FindId = field(default=find_exactly, compare=False, repr=False)
    """How its id is found among those that the network gave with its yes."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Part:
    """Which part of a long reply this is (3GPP TS 23.040 §9.2.3.24.1)."""

    reference: int
    number: int
    """From 1."""
    total: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Reply:
    """An SMS from a phone to one of our numbers (MO), or a part of one."""

    bridge: str
    sender: str
    """E.164 where the network says so; else as it writes numbers, perhaps national."""
    to: str
    body: str
    at: datetime
    word: str = ""
    """What the network itself read in it, STOP, START or HELP; empty where it reads nothing."""
    provider_id: str = ""
    """The network's own id, by which a repetition is known; empty where it gives none."""
    part: Part | None = None
    """None: the whole reply."""


class Sink(Protocol):
    """Where a bridge delivers what the network says on its own account. Implemented by the gateway."""

    async def receipt(self, receipt: Receipt) -> None:
        """Return only when the receipt is stored durably; raise if it could not be (the network will send it again)."""

    async def reply(self, reply: Reply) -> None:
        """Return only when the reply is stored durably; raise if it could not be (the network will send it again)."""

    async def late(self, key: str, outcome: Outcome) -> None:
        """The answer to a text whose outcome had been given as `Unknown`; an `Unknown` that knows more where it is the answer
        to a part, and others are still missing."""

    def bridge_changed(self, bridge: str) -> None:
        """The bridge went up, down, paused, or has room again. Never blocks."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Health:
    """How a bridge is. Paused: it was refused for configuration and waits; a paused bridge is not up."""

    up: bool
    paused: bool = False
    detail: str = ""
    """One sentence for an admin; never a secret."""


class Bridge(Protocol):
    """One way to hand texts to a network."""

    name: str

    async def run(self, sink: Sink) -> None:
        """Keep the link up until cancelled; on cancellation wait (bounded) for answers under way, then unbind."""

    def room(self) -> int:
        """How many texts `submit` would put on the wire at once now, as window and pace allow; 0 while down or paused. Who asks
        may count on it for the few milliseconds in which texts are claimed, and asks again when their `submit` has begun."""

    def health(self) -> Health:
        """The state now."""

    async def submit(self, text: Text) -> Outcome:
        """Hand one text over, at once: it takes its place and its turn before its first await, and is `NotSent` where there is
        none. Never raises for what a network can do; cancelling it is safe (the text is then unknown)."""

    def ask(self, text: Text, since: datetime) -> None:
        """Begin to ask the network for a text whose answer was lost, handed over at that instant or later. What is found comes
        by `Sink.late`; nothing may come. Never blocks."""
