"""The parts of a text: half a text is never called delivered, whatever order answers and receipts come in."""

import itertools
import sqlite3
from collections.abc import Sequence
from datetime import datetime, timedelta

import pytest

from gateway.core.delivery import TextEvent
from gateway.store import holds, queue, receipts, texts
from sms.smpp.ids import find_id
from sms.text import Receipt, ReceiptState
from tests.store.test_history import CALLER, NOW, add_call, add_text

D, U, W = ReceiptState.DELIVERED, ReceiptState.UNDELIVERED, ReceiptState.ON_ITS_WAY
LATER = NOW + timedelta(minutes=1)


def sending(db: sqlite3.Connection, at: datetime = NOW, segments: int = 3) -> int:
    """A text that was handed to `primary`."""
    text = add_text(db, add_call(db, at), at)
    db.execute("UPDATE texts SET segments = ? WHERE id = ?", (segments, text))
    queue.claim_due(db, at, {"front": ("primary",)}, {"primary": 9})
    return text


def lost(db: sqlite3.Connection, text: int, ids: Sequence[str] = (), parts: int = 3) -> None:
    """Its answer, or that of one of its parts, did not come."""
    texts.settle(db, text, TextEvent.NO_ANSWER, NOW)
    receipts.keep_parts(db, text, "primary", ids, parts, find_id)


def told(
    db: sqlite3.Connection, provider_id: str, state: ReceiptState = D, *, key: str = "", is_of_part: bool = True
) -> int | None:
    """The text that a receipt belonged to."""
    receipt = Receipt(
        bridge="primary",
        provider_id=provider_id,
        to=CALLER,
        state=state,
        code=state.value,
        at=LATER,
        key=key,
        is_of_part=is_of_part,
    )
    return receipts.add(db, receipt, find_id).text


def row_of(db: sqlite3.Connection, text: int) -> sqlite3.Row:
    row = texts.one(db, text)
    assert row is not None
    return row


def state_of(db: sqlite3.Connection, text: int) -> str:
    return str(row_of(db, text)["state"])


@pytest.mark.parametrize("ids", [(), ("A",), ("A", "B")])
def test_half_a_text_is_not_delivered_by_its_first_receipts(db: sqlite3.Connection, ids: tuple[str, ...]) -> None:
    text = sending(db)
    lost(db, text, ids)
    for provider_id in ids or ("A",):
        assert told(db, provider_id, W) == text
        assert told(db, provider_id) == text
        assert state_of(db, text) == "unknown"


@pytest.mark.parametrize("order", list(itertools.permutations("ABC")))
@pytest.mark.parametrize("known", [(), ("A",), ("A", "B"), ("A", "", "C")])
@pytest.mark.parametrize("early", [0, 2, 3])
def test_it_is_delivered_when_every_part_is(
    db: sqlite3.Connection, order: Sequence[str], known: tuple[str, ...], early: int
) -> None:
    """Every order of the receipts, each before the outcome is written down or after it."""
    text = sending(db)
    for provider_id in order[:early]:
        assert told(db, provider_id) is None
    assert state_of(db, text) == "sending"
    lost(db, text, known)
    for number, provider_id in enumerate(order[early:], start=early):
        assert state_of(db, text) != "delivered", number
        assert told(db, provider_id) == text
    assert state_of(db, text) == "delivered"


@pytest.mark.parametrize("early", ["A", "B", "BA"])
def test_receipts_before_the_answer_do_not_make_a_part_the_whole(db: sqlite3.Connection, early: str) -> None:
    text = sending(db, segments=3)
    for provider_id in early:
        assert told(db, provider_id) is None
    receipts.accept(db, text, "primary", ("A", "B", "C"), LATER, find_id)
    for provider_id in sorted({"A", "B", "C"} - set(early)):
        assert state_of(db, text) == "accepted"
        assert told(db, provider_id) == text
    assert state_of(db, text) == "delivered"


def test_one_part_that_is_not_delivered_is_enough(db: sqlite3.Connection) -> None:
    text = sending(db)
    lost(db, text, ("A",))
    told(db, "A", U)
    assert state_of(db, text) == "undelivered"
    told(db, "A", D)  # a network may think better of it, but the other parts are still nobody's
    assert state_of(db, text) == "undelivered"


@pytest.mark.parametrize("heard", ["", "A", "B", "C", "CA"])
def test_late_answer_to_the_last_part_makes_it_whole(db: sqlite3.Connection, heard: str) -> None:
    text = sending(db)
    lost(db, text, ("A", "B"))
    for provider_id in heard:
        assert told(db, provider_id) == text
    receipts.accept(db, text, "primary", ("A", "B", "C"), LATER, find_id)
    for provider_id in sorted({"A", "B", "C"} - set(heard)):
        assert state_of(db, text) == "accepted"
        told(db, provider_id)
    assert state_of(db, text) == "delivered"


def test_late_answer_to_another_part_makes_it_better_known(db: sqlite3.Connection) -> None:
    text = sending(db)
    lost(db, text, ("A",))
    receipts.keep_parts(db, text, "primary", ("A", "B"), 3, find_id)
    rows = db.execute("SELECT provider_id FROM parts WHERE text = ? ORDER BY number", (text,)).fetchall()
    assert [row["provider_id"] for row in rows] == ["A", "B", ""]
    assert state_of(db, text) == "unknown"


def test_text_that_a_crash_cut_off_has_as_many_parts_as_segments(db: sqlite3.Connection) -> None:
    """Nobody wrote down how far it came."""
    text = sending(db)
    assert texts.recover(db, NOW) == (text,)
    for provider_id in "ABC":
        assert state_of(db, text) != "delivered"
        assert told(db, provider_id) == text
    assert state_of(db, text) == "delivered"


@pytest.mark.parametrize("is_by_key", [False, True])
def test_one_id_for_many_segments_is_one_part(db: sqlite3.Connection, is_by_key: bool) -> None:
    text = sending(db)
    lost(db, text, parts=1)
    assert told(db, "SM1", key=texts.key_of(row_of(db, text)) if is_by_key else "", is_of_part=False) == text
    assert state_of(db, text) == "delivered"


def test_parts_that_share_a_key_settle_it_together(db: sqlite3.Connection) -> None:
    """A provider that gives an id a part, and our key with each: the answer was lost, or told of the second part only."""
    for number, (ids, parts) in enumerate([((), 1), (("", "B"), 2)]):
        text = sending(db, NOW + timedelta(seconds=number), segments=2)
        lost(db, text, ids, parts)
        key = texts.key_of(row_of(db, text))
        assert told(db, "B", key=key) == text
        assert state_of(db, text) != "delivered"
        assert told(db, "A", key=key) == text
        assert state_of(db, text) == "delivered"


def test_receipt_by_key_with_an_id_of_no_part_settles_nothing(db: sqlite3.Connection) -> None:
    first, second = sending(db), sending(db, NOW + timedelta(seconds=1))
    receipts.accept(db, first, "primary", ("A", "B"), NOW, find_id)
    lost(db, second)
    for _ in range(2):
        assert told(db, "Z", key=texts.key_of(row_of(db, first))) == first
    assert (state_of(db, first), state_of(db, second)) == ("accepted", "unknown")


def test_receipt_that_another_text_under_way_may_await_settles_nothing(db: sqlite3.Connection) -> None:
    """Its answer is a moment away, and then the receipt is its own."""
    first = sending(db, segments=1)
    lost(db, first, parts=1)
    second = sending(db, NOW + timedelta(seconds=1), segments=1)
    assert told(db, "7") is None
    receipts.accept(db, second, "primary", ("7",), LATER, find_id)
    assert (state_of(db, first), state_of(db, second)) == ("unknown", "delivered")


def test_receipt_before_the_outcome_settles_a_text_whose_answer_was_lost(db: sqlite3.Connection) -> None:
    text = sending(db, segments=1)
    assert told(db, "7") is None
    lost(db, text, parts=1)
    assert state_of(db, text) == "delivered"


def test_a_text_that_is_sent_once_more_has_new_parts(db: sqlite3.Connection) -> None:
    text = sending(db)
    lost(db, text, ("A",))
    told(db, "A")
    assert holds.resend(db, text, LATER, timedelta(minutes=15))
    queue.claim_due(db, LATER, {"front": ("primary",)}, {"primary": 9})
    receipts.accept(db, text, "primary", ("D", "E", "F"), LATER, find_id)
    for provider_id in "DEF":
        assert state_of(db, text) == "accepted"
        assert told(db, provider_id) == text
    assert state_of(db, text) == "delivered"


@pytest.mark.parametrize("theirs", ["0", "000", "x"])
def test_an_id_that_is_not_known_is_like_no_other(db: sqlite3.Connection, theirs: str) -> None:
    """Ids are compared without their leading zeros, and what is left may be nothing."""
    first, second = sending(db), sending(db, NOW + timedelta(seconds=1))
    lost(db, first)
    lost(db, second)
    assert told(db, theirs) is None
