"""What is done with a call that comes in, chosen before anything has become of it. PURE.

A plan is asked of the same circumstances as the conditions of a message's variants (`core/variants.py`), a decision of these
and of what became of the call. How a plan is said to the SIP agent stands in `calls/plans.py`.
"""

from dataclasses import dataclass
from datetime import timedelta
from enum import StrEnum

from gateway.core.call import ring_time
from gateway.core.case import Circumstances


@dataclass(frozen=True, slots=True, kw_only=True)
class RingFor:
    """Ring so long, counted from the call's arrival; a call that nobody has taken by then is rejected, and is missed."""

    length: timedelta


class Cause(StrEnum):
    """Why a call is turned away."""

    NO_LINE = "no_line"
    """It is for a number that is no line's."""


@dataclass(frozen=True, slots=True, kw_only=True)
class TurnAway:
    """Reject it at once; nobody missed it."""

    cause: Cause


Plan = RingFor | TurnAway


def plan(circumstances: Circumstances | None) -> Plan:
    """The plan of a call; None: the number that was dialled is no line's."""
    if circumstances is None:
        return TurnAway(cause=Cause.NO_LINE)
    return RingFor(length=ring_time(circumstances.policy.line))
