"""A queued text waits while a later round of its call rings: its caller may be answered yet."""

import asyncio
import sqlite3
from collections.abc import Callable
from datetime import datetime, timedelta
from pathlib import Path

import pytest

from config.load import load
from config.model import E164
from gateway.core import facts
from gateway.core.call import Outcome
from gateway.core.quiet import NEVER
from gateway.core.reason import Reason
from gateway.core.rounds import RingsOf
from gateway.process.wake_ups import WakeUps
from gateway.store import calls, queue
from gateway.texts import handover
from gateway.texts.outbox import rings_of
from tests.decisions.test_earlier_calls import TEN, Office, arrives
from tests.peers.gateway import RunningGateway
from tests.peers.raw_caller import RawCaller
from tests.peers.smsc import Smsc

ANOTHER = E164("+14155550124")
ELSEWHERE = 'Reason: SIP;cause=200;text="Call completed elsewhere"'
RING_S = 20
ROUTES = {"front": ("a", "b")}


def at(seconds: float) -> datetime:
    return TEN + timedelta(seconds=seconds)


@pytest.fixture
def office(db: sqlite3.Connection, tmp_path: Path) -> Office:
    """The line rings for 20 s, and takes what comes within 20 s for the same call."""
    opened = Office(db, tmp_path, "call", "off")
    assert opened.rings(0) == "queued first"
    return opened


@pytest.fixture
def rings(tmp_path: Path, office: Office) -> RingsOf:
    return rings_of(load(tmp_path / "textback.toml"))


def round_two(office: Office, seconds: float = 30) -> None:
    office.begins(seconds / 60)


def test_it_waits_for_the_end_of_the_round_and_for_no_longer_than_it_rings(office: Office, rings: RingsOf) -> None:
    round_two(office)
    told = handover.claim_at(office.db, at(35), ROUTES, {"a": 9}, NEVER, rings)
    assert (told.result.claimed, told.result.waiting, told.result.next_at) == ((), (1,), at(35))
    of = facts.OfText(text=1, call=1, line="front")
    assert told.facts == (facts.TextPostponed(at=at(35), of=of, reason=Reason.DUPLICATE),)
    again = handover.claim_at(office.db, at(35), ROUTES, {"a": 9}, NEVER, rings)
    assert (again.result.waiting, again.result.next_at, again.facts) == ((), at(30 + RING_S), ())
    (claimed,) = queue.claim_due(office.db, at(30 + RING_S), ROUTES, {"a": 9}, NEVER, rings).claimed
    assert claimed.id == 1  # whatever became of the end of that round


@pytest.mark.parametrize(
    ("outcome", "came", "goes"),
    [
        (Outcome.NO_ANSWER, "already_texted", True),
        (Outcome.ABANDONED, "already_texted", True),
        (Outcome.INTERRUPTED, "already_texted", True),
        (Outcome.ANSWERED_ELSEWHERE, "not_missed", False),
        (Outcome.ANSWERED_HERE, "not_missed", False),
    ],
)
def test_it_goes_once_where_the_round_was_missed_and_not_where_it_was_answered(
    office: Office, rings: RingsOf, outcome: Outcome, came: str, goes: bool
) -> None:
    round_two(office)
    queue.claim_due(office.db, at(31), ROUTES, {"a": 9}, NEVER, rings)
    assert office.rings(0.5, outcome, rang=5) == came
    looked = queue.claim_due(office.db, at(35), ROUTES, {"a": 9}, NEVER, rings)
    assert ([text.id for text in looked.claimed], looked.cancelled) == (([1], ()) if goes else ([], (1,)))
    assert queue.claim_due(office.db, at(60), ROUTES, {"a": 9}, NEVER, rings).claimed == ()
    assert len(office.db.execute("SELECT id FROM texts").fetchall()) == 1


def test_third_round_after_the_second(office: Office, rings: RingsOf) -> None:
    for seconds in (25, 50):
        round_two(office, seconds)
        assert queue.claim_due(office.db, at(seconds + 1), ROUTES, {"a": 9}, NEVER, rings).waiting == (1,)
        assert office.rings(seconds / 60) == "already_texted"
    assert [text.id for text in queue.claim_due(office.db, at(70), ROUTES, {"a": 9}, NEVER, rings).claimed] == [1]


@pytest.mark.parametrize(
    "begins",
    [
        pytest.param(lambda office: round_two(office, 41), id="too late for a round"),
        pytest.param(lambda office: calls.arrive(office.db, _arrival(caller=ANOTHER)), id="another caller"),
        pytest.param(lambda office: calls.arrive(office.db, _arrival(line="back")), id="another line"),
        pytest.param(lambda office: calls.arrive(office.db, _arrival(trunk="call-test")), id="a test call"),
    ],
)
def test_it_waits_for_no_other_call(office: Office, rings: RingsOf, begins: Callable[[Office], None]) -> None:
    begins(office)
    assert [text.id for text in queue.claim_due(office.db, at(45), ROUTES, {"a": 9}, NEVER, rings).claimed] == [1]


def test_it_waits_for_none_where_the_line_knows_no_rounds(office: Office, tmp_path: Path) -> None:
    path = tmp_path / "textback.toml"
    path.write_text(path.read_text().replace("[line.front]\n", '[line.front]\nsame_call_within = "off"\n'))
    round_two(office)
    assert len(queue.claim_due(office.db, at(35), ROUTES, {"a": 9}, NEVER, rings_of(load(path))).claimed) == 1


@pytest.mark.parametrize("tried", ["[]", '["a"]'])
def test_it_keeps_no_other_text_waiting(office: Office, rings: RingsOf, tried: str) -> None:
    """Also one that another bridge may have at once because the first has declined it: nobody looks again and again."""
    assert office.rings(0.1, caller=ANOTHER) == "queued first"
    office.db.execute("UPDATE texts SET tried = ?", (tried,))
    round_two(office)
    room = {"a": 1} if tried == "[]" else {"a": 1, "b": 1}
    assert queue.claim_due(office.db, at(35), ROUTES, room, NEVER, rings).next_at == at(35)
    looked = queue.claim_due(office.db, at(35), ROUTES, room, NEVER, rings)
    assert [text.recipient for text in looked.claimed] == [ANOTHER]
    assert queue.claim_due(office.db, at(36), ROUTES, room, NEVER, rings).next_at == at(50)


def test_the_end_of_a_round_wakes_the_queue() -> None:
    queued, held = asyncio.Event(), asyncio.Event()
    ended = facts.CallMissed(
        at=TEN, call=2, line="front", outcome=Outcome.NO_ANSWER, rang=timedelta(0), decision="skip",
        reason=Reason.ALREADY_TEXTED, same_call_as=1,
    )  # fmt: skip
    WakeUps(queue=queued, holds=held).hear(ended)
    assert (queued.is_set(), held.is_set()) == (True, False)


def _arrival(**changes: str) -> calls.Arrival:
    return arrives(0.5, **changes)  # type: ignore[arg-type]


def test_real_rounds(gateway: Callable[..., RunningGateway], tmp_path: Path) -> None:
    """Two callers whose first rounds are missed while no bridge is up; it comes up while their second rounds ring."""
    smsc = Smsc(tmp_path)
    running = gateway(ring=90, same_call_within="20s", sms=smsc.config(more='reconnect_most = "1s"'))
    missed, answered = "+14155550123", "+14155550124"
    for caller in (missed, answered):
        with RawCaller(running.sip_port, caller=caller) as first:
            first.send()
            first.until(180)
            first.send("CANCEL", of=1)
            first.until(487)
    running.wait_for("texts", 2, state="queued")
    with (
        RawCaller(running.sip_port, caller=missed) as to_be_missed,
        RawCaller(running.sip_port, caller=answered) as to_be_answered,
    ):
        for second in (to_be_missed, to_be_answered):
            second.send()
            second.until(180)
        running.wait_for("calls", 2, outcome=None)
        smsc.start()
        try:
            running.wait_for_status(lambda status: status["bridges"]["primary"]["up"])
            for text in (1, 2):
                running.wait_for_log(f"event=text_postponed text={text} reason=duplicate")
            assert {text["state"] for text in running.texts()} == {"queued"}
            to_be_answered.send("CANCEL", ELSEWHERE, of=1)
            to_be_missed.send("CANCEL", of=1)
            running.wait_for("texts", 1, state="accepted")
            running.wait_for("texts", 1, state="cancelled")
            states = {text["to"]: (text["call"], text["state"]) for text in running.texts()}
            assert states == {missed: (1, "accepted"), answered: (2, "cancelled")}
            assert "outcome=answered_elsewhere" in running.log
            assert running.log.count("same_call_as=1") == 1
            assert running.log.count("same_call_as=2") == 1
            assert len(smsc.submitted()) == 1
        finally:
            smsc.kill()
