"""Held texts with a real database: decided in time, expired where they are late, and none blocks another."""

import asyncio
import sqlite3
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from structlog.testing import capture_logs

from config.model import E164
from gateway.actions import ActionRefused, WrongUse
from gateway.core.call import Outcome
from gateway.core.consent import Wish
from gateway.decisions import deciding
from gateway.decisions import holds as holds_module
from gateway.decisions.ruling import Ruling, Verdict
from gateway.store import calls, consent, texts
from gateway.store.calls import Arrival, Ending
from tests.peers.sending import CALLER, Sending, sending
from tests.sms.test_smpp_bridge import until

WAITS = '[line.front.text]\nwait = "1s"\nexpires = "2s"\n'


async def miss(it: Sending, key: str = "1", caller: E164 = CALLER, *, ago: timedelta = timedelta(0)) -> Verdict:
    """A missed call, decided."""
    at = datetime.now(UTC) - ago
    arrival = Arrival(
        key=key, call_id=key, trunk="pbx", source="192.0.2.10:5060", line="front", caller=caller, caller_as_sent=caller,
        caller_name="", caller_header="From", dialled=("+14155550100",), diversions=(), verstat="",
        arrived_at=at - timedelta(seconds=20),
    )  # fmt: skip
    ending = Ending(outcome=Outcome.NO_ANSWER, at=at, rang=timedelta(seconds=20))
    verdict = await it.store.run(deciding.end, it.in_force.ruling, arrival, ending, datetime.now(UTC))
    assert verdict is not None
    return verdict


async def decisions(it: Sending, call: int = 1) -> list[tuple[str, str]]:
    rows = await it.store.run(calls.decisions, call)
    return [(row["decision"], row["reason"]) for row in rows]


async def test_held_text_goes_when_its_time_comes(tmp_path: Path) -> None:
    async with sending(tmp_path, line=WAITS) as it:
        assert (await miss(it)).reason.value == "wait"
        (row,) = await it.until("accepted")
        assert await decisions(it) == [("hold", "wait"), ("send", "missed_call")]
    assert datetime.fromisoformat(row["expires_at"]) - datetime.fromisoformat(row["due_at"]) <= timedelta(seconds=2)


@pytest.mark.parametrize("ago", [timedelta(seconds=3.1), timedelta(days=3)])
async def test_held_text_that_is_late_expires(tmp_path: Path, ago: timedelta) -> None:
    """The wait ended more than `expires` ago, because the gateway was down."""
    async with sending(tmp_path, line=WAITS) as it:
        text = await held_since(it, ago - timedelta(seconds=1))
        rows = await it.until("expired")
        assert (rows[0]["id"], rows[0]["detail"]) == (text, "expired")
        assert (await decisions(it))[-1] == ("skip", "expired")
    assert not (tmp_path / "data" / "spool.jsonl").exists()


async def held_since(it: Sending, ago: timedelta) -> int:
    """A text whose hold ended so long ago."""
    verdict = await miss(it)
    due = (datetime.now(UTC) - ago).isoformat(timespec="milliseconds").replace("+00:00", "Z")
    assert verdict.text is not None
    await it.store.run(set_due, verdict.text, due)
    it.holds_changed.set()
    return verdict.text


def set_due(db: sqlite3.Connection, text: int, due: str) -> None:
    db.execute("UPDATE texts SET due_at = ? WHERE id = ?", (due, text))


async def test_call_that_is_journalled_days_late_is_not_texted(tmp_path: Path) -> None:
    """Interrupted by a power cut before the weekend, journalled after it; nor is it held for the quiet hours' end."""
    async with sending(tmp_path, line=WAITS) as it:
        verdict = await miss(it, ago=timedelta(days=3))
        assert (verdict.decision, verdict.reason.value, verdict.text) == ("skip", "expired", None)


@dataclass(frozen=True, slots=True)
class Stumbling(Ruling):
    """Fails over one held text."""

    over: int = 1

    def on_due(self, db: sqlite3.Connection, text: int, *rest: Any, **named: Any) -> Verdict | None:
        if text == self.over:
            raise LookupError("a fault of ours")
        return Ruling.on_due(self, db, text, *rest, **named)


async def test_held_text_that_cannot_be_decided_blocks_no_other(tmp_path: Path) -> None:
    with capture_logs() as logs:
        async with sending(tmp_path, line=WAITS) as it:
            it.in_force.ruling = Stumbling(it.in_force.directory)
            for number in range(3):
                await miss(it, str(number), E164(f"+1415555012{number}"))
            rows = await it.until("accepted", 2)
            assert [row["state"] for row in rows] == ["held", "accepted", "accepted"]
            assert [log["text"] for log in logs if log["event"] == "held_text_not_decided"] == [1]
            it.in_force.ruling = Ruling(it.in_force.directory)
            assert (await it.holds.release(1)) is not None
            await it.until("accepted", 3)


async def test_more_than_one_turns_worth(tmp_path: Path) -> None:
    async with sending(tmp_path, line='[line.front.text]\nwait = "1s"\n') as it:
        many = holds_module.AT_ONCE + 20
        for number in range(many):
            await miss(it, str(number), E164(f"+1415556{number:04d}"))
        await it.until("accepted", many)


async def test_actions_on_held_texts_and_calls(tmp_path: Path) -> None:
    """Release, drop, done: each once, and each says no where there is nothing to do."""
    async with sending(tmp_path, line='[line.front.text]\nwait = "1h"\n') as it:
        for number in range(3):
            await miss(it, str(number), E164(f"+1415555012{number}"))
        assert await it.actions.drop(1) == "text 1 is dropped"
        assert await it.actions.done(2) == "call 2 is done; 1 text to its caller cancelled"
        rows = {row["id"]: row for row in await it.rows()}
        assert (rows[1]["state"], rows[2]["state"], rows[2]["detail"]) == ("cancelled", "cancelled", "resolved")
        assert await it.actions.done(2) == "call 2 is done; no text was held for its caller"
        for refused, says in (
            (it.actions.release(3), r"text 3 stays held until \w{3} [-0-9]+ [:0-9]+ C[SD]T, because the line waits before it"),
            (it.actions.drop(1), "text 1 is cancelled; only a held or queued text can be dropped, so nothing was changed"),
            (it.actions.release(1), "text 1 is cancelled; only a held text can be released, so nothing was changed"),
            (it.actions.resend(3), "text 3 is held; only a text whose fate is unknown can be sent again, so nothing was"),
            (it.actions.settle(3), "text 3 is held; only a text whose fate is unknown can be settled, so nothing was"),
            (it.actions.settle(9), "there is no text 9"),
            (it.actions.done(9), "there is no call 9"),
            (it.actions.release_held("front", None), "1 text stays held until .*, because the line waits"),
        ):
            with pytest.raises(ActionRefused, match=says):
                await refused
        assert (await it.rows())[2]["state"] == "held"


async def test_call_is_done_with_its_texts_or_not_at_all(tmp_path: Path) -> None:
    """The decision about a held text cannot be written: the call is not done either, and asking again does both."""
    async with sending(tmp_path, line='[line.front.text]\nwait = "1h"\n') as it:
        await miss(it)
        await it.store.run(lambda db: db.execute("ALTER TABLE decisions RENAME TO gone"))
        with pytest.raises(sqlite3.OperationalError, match="decisions"):
            await it.actions.done(1)
        await it.store.run(lambda db: db.execute("ALTER TABLE gone RENAME TO decisions"))
        call = await it.store.run(calls.one, 1)
        assert call is not None
        assert call["done_at"] is None
        assert await it.actions.done(1) == "call 1 is done; 1 text to its caller cancelled"


async def test_released_text_whose_caller_has_said_stop_is_cancelled_and_said_so(tmp_path: Path) -> None:
    async with sending(tmp_path, line='[line.front.text]\nwait = "1h"\n') as it:
        await miss(it)
        await it.store.run(say_stop, CALLER)
        with pytest.raises(ActionRefused, match=r"text 1 does not go and is cancelled, because .* no texts \(opted_out\)"):
            await it.actions.release(1)
        assert (await it.rows())[0]["state"] == "cancelled"


async def test_held_texts_of_a_line_that_is_gone_can_be_dropped(tmp_path: Path) -> None:
    async with sending(tmp_path) as it:
        await it.add(2, line="old", due_at=None, held_for="limit")
        with pytest.raises(WrongUse, match="there is no line older; the lines are front"):
            await it.actions.drop_held("older", None)
        assert (await it.actions.drop_held("old", None)).said == "2 texts are dropped"


@pytest.mark.parametrize("happened", ["opted_out", "resolved"])
async def test_text_is_not_sent_again_to_whom_it_would_not_be_sent_today(tmp_path: Path, happened: str) -> None:
    async with sending(tmp_path) as it:
        await miss(it)
        await it.until("accepted")
        await it.store.run(set_unknown, 1)
        if happened == "opted_out":
            await it.store.run(say_stop, CALLER)
        else:
            await it.actions.done(1)
        with pytest.raises(ActionRefused, match=rf"text 1 stays unknown and does not go again, because .* \({happened}\)"):
            await it.actions.resend(1)
        assert (await it.rows())[0]["state"] == "unknown"
    assert (tmp_path / "data" / "spool.jsonl").read_text().count("\n") == 1


def say_stop(db: sqlite3.Connection, number: E164) -> None:
    consent.add(db, number=number, wish=Wish.OPT_OUT, at=datetime.now(UTC), source="reply:1")


async def test_actions_on_unknown_texts_and_tests(tmp_path: Path) -> None:
    async with sending(tmp_path) as it:
        it.outbox.routes = {}
        first, second = await it.add(2)
        for text in (first, second):
            await it.store.run(set_unknown, text)
        it.outbox.routes = {"front": ("spool",)}
        assert await it.actions.resend(first) == f"text {first} goes out again"
        assert await it.actions.settle(second) == f"text {second} counts as sent"
        assert await it.actions.send_test("front", E164("+14155550199"), None) == 3
        rows = await it.until("accepted", 3)
        assert [row["kind"] for row in rows] == ["missed_call", "missed_call", "test"]
        for refused in (
            it.actions.send_test("none", CALLER, None),
            it.actions.send_test("front", CALLER, 4),
            it.actions.send_test("front", E164("+18005550199"), None),
        ):
            with pytest.raises(ActionRefused):
                await refused
    assert (tmp_path / "data" / "spool.jsonl").read_text().count("\n") == 2


def set_unknown(db: sqlite3.Connection, text: int) -> None:
    db.execute("UPDATE texts SET state = 'unknown', bridge = 'spool' WHERE id = ?", (text,))
    assert texts.one(db, text) is not None


async def test_stop_waits_for_the_turn_under_way(tmp_path: Path) -> None:
    """Every held text that was decided by the end is queued or gone, and none is decided afterwards."""
    async with sending(tmp_path, line=WAITS) as it:
        for number in range(50):
            await miss(it, str(number), E164(f"+1415556{number:04d}"))
        await it.until("accepted")
        await asyncio.sleep(0)
    db = sqlite3.connect(tmp_path / "data" / "textback.db")
    found = dict(db.execute("SELECT state, count(*) FROM texts GROUP BY state"))
    db.close()
    assert set(found) <= {"held", "accepted"}


async def test_flood_beyond_a_limit_is_told_once(tmp_path: Path) -> None:
    with capture_logs() as logs:
        async with sending(tmp_path, line="[limits]\nper_minute = 1\n") as it:
            for number in range(40):
                await miss(it, str(number), E164(f"+1415556{number:04d}"))
            await it.until("held", 39)
    assert [log["texts"] for log in logs if log["event"] == "limit_reached"] == [1]


async def test_what_waits_for_a_person_is_told_by_its_reason(tmp_path: Path) -> None:
    """A call without the attestation that is asked for has reached no limit."""
    async with sending(tmp_path, line='[limits]\nrequire_attestation = ["A"]\n') as it:
        with capture_logs() as logs:
            await miss(it)
        told = [(log["event"], log["reason"]) for log in logs]
        assert told == [("call_ended", "attestation"), ("text_held_for_a_person", "attestation")]


async def test_what_becomes_of_texts_by_a_call_that_is_done_is_told(tmp_path: Path) -> None:
    async with sending(tmp_path, line='[line.front.text]\nwait = "10m"\n') as it:
        await miss(it)
        with capture_logs() as logs:
            await it.actions.done(1)
    assert [(log["event"], log.get("decision"), log.get("reason")) for log in logs[:2]] == [
        ("call_done", None, None),
        ("held_text_decided", "skip", "resolved"),
    ]


async def test_life_of_a_text_in_facts(tmp_path: Path) -> None:
    """In order; and the outbox is woken by them, which looks by itself but once a minute."""
    async with sending(tmp_path) as it:
        await until(lambda: it.happened != [])
        await miss(it)
        await it.until("accepted")
    names = [fact.name for fact in it.happened]
    assert names == ["bridge.up", "call.missed", "text.queued", "text.accepted"]
