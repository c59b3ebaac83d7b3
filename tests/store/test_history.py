"""What the database knows of a caller, and that it looks it up instead of searching for it."""

import sqlite3
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from config.model import E164, Limits
from gateway.core.call import Outcome
from gateway.core.case import Twin
from gateway.core.consent import Wish
from gateway.core.delivery import TextEvent, TextState
from gateway.core.kind import TextKind
from gateway.core.reason import Reason
from gateway.store import calls, consent, history, queue, receipts, replies, schema, texts, undeliverable
from gateway.store.calls import Arrival, Ending
from gateway.store.database import StoreError, migrate
from gateway.store.selection import Selection
from sms.text import Receipt, ReceiptState, Reply

NOW = datetime(2026, 11, 23, 18, tzinfo=UTC)
CALLER = E164("+14155550123")


def add_call(
    db: sqlite3.Connection, at: datetime, outcome: Outcome | None = Outcome.NO_ANSWER, *, call_id: str = "", rang: float = 20
) -> int:
    arrival = Arrival(
        key=f"{at.isoformat()}-{outcome}-{call_id}", call_id=call_id or at.isoformat(), trunk="pbx", source="192.0.2.10:5060", line="front",
        caller=CALLER, caller_as_sent=str(CALLER), caller_name="", caller_header="From", dialled=(), diversions=(), verstat="", arrived_at=at,
    )  # fmt: skip
    call = calls.arrive(db, arrival)
    if outcome is not None:
        calls.end(db, call, Ending(outcome=outcome, at=at + timedelta(seconds=rang), rang=timedelta(seconds=rang)))
    return call


def add_text(
    db: sqlite3.Connection,
    call: int | None,
    at: datetime,
    *,
    kind: TextKind = TextKind.MISSED_CALL,
    held_for: str | None = None,
) -> int:
    return texts.add(
        db,
        texts.NewText(
            call=call, line="front", recipient=CALLER, region="US", sender="+14155550100", body="x", segments=1, queued_at=at,
            due_at=at, expires_at=at + timedelta(minutes=15), kind=kind, held_for=held_for,
        ),
    )  # fmt: skip


def known(db: sqlite3.Connection, call: int, at: datetime = NOW, call_id: str = "") -> history.History:
    return history.history(
        db,
        number=CALLER,
        line="front",
        call=call,
        call_id=call_id or at.isoformat(),
        arrived_at=at,
        calls_since=NOW - timedelta(days=1),
        texts_since=NOW - timedelta(days=1),
    )


def traffic(db: sqlite3.Connection, per_day: int = 100) -> history.Traffic:
    limits = Limits(per_minute=10, per_day=per_day)
    return history.traffic(db, limits=limits, abroad="US", now=NOW, today=NOW - timedelta(hours=12))


def test_history_of_a_caller(db: sqlite3.Connection) -> None:
    first = add_call(db, NOW - timedelta(hours=2))
    add_call(db, NOW - timedelta(days=3))
    add_call(db, NOW - timedelta(hours=3), Outcome.ANSWERED_ELSEWHERE)
    text = add_text(db, first, NOW - timedelta(hours=2))
    call = add_call(db, NOW)
    found = known(db, call)
    assert found.last_text_at == NOW - timedelta(hours=2)
    assert found.missed_at == (NOW - timedelta(hours=2),)
    assert (found.reached_at, found.last_reply_at, found.opted_out_at, found.twin) == (None, None, None, None)
    texts.settle(db, text, TextEvent.CANCELLED, NOW)
    assert known(db, call).last_text_at is None
    add_call(db, NOW - timedelta(hours=1), Outcome.ANSWERED_ELSEWHERE)
    assert known(db, call).missed_at == ()


def test_own_text_and_test_texts_do_not_count(db: sqlite3.Connection) -> None:
    call = add_call(db, NOW)
    add_text(db, call, NOW, held_for="wait")
    add_text(db, None, NOW, kind=TextKind.TEST)
    assert known(db, call).last_text_at is None
    assert traffic(db) == history.Traffic()


@pytest.mark.parametrize("how", ["answered", "replied", "done"])
def test_reached_since_the_call(db: sqlite3.Connection, how: str) -> None:
    call = add_call(db, NOW)
    later = NOW + timedelta(minutes=1)
    assert known(db, call).reached_at is None
    if how == "answered":
        add_call(db, later, Outcome.ANSWERED_ELSEWHERE)
    elif how == "replied":
        replies.add(db, Reply(bridge="primary", sender=CALLER, to="+14155550100", body="hi", at=later))
    else:
        calls.done(db, call, later)
    assert known(db, call).reached_at == later


def test_forked_call(db: sqlite3.Connection) -> None:
    first, second = add_call(db, NOW, None, call_id="a"), add_call(db, NOW + timedelta(seconds=1), None, call_id="b")
    assert known(db, first, call_id="a").twin is None  # the second came later and is judged when it ends
    assert known(db, second, NOW + timedelta(seconds=1), "b").twin is Twin.RINGS
    calls.end(db, first, Ending(outcome=Outcome.ABANDONED, at=NOW + timedelta(seconds=5), rang=timedelta(seconds=5)))
    assert known(db, second, NOW + timedelta(seconds=1), "b").twin is Twin.DECIDED


def test_leg_of_a_fork_that_was_too_short_decides_nothing(db: sqlite3.Connection) -> None:
    """One leg ends after two seconds and is too short for a text; the other rings on, and decides."""
    first, second = add_call(db, NOW, Outcome.ABANDONED, call_id="a", rang=2), add_call(db, NOW, call_id="a")
    calls.record(db, first, "skip", Reason.TOO_SHORT, (), NOW, "")
    assert known(db, second, call_id="a").twin is None


def test_invite_that_was_refused_decides_nothing(db: sqlite3.Connection) -> None:
    """A caller who was told 420 or 422, or nothing because the gateway stopped, sends it again with the same Call-ID."""
    first = add_call(db, NOW, Outcome.REFUSED, call_id="a", rang=0)
    calls.record(db, first, "skip", Reason.NOT_MISSED, (), NOW, "")
    second = add_call(db, NOW + timedelta(seconds=1), call_id="a")
    assert known(db, second, NOW + timedelta(seconds=1), "a").twin is None
    calls.record(db, add_call(db, NOW, Outcome.ANSWERED_ELSEWHERE, call_id="a"), "skip", Reason.NOT_MISSED, (), NOW, "")
    assert known(db, second, NOW + timedelta(seconds=1), "a").twin is Twin.DECIDED


def test_text_counts_from_when_it_went(db: sqlite3.Connection) -> None:
    """It was queued before midnight, and a bridge took it after."""
    text = add_text(db, add_call(db, NOW - timedelta(hours=10)), NOW - timedelta(hours=10))
    assert queue.claim_due(db, NOW - timedelta(hours=9), {"front": ("spool",)}, {"spool": 5}).expired == (text,)
    text = add_text(db, add_call(db, NOW - timedelta(minutes=14)), NOW - timedelta(minutes=14))
    claimed = queue.claim_due(db, NOW - timedelta(minutes=4), {"front": ("spool",)}, {"spool": 5}).claimed
    assert [one.id for one in claimed] == [text]
    assert known(db, add_call(db, NOW)).last_text_at == NOW - timedelta(minutes=4)


def test_text_that_could_not_be_delivered_was_none_but_counts_towards_the_limits(db: sqlite3.Connection) -> None:
    """A phone that was off until the text's time was up: its owner calls again, and has never been texted."""
    first = add_call(db, NOW - timedelta(minutes=40))
    text = add_text(db, first, NOW - timedelta(minutes=40))
    call = add_call(db, NOW)
    for state, is_texted in (("accepted", True), ("undelivered", False), ("delivered", True)):
        db.execute("UPDATE texts SET state = ? WHERE id = ?", (state, text))
        assert (known(db, call).last_text_at is not None) is is_texted, state
        assert traffic(db).today == 1


def test_number_that_cannot_be_texted_is_remembered_for_half_a_year(db: sqlite3.Connection) -> None:
    call = add_call(db, NOW)
    undeliverable.add(db, CALLER, NOW - timedelta(days=181), "primary 0x0000000B")
    assert known(db, call).undeliverable_at is None
    undeliverable.add(db, CALLER, NOW - timedelta(days=179), "primary 0x0000000B")
    assert known(db, call).undeliverable_at == NOW - timedelta(days=179)


def test_landline_by_receipt(db: sqlite3.Connection) -> None:
    told = Receipt(
        bridge="primary",
        provider_id="SM1",
        to=CALLER,
        state=ReceiptState.UNDELIVERED,
        code="undelivered 30006",
        at=NOW,
        is_number_dead=True,
    )
    assert receipts.add(db, told, lambda theirs, ours: None) == receipts.ReceiptMatch(text=None, is_new=True)
    assert receipts.add(db, told, lambda theirs, ours: None) == receipts.ReceiptMatch(text=None, is_new=False)
    assert undeliverable.said_at(db, CALLER, NOW) == NOW


def test_redial_is_a_call_of_its_own(db: sqlite3.Connection) -> None:
    add_call(db, NOW, Outcome.ABANDONED, rang=2)
    again = add_call(db, NOW + timedelta(seconds=5))
    assert known(db, again, NOW + timedelta(seconds=5)).twin is None


def test_traffic(db: sqlite3.Connection) -> None:
    call = add_call(db, NOW)
    for minutes in (0.5, 30, 60 * 20):
        add_text(db, call, NOW - timedelta(minutes=minutes))
    add_text(db, call, NOW, held_for="limit")
    assert traffic(db) == history.Traffic(last_minute=1, today=2, today_in_region=2)
    assert traffic(db, per_day=1) == history.Traffic(last_minute=1, today=1, today_in_region=2)  # counted no further
    nobody_asks = history.traffic(db, limits=Limits(), abroad=None, now=NOW, today=NOW - timedelta(hours=12))
    assert nobody_asks == history.Traffic()


@pytest.mark.parametrize(
    ("query", "values"),
    [
        (history.LAST_TEXT, (CALLER, "front", 1)),
        (history.EARLIER_CALLS, (CALLER, "front", "2026", "2027", 1, 1)),
        (history.CALLS_BEFORE, (CALLER, "front", "2026", 1, 1)),
        (history.RINGING_AFTER, (CALLER, "front", 1, 1)),
        (history.TEXT_OF.format(calls="1, 2"), ()),
        (history.VARIANTS, (CALLER, "front", 1, "2026")),
        (history.LATER_TEXT, (CALLER, "front", 1, "2026")),
        (undeliverable.BY_RECEIPT, (CALLER, "2026")),
        (undeliverable.BY_REFUSALS, (CALLER, "2026")),
        (undeliverable.PENDING, ("primary",)),
        (history.LAST_REPLY, (CALLER,)),
        (history.GOT_THROUGH, (CALLER, "front", "2026")),
        (history.DONE, (CALLER, "front")),
        (history.TWINS, (CALLER, "front", "2026", "2027", 1)),
        (history.SENT_SINCE, ("2026", 5)),
        (history.SENT_TO_REGION, ("2026", "US", 5)),
        ("SELECT wish, at FROM consent WHERE number = ? ORDER BY id DESC LIMIT 1", (CALLER,)),
        (queue.NEXT_TRIED, ("front", "")),
        *((taken, ("front", "[]", "2026", "2026", 20)) for taken in queue.TAKEN),
        (queue.EXPIRED, ("2026",)),
        (queue.NEXT_AT, ("2026",)),
        (receipts.SEEN, ("primary", "SM1", CALLER, "delivered", "x", 1)),
        (history.KNOWN, (CALLER,)),
        ("SELECT id FROM texts WHERE state = 'held' AND due_at <= ? ORDER BY due_at, id LIMIT 5", ("2026",)),
    ],
)
def test_history_is_looked_up_by_index(db: sqlite3.Connection, query: str, values: tuple[object, ...]) -> None:
    plan = [row["detail"] for row in db.execute(f"EXPLAIN QUERY PLAN {query}", values)]
    assert any("USING" in step and "INDEX" in step for step in plan), plan
    assert not any(step.startswith("SCAN") and "subquery" not in step for step in plan), plan  # that one is cut by its LIMIT


@pytest.mark.parametrize(("query", "values"), [(history.SENT_SINCE, ("2026", 5)), (history.SENT_TO_REGION, ("2026", "US", 5))])
def test_limits_are_counted_by_an_index_of_their_own(db: sqlite3.Connection, query: str, values: tuple[object, ...]) -> None:
    """Unasked: a query that names its index cannot be asked of the past, which lies in views."""
    plan = [row["detail"] for row in db.execute(f"EXPLAIN QUERY PLAN {query}", values)]
    assert any("INDEX texts_sent" in step for step in plan), plan


def test_older_database_keeps_its_rows(tmp_path: Path) -> None:
    """A database of the first schema, with a call, its text, the text's part and a receipt, becomes one of today's."""
    path = tmp_path / "textback.db"
    db = sqlite3.connect(path, isolation_level=None)
    db.row_factory = sqlite3.Row
    for statement in schema.MIGRATIONS[0]:
        db.execute(statement)
    db.execute("PRAGMA user_version = 1")
    db.execute("PRAGMA foreign_keys = ON")
    db.execute(
        "INSERT INTO calls (id, key, call_id, trunk, source, caller_name, caller_header, dialled, diversions, verstat, arrived_at)"
        " VALUES (1, 'k', 'c', 'pbx', '', '', '', '[]', '[]', '', '2026-11-23T18:00:00.000Z')"
    )
    db.execute(
        "INSERT INTO texts (call, line, recipient, sender, body, segments, state, queued_at, due_at, expires_at)"
        " VALUES (1, 'front', ?, '+14155550100', 'x', 1, 'accepted', '2026', '2026', '2026')", (CALLER,),
    )  # fmt: skip
    db.execute("INSERT INTO parts (text, number, bridge, provider_id) VALUES (1, 1, 'primary', 'abc')")
    migrate(db, path)
    assert texts.selected(db, Selection())[0]["provider_id"] == "abc"
    assert [arrival.earlier_callers for _, arrival in calls.open_calls(db)] == [()]
    assert db.execute("PRAGMA foreign_key_check").fetchall() == []
    assert db.execute("PRAGMA foreign_keys").fetchone()[0] == 1
    assert db.execute("PRAGMA user_version").fetchone()[0] == schema.VERSION
    db.close()


def test_newer_database_is_refused(tmp_path: Path) -> None:
    db = sqlite3.connect(tmp_path / "textback.db", isolation_level=None)
    db.execute("PRAGMA user_version = 99")
    with pytest.raises(StoreError, match="written by a newer Textback"):
        migrate(db, tmp_path / "textback.db")
    db.close()


def test_ledger(db: sqlite3.Connection) -> None:
    consent.add(db, number=CALLER, wish=Wish.OPT_OUT, at=NOW, source="reply:1")
    assert consent.opted_out_at(db, CALLER) == NOW
    consent.add(db, number=CALLER, wish=Wish.OPT_IN, at=NOW, source="reply:2")
    assert consent.opted_out_at(db, CALLER) is None
    assert consent.everything(db) == {CALLER: [(NOW, True), (NOW, False)]}


def test_claim_cancels_what_is_resolved(db: sqlite3.Connection) -> None:
    call = add_call(db, NOW - timedelta(minutes=5))
    text = add_text(db, call, NOW - timedelta(minutes=5))
    add_call(db, NOW - timedelta(minutes=1), Outcome.ANSWERED_ELSEWHERE)
    looked = queue.claim_due(db, NOW, {"front": ("spool",)}, {"spool": 5})
    assert (looked.claimed, looked.cancelled) == ((), (text,))
    row = texts.one(db, text)
    assert row is not None
    assert (row["state"], row["detail"].split(":")[0]) == (TextState.CANCELLED, "resolved")
