"""What is done with a call that comes in, and what can be asked before anything has become of it."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from config.variants import conditions
from gateway.core.call import Outcome
from gateway.core.case import Case, Circumstances, Contact, History, Traffic
from gateway.core.plan import Cause, RingFor, TurnAway, plan
from gateway.core.variants import holds, holds_in
from tests.core.test_decision import call, line, policy, variant

FRIDAY_NOON = datetime(2026, 3, 6, 18, tzinfo=UTC)


@pytest.mark.parametrize("seconds", [1, 20, 2.5, 600])
def test_a_call_to_a_line_is_rung_for_as_long_as_the_line_says(seconds: float) -> None:
    of = line().model_copy(update={"ring_seconds": seconds})
    circumstances = Circumstances(policy=policy(of), now=FRIDAY_NOON)
    assert plan(circumstances) == RingFor(length=timedelta(seconds=seconds))


def test_in_a_group_the_call_is_rung_until_whoever_rings_it_ends_it() -> None:
    of = line().model_copy(update={"ring_seconds": 20, "arrives": "group", "ring_most": timedelta(minutes=4)})
    assert plan(Circumstances(policy=policy(of), now=FRIDAY_NOON)) == RingFor(length=timedelta(minutes=4))


def test_a_call_to_no_line_is_turned_away() -> None:
    assert plan(None) == TurnAway(cause=Cause.NO_LINE)


@pytest.mark.parametrize(
    ("asked", "does_hold"),
    [
        ({"days": "fri"}, True),
        ({"days": "sat-sun"}, False),
        ({"between": "11:00-13:00"}, True),
        ({"between": "13:00-14:00"}, False),
        ({"days": "fri", "between": "11:00-13:00"}, True),
        ({"caller": "known"}, True),
        ({"caller": "new"}, False),
        ({"caller": "vip"}, True),
        ({"hours": "closed"}, False),
    ],
)
def test_conditions_are_the_same_before_a_call_has_its_outcome_and_after(asked: dict[str, Any], does_hold: bool) -> None:
    of = line(variant=(variant(**asked),))
    known = Circumstances(policy=replace(policy(of), contact=Contact(name="Ann", group="vip")), now=FRIDAY_NOON)
    case = Case(call=call(), history=History(), traffic=Traffic(), policy=known.policy, now=known.now)
    one = of.text.variant[0]
    assert [holds_in(one, name, known) for name in conditions(one)] == [does_hold] * len(conditions(one))
    assert [holds(one, name, case) for name in conditions(one)] == [does_hold] * len(conditions(one))


@pytest.mark.parametrize("asked", [{"missed": 2}, {"outcome": Outcome.BUSY.value}])
def test_what_only_the_outcome_tells_is_not_asked_before(asked: dict[str, Any]) -> None:
    of = line(variant=(variant(**asked),))
    with pytest.raises(LookupError, match="before a call has its outcome"):
        holds_in(of.text.variant[0], *asked, Circumstances(policy=policy(of), now=FRIDAY_NOON))
