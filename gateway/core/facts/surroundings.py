"""What happens to that which carries calls and texts: bridges, the database, the SIP agent."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from typing import ClassVar

from gateway.core.facts.texts import Submit


@dataclass(frozen=True, slots=True, kw_only=True)
class BridgeUp:
    """A bridge takes texts, which it did not."""

    name: ClassVar = "bridge.up"
    at: datetime
    bridge: str
    detail: str


@dataclass(frozen=True, slots=True, kw_only=True)
class BridgeDown:
    """A bridge takes no texts, and tries to."""

    name: ClassVar = "bridge.down"
    at: datetime
    bridge: str
    detail: str


@dataclass(frozen=True, slots=True, kw_only=True)
class BridgePaused:
    """A bridge's account was refused, or another program has it: a person has to see to it."""

    name: ClassVar = "bridge.paused"
    at: datetime
    bridge: str
    detail: str


class Fault(StrEnum):
    """What a bridge does by its own fault, while it is up."""

    REFUSES_TEXTS = "refuses_texts"
    REFUSES_NUMBERS = "refuses_numbers"
    DOES_NOT_DELIVER = "does_not_deliver"


@dataclass(frozen=True, slots=True, kw_only=True)
class BridgeFault:
    """A bridge is at fault; said once, and again when texts have gone meanwhile."""

    name: ClassVar = "bridge.fault"
    at: datetime
    bridge: str
    fault: Fault
    code: str
    detail: str
    cure: str
    submit: Submit | None = None
    """The text by which it showed; None: it was a receipt."""


@dataclass(frozen=True, slots=True, kw_only=True)
class DatabaseNotWritable:
    """Nothing can be written down; calls are kept."""

    name: ClassVar = "database.not_writable"
    at: datetime
    error: str


@dataclass(frozen=True, slots=True, kw_only=True)
class DatabaseWritableAgain:
    """It can be again."""

    name: ClassVar = "database.writable_again"
    at: datetime
    lasted: timedelta


@dataclass(frozen=True, slots=True, kw_only=True)
class AgentGone:
    """The SIP agent died or fell silent; its calls are interrupted, and another begins."""

    name: ClassVar = "agent.gone"
    at: datetime
    reason: str
