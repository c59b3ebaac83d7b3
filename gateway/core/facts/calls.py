"""What happens to a call."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import ClassVar

from gateway.core.call import Outcome
from gateway.core.reason import Reason


@dataclass(frozen=True, slots=True, kw_only=True)
class CallCameIn:
    """A call is written down that has just come in."""

    name: ClassVar = "call.came_in"
    at: datetime
    call: int
    line: str | None
    trunk: str
    caller: str | None
    """As the trunk wrote it; None: withheld."""


@dataclass(frozen=True, slots=True, kw_only=True)
class CallChangedCaller:
    """While it rang, its trunk said that somebody else is calling."""

    name: ClassVar = "call.caller_changed"
    at: datetime
    call: int
    line: str | None
    trunk: str
    caller: str | None
    """As the trunk wrote it; None: withheld."""
    before: str | None


@dataclass(frozen=True, slots=True, kw_only=True)
class NumberHasNoLine:
    """A call came for a number that belongs to no line."""

    name: ClassVar = "call.no_line"
    at: datetime
    call: int
    trunk: str
    dialled: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class CallMissed:
    """A call was missed, and it was decided whether its caller is texted."""

    name: ClassVar = "call.missed"
    at: datetime
    """When the outcome fell, however much later it could be written down."""
    call: int
    line: str | None
    outcome: Outcome
    rang: timedelta
    decision: str
    """`send`, `hold` or `skip`."""
    reason: Reason
    text: int | None = None
    same_call_as: int | None = None
    """The call of which it is a later round."""


@dataclass(frozen=True, slots=True, kw_only=True)
class CallNotMissed:
    """A call ended otherwise: answered, or refused. It is decided too, and never texted."""

    name: ClassVar = "call.not_missed"
    at: datetime
    """As in `CallMissed`."""
    call: int
    line: str | None
    outcome: Outcome
    rang: timedelta
    decision: str
    reason: Reason
    text: int | None = None
    same_call_as: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class CallDone:
    """A person has dealt with a call."""

    name: ClassVar = "call.done"
    at: datetime
    call: int
