"""Which texts a round claims, and for which bridge: nothing waits for a bridge that is down while another would take it."""

import sqlite3
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from config.model import E164
from gateway.core.consent import Wish
from gateway.core.kind import TextKind
from gateway.store import consent, queue, texts
from gateway.store.queue import Claimed

NOW = datetime(2026, 11, 23, 18, tzinfo=UTC)
ROUTES = {"front": ("a", "b"), "back": ("b",)}


def add(db: sqlite3.Connection, line: str = "front", *, due: datetime = NOW, **changes: object) -> int:
    new = texts.NewText(
        call=None, kind=TextKind.MISSED_CALL,
        line=line, recipient=E164("+14155550123"), region="US", sender="+14155550100", body="x", segments=1,
        queued_at=due, due_at=due, expires_at=due + timedelta(minutes=15),
    )  # fmt: skip
    return texts.add(db, replace(new, **changes))  # type: ignore[arg-type]


def claim(db: sqlite3.Connection, now: datetime = NOW, **room: int) -> list[tuple[int, str]]:
    return [(text.id, text.bridge) for text in claimed(db, now, **room)]


def claimed(db: sqlite3.Connection, now: datetime = NOW, **room: int) -> tuple[Claimed, ...]:
    return queue.claim_due(db, now, ROUTES, room).claimed


def decline(db: sqlite3.Connection, text: Claimed, *, again_in: float = 60) -> None:
    queue.put_back(db, text, NOW, again_at=NOW + timedelta(seconds=again_in), detail=f"{text.bridge}: no")


def test_first_bridge_that_is_up(db: sqlite3.Connection) -> None:
    first, second, third = add(db), add(db), add(db, "back")
    assert claim(db) == []
    assert claim(db, a=1) == [(first, "a")]
    assert claim(db, a=0, b=9) == [(third, "b")]  # the first bridge is up and has no room: its texts wait for it
    assert claim(db, b=9) == [(second, "b")]


def test_declined_text_goes_to_the_next_at_once_and_comes_back_when_the_next_is_down(db: sqlite3.Connection) -> None:
    text = add(db)
    (offered,) = claimed(db, a=9, b=9)
    decline(db, offered)
    assert claim(db, a=9) == []  # the pause of the one that declined it
    (again,) = claimed(db, b=9)
    assert (again.id, again.bridge, again.tried, again.attempts) == (text, "b", ("a",), 2)
    decline(db, again)
    later = NOW + timedelta(seconds=60)
    assert claim(db, a=9, b=9) == []  # both have declined it
    (anew,) = claimed(db, later, a=9, b=9)
    assert (anew.bridge, anew.tried) == ("a", ())


@pytest.mark.parametrize("route", [("a", "b"), ("a",)])
def test_text_that_one_bridge_declined_while_the_next_went_down_or_was_removed(
    db: sqlite3.Connection, route: tuple[str, ...]
) -> None:
    """The first is asked again after its pause, not never."""
    text = add(db)
    (offered,) = claimed(db, a=9, b=9)
    decline(db, offered)
    looked = queue.claim_due(db, NOW, {"front": route}, {"a": 9})
    assert (looked.claimed, looked.next_at) == ((), NOW + timedelta(seconds=60))
    looked = queue.claim_due(db, NOW + timedelta(seconds=60), {"front": route}, {"a": 9})
    assert [(one.id, one.bridge) for one in looked.claimed] == [(text, "a")]


def test_long_queue_of_a_bridge_that_is_down_hides_nobody(db: sqlite3.Connection) -> None:
    for number in range(2000):
        add(db, due=NOW - timedelta(minutes=5) + timedelta(milliseconds=number))
    other = add(db, "back")
    assert queue.claim_due(db, NOW, {"front": ("a",), "back": ("b",)}, {"b": 5}).claimed[0].id == other


def test_long_queue_of_declined_texts_hides_nobody(db: sqlite3.Connection) -> None:
    for _ in range(600):
        add(db, due=NOW - timedelta(minutes=1))
    for offered in claimed(db, a=500) + claimed(db, a=500):
        decline(db, offered)
    fresh = add(db)
    assert claim(db, a=5) == [(fresh, "a")]


def test_a_round_looks_at_what_it_can_give_not_at_the_whole_queue(db: sqlite3.Connection) -> None:
    """Counted in SQLite's own steps: ten times the queue, the same work."""
    with db:
        for number in range(200):
            add(db, due=NOW - timedelta(seconds=number))
    few = steps(db)
    with db:
        for number in range(2000):
            add(db, due=NOW - timedelta(seconds=number % 600))
    assert steps(db) < few * 1.5


def steps(db: sqlite3.Connection) -> int:
    counted = 0

    def count() -> int:
        nonlocal counted
        counted += 1
        return 0

    db.set_progress_handler(count, 1)
    assert len(claimed(db, a=5)) == 5
    db.set_progress_handler(None, 0)
    return counted


def test_confirmations_go_first_then_what_fell_due_first(db: sqlite3.Connection) -> None:
    late, early = add(db, due=NOW - timedelta(seconds=1)), add(db, due=NOW - timedelta(minutes=1))
    confirmation = add(db, kind=TextKind.CONFIRMATION, confirms=Wish.OPT_OUT)
    assert [text for text, _ in claim(db, a=2)] == [confirmation, early]
    assert claim(db, a=2) == [(late, "a")]


def test_cancelled_texts_take_no_room_and_the_queue_is_looked_at_again_at_once(db: sqlite3.Connection) -> None:
    out = add(db, recipient=E164("+14155550199"), due=NOW - timedelta(seconds=5))
    text = add(db)
    consent.add(db, number=E164("+14155550199"), wish=Wish.OPT_OUT, at=NOW, source="reply:1")
    looked = queue.claim_due(db, NOW, ROUTES, {"a": 1})
    assert (looked.cancelled, looked.next_at) == ((out,), NOW)
    assert [one.id for one in looked.claimed] + [one for one, _ in claim(db, a=1)] == [text]


def test_many_that_expired_are_settled_in_several_rounds(db: sqlite3.Connection) -> None:
    for _ in range(queue.AT_MOST + 1):
        add(db, due=NOW - timedelta(hours=1))
    first = queue.claim_due(db, NOW, ROUTES, {"a": 9})
    assert (len(first.expired), first.claimed, first.next_at) == (queue.AT_MOST, (), NOW)
    second = queue.claim_due(db, NOW, ROUTES, {"a": 9})
    assert (len(second.expired), second.claimed, second.next_at) == (1, (), None)
