"""Rounds of one call: queues and follow-me ring again, with a new INVITE and Call-ID. On a real database, and replayed."""

import json
import sqlite3
from collections.abc import Callable
from pathlib import Path

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from gateway.core.call import Outcome
from gateway.preview.records import from_journal
from gateway.preview.simulation import FromCallers, Simulation
from gateway.store import calls
from gateway.store.selection import Selection
from tests.decisions.test_earlier_calls import TEN, Office, opened_database

Open = Callable[..., Office]
LINE_WITHOUT = '[line.front]\nnumber = "+14155550100"\n'


@pytest.fixture
def office(db: sqlite3.Connection, tmp_path: Path) -> Open:
    """An office whose `once_per`, and what else its text says, is told. `same`: the line's `same_call_within`."""

    def opened(once_per: str = "day", more: str = "", same: str = "") -> Office:
        at = Office(db, tmp_path, once_per, "off", more)
        if same:
            path = tmp_path / "textback.toml"
            path.write_text(path.read_text().replace(LINE_WITHOUT, f'{LINE_WITHOUT}same_call_within = "{same}"\n'))
            at.load(path)
        return at

    return opened


def seconds(count: float) -> float:
    """In minutes, as the office counts."""
    return count / 60


def newest(at: Office) -> sqlite3.Row:
    return calls.selected(at.db, Selection(limit=1))[0]


def trace(at: Office) -> dict[str, str]:
    """What each rule saw at the newest decision of the newest call."""
    decided = calls.decisions(at.db, newest(at)["id"])[-1]
    return {entry["rule"]: entry["saw"] for entry in json.loads(decided["trace"])}


@pytest.mark.parametrize("once_per", ["call", "day", "24h", "20m"])
@pytest.mark.parametrize("gap", [0.5, 13, 20])
def test_rounds_of_a_queue_are_one_call_and_get_one_text(office: Open, once_per: str, gap: float) -> None:
    """Five rounds of 20 s each; the last is far from the first, and yet the same call."""
    at = office(once_per)
    came_of = [at.rings(seconds(n * (20 + gap))) for n in range(5)]
    assert came_of == ["queued first"] + ["already_texted"] * 4
    assert [row["same_call_as"] for row in reversed(calls.selected(at.db, Selection(limit=9)))] == [None, 1, 1, 1, 1]
    assert "same call as 1" in trace(at)["not_a_fork"]
    assert "same call as 1" in trace(at)["not_texted_lately"]


def test_next_call_is_the_second_however_many_rounds_the_first_had(office: Open) -> None:
    at = office("day")
    assert [at.rings(seconds(n * 30)) for n in range(3)] == ["queued first", "already_texted", "already_texted"]
    assert [at.rings(10 + seconds(n * 30)) for n in range(3)] == ["queued second", "already_texted", "already_texted"]
    assert at.rings(20) == "queued third"


@pytest.mark.parametrize(
    ("same", "gap", "expected"), [("off", 5, False), ("20s", 21, False), ("1m", 50, True), ("", 21, False)]
)
def test_how_soon_is_the_line_s_to_say(office: Open, same: str, gap: float, expected: bool) -> None:
    at = office("call", same=same)
    assert at.rings(0) == "queued first"
    assert at.rings(seconds(20 + gap)) == ("already_texted" if expected else "queued first")


def test_rounds_over_midnight_get_one_text(office: Open) -> None:
    """14 hours after ten it is midnight."""
    at = office("day")
    assert at.rings(14 * 60 - seconds(25)) == "queued first"
    assert at.rings(14 * 60 + seconds(5)) == "already_texted"


def test_call_after_an_answered_one_is_another(office: Open) -> None:
    at = office("call")
    assert at.rings(0, Outcome.ANSWERED_ELSEWHERE) == "not_missed"
    assert at.rings(seconds(30)) == "queued first"
    assert newest(at)["same_call_as"] is None


def test_withheld_callers_are_never_the_same(office: Open) -> None:
    at = office("call")
    for n in range(2):
        at.rings(seconds(n * 30), caller=None)
    assert newest(at)["same_call_as"] is None


def test_test_calls_are_each_their_own(office: Open) -> None:
    at = office("call")
    assert [at.rings(seconds(n * 30), trunk="call-test") for n in range(2)] == ["queued first", "queued first"]


@pytest.mark.parametrize("last", [Outcome.ABANDONED, Outcome.BUSY, Outcome.INTERRUPTED])
def test_short_last_round_does_not_make_the_call_too_short(office: Open, last: Outcome) -> None:
    """Round one's text waits, and is round two's to decide; that one is given up after a second."""
    at = office("call", 'wait = "30s"')
    assert at.rings(0) == "held first"
    at.begins(seconds(40))
    assert at.came_at(seconds(50)) == ["duplicate"]
    assert at.rings(seconds(40), last, rang=11 if last is not Outcome.ABANDONED else 1) == "held first"
    at.time_passes(5)
    assert [said for _, said in at.went()] == ["first"]


@pytest.mark.parametrize("once_per", ["call", "day"])
def test_round_that_is_answered_cancels_the_text_of_the_first(office: Open, once_per: str) -> None:
    """Round two comes before the wait is over, and is answered after that."""
    at = office(once_per, 'wait = "30s"')
    assert at.rings(0) == "held first"
    at.begins(seconds(35))
    assert at.came_at(seconds(50)) == ["duplicate"]
    assert at.rings(seconds(35), Outcome.ANSWERED_ELSEWHERE, rang=18) == "not_missed"
    at.time_passes(60)
    assert at.went() == []
    assert newest(at)["same_call_as"] == 1


def test_round_that_is_answered_within_the_wait_resolves_the_first(office: Open) -> None:
    at = office("call", 'wait = "45s"')
    assert at.rings(0) == "held first"
    assert at.rings(seconds(30), Outcome.ANSWERED_ELSEWHERE, rang=5) == "not_missed"
    assert at.came_at(seconds(65)) == ["resolved"]
    assert at.went() == []


def test_rounds_that_are_missed_within_the_wait_get_one_text(office: Open) -> None:
    at = office("call", 'wait = "45s"')
    assert at.rings(0) == "held first"
    assert at.rings(seconds(30), rang=20) == "already_texted"
    at.time_passes(5)
    assert [said for _, said in at.went()] == ["first"]


ENDINGS = st.sampled_from([(Outcome.NO_ANSWER, 20), (Outcome.ABANDONED, 1), (Outcome.ABANDONED, 8), (Outcome.BUSY, 0)])


@example(rounds=[(1, (Outcome.BUSY, 0)), (9, (Outcome.ABANDONED, 1))], wait="10s")
@settings(max_examples=60, deadline=None)
@given(st.lists(st.tuples(st.integers(1, 20), ENDINGS), min_size=1, max_size=8), st.sampled_from(["0s", "10s", "45s", "2m"]))
def test_one_call_gets_one_text_whatever_its_rounds(
    tmp_path_factory: pytest.TempPathFactory, rounds: list[tuple[int, tuple[Outcome, int]]], wait: str
) -> None:
    """Never two, and never none where one of its rounds was meant."""
    with opened_database() as db:
        at = Office(db, tmp_path_factory.mktemp("office"), "call", "off", f'wait = "{wait}"')
        now = 0.0
        for gap, (outcome, rang) in rounds:
            now += gap
            at.begins(seconds(now))
            at.time_passes(seconds(now + rang))
            at.rings(seconds(now), outcome, rang=rang)
            now += rang
        at.time_passes(60)
        is_meant = sum(rang for _, (_, rang) in rounds) >= 3 or any(o is not Outcome.ABANDONED for _, (o, _) in rounds)
        assert len(at.went()) == int(is_meant)


@pytest.mark.parametrize("more", ["", 'wait = "30s"'])
@pytest.mark.parametrize("once_per", ["call", "day"])
def test_replay_finds_the_rounds(office: Open, once_per: str, more: str) -> None:
    at = office(once_per, more)
    for minutes in (0, seconds(33), seconds(66), 20, 20.5):
        at.begins(minutes)
        at.time_passes(minutes + seconds(20))
        at.rings(minutes, Outcome.ANSWERED_ELSEWHERE if minutes == 20.5 else Outcome.NO_ANSWER)
    at.time_passes(60)
    recorded = from_journal(at.db, TEN, at.ruling.directory)
    replayed = list(Simulation(at.ruling, FromCallers()).replay(recorded))
    assert {one.recorded.name: one.reason.value for one in replayed} == {
        str(row["id"]): row["reason"] for row in calls.selected(at.db, Selection(limit=9))
    }
    assert sum(one.decision == "send" for one in replayed) == (1 if more else 2)


def test_replay_lets_the_round_decide_that_rings_when_the_wait_is_over(office: Open) -> None:
    """Without the wait each round would be texted at once; with it, nobody is."""
    at = office("call")
    at.rings(0)
    at.rings(seconds(35), Outcome.ANSWERED_ELSEWHERE, rang=18)
    recorded = from_journal(at.db, TEN, at.ruling.directory)
    assert [one.decision for one in Simulation(at.ruling, FromCallers()).replay(recorded)] == ["send", "skip"]
    patient = office("call", 'wait = "30s"')
    assert [one.reason.value for one in Simulation(patient.ruling, FromCallers()).replay(recorded)] == [
        "duplicate",
        "not_missed",
    ]


def test_long_chain_is_followed_to_its_beginning(office: Open) -> None:
    """A queue that rings for half an hour."""
    at = office("call")
    for n in range(60):
        at.rings(seconds(n * 30))
    assert newest(at)["same_call_as"] == 1
    assert len(at.went()) == 1
