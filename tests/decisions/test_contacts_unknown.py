"""Nobody is texted who may be blocked: without contacts the texts wait, and go or expire as they would have."""

import sqlite3
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from config.model import E164
from gateway.decisions.ruling import Ruling
from gateway.office.knowledge import Knowledge
from tests.decisions.test_holds import decisions, miss
from tests.peers.sending import CALLER, Sending, sending

MORE = '[line.front.text]\nexpires = "{expires}"\n[contacts]\nfile = "contacts.csv"\n'
EVE = E164("+14155550125")


def know(it: Sending) -> None:
    """What the gateway does when it has looked at the files again."""
    it.in_force.ruling = Ruling(Knowledge().directory(it.config, datetime.now(UTC)))
    it.holds_changed.set()


async def states(it: Sending) -> list[tuple[str, str]]:
    return [(row["state"], row["detail"] or row["held_for"] or "") for row in await it.rows()]


async def test_texts_wait_for_the_contacts_and_are_decided_anew(tmp_path: Path) -> None:
    async with sending(tmp_path, line=MORE.format(expires="15m")) as it:
        for number, caller in enumerate((EVE, CALLER)):
            verdict = await miss(it, str(number), caller)
            assert (verdict.decision, verdict.reason.value) == ("hold", "contacts_unknown")
            assert verdict.due_at is not None
        know(it)  # as broken as before
        (tmp_path / "contacts.csv").write_text("4155550125,Eve,blocked\n")
        assert await states(it) == [("held", "contacts_unknown")] * 2
        know(it)
        await it.until("accepted")
        await it.until("cancelled")
        assert await states(it) == [("cancelled", "blocked"), ("accepted", "")]
        assert await decisions(it, 2) == [("hold", "contacts_unknown"), ("send", "missed_call")]
        rows = await it.rows()
        assert until(rows[1]) == timedelta(minutes=15)
    assert "5550125" not in (tmp_path / "data" / "spool.jsonl").read_text()


def until(row: dict[str, Any]) -> timedelta:
    """How long after the call a text expires, in whole minutes."""
    late = datetime.fromisoformat(row["expires_at"]) - datetime.fromisoformat(row["queued_at"])
    return timedelta(minutes=round(late / timedelta(minutes=1)))


async def test_they_expire_as_late_as_any_other(tmp_path: Path) -> None:
    async with sending(tmp_path, line=MORE.format(expires="1s")) as it:
        await miss(it)
        await it.until("expired")
        assert await decisions(it) == [("hold", "contacts_unknown"), ("skip", "expired")]


async def test_a_file_that_is_well_too_late_sends_nothing(tmp_path: Path) -> None:
    """Held while the gateway went down, and the file was mended days later."""
    async with sending(tmp_path, line=MORE.format(expires="15m")) as it:
        await miss(it)
        await it.store.run(age_by_a_day)
        (tmp_path / "contacts.csv").write_text("number,name,group\n")
        know(it)
        await it.until("expired")
    assert not (tmp_path / "data" / "spool.jsonl").exists()


def age_by_a_day(db: sqlite3.Connection) -> None:
    db.execute("UPDATE texts SET due_at = strftime('%Y-%m-%dT%H:%M:%fZ', due_at, '-1 day')")


async def test_two_calls_of_one_caller_become_one_text(tmp_path: Path) -> None:
    async with sending(tmp_path, line=MORE.format(expires="15m")) as it:
        for key, ago in (("1", timedelta(minutes=2)), ("2", timedelta(0))):
            assert (await miss(it, key, ago=ago)).reason.value == "contacts_unknown"
        (tmp_path / "contacts.csv").write_text("number,name,group\n")
        know(it)
        await it.until("accepted")
        await it.until("cancelled")
        assert sorted(await states(it)) == [("accepted", ""), ("cancelled", "already_texted")]


async def test_a_person_may_send_without_the_contacts(tmp_path: Path) -> None:
    async with sending(tmp_path, line=MORE.format(expires="15m")) as it:
        verdict = await miss(it)
        assert verdict.text is not None
        assert await it.actions.release(verdict.text) == f"text {verdict.text} goes out"
        await it.until("accepted")


@pytest.mark.parametrize("calls_during_hold", [1, 3])
async def test_who_is_known_gets_the_variant_for_the_known(tmp_path: Path, calls_during_hold: int) -> None:
    """`send = false` for strangers must not lose the text to somebody who is only unknown while the file is away."""
    variant = '[[line.front.text.variant]]\ncaller = "new"\nsend = false\n[contacts]\nfile = "contacts.csv"\n'
    async with sending(tmp_path, line=variant) as it:
        for number in range(calls_during_hold):
            await miss(it, str(number), E164(f"+1415555013{number}"))
        (tmp_path / "contacts.csv").write_text("4155550130,Al,vip\n")
        know(it)
        await it.until("accepted")
        assert sum(state == "accepted" for state, _ in await states(it)) == 1
