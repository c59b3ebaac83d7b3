"""What comes back, with a real database: obeyed each time, confirmed once, told after the commit and only then."""

import json
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from prometheus_client import generate_latest
from structlog.testing import capture_logs

from gateway.process import metrics
from gateway.store import consent, replies
from gateway.store.selection import Selection
from sms.text import Receipt, ReceiptState, Reply
from tests.peers.faulty_smsc import FaultySmsc
from tests.peers.provider import Provider
from tests.peers.sending import CALLER, sending, smpp, twilio


def reply(body: str, **changes: Any) -> Reply:
    return Reply(bridge="spool", sender=CALLER, to="+14155550100", body=body, at=datetime.now(UTC), **changes)


async def test_stop_and_start_in_turn_are_obeyed_each_time_and_confirmed_once_each(tmp_path: Path) -> None:
    async with sending(tmp_path) as it:
        for number in range(50):
            await it.inbox.reply(reply("START" if number % 2 else "STOP"))
        rows = await it.until("accepted", 2)
        assert [row["confirms"] for row in rows] == ["opt_out", "opt_in"]
        assert await it.store.run(consent.opted_out_at, CALLER) is None
        await it.inbox.reply(reply("STOP"))
        assert await it.store.run(consent.opted_out_at, CALLER) is not None
        assert len(await it.rows()) == 2


async def test_nothing_is_told_of_a_reply_that_could_not_be_kept(tmp_path: Path) -> None:
    """The step fails at its end: the reply is not there, and neither log nor metrics say that it is."""
    async with sending(tmp_path) as it:
        await it.store.run(lambda db: db.execute("DROP TABLE consent"))
        before = generate_latest(metrics._COUNTED)
        with capture_logs() as logs, pytest.raises(Exception, match="no such table: consent"):
            await it.inbox.reply(reply("STOP"))
        assert logs == []
        assert generate_latest(metrics._COUNTED) == before
        await it.inbox.reply(reply("We are in at five."))
        assert generate_latest(metrics._COUNTED) != before
        assert len(await it.store.run(lambda db: db.execute("SELECT 1 FROM replies").fetchall())) == 1


async def test_confirmations_overtake_what_waits_for_the_pace(tmp_path: Path) -> None:
    """A queue that is not sent yet, and a STOP: its confirmation goes first."""
    smsc = await FaultySmsc().start()
    async with sending(tmp_path, smpp(smsc, more="window = 1")) as it:
        it.outbox.routes = {}
        await it.add(5)
        await it.inbox.reply(reply("STOP"))
        it.outbox.routes = {"front": ("primary",)}
        it.outbox.wake()
        await it.until("accepted", 6)
    assert b"you will get no more texts" in smsc.submitted[0]
    await smsc.stop()


@pytest.mark.parametrize(("theirs", "ours"), [("10", "16"), ("16", "10"), ("0042", "42"), ("42", "0042"), ("AbC", "aBc")])
async def test_ids_of_http_providers_are_compared_as_they_are(tmp_path: Path, theirs: str, ours: str) -> None:
    """They only look like numbers: the receipt is of another text, whose answer has not come yet."""
    provider = await Provider(body=json.dumps({"sid": ours})).start()
    async with sending(tmp_path, twilio(provider, tmp_path)) as it:
        await it.add(recipient=CALLER)
        await it.until("accepted")
        state = ReceiptState.DELIVERED
        receipt = Receipt(bridge="primary", provider_id=theirs, to=CALLER, state=state, code="delivered", at=datetime.now(UTC))
        await it.inbox.receipt(receipt)
        assert [row["state"] for row in await it.rows()] == ["accepted"]
        await it.inbox.receipt(replace(receipt, provider_id=ours))
        await it.until("delivered")
    await provider.stop()


TWO_LINES = '[line.back]\nnumber = "+14155550200"\nbusiness = "Back Office"\n'


@pytest.mark.parametrize("to", ["", "+14155550999"])
@pytest.mark.parametrize("word", ["STOP", "HELP"])
async def test_reply_to_nobody_we_know_is_confirmed_by_the_line_that_texted_last(tmp_path: Path, to: str, word: str) -> None:
    """An Android phone may not say which of its numbers was written to, or says one that the configuration does not name."""
    async with sending(tmp_path, line=TWO_LINES) as it:
        it.outbox.routes = {"front": ("spool",), "back": ("spool",)}
        for line, sender in (("back", "+14155550200"), ("front", "+14155550100"), ("back", "+14155550200")):
            await it.add(line=line, sender=sender, recipient=CALLER)
            await it.until("accepted", len(await it.rows()))
        await it.add(line="front", recipient="+14155550188")
        await it.until("accepted", 4)
        await it.inbox.reply(replace(reply(word), to=to))
        *_, answered = await it.until("accepted", 5)
        assert (answered["line"], answered["sender"], answered["recipient"]) == ("back", "+14155550200", CALLER)
        assert answered["body"].startswith("Back Office")
        (kept,) = await it.store.run(replies.selected, Selection())
        assert kept["recipient"] == (to or "+14155550200")


async def test_reply_to_nobody_by_somebody_unknown_is_obeyed_and_told(tmp_path: Path) -> None:
    with capture_logs() as logs:
        async with sending(tmp_path, line=TWO_LINES) as it:
            await it.inbox.reply(replace(reply("STOP"), to=""))
            assert await it.store.run(consent.opted_out_at, CALLER) is not None
            assert await it.rows() == []
    (told,) = [log for log in logs if log["event"] == "reply_not_answered"]
    assert told["log_level"] == "warning"
    assert CALLER not in str(told)


async def test_only_line_answers_whatever_number_was_written_to(tmp_path: Path) -> None:
    async with sending(tmp_path) as it:
        await it.inbox.reply(replace(reply("STOP"), to=""))
        (answered,) = await it.until("accepted")
        assert answered["line"] == "front"


async def test_line_of_the_bridge_that_brought_it_comes_first(tmp_path: Path) -> None:
    """The same caller was texted by another provider since: the phone's reply is to the phone."""
    async with sending(tmp_path, '[sms.spool]\nkind = "spool"\n[sms.other]\nkind = "spool"\n', line=TWO_LINES) as it:
        it.outbox.routes = {"front": ("other",), "back": ("spool",)}
        for count, line in enumerate(("back", "front"), start=1):
            await it.add(line=line, recipient=CALLER)
            await it.until("accepted", count)
        await it.inbox.reply(replace(reply("STOP"), to=""))
        *_, answered = await it.until("accepted", 3)
        assert answered["line"] == "back"


async def test_lines_with_one_sender_are_told_apart_by_who_texted_last(tmp_path: Path) -> None:
    async with sending(tmp_path, line=TWO_LINES + 'sender = "+14155550100"\n') as it:
        it.outbox.routes = {"front": ("spool",), "back": ("spool",)}
        await it.add(line="back", recipient=CALLER)
        await it.until("accepted")
        await it.inbox.reply(reply("STOP"))
        *_, answered = await it.until("accepted", 2)
        assert answered["line"] == "back"


async def test_receipts_that_blame_the_account_are_told_once_until_one_is_delivered(tmp_path: Path) -> None:
    unregistered = Receipt(
        bridge="spool", provider_id="1", to=CALLER, state=ReceiptState.UNDELIVERED, code="undelivered 30034", at=datetime.now(UTC),
        is_bridge_fault=True,
    )  # fmt: skip
    delivered = replace(unregistered, state=ReceiptState.DELIVERED, code="delivered", is_bridge_fault=False)
    with capture_logs() as logs:
        async with sending(tmp_path) as it:
            for number, receipt in enumerate((unregistered, unregistered, delivered, unregistered)):
                await it.inbox.receipt(replace(receipt, provider_id=str(number)))
    told = [log for log in logs if log["event"] == "bridge_does_not_deliver"]
    assert [(log["bridge"], log["log_level"], log["code"]) for log in told] == [("spool", "error", "undelivered 30034")] * 2
    assert told[0]["cure"]
