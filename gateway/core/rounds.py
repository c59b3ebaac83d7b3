"""Rounds of one call: queues and follow-me ring again and again, each time with a new INVITE and a new Call-ID. PURE.

A round comes soon after the end of the one before it; how soon is the line's `same_call_within`.
"""

from collections.abc import Collection, Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta

from config.model import LONGEST_RING

LOOKED_BACK = LONGEST_RING + timedelta(minutes=1)
"""No INVITE rings longer, so one that came earlier cannot be what a round followed. The minute is for clocks that are set."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Round:
    """One INVITE of a caller's to a line."""

    name: str
    """The call's id, or its row in somebody's records."""
    arrived_at: datetime
    ended_at: datetime | None
    """None: it rings."""
    rang: timedelta
    is_answered: bool = False
    """The caller got through: what comes after it is another call."""
    is_missed: bool = False
    """It was missed, and was not too short."""
    is_unanswered: bool = False
    """It was missed, and not because the caller hung up: whatever came of it, the call was meant."""


def earlier(before: Iterable[Round], arrived_at: datetime, within: timedelta | None) -> tuple[Round, ...]:
    """The earlier rounds of the call that an INVITE belongs to, the newest first.

    `before`: what the same caller sent to the same line before it, the newest first; read no further than needed.
    `within` None: no INVITE is another's round.
    """
    found: list[Round] = []
    if within is None:
        return ()
    begins = arrived_at
    for one in before:
        if one.is_answered or one.arrived_at < begins - within - LOOKED_BACK:
            break
        if one.ended_at is None or one.ended_at >= begins - within:
            found.append(one)
            begins = one.arrived_at
    return tuple(found)


def missed_calls(rounds: Iterable[Round], within: timedelta | None, without: Collection[str] = ()) -> tuple[datetime, ...]:
    """When each missed call came: once for all of its rounds. `rounds`: the oldest first; `without`: the rounds of one call."""
    found: list[datetime] = []
    ends: datetime | None = None
    is_counted = False
    for one in rounds:
        if ends is None or within is None or one.arrived_at > ends + within:
            is_counted = False
        ends = max(filter(None, (ends, one.ended_at or one.arrived_at)))
        if one.is_missed and not is_counted and one.name not in without:
            found.append(one.arrived_at)
            is_counted = True
    return tuple(found)
