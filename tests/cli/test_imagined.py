"""`explain` for a call that has not happened: its line, its caller, its time, and what was known then."""

import sqlite3
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from gateway.core.call import Outcome
from gateway.core.consent import Wish
from gateway.store import calls, consent, replies, undeliverable
from gateway.store.calls import Ending
from gateway.store.instants import written
from sms.text import Reply
from tests.cli.histories import CALLER, add_call, add_text
from tests.peers import commands
from tests.peers.commands import Ran

THEN = datetime(2026, 6, 1, 18, tzinfo=UTC)
"""13:00 in Chicago, a Monday."""
LATER = THEN + timedelta(hours=1)


def explained(directory: Path, *asked: tuple[str, ...], line: str = "") -> list[Ran]:
    """What `explain --from CALLER` says with more options."""
    path = commands.configured(directory, line)
    return commands.run(path, *(("explain", "--from", CALLER, "--json", *more) for more in asked))


def texted(db: sqlite3.Connection) -> None:
    add_text(db, None, CALLER, LATER, due_at=LATER)
    db.execute("UPDATE texts SET state = 'delivered'")


def stopped(db: sqlite3.Connection) -> None:
    consent.add(db, number=CALLER, wish=Wish.OPT_OUT, at=LATER, source="reply:1")


def wrote(db: sqlite3.Connection) -> None:
    replies.add(db, Reply(bridge="spool", sender=CALLER, to="+14155550100", body="Hi", at=LATER), None)


def got_through(db: sqlite3.Connection) -> None:
    call = add_call(db, 1, at=LATER, who=CALLER)
    calls.end(db, call, Ending(outcome=Outcome.ANSWERED_ELSEWHERE, at=LATER, rang=timedelta(seconds=2)))


def was_called_back(db: sqlite3.Connection) -> None:
    call = add_call(db, 1, at=THEN - timedelta(days=3), who=CALLER)
    calls.end(db, call, Ending(outcome=Outcome.NO_ANSWER, at=THEN - timedelta(days=3), rang=timedelta(seconds=20)))
    calls.done(db, call, LATER)


def was_no_mobile(db: sqlite3.Connection) -> None:
    undeliverable.add(db, CALLER, LATER, "spool 30006")


def filled_the_day(db: sqlite3.Connection) -> None:
    for number in range(3):
        add_text(db, None, CALLER, LATER + timedelta(seconds=number), due_at=LATER, line="other")


@pytest.mark.parametrize(
    ("happened", "reason"),
    [
        (texted, "already_texted"),
        (stopped, "opted_out"),
        (wrote, None),
        (got_through, None),
        (was_called_back, None),
        (was_no_mobile, "undeliverable"),
        (filled_the_day, "limit"),
    ],
)
def test_what_happened_later_was_not_known_then(
    db: sqlite3.Connection, tmp_path: Path, happened: object, reason: str | None
) -> None:
    """And is known in the hour after it happened, where it speaks against a text."""
    assert callable(happened)
    happened(db)
    limit = "[limits]\nper_day = 3"
    then, after = explained(tmp_path, ("--at", "2026-06-01T13:00"), ("--at", "2026-06-01T15:00"), line=limit)
    assert isinstance(then.json, dict)
    assert isinstance(after.json, dict)
    assert (then.json["decision"], then.json["reason"]) == ("send", "missed_call")
    assert after.json["reason"] == (reason or "missed_call")


def test_text_that_was_cancelled_later_counted_then(db: sqlite3.Connection, tmp_path: Path) -> None:
    text = add_text(db, None, CALLER, THEN - timedelta(hours=1), due_at=None, held_for="limit")
    db.execute("UPDATE texts SET state = 'cancelled', settled_at = ? WHERE id = ?", (written(LATER), text))
    then, after = explained(tmp_path, ("--at", "2026-06-01T13:00"), ("--at", "2026-06-01T15:00"))
    assert isinstance(then.json, dict)
    assert isinstance(after.json, dict)
    assert (then.json["reason"], after.json["reason"]) == ("already_texted", "missed_call")


def test_only_line_is_meant_and_a_withheld_caller_can_be(db: sqlite3.Connection, tmp_path: Path) -> None:
    path = commands.configured(tmp_path)
    told = commands.run(
        path,
        ("explain", "--from", "anonymous"),
        ("explain", "--from", "101"),
        ("explain", "--from", "(415) 555-0123"),
        ("explain", "--from", CALLER, "--outcome", "abandoned", "--rang", "1"),
        ("explain", "--outcome", "abandoned", "--rang", "2m", "--from", CALLER),
    )
    assert [done.out.split("(")[1].split(")")[0] for done in told] == [
        "withheld", "not_a_number", "missed_call", "too_short", "missed_call"
    ]  # fmt: skip
    assert db.execute("SELECT count(*) FROM calls").fetchone()[0] == 0


def test_hold_says_until_when_and_shows_its_text(db: sqlite3.Connection, tmp_path: Path) -> None:
    path = commands.configured(tmp_path, '[line.front.text]\nwait = "2m"\n[limits]\nper_day = 1')
    waits = ("explain", "--from", CALLER, "--at", "2026-06-01T13:00")
    add_text(db, None, CALLER, THEN + timedelta(days=1), due_at=THEN, line="other")
    held = ("explain", "--from", CALLER, "--at", "2026-06-02T14:00")
    in_words, as_json, for_a_person = commands.run(path, waits, (*waits, "--json"), held)
    assert "Such a call would wait until Mon 2026-06-01 13:02:00 CDT, because the line waits" in in_words.out
    assert "The text, chosen again when its time comes:\n  ABC HVAC: Sorry" in in_words.out
    assert isinstance(as_json.json, dict)
    assert as_json.json["until"] == "2026-06-01T18:02:00.000Z"
    assert as_json.json["text"].startswith("ABC HVAC: Sorry")
    assert "Such a call would wait for a person, because a limit" in for_a_person.out
    assert "\n  ABC HVAC: Sorry" in for_a_person.out


@pytest.mark.parametrize("at", ["9999-12-31T23:00", "0001-01-01T00:00", "2200-06-01", "99999999d"])
def test_time_out_of_reach_is_a_sentence(db: sqlite3.Connection, tmp_path: Path, at: str) -> None:
    (done,) = explained(tmp_path, ("--at", at))
    assert (done.status, done.err) == (2, f"textback: {at!r} is out of reach; the years 1970 to 2199 are known\n")


@pytest.mark.parametrize(
    ("at", "says"),
    [
        (
            "2026-03-08T02:30",
            "is not on the clock of America/Chicago, which goes forward then; write 2026-03-08T03:30 or another time",
        ),
        (
            "2026-11-01T01:30",
            "comes twice on the clock of America/Chicago, which goes back then;"
            " write 2026-11-01T01:30:00-05:00 or 2026-11-01T01:30:00-06:00",
        ),
    ],
)
def test_hour_that_the_clock_leaves_out_or_shows_twice_is_a_sentence(
    db: sqlite3.Connection, tmp_path: Path, at: str, says: str
) -> None:
    """Wherever a time of the clock is given; what the sentence says to write is taken."""
    path = commands.configured(tmp_path)
    asked = [("explain", "--at"), ("calls", "--since"), ("texts", "--until"), ("texts", "drop", "--held", "--since")]
    for done in commands.run(path, *((*command, at) for command in asked)):
        assert (done.status, done.err.partition(repr(at))[2]) == (2, f" {says}\n")
    proposed = says.partition("write ")[2].split(" or ")
    told = commands.run(path, *(("explain", "--json", "--at", one) for one in proposed if one[0] == "2"))
    assert [done.status for done in told] == [0] * len(told)


def test_nobody_is_known_before_the_first_start(tmp_path: Path) -> None:
    (done,) = explained(tmp_path, ())
    assert isinstance(done.json, dict)
    assert done.json["decision"] == "send"
    assert [path.name for path in tmp_path.iterdir()] == ["textback.toml"]


def test_round_of_a_call_is_shown_as_the_same(db: sqlite3.Connection, tmp_path: Path) -> None:
    """A call that was missed and texted; another 15 s later, and one that is imagined 15 s after that."""
    text = None
    for number, ago in enumerate((70, 35), start=1):
        at = THEN - timedelta(seconds=ago)
        call = add_call(db, number, at=at, who=CALLER)
        over = at + timedelta(seconds=20)
        calls.end(db, call, Ending(outcome=Outcome.NO_ANSWER, at=over, rang=timedelta(seconds=20)))
        text = text or add_text(db, call, CALLER, over, due_at=over)
    calls.same_call(db, 2, 1)
    path = commands.configured(tmp_path, '[line.front.text]\nonce_per = "call"')
    imagined = ("explain", "--from", CALLER, "--at")
    told = commands.run(
        path,
        (*imagined, "2026-06-01T13:00"),
        (*imagined, "2026-06-01T13:01"),
        ("calls",),
        ("calls", "--json"),
        ("explain", "2"),
        ("explain", "2", "--json"),
    )
    assert "would not be texted, because the caller has already been texted (already_texted)" in told[0].out
    assert "same call as 1, texted at 2026-06-01 12:59 CDT" in told[0].out
    assert "line.front.same_call_within (textback.toml (default))" in told[0].out
    assert "would be texted" in told[1].out
    assert [line.endswith("(same call as 1)") for line in told[2].out.splitlines()[-2:]] == [True, False]
    assert isinstance(told[3].json, list)
    assert [call["same_call_as"] for call in told[3].json] == [1, None]
    assert "  the same call as 1, which was rung again" in told[4].out.splitlines()
    assert isinstance(told[5].json, dict)
    assert told[5].json["call"]["same_call_as"] == 1
