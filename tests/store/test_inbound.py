"""What comes back from the networks: receipts by our own key, repetitions, the parts of long replies."""

import itertools
import sqlite3
from collections.abc import Iterator
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest

from gateway.core.delivery import TextEvent
from gateway.store import history, queue, receipts, replies, texts
from gateway.store.database import migrate
from sms.smpp.ids import find_id
from sms.text import Part, Receipt, ReceiptState, Reply
from tests.store.test_history import CALLER, NOW, add_call, add_text


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "textback.db"


def opened(path: Path) -> sqlite3.Connection:
    connection = sqlite3.connect(path, isolation_level=None)
    connection.row_factory = sqlite3.Row
    migrate(connection, path)
    return connection


@pytest.fixture
def db(path: Path) -> Iterator[sqlite3.Connection]:
    connection = opened(path)
    yield connection
    connection.close()


def unknown_text(db: sqlite3.Connection) -> sqlite3.Row:
    """A text whose answer was lost."""
    text = add_text(db, add_call(db, NOW), NOW)
    queue.claim_due(db, NOW, {"front": ("primary",)}, {"primary": 9})
    texts.settle(db, text, TextEvent.NO_ANSWER, NOW)
    row = texts.one(db, text)
    assert row is not None
    return row


def told(
    key: str = "", *, state: ReceiptState = ReceiptState.DELIVERED, to: str | None = CALLER, bridge: str = "primary"
) -> Receipt:
    return Receipt(bridge=bridge, provider_id="SM1", to=to, state=state, code=state.value, at=NOW + timedelta(1), key=key)


def state_of(db: sqlite3.Connection, text: int) -> str:
    row = texts.one(db, text)
    assert row is not None
    return str(row["state"])


def test_key_settles_one_of_several_whose_answers_were_lost(db: sqlite3.Connection) -> None:
    first, second = unknown_text(db), unknown_text(db)
    assert receipts.add(db, told(), find_id).text is None  # without the key nobody knows whose it is
    found = receipts.add(db, replace(told(texts.key_of(second)), provider_id="SM2"), find_id)
    assert found == receipts.ReceiptMatch(text=second["id"], is_new=True)
    assert (state_of(db, first["id"]), state_of(db, second["id"])) == ("unknown", "delivered")


@pytest.mark.parametrize("spoil", ["key", "instant", "number", "bridge", "junk"])
def test_key_that_does_not_fit_is_no_key(db: sqlite3.Connection, spoil: str) -> None:
    first, second = unknown_text(db), unknown_text(db)
    key = texts.key_of(first)
    receipt = {
        "key": told("999-1"),
        "instant": told(key[:-1] + str((int(key[-1]) + 1) % 10)),
        "number": told(key, to="+14155550199"),
        "bridge": told(key, bridge="backup"),
        "junk": told("9" * 400 + "-٣"),
    }[spoil]
    assert receipts.add(db, receipt, find_id).text is None
    assert {state_of(db, first["id"]), state_of(db, second["id"])} == {"unknown"}


def test_sent_then_delivered_and_each_once(db: sqlite3.Connection) -> None:
    text = unknown_text(db)
    key = texts.key_of(text)
    assert receipts.add(db, told(key, state=ReceiptState.ON_ITS_WAY), find_id).is_new
    assert state_of(db, text["id"]) == "accepted"
    assert receipts.add(db, told(key), find_id).is_new
    assert state_of(db, text["id"]) == "delivered"
    assert not receipts.add(db, told(key), find_id).is_new
    assert not receipts.add(db, told(key, state=ReceiptState.ON_ITS_WAY), find_id).is_new
    assert db.execute("SELECT count(*) FROM receipts").fetchone()[0] == 2


def test_every_part_that_shares_a_key_has_to_arrive(db: sqlite3.Connection) -> None:
    text = add_text(db, add_call(db, NOW), NOW)
    queue.claim_due(db, NOW, {"front": ("primary",)}, {"primary": 9})
    receipts.accept(db, text, "primary", ("A", "B"), NOW, find_id)
    row = texts.one(db, text)
    assert row is not None
    for provider_id, state in (("B", "accepted"), ("A", "delivered")):
        receipts.add(db, replace(told(texts.key_of(row)), provider_id=provider_id), find_id)
        assert state_of(db, text) == state


def reply(body: str, provider_id: str = "", part: Part | None = None) -> Reply:
    return Reply(bridge="primary", sender=CALLER, to="+14155550100", body=body, at=NOW, provider_id=provider_id, part=part)


def test_repeated_reply_is_kept_once(db: sqlite3.Connection) -> None:
    assert replies.add(db, reply("a", "R1")) == 1
    assert replies.add(db, reply("a", "R1")) is None
    assert replies.add(db, replace(reply("a", "R1"), bridge="backup")) == 2
    assert [replies.add(db, reply("a")) for _ in range(2)] == [3, 4]  # without an id two may be two


def part(number: int, reference: int = 7, total: int = 3) -> Part:
    return Part(reference=reference, number=number, total=total)


@pytest.mark.parametrize("order", list(itertools.permutations((1, 2, 3))))
def test_parts_in_any_order_and_across_a_restart(path: Path, order: tuple[int, ...]) -> None:
    whole = None
    for number in order:
        db = opened(path)
        assert whole is None
        assert replies.add_part(db, reply("other ", part=part(1, reference=8)), part(1, reference=8)) is None
        if number != order[-1]:
            assert replies.add_part(db, reply(f"{number} "), part(number)) is None  # and again, as an SMSC does
        whole = replies.add_part(db, reply(f"{number} "), part(number))
        db.close()
    assert whole is not None
    assert (whole.body, whole.sender, whole.part) == ("1 2 3 ", CALLER, None)


def test_parts_that_never_come_are_not_waited_for(db: sqlite3.Connection) -> None:
    for number in (1, 3):
        assert replies.add_part(db, reply(f"part {number}"), part(number)) is None
    assert replies.take_incomplete(db, NOW) == []
    (found,) = replies.take_incomplete(db, NOW + timedelta(seconds=1))
    assert found.body == "part 1[…]part 3"
    assert replies.take_incomplete(db, NOW + timedelta(days=1)) == []


IDS = [("12ab", "12AB"), ("4779", "12AB"), ("12AB", "4779"), ("0000000042", "42"), ("42", "0042"), ("SM1", "SM1")]


@pytest.mark.parametrize(("theirs", "ours"), IDS)
@pytest.mark.parametrize("is_early", [False, True])
@pytest.mark.parametrize("state", ["delivered", "undelivered"])
def test_receipts_whose_ids_are_written_otherwise(
    db: sqlite3.Connection, theirs: str, ours: str, is_early: bool, state: str
) -> None:
    """Hexadecimal for decimal, padded, in another case; before the response and after it; another text to the number beside it."""
    other, text = (add_text(db, add_call(db, NOW + timedelta(seconds=n)), NOW) for n in (0, 1))
    queue.claim_due(db, NOW, {"front": ("primary",)}, {"primary": 9})
    receipt = replace(told(state=ReceiptState(state)), provider_id=theirs)
    receipts.accept(db, other, "primary", ("77",), NOW, find_id)
    if is_early:
        assert receipts.add(db, receipt, find_id).text is None
        assert state_of(db, text) == "sending"
        receipts.accept(db, text, "primary", (ours,), NOW, find_id)
    else:
        receipts.accept(db, text, "primary", (ours,), NOW, find_id)
        assert receipts.add(db, receipt, find_id).text == text
    assert (state_of(db, text), state_of(db, other)) == (state, "accepted")


def test_receipt_for_another_number_is_no_match(db: sqlite3.Connection) -> None:
    text = add_text(db, add_call(db, NOW), NOW)
    queue.claim_due(db, NOW, {"front": ("primary",)}, {"primary": 9})
    receipts.accept(db, text, "primary", ("42",), NOW, find_id)
    for receipt in (told(to="+14155550199"), told(bridge="backup")):
        assert receipts.add(db, replace(receipt, provider_id="42"), find_id).text is None
    assert receipts.add(db, replace(told(to=None), provider_id="42"), find_id).text == text


def test_ids_that_an_smsc_uses_again_are_other_receipts(db: sqlite3.Connection) -> None:
    for number in range(2):
        at = NOW + timedelta(days=number)
        text = add_text(db, add_call(db, at), at)
        queue.claim_due(db, at, {"front": ("primary",)}, {"primary": 9})
        receipts.accept(db, text, "primary", ("1000",), at, find_id)
        receipt = replace(told(), provider_id="1000", at=at)
        assert receipts.add(db, receipt, find_id) == receipts.ReceiptMatch(text=text, is_new=True)
        assert receipts.add(db, receipt, find_id) == receipts.ReceiptMatch(text=text, is_new=False)
        assert state_of(db, text) == "delivered"


def test_a_number_is_known_by_its_calls_and_texts(db: sqlite3.Connection) -> None:
    assert not history.is_known(db, CALLER)
    add_call(db, NOW)
    assert history.is_known(db, CALLER)
