"""Which INVITEs are rounds of one call, and how often one was missed. Seconds after an instant; nothing is written down."""

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.core.rounds import LOOKED_BACK, Round, earlier, missed_calls

NOON = datetime(2026, 11, 23, 12, 0, tzinfo=UTC)
WITHIN = timedelta(seconds=20)


def at(seconds: float) -> datetime:
    return NOON + timedelta(seconds=seconds)


def rang(arrived: float, ended: float | None, *, is_answered: bool = False, is_missed: bool = True) -> Round:
    return Round(
        name=f"{arrived:g}",
        arrived_at=at(arrived),
        ended_at=None if ended is None else at(ended),
        rang=timedelta(seconds=(ended or arrived) - arrived),
        is_answered=is_answered,
        is_missed=is_missed,
    )


@pytest.mark.parametrize(
    ("before", "comes", "belongs_to"),
    [
        ([], 0, []),
        ([rang(0, 10)], 30, ["0"]),  # twenty seconds after the end, to the second
        ([rang(0, 10)], 31, []),
        ([rang(0, 10), rang(20, 30)], 45, ["20", "0"]),  # a chain
        ([rang(0, 10), rang(40, 50)], 55, ["40"]),  # the first was another call
        ([rang(0, None)], 300, ["0"]),  # it rings yet
        ([rang(0, 90), rang(5, 10)], 100, ["0"]),  # the later leg ended long ago, the longer one has not
        ([rang(0, 10, is_answered=True)], 15, []),  # got through: another call
        ([rang(0, 10), rang(15, 25, is_answered=True), rang(30, 40)], 45, ["30"]),
        ([rang(0, None)], LOOKED_BACK.total_seconds() + 21, []),  # no INVITE rings so long: it was cut off
    ],
)
def test_rounds_that_an_invite_belongs_to(before: list[Round], comes: float, belongs_to: list[str]) -> None:
    newest_first = before[::-1]
    assert [one.name for one in earlier(newest_first, at(comes), WITHIN)] == belongs_to
    assert earlier(newest_first, at(comes), None) == ()


@pytest.mark.parametrize(
    ("rounds", "without", "missed"),
    [
        ([], (), []),
        ([rang(0, 10), rang(20, 30), rang(45, 50)], (), [0]),
        ([rang(0, 10), rang(31, 40)], (), [0, 31]),
        ([rang(0, 2, is_missed=False), rang(10, 20)], (), [10]),  # too short at first, then not
        ([rang(0, 10), rang(40, 50)], ("40",), [0]),
        ([rang(0, 90), rang(5, 10), rang(100, 110)], (), [0]),
        ([rang(0, None), rang(15, 20)], (), [0]),
    ],
)
def test_how_often_it_was_missed(rounds: list[Round], without: tuple[str, ...], missed: list[float]) -> None:
    assert missed_calls(rounds, WITHIN, without) == tuple(map(at, missed))


def test_without_rounds_each_invite_is_a_call() -> None:
    assert missed_calls([rang(0, 10), rang(11, 20)], None) == (at(0), at(11))


@given(st.lists(st.tuples(st.integers(0, 400), st.integers(0, 60)), max_size=12))
def test_both_ways_of_counting_agree(drawn: list[tuple[int, int]]) -> None:
    """A call is counted where an INVITE belongs to none before it."""
    rounds = [rang(arrived, arrived + length) for arrived, length in sorted(drawn)]
    first = [one for number, one in enumerate(rounds) if not earlier(rounds[:number][::-1], one.arrived_at, WITHIN)]
    assert missed_calls(rounds, WITHIN) == tuple(one.arrived_at for one in first)
