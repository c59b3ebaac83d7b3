"""What a call goes through: each step by name, and what holds of every walk through the table."""

from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.core import call
from sip.call.call_state import TABLE, Happening, Outcome, Stage, after

ENDS_OF_THE_RINGING = {
    Happening.CALLER_HUNG_UP: ("over", "abandoned"),
    Happening.ANSWERED_ELSEWHERE: ("over", "answered_elsewhere"),
    Happening.RING_TIME_RAN_OUT: ("over", "no_answer"),
    Happening.NO_ROOM: ("over", "busy"),
    Happening.REFUSED: ("over", "refused"),
    Happening.STOPPED: ("over", "interrupted"),
    Happening.PHONE_PICKED_UP: ("talking", "answered_here"),
    Happening.GREETING_BEGAN: ("greeting", "no_answer"),
}
WALKS = st.lists(st.sampled_from(Happening), max_size=12)


def stages_of(walk: list[Happening]) -> tuple[list[Stage], list[Outcome]]:
    """Where a call is before and after each happening, and the outcomes that fell."""
    stages, outcomes = [Stage.RINGING], []
    for happening in walk:
        stage, outcome = after(stages[-1], happening)
        stages.append(stage)
        outcomes += [outcome] if outcome is not None else []
    return stages, outcomes


@pytest.mark.parametrize("happening", Happening)
def test_what_ends_the_ringing_and_with_which_outcome(happening: Happening) -> None:
    assert after(Stage.RINGING, happening) == ENDS_OF_THE_RINGING.get(happening, (Stage.RINGING, None))


@pytest.mark.parametrize(
    ("walk", "stages", "outcome"),
    [
        ("greeting_began greeting_ended", "greeting over", "no_answer"),
        ("greeting_began recording_began recording_ended", "greeting recording over", "no_answer"),
        ("greeting_began caller_hung_up", "greeting over", "no_answer"),
        ("greeting_began recording_began caller_hung_up", "greeting recording over", "no_answer"),
        ("greeting_began phone_picked_up", "greeting greeting", "no_answer"),
        ("greeting_began recording_began stopped", "greeting recording over", "no_answer"),
        ("phone_picked_up phone_hung_up", "talking over", "answered_here"),
        ("phone_picked_up caller_hung_up", "talking over", "answered_here"),
        ("phone_picked_up ring_time_ran_out", "talking talking", "answered_here"),
        ("phone_picked_up phone_picked_up", "talking talking", "answered_here"),
        ("phone_picked_up stopped", "talking over", "answered_here"),
        ("answered_elsewhere phone_picked_up", "over over", "answered_elsewhere"),
        ("ring_time_ran_out caller_hung_up", "over over", "no_answer"),
        ("caller_hung_up ring_time_ran_out", "over over", "abandoned"),
    ],
)
def test_what_a_call_goes_through(walk: str, stages: str, outcome: str) -> None:
    passed, fell = stages_of([Happening(word) for word in walk.split()])
    assert (passed[1:], fell) == (stages.split(), [outcome])


@given(WALKS)
def test_the_outcome_falls_at_most_once_and_as_soon_as_a_call_no_longer_rings(walk: list[Happening]) -> None:
    stages, outcomes = stages_of(walk)
    assert len(outcomes) == (stages[-1] is not Stage.RINGING)


@given(WALKS)
def test_a_call_that_is_over_stays_over_and_none_rings_again(walk: list[Happening]) -> None:
    for before, following in pairwise(stages_of(walk)[0]):
        assert before is not Stage.OVER or following is Stage.OVER
        assert following is not Stage.RINGING or before is Stage.RINGING


@given(WALKS)
def test_a_stop_ends_every_call(walk: list[Happening]) -> None:
    stages, outcomes = stages_of([*walk, Happening.STOPPED])
    assert stages[-1] is Stage.OVER
    assert len(outcomes) == 1


@pytest.mark.parametrize("stage", Stage)
def test_every_stage_is_reached_and_every_stage_but_the_last_can_be_left(stage: Stage) -> None:
    reached = {Stage.RINGING} | {following for steps in TABLE.values() for following, _ in steps.values()}
    assert stage in reached
    assert any(following is not stage for following, _ in TABLE[stage].values()) == (stage is not Stage.OVER)


def test_every_happening_means_something_somewhere_and_every_outcome_falls() -> None:
    assert {happening for steps in TABLE.values() for happening in steps} == set(Happening)
    assert {outcome for steps in TABLE.values() for _, outcome in steps.values() if outcome} == set(Outcome)


def test_the_outcomes_are_the_gateways() -> None:
    assert {outcome.name: outcome.value for outcome in Outcome} == {outcome.name: outcome.value for outcome in call.Outcome}
