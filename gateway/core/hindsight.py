"""What past texts say of a line's `wait`: who was answered right after a text would have needed none. PURE."""

from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime, timedelta

SOON = timedelta(seconds=60)
"""Who is answered so soon after a text had gone on calling for the same reason."""
WAITS = tuple(timedelta(seconds=seconds) for seconds in (15, 30, 45, 60, 90, 120, 180, 300))
"""What is proposed: round values, the shortest first."""
FEWEST_TEXTS, FEWEST_ANSWERED, ONE_IN = 20, 3, 20
"""Below so many texts, so many answered callers, or one answered in so many, nothing is said: it may be chance."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Texted:
    """A text that went, and when its caller got through next."""

    line: str
    missed_at: datetime
    """When the call was missed: `wait` counts from then."""
    went_at: datetime
    answered_at: datetime | None
    """None: not since."""


def of_wait(texts: Collection[Texted], wait: timedelta) -> str | None:
    """What to think about a line's `wait`, by its texts; None where they give no reason."""
    delays = [one.answered_at - one.missed_at for one in texts if one.answered_at and one.answered_at - one.went_at <= SOON]
    spared = {longer: sum(delay <= longer for delay in delays) for longer in WAITS if longer > wait}
    most = max(spared.values(), default=0)
    if len(texts) < FEWEST_TEXTS or most < FEWEST_ANSWERED or most * ONE_IN < len(texts):
        return None
    shortest = next(longer for longer, count in spared.items() if count == most)
    whom = "them" if most == len(delays) else f"{most} of them"
    return (
        f"{len(delays)} of {len(texts)} texts went to callers who were answered within {SOON.total_seconds():g} s after them;"
        f' wait = "{shortest.total_seconds():g}s" would have spared {whom}'
    )
