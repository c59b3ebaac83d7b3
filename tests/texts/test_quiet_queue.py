"""A text that waits in the queue until quiet hours begin waits for their end, and is decided anew."""

import sqlite3
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest

from config.load import load
from config.model import Config, Consent, Span
from gateway.core.call import Outcome
from gateway.core.kind import TextKind
from gateway.decisions.ruling import Ruling
from gateway.office.knowledge import Knowledge
from gateway.store import calls, queue, texts
from gateway.store.calls import Arrival, Ending
from gateway.texts.outbox import quiet_of, routes_of
from tests.decisions.test_holds import decisions, miss
from tests.decisions.test_ruling import CONFIG, MORNING
from tests.peers.sending import CALLER, sending

LATE = datetime(2026, 11, 24, 4, 59, tzinfo=UTC)  # 20:59 in Los Angeles
NIGHT = LATE + timedelta(minutes=2)


def decided(db: sqlite3.Connection, path: Path, consent: str) -> tuple[Config, Ruling, int]:
    """A call that was missed at 20:59, whose text is queued."""
    path.write_text(CONFIG.format(consent=consent))
    config = load(path)
    ruling = Ruling(Knowledge().directory(config, LATE))
    arrival = Arrival(
        key="1", call_id="1", trunk="pbx", source="192.0.2.10:5060", line="front", caller=CALLER, caller_as_sent=CALLER,
        caller_name="", caller_header="From", dialled=("+14155550100",), diversions=(), verstat="",
        arrived_at=LATE - timedelta(seconds=20),
    )  # fmt: skip
    verdict = ruling.on_ended(db, arrival, Ending(outcome=Outcome.NO_ANSWER, at=LATE, rang=timedelta(seconds=20)), LATE)
    assert verdict is not None
    assert (verdict.decision, verdict.text) == ("send", 1)
    return config, ruling, verdict.text or 0


@pytest.mark.parametrize("consent", ["", '[consent]\nwhen_quiet = "hold"', '[consent]\nquiet_hours = "21:00-08:00"'])
def test_it_goes_in_the_morning(db: sqlite3.Connection, tmp_path: Path, consent: str) -> None:
    config, ruling, text = decided(db, tmp_path / "textback.toml", consent)
    room = {"spool": 9}
    looked = queue.claim_due(db, NIGHT, routes_of(config), room, quiet_of(config))
    assert (looked.claimed, looked.postponed, looked.cancelled, looked.expired) == ((), (text,), (), ())
    again = ruling.on_due(db, text, NIGHT)
    assert again is not None
    assert (again.decision, again.reason.value, again.due_at) == ("hold", "quiet_hours", MORNING)
    assert ruling.on_due(db, text, MORNING) is not None
    (claimed,) = queue.claim_due(db, MORNING, routes_of(config), room, quiet_of(config)).claimed
    assert (claimed.id, claimed.body) == (text, "We are open")
    assert [row["decision"] for row in calls.decisions(db, 1)] == ["send", "hold", "send"]


def test_it_goes_not_at_all_where_that_is_wanted(db: sqlite3.Connection, tmp_path: Path) -> None:
    config, ruling, text = decided(db, tmp_path / "textback.toml", '[consent]\nwhen_quiet = "skip"')
    queue.claim_due(db, NIGHT, routes_of(config), {"spool": 9}, quiet_of(config))
    again = ruling.on_due(db, text, NIGHT)
    assert again is not None
    assert (again.decision, again.reason.value) == ("skip", "quiet_hours")
    row = texts.one(db, text)
    assert row is not None
    assert (row["state"], row["detail"]) == ("cancelled", "quiet_hours")


@pytest.mark.parametrize("consent", ['[consent]\nquiet_hours = "off"', '[consent]\nwhen_quiet = "send"'])
def test_it_goes_at_once_where_no_hour_is_quiet(db: sqlite3.Connection, tmp_path: Path, consent: str) -> None:
    config, _, text = decided(db, tmp_path / "textback.toml", consent)
    looked = queue.claim_due(db, NIGHT, routes_of(config), {"spool": 9}, quiet_of(config))
    assert [claimed.id for claimed in looked.claimed] == [text]


def test_tests_and_confirmations_go_at_any_hour(db: sqlite3.Connection, tmp_path: Path) -> None:
    config, _, _ = decided(db, tmp_path / "textback.toml", "")
    new = texts.NewText(
        call=None, line="front", recipient=CALLER, region="US", sender="+14155550100", body="x", segments=1, queued_at=NIGHT,
        due_at=NIGHT, expires_at=NIGHT + timedelta(minutes=5), kind=TextKind.TEST,
    )  # fmt: skip
    sent = {texts.add(db, new), texts.add(db, replace(new, kind=TextKind.CONFIRMATION, confirms="opt_out"))}
    looked = queue.claim_due(db, NIGHT, routes_of(config), {"spool": 9}, quiet_of(config))
    assert {claimed.id for claimed in looked.claimed} == sent


async def test_the_outbox_has_it_decided_anew(tmp_path: Path) -> None:
    """Its line has no bridge while it is still allowed; then quiet hours begin, and then the bridge comes."""
    async with sending(tmp_path) as it:
        it.outbox.routes = {}
        assert (await miss(it)).decision == "send"
        clock = datetime.now(ZoneInfo("America/Los_Angeles"))
        span = Span(start=(clock - timedelta(hours=2)).time(), end=(clock + timedelta(hours=2)).time())
        config = it.config.model_copy(update={"consent": Consent.model_construct(quiet_hours=span, when_quiet="hold")})
        it.in_force.ruling = Ruling(Knowledge().directory(config, datetime.now(UTC)))
        it.outbox.quiet, it.outbox.routes = quiet_of(config), routes_of(config)
        it.outbox.wake()
        (row,) = await it.until("held")
        while row["held_for"] != "quiet_hours" or len(await decisions(it)) < 2:
            (row,) = await it.rows()
        assert await decisions(it) == [("send", "missed_call"), ("hold", "quiet_hours")]
        assert datetime.fromisoformat(row["due_at"]) > datetime.now(UTC) + timedelta(hours=1)
        await it.store.run(forget_the_answer, row["id"])
        said = f"text {row['id']} goes out again when the quiet hours where its recipient is have ended"
        assert await it.actions.resend(row["id"]) == said
        await it.until("held")


def forget_the_answer(db: sqlite3.Connection, text: int) -> None:
    """As where a crash came between the hand-over and the answer."""
    db.execute("UPDATE texts SET state = 'unknown', held_for = NULL WHERE id = ?", (text,))
