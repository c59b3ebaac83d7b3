"""Every fact has its line in the log and its counter, or is said to have none; each listener hears each, once and in order."""

import asyncio
import typing

import pytest
from prometheus_client import generate_latest
from structlog.testing import capture_logs

from gateway.core import facts
from gateway.core.facts import ALL, Fact
from gateway.core.reason import Reason
from gateway.process import metrics
from gateway.process.counted_warnings import SAY_AGAIN_S
from gateway.process.log_lines import LINES, LogLines
from gateway.process.publisher import Publisher
from gateway.process.wake_ups import WakeUps
from sip import protocol
from sip.pipe import client
from tests.process.told import AT, EVERYTHING, NUMBER, OF, Told, missed, refusal


def named(told: Told) -> str:
    return told.fact.name


def counted() -> dict[str, str]:
    lines = generate_latest(metrics._COUNTED).decode().splitlines()
    return dict(line.rsplit(" ", 1) for line in lines if not line.startswith("#"))


def test_each_kind_of_fact_is_in_every_table() -> None:
    assert set(LINES) == set(ALL)
    assert set(metrics.COUNTED) | metrics.NOT_COUNTED == set(ALL)
    assert not set(metrics.COUNTED) & metrics.NOT_COUNTED
    assert {type(told.fact) for told in EVERYTHING} == set(ALL)


def test_a_fact_is_frozen_has_an_instant_and_a_name_of_its_own() -> None:
    for kind in ALL:
        assert kind.__dataclass_params__.frozen  # type: ignore[attr-defined]
        assert typing.get_type_hints(kind)["at"].__name__ == "datetime"
    assert len({kind.name for kind in ALL}) == len(ALL)


def test_what_the_agent_tells_is_named_otherwise_than_any_fact() -> None:
    """The journal has both before it, and must not take one for the other."""
    told_by_the_agent = {*vars(protocol), *vars(client)}
    assert [kind.__name__ for kind in ALL if kind.__name__ in told_by_the_agent] == []


@pytest.mark.parametrize("told", EVERYTHING, ids=named)
def test_line_of_a_fact(told: Told) -> None:
    with capture_logs() as logs:
        LogLines().hear(told.fact)
    assert logs == list(told.lines)
    assert NUMBER not in str(logs)


@pytest.mark.parametrize("told", EVERYTHING, ids=named)
def test_counter_of_a_fact(told: Told) -> None:
    before = counted()
    metrics.hear(told.fact)
    grown = {name: float(value) - float(before.get(name, 0)) for name, value in counted().items()}
    assert {name: by for name, by in grown.items() if by} == ({told.counter: 1.0} if told.counter else {})


def test_flood_for_a_person_is_said_at_once_by_its_reason_and_its_number_once_in_a_while() -> None:
    now = 0.0
    with capture_logs() as logs:
        lines = LogLines(clock=lambda: now)
        for reason in (Reason.LIMIT, Reason.LIMIT, Reason.ATTESTATION, Reason.LIMIT):
            lines.hear(facts.TextHeld(at=AT, of=OF, reason=reason, until=None))
        lines.tell_overdue()
        now = SAY_AGAIN_S
        lines.tell_overdue()
        lines.tell_overdue()
    assert [(log["event"], log["reason"], log["texts"], log.get("text")) for log in logs] == [
        ("limit_reached", "limit", 1, OF.text),
        ("text_held_for_a_person", "attestation", 1, OF.text),
        ("limit_reached", "limit", 2, None),
    ]


QUEUE = {
    "text.queued", "text.resent", "text.refused", "text.not_sent", "text.unknown", "text.decided send",
}  # fmt: skip
HOLDS = {"text.held", "text.postponed", "text.decided hold"}


@pytest.mark.parametrize("told", EVERYTHING, ids=named)
async def test_who_is_woken_by_a_fact(told: Told) -> None:
    queue, holds = asyncio.Event(), asyncio.Event()
    WakeUps(queue=queue, holds=holds).hear(told.fact)
    more = ""
    match told.fact:
        case facts.HeldTextDecided(decision=decision):
            more = f" {decision}"
        case facts.TextQueued(is_claimed_next=True):
            more = " and claimed"
    assert queue.is_set() == (told.fact.name + more in QUEUE)
    assert holds.is_set() == (told.fact.name + more in HOLDS)


# --- the publisher ---


def test_each_listener_hears_each_fact_in_order() -> None:
    first: list[Fact] = []
    second: list[Fact] = []
    publisher = Publisher(first.append)
    publisher.listen(second.append)
    published = [told.fact for told in EVERYTHING]
    for fact in published:
        publisher.publish(fact)
    assert first == second == published


def test_what_a_listener_publishes_comes_after_what_it_heard() -> None:
    """Also for those that hear later than it does."""
    first, then = missed(), facts.CallDone(at=AT, call=3)
    heard: list[Fact] = []
    publisher = Publisher()

    def follow(fact: Fact) -> None:
        if fact == first:
            publisher.publish(then)

    publisher.listen(follow)
    publisher.listen(heard.append)
    publisher.publish(first)
    assert heard == [first, then]


def test_listener_that_raises_costs_a_line_and_nothing_else() -> None:
    heard: list[Fact] = []

    def stumble(fact: Fact) -> None:
        raise LookupError("a fault of ours")

    with capture_logs() as logs:
        publisher = Publisher(stumble, heard.append)
        publisher.publish(refusal("permanent").fact)
        publisher.publish(missed())
    assert heard == [refusal("permanent").fact, missed()]
    assert [(log["event"], log["log_level"], log["fact"]) for log in logs] == [
        ("fact_not_heard", "error", "text.refused"),
        ("fact_not_heard", "error", "call.missed"),
    ]
    assert NUMBER not in str([{**log, "exc_info": ""} for log in logs])
