"""What comes back, with a real database: obeyed each time, answered once, told after the commit and only then."""

from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from prometheus_client import generate_latest
from structlog.testing import capture_logs

from gateway import metrics
from gateway.store import consent
from sms.text import Reply
from tests.peers.sending import CALLER, sending


def reply(body: str, **changes: Any) -> Reply:
    return Reply(bridge="spool", sender=CALLER, to="+14155550100", body=body, at=datetime.now(UTC), **changes)


async def test_stop_and_start_in_turn_are_obeyed_each_time_and_answered_once_each(tmp_path: Path) -> None:
    async with sending(tmp_path) as it:
        for number in range(50):
            await it.inbox.reply(reply("START" if number % 2 else "STOP"))
        rows = await it.until("accepted", 2)
        assert [row["answer_to"] for row in rows] == ["opt_out", "opt_in"]
        assert await it.store.write(consent.opted_out_at, CALLER) is None
        await it.inbox.reply(reply("STOP"))
        assert await it.store.write(consent.opted_out_at, CALLER) is not None
        assert len(await it.rows()) == 2


async def test_nothing_is_told_of_a_reply_that_could_not_be_kept(tmp_path: Path) -> None:
    """The step fails at its end: the reply is not there, and neither log nor metrics say that it is."""
    async with sending(tmp_path) as it:
        await it.store.write(lambda db: db.execute("DROP TABLE consent"))
        before = generate_latest(metrics._COUNTED)
        with capture_logs() as logs, pytest.raises(Exception, match="no such table: consent"):
            await it.inbox.reply(reply("STOP"))
        assert logs == []
        assert generate_latest(metrics._COUNTED) == before
        await it.inbox.reply(reply("We are in at five."))
        assert generate_latest(metrics._COUNTED) != before
        assert len(await it.store.write(lambda db: db.execute("SELECT 1 FROM replies").fetchall())) == 1


async def test_answers_overtake_what_waits_for_the_pace(tmp_path: Path) -> None:
    """A queue that is not sent yet, and a STOP: its confirmation goes first."""
    async with sending(tmp_path) as it:
        it.outbox.routes = {}
        await it.add(5)
        await it.inbox.reply(reply("STOP"))
        it.outbox.routes = {"front": ("spool",)}
        it.outbox.wake()
        await it.until("accepted", 6)
    first = (tmp_path / "data" / "spool.jsonl").read_text().splitlines()[0]
    assert "you will get no more texts" in first
