"""The outbox with a real database and real bridges of every kind: what was claimed is handed over, whatever happens meanwhile."""

import asyncio
import sqlite3
from collections import Counter
from datetime import UTC, datetime
from pathlib import Path

import pytest
from structlog.testing import capture_logs

from config.load import load
from gateway.store import undeliverable
from gateway.texts.outbox import LastTexts, Outbox, routes_of
from gateway.texts.queue_wake import QueueWake
from sms.smpp.pdu import Pdu
from sms.text import Accepted, Bridge, Health, Outcome, Sink, Text
from tests.peers.faulty_smsc import FaultySmsc, Link
from tests.peers.provider import Provider
from tests.peers.sending import CONFIG, SPOOL, Sending, sending, smpp, states, twilio
from tests.sms.test_smpp_bridge import until


async def refuse(link: Link, one: Pdu) -> None:
    """The sender is not allowed: our account's fault, so that the next bridge may have it."""
    link.answer(one, 0x0A)


@pytest.mark.parametrize("kinds", [("smpp", "twilio"), ("twilio", "smpp"), ("twilio", "twilio"), ("smpp", "smpp")])
async def test_failover_between_every_two_kinds_of_bridge(tmp_path: Path, kinds: tuple[str, str]) -> None:
    declining, good = await FaultySmsc(on_submit=refuse).start(), await FaultySmsc().start()
    rejecting, accepting = await Provider(status=401, body="{}").start(), await Provider().start()
    sections = {
        ("smpp", "first"): smpp(declining, "first"),
        ("twilio", "first"): twilio(rejecting, tmp_path, "first"),
        ("smpp", "second"): smpp(good, "second"),
        ("twilio", "second"): twilio(accepting, tmp_path, "second"),
    }
    async with sending(tmp_path, sections[kinds[0], "first"] + sections[kinds[1], "second"]) as it:
        await until(lambda: all(bridge.health().up for bridge in it.bridges.by_name.values()))
        await it.add(3)
        rows = await it.until("accepted", 3)
        assert {row["bridge"] for row in rows} == {"second"}
    assert len(good.submitted) + len(accepting.sent) == 3
    for peer in (declining, good, rejecting, accepting):
        await peer.stop()


async def test_text_that_both_declined_goes_when_one_is_well_again(tmp_path: Path) -> None:
    first, second = await FaultySmsc(on_submit=refuse).start(), await FaultySmsc(on_submit=refuse).start()
    async with sending(tmp_path, smpp(first, "first") + smpp(second, "second")) as it:
        await until(lambda: all(bridge.health().up for bridge in it.bridges.by_name.values()))
        await it.add()
        await until(lambda: first.submitted and second.submitted)
        await second.stop()
        first.on_submit = None
        (row,) = await it.until("accepted")
        assert row["bridge"] == "first"
    await first.stop()


async def test_text_whose_next_bridge_went_away_comes_back(tmp_path: Path) -> None:
    """Declined by the first, meant for the second; then the second is removed by a reload."""
    gone = asyncio.Event()

    async def hold(link: Link, one: Pdu) -> None:
        await gone.wait()
        link.answer(one, 0x0A)

    first, second = await FaultySmsc(on_submit=hold).start(), await FaultySmsc().start()
    async with sending(tmp_path, smpp(first, "first") + smpp(second, "second")) as it:
        await until(lambda: it.bridges.by_name["first"].health().up)
        await it.add()
        await until(lambda: first.submitted)
        reload(it, smpp(first, "first"))
        gone.set()
        await until(lambda: len(first.submitted) > 1)  # offered again after its pause
        first.on_submit = None
        assert (await it.until("accepted"))[0]["bridge"] == "first"
    await first.stop()
    await second.stop()


def reload(it: Sending, sms: str) -> None:
    """As the daemon does when the configuration is loaded again."""
    it.config.path.write_text(CONFIG.format(sms=sms, line=""))
    config = load(it.config.path)
    it.bridges.use(config.sms)
    it.outbox.routes = routes_of(config)


async def test_bridge_that_a_reload_renames_between_claim_and_hand_over(tmp_path: Path) -> None:
    provider = await Provider().start()
    with capture_logs() as logs:
        async with sending(tmp_path, twilio(provider, tmp_path, "old")) as it:
            await until(lambda: it.bridges.by_name["old"].health().up)
            for number in range(40):
                await it.add()
                await asyncio.sleep(0)
                reload(it, twilio(provider, tmp_path, "old" if number % 2 else "new"))
                await asyncio.sleep(0.002 * (number % 5))
            await it.until("accepted", 40, seconds=40)
    await provider.stop()
    assert len(provider.sent) == 40
    assert not [log for log in logs if log["log_level"] == "error"]


@pytest.mark.parametrize("kind", ["smpp", "twilio", "spool"])
@pytest.mark.parametrize("turns", [0, 1, 2, 3, 5, 8, 13, 40])
async def test_stop_in_mid_queue_strands_nothing(tmp_path: Path, kind: str, turns: int) -> None:
    """However far the sending has come: what was claimed has gone, and the rest is still queued."""
    smsc, provider = await FaultySmsc().start(), await Provider().start()
    section = {"smpp": smpp(smsc), "twilio": twilio(provider, tmp_path), "spool": SPOOL}[kind]
    async with sending(tmp_path, section, last=LastTexts(claim_within_s=0)) as it:
        await until(lambda: all(bridge.health().up for bridge in it.bridges.by_name.values()))
        await it.add(60)
        for _ in range(turns):
            await asyncio.sleep(0)
    found = states(tmp_path)
    assert set(found) <= {"queued", "accepted"}
    assert sum(found.values()) == 60
    spooled = tmp_path / "data" / "spool.jsonl"
    gone = len(smsc.submitted) + len(provider.sent) + (spooled.read_text().count("\n") if spooled.exists() else 0)
    assert gone == found.get("accepted", 0)
    await smsc.stop()
    await provider.stop()


async def test_stop_sends_what_is_due(tmp_path: Path) -> None:
    async with sending(tmp_path) as it:
        await it.add(300)
    assert states(tmp_path) == {"accepted": 300}


async def test_text_without_an_answer_at_the_end_is_unknown_and_says_why(tmp_path: Path) -> None:
    async def swallow(link: Link, one: Pdu) -> None:
        return

    smsc = await FaultySmsc(on_submit=swallow).start()
    last = LastTexts(claim_within_s=0.1, answers_within_s=0.1)
    async with sending(tmp_path, smpp(smsc), last=last) as it:
        await until(lambda: it.bridges.by_name["primary"].health().up)
        await it.add()
        await until(lambda: smsc.submitted)
        directory = it.config.path.parent
    assert states(directory) == {"unknown": 1}
    await smsc.stop()


class Stumbling:
    """A bridge with a fault of its own, before, in and after the hand-over."""

    name = "stumbling"

    def __init__(self) -> None:
        self.is_broken = True
        self.taken: list[Text] = []

    async def run(self, sink: Sink) -> None:
        await asyncio.Event().wait()

    def room(self) -> int:
        if self.is_broken:
            raise LookupError("a fault of ours")
        return 5

    def health(self) -> Health:
        return Health(up=True)

    async def submit(self, text: Text) -> Outcome:
        self.taken.append(text)
        if len(self.taken) == 1:
            raise LookupError("another fault of ours")
        return Accepted(provider_ids=("1",))

    def ask(self, text: Text, since: object) -> None:
        raise LookupError("one more fault of ours")


async def test_bridge_with_a_fault_of_its_own_stops_no_other(tmp_path: Path) -> None:
    stumbling = Stumbling()
    bridge: Bridge = stumbling
    with capture_logs() as logs:
        async with sending(tmp_path) as it:
            it.bridges.by_name["stumbling"] = bridge  # found in no configuration, so that no reload replaces it
            it.outbox.routes = {"front": ("spool",), "back": ("stumbling",)}
            await it.add(line="back", body="first")
            await it.add(2)
            await it.until("accepted", 2)
            stumbling.is_broken = False
            await it.add(line="back", body="second")
            rows = await it.until("accepted", 3)
            del it.bridges.by_name["stumbling"]
    assert Counter(row["state"] for row in rows) == {"accepted": 3, "unknown": 1}
    assert {log["event"] for log in logs if log["log_level"] == "error"} == {"bridge_failed", "text_unknown"}


async def test_bridge_that_cannot_even_be_asked_ends_nothing(tmp_path: Path) -> None:
    """At the start it is asked for a text whose answer was lost."""
    async with sending(tmp_path) as it:
        await it.add()
        await it.until("accepted")
        await it.store.run(lose_the_answer, "stumbling")
        outbox = Outbox(
            store=it.store,
            bridges={**it.bridges.by_name, "stumbling": Stumbling()},
            routes=it.outbox.routes,
            wake=QueueWake(),
        )
        with capture_logs() as logs:
            run = asyncio.create_task(outbox.run())
            await until(lambda: any(log["event"] == "bridge_failed" for log in logs))
            await outbox.stop(LastTexts())
            await run


def lose_the_answer(db: sqlite3.Connection, bridge: str) -> None:
    """As a crash does, long after the hand-over."""
    db.execute("UPDATE texts SET state = 'unknown', bridge = ?", (bridge,))


async def test_faulty_turn_is_told_and_done_again(tmp_path: Path) -> None:
    """A fault over one round: the outbox goes on, says so once, and says that it is well again."""
    with capture_logs() as logs:
        async with sending(tmp_path) as it:
            it.outbox.routes = {"front": None}  # type: ignore[dict-item]
            await it.add()
            await until(lambda: any(log["event"] == "task_failed" for log in logs))
            it.outbox.routes = {"front": ("spool",)}
            await it.until("accepted")
    said = [log["event"] for log in logs if log["event"].startswith("task_")]
    assert said == ["task_failed", "task_well_again"]


# --- a bridge that is itself at fault ---

DESTINATION_BARRED = '{"code": 21408, "message": "Permission to send an SMS has not been enabled for the region"}'


async def no_such_number(link: Link, one: Pdu) -> None:
    link.answer(one, 0x0B)


async def test_bridge_without_a_route_leaves_its_texts_to_the_next_and_marks_nobody(tmp_path: Path) -> None:
    """What Jasmin says of a number to which it has no route, and others of a wrong dest_ton: told once it is no accident."""
    wrong, right = await FaultySmsc(on_submit=no_such_number).start(), await FaultySmsc().start()
    with capture_logs() as logs:
        async with sending(tmp_path, smpp(wrong, "first", "window = 1") + smpp(right, "second")) as it:
            await until(lambda: all(bridge.health().up for bridge in it.bridges.by_name.values()))
            await it.add(6)
            rows = await it.until("accepted", 6)
            assert await it.store.run(undeliverable.known, datetime.now(UTC)) == []
    assert {row["bridge"] for row in rows} == {"second"}
    assert [log["bridge"] for log in logs if log["event"] == "bridge_refuses_numbers"] == ["first"]
    await wrong.stop()
    await right.stop()


async def test_text_to_which_no_bridge_has_a_route_is_refused_and_its_number_is_not_remembered(tmp_path: Path) -> None:
    smsc = await FaultySmsc(on_submit=no_such_number).start()
    async with sending(tmp_path, smpp(smsc)) as it:
        await it.add()
        (row,) = await it.until("refused")
        assert "no route" in row["detail"]
        assert await it.store.run(undeliverable.known, datetime.now(UTC)) == []
    await smsc.stop()


async def no_sender(link: Link, one: Pdu) -> None:
    link.answer(one, 0x0A)


@pytest.mark.parametrize("kind", ["smpp", "twilio"])
async def test_fault_of_the_account_is_told_once_and_shown_until_a_text_goes(tmp_path: Path, kind: str) -> None:
    """Neither pauses: other texts, of another sender or to another country, may go."""
    smsc = await FaultySmsc(on_submit=no_sender).start()
    provider = await Provider(status=403, body=DESTINATION_BARRED).start()
    backup = await FaultySmsc().start()
    section = smpp(smsc, "first") if kind == "smpp" else twilio(provider, tmp_path, "first")
    with capture_logs() as logs:
        async with sending(tmp_path, section + smpp(backup, "second")) as it:
            first = it.bridges.by_name["first"]
            await until(lambda: all(bridge.health().up for bridge in it.bridges.by_name.values()))
            await it.add(3)
            rows = await it.until("accepted", 3)
            assert {row["bridge"] for row in rows} == {"second"}
            assert (first.health().up, first.health().paused) == (True, False)
            assert "refused" in first.health().detail
            smsc.on_submit, provider.status, provider.body = None, 201, '{"sid": "SM1"}'
            await it.add()
            await it.until("accepted", 4)
            assert "refused" not in first.health().detail
    told = [log for log in logs if log["event"] == "bridge_refuses_texts"]
    assert [(log["bridge"], log["log_level"], log["code"]) for log in told] == [
        ("first", "error", "0x0000000A" if kind == "smpp" else "21408")
    ]
    assert told[0]["cure"]
    for peer in (smsc, provider, backup):
        await peer.stop()
