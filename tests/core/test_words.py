"""What the rules say they saw, as an admin reads it in `textback explain`."""

from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest

from config.model import Limits
from gateway.core.call import Outcome
from gateway.core.case import History, SameCall, Traffic, Twin
from gateway.core.decision import Decision
from gateway.core.length import length
from tests.core.test_decision import NOW, call, decide, line, policy


def seen(decision: Decision, rule: str) -> str:
    """What one rule saw."""
    return next(entry.saw for entry in decision.trace if entry.rule == rule)


@pytest.mark.parametrize(
    ("seconds", "expected"),
    [
        (0, "0s"), (0.04, "0s"), (2.94, "2.9s"), (20, "20s"), (59.97, "1m"), (60, "1m"), (90, "1m 30s"), (900, "15m"), (3600, "1h"),
        (3723.4, "1h 2m"), (86400, "1d"), (93600, "1d 2h"), (259205, "3d"),
    ],
)  # fmt: skip
def test_length(seconds: float, expected: str) -> None:
    assert length(timedelta(seconds=seconds)) == expected


@pytest.mark.parametrize(
    ("limits", "expected"),
    [
        ({}, "no limits are set"),
        ({"per_minute": 10}, "3 of 10 in the last minute, no limit a day"),
        ({"per_day": 100}, "no limit a minute, 30 of 100 today"),
        ({"per_minute": 10, "per_day": 100}, "3 of 10 in the last minute, 30 of 100 today"),
    ],
)
def test_limits(limits: dict[str, int], expected: str) -> None:
    at = replace(policy(), limits=Limits(**limits))
    assert seen(decide(call(), History(), at, NOW, Traffic(last_minute=3, today=30)), "below_limits") == expected


@pytest.mark.parametrize(
    ("ago", "expected"),
    [
        (timedelta(0), "in time"),
        (timedelta(milliseconds=900), "in time"),
        (timedelta(seconds=4), "4s late; it expires 15m after it was due"),
        (timedelta(hours=3), "3h late; it expires 15m after it was due"),
    ],
)
def test_lateness(ago: timedelta, expected: str) -> None:
    assert seen(decide(call(missed_at=NOW - ago), History(), policy(), NOW), "in_time") == expected


SAME = SameCall(first="812", rang=timedelta(seconds=40))


@pytest.mark.parametrize(
    ("changes", "history", "rule", "expected"),
    [
        ({"outcome": Outcome.ABANDONED}, {}, "rang_long_enough", "rang 20s, min_ring is 3s"),
        (
            {"outcome": Outcome.INTERRUPTED, "rang": timedelta(seconds=2)},
            {},
            "rang_long_enough",
            "rang 2s, min_ring is 3s; the caller did not hang up",
        ),
        ({}, {"twin": Twin.RINGS}, "not_a_fork", "another INVITE of the same call still rings; it will decide"),
        ({}, {"twin": Twin.DECIDED}, "not_a_fork", "another INVITE of the same call was decided"),
        ({}, {"twin": Twin.RINGS_AGAIN}, "not_a_fork", "the same call rings again; that round will decide"),
        ({}, {"same_call": SAME}, "not_a_fork", "same call as 812, which was rung again"),
        ({}, {"same_call": SAME}, "rang_long_enough", "rang 20s and 40s in earlier rounds, min_ring is 3s"),
        (
            {"outcome": Outcome.ABANDONED, "rang": timedelta(seconds=1)},
            {"same_call": replace(SAME, rang=timedelta(0), was_unanswered=True)},
            "rang_long_enough",
            "rang 1s and 0s in earlier rounds, min_ring is 3s; nobody took an earlier round that the caller had waited for",
        ),
        (
            {},
            {"same_call": replace(SAME, texted_at=NOW - timedelta(seconds=33))},
            "not_texted_lately",
            "same call as 812, texted at 2026-11-23 11:59 CST",
        ),
        (
            {},
            {"same_call": replace(SAME, texted_at=NOW + timedelta(seconds=33))},
            "not_texted_lately",
            "same call as 812, a text waits until 2026-11-23 12:00 CST",
        ),
        ({}, {}, "waited", "no wait"),
    ],
)
def test_words(changes: dict[str, Any], history: dict[str, Any], rule: str, expected: str) -> None:
    assert seen(decide(call(**changes), History(**history), policy(), NOW), rule) == expected


def test_wait() -> None:
    at = policy(line(wait="5m"))
    assert seen(decide(call(), History(), at, NOW + timedelta(minutes=5)), "waited") == "waited 5m"
