"""What past texts say of a line's wait."""

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta

import pytest

from gateway.core.hindsight import Texted, of_wait

NOW = datetime(2026, 11, 23, 18, tzinfo=UTC)


def texts(count: int, answered_after: Sequence[float], waited: float = 0) -> list[Texted]:
    """So many texts, each `waited` seconds after its call was missed; who was answered, so many seconds after that."""
    found = []
    for number in range(count):
        missed_at = NOW + timedelta(hours=number)
        answered = missed_at + timedelta(seconds=answered_after[number]) if number < len(answered_after) else None
        found.append(
            Texted(line="front", missed_at=missed_at, went_at=missed_at + timedelta(seconds=waited), answered_at=answered)
        )
    return found


@pytest.mark.parametrize(
    ("count", "answered_after", "waited", "expected"),
    [
        (40, [5, 12, 20, 31, 38, 40, 44], 0, '7 of 40 texts went to callers who were answered within 60 s after them; wait = "45s" would have spared them'),
        (40, [5, 12, 14], 0, '3 of 40 texts went to callers who were answered within 60 s after them; wait = "15s" would have spared them'),
        (40, [10, 20, 59, 70, 300], 0, '3 of 40 texts went to callers who were answered within 60 s after them; wait = "60s" would have spared them'),
        (40, [40, 50, 80], 30, '3 of 40 texts went to callers who were answered within 60 s after them; wait = "90s" would have spared them'),
        (20, [45, 45, 45], 0, '3 of 20 texts went to callers who were answered within 60 s after them; wait = "45s" would have spared them'),
        (40, [], 0, None),
        (40, [61, 70, 80], 0, None),  # too late to have been the same wish
        (40, [10, 20], 0, None),  # too few
        (19, [10, 10, 10, 10], 0, None),  # too few calls
        (100, [10, 10, 10, 10], 0, None),  # less than one in twenty
        (40, [320, 330, 340], 290, None),  # no wait is as long
    ],
)  # fmt: skip
def test_wait(count: int, answered_after: list[float], waited: float, expected: str | None) -> None:
    assert of_wait(texts(count, answered_after, waited), timedelta(seconds=waited)) == expected


def test_text_that_waited_for_the_morning_is_not_spared_by_a_wait() -> None:
    """It went hours after its call, and no wait of a minute would have changed that."""
    held = texts(40, [8 * 3600 + 10] * 10, waited=8 * 3600)
    assert of_wait(held, timedelta(0)) is None
