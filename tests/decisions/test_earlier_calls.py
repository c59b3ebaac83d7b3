"""What a caller's earlier calls make of the next one, on a real database: which call it is, and which text it gets."""

import sqlite3
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from itertools import pairwise
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from config.load import load
from config.model import E164
from gateway.core.call import Outcome
from gateway.core.schedule import local_day
from gateway.decisions.ruling import Ruling, Verdict
from gateway.office.knowledge import Knowledge
from gateway.preview.records import from_journal
from gateway.preview.simulation import FromCallers, Simulation
from gateway.store import calls, texts
from gateway.store.calls import Arrival, Ending
from gateway.store.database import migrate
from gateway.store.instants import read, written

CONFIG = """\
timezone = "America/Los_Angeles"
region = "US"
[trunk.pbx]
peers = ["192.0.2.10"]
[sms.spool]
kind = "spool"
[consent]
quiet_hours = "{quiet}"
[line.front]
number = "+14155550100"
[line.front.text]
message = "first"
once_per = "{once_per}"
{more}
[[line.front.text.variant]]
missed = 2
message = "second"
[[line.front.text.variant]]
missed = 3
message = "third"
"""
TEN = datetime(2026, 11, 23, 18, 0, tzinfo=UTC)
"""Ten o'clock of a Monday in Los Angeles, where the caller is too."""
CALLER = E164("+14155550123")


@contextmanager
def opened_database() -> Iterator[sqlite3.Connection]:
    """One in memory, with today's schema."""
    db = sqlite3.connect(":memory:", isolation_level=None)
    db.row_factory = sqlite3.Row
    migrate(db, Path("memory"))
    yield db
    db.close()


def arrives(minutes: float, trunk: str = "pbx", line: str = "front", caller: E164 | None = CALLER) -> Arrival:
    """A call that comes so many minutes after ten."""
    return Arrival(
        key=f"{minutes}", call_id=f"{minutes}", trunk=trunk, source="192.0.2.10:5060", line=line, caller=caller,
        caller_as_sent=caller, caller_name="", caller_header="From", dialled=("+14155550100",), diversions=(), verstat="",
        arrived_at=TEN + timedelta(minutes=minutes),
    )  # fmt: skip


class Office:
    """A line that calls come to, at minutes after ten."""

    def __init__(self, db: sqlite3.Connection, directory: Path, once_per: str, quiet: str, more: str = "") -> None:
        path = directory / "textback.toml"
        written_config = CONFIG if once_per != "call" else CONFIG.partition("[[")[0]
        path.write_text(written_config.format(once_per=once_per, quiet=quiet, more=more))
        self.db = db
        self.load(path)

    def load(self, path: Path) -> None:
        """Decide by this configuration from now on."""
        self.ruling = Ruling(Knowledge().directory(load(path), TEN))

    def begins(self, minutes: float) -> None:
        """A call that rings; `rings` with the same minutes ends it."""
        calls.arrive(self.db, arrives(minutes))

    def rings(
        self,
        minutes: float,
        outcome: Outcome = Outcome.NO_ANSWER,
        *,
        rang: float = 20,
        trunk: str = "pbx",
        line: str = "front",
        caller: E164 | None = CALLER,
    ) -> str:
        """A call, and what came of it: the text's first word, or the reason for none."""
        at = TEN + timedelta(minutes=minutes)
        arrival = arrives(minutes, trunk, line, caller)
        length = timedelta(seconds=rang)
        verdict = self.ruling.on_ended(self.db, arrival, Ending(outcome=outcome, at=at + length, rang=length), at + length)
        assert verdict is not None
        return self.came_of(verdict)

    def came_of(self, verdict: Verdict) -> str:
        row = texts.one(self.db, verdict.text) if verdict.text is not None else None
        is_alive = row is not None and row["state"] in ("queued", "held")
        return f"{row['state']} {row['body']}" if row is not None and is_alive else verdict.reason.value

    def held(self) -> list[int]:
        """Texts that wait, in their order."""
        return [row["id"] for row in self.db.execute("SELECT id FROM texts WHERE state = 'held' ORDER BY due_at, id")]

    def time_passes(self, minutes: float) -> None:
        """Until so many minutes after ten: each held text is decided when it falls due."""
        while due := self.db.execute(
            "SELECT id, due_at FROM texts WHERE state = 'held' AND due_at <= ? ORDER BY due_at, id LIMIT 1",
            (written(TEN + timedelta(minutes=minutes)),),
        ).fetchone():
            self.ruling.on_due(self.db, due["id"], read(due["due_at"]))

    def went(self) -> list[tuple[datetime, str]]:
        """When each text went, and what it said."""
        rows = self.db.execute("SELECT queued_at, body FROM texts WHERE state = 'queued' ORDER BY queued_at, id")
        return [(read(row["queued_at"]), row["body"]) for row in rows]

    def came_at(self, minutes: float) -> list[str]:
        """What came of each text that fell due by then, decided then."""
        now = TEN + timedelta(minutes=minutes)
        rows = self.db.execute(
            "SELECT id FROM texts WHERE state = 'held' AND due_at <= ? ORDER BY id", (written(now),)
        ).fetchall()
        verdicts = [self.ruling.on_due(self.db, row["id"], now) for row in rows]
        return [self.came_of(verdict) for verdict in verdicts if verdict is not None]

    def morning_comes(self, minutes: float) -> list[str]:
        """Everything that is held falls due, in its order; what came of each."""
        now = TEN + timedelta(minutes=minutes)
        verdicts = [self.ruling.on_due(self.db, text, now) for text in self.held()]
        return [self.came_of(verdict) for verdict in verdicts if verdict is not None]


Open = Callable[..., Office]


@pytest.fixture
def office(db: sqlite3.Connection, tmp_path: Path) -> Open:
    """An office whose `once_per` is told."""

    def opened(once_per: str = "day", quiet: str = "21:00-08:00", more: str = "") -> Office:
        return Office(db, tmp_path, once_per, quiet, more)

    return opened


def test_each_missed_call_has_its_text(office: Open) -> None:
    at = office()
    assert [at.rings(n) for n in range(4)] == ["queued first", "queued second", "queued third", "already_texted"]


def test_call_that_was_too_short_is_none_of_the_missed(office: Open) -> None:
    at = office()
    assert at.rings(0, Outcome.ABANDONED, rang=1) == "too_short"
    assert at.rings(1) == "queued first"
    assert at.rings(2, Outcome.ABANDONED, rang=1) == "too_short"
    assert at.rings(3) == "queued second"


@pytest.mark.parametrize("outcome", [Outcome.ANSWERED_ELSEWHERE, Outcome.ANSWERED_HERE])
def test_count_begins_anew_when_the_caller_has_got_through(office: Open, outcome: Outcome) -> None:
    at = office()
    assert at.rings(0) == "queued first"
    assert at.rings(1, outcome) == "not_missed"
    assert at.rings(2) == "already_texted"
    assert at.rings(3) == "queued second"
    assert at.rings(4, outcome) == "not_missed"
    assert at.rings(5) == "already_texted"
    assert at.rings(6) == "already_texted"  # the second message has been sent today


def test_count_begins_anew_when_the_caller_was_called_back(office: Open) -> None:
    at = office()
    assert at.rings(0) == "queued first"
    calls.done(at.db, 1, TEN + timedelta(minutes=5))
    assert at.rings(10) == "already_texted"
    assert at.rings(12) == "queued second"


def test_replay_finds_what_happened(office: Open) -> None:
    """A day of one caller's calls, replayed out of the journal through the same configuration."""
    at = office()
    for minutes in (0, 2, 4, 6, 9):
        at.rings(minutes, Outcome.ABANDONED, rang=1)
        at.rings(minutes + 1, Outcome.ANSWERED_ELSEWHERE if minutes == 4 else Outcome.NO_ANSWER)
    recorded = from_journal(at.db, TEN, at.ruling.directory)
    replayed = list(Simulation(at.ruling, FromCallers()).replay(recorded))
    assert [(one.recorded.name, one.reason) for one in replayed if one.is_changed] == []
    assert [one.body for one in replayed if one.decision == "send"] == ["first", "second"]
    assert [one.reason.value for one in replayed[1::2]] == [
        "missed_call", "missed_call", "not_missed", "already_texted", "already_texted",
    ]  # fmt: skip


MINUTES = st.lists(st.integers(1, 300), min_size=1, max_size=8)
ENDINGS = st.sampled_from(
    [(Outcome.NO_ANSWER, 20), (Outcome.NO_ANSWER, 20), (Outcome.ABANDONED, 1), (Outcome.ANSWERED_ELSEWHERE, 5)]
)
WINDOWS = {"day": timedelta(days=1), "20m": timedelta(minutes=20), "24h": timedelta(hours=24)}


@settings(max_examples=80, deadline=None)
@given(MINUTES, st.lists(ENDINGS, min_size=8, max_size=8), st.sampled_from(sorted(WINDOWS)), st.integers(0, 24 * 60))
def test_never_the_same_text_twice_and_never_none(
    gaps: list[int], endings: list[tuple[Outcome, int]], once_per: str, begins: int
) -> None:
    """Calls of one caller over a day and a night, held texts decided when they fall due."""
    with tempfile.TemporaryDirectory() as directory, opened_database() as db:
        at = Office(db, Path(directory), once_per, "21:00-08:00")
        now, is_owed = begins, False
        for gap, (outcome, rang) in zip(gaps, endings, strict=False):
            now += gap
            at.time_passes(now)
            came_of = at.rings(now, outcome, rang=rang)
            if outcome is Outcome.ANSWERED_ELSEWHERE:
                assert came_of == "not_missed"
            is_owed = is_owed or came_of.startswith(("held", "queued"))
            assert is_owed or came_of in ("too_short", "not_missed")
            assert len(at.held()) <= 3
        at.time_passes(now + 24 * 60)
        assert at.held() == []
        went = at.went()
        assert went or not is_owed or any(outcome is Outcome.ANSWERED_ELSEWHERE for outcome, _ in endings)
        for body in ("first", "second", "third"):
            times = [when for when, said in went if said == body]
            for one, other in pairwise(times):
                assert is_of_another_time(one, other, once_per), went
        for (one, _), (other, said) in pairwise(went):
            assert said != "first" or is_of_another_time(one, other, once_per), went
            assert one != other, went


def is_of_another_time(one: datetime, other: datetime, once_per: str) -> bool:
    """Do two texts fall into two periods of `once_per`?"""
    if once_per == "day":
        return local_day(one, "America/Los_Angeles") != local_day(other, "America/Los_Angeles")
    return other - one >= WINDOWS[once_per]


def test_test_calls_and_real_ones_are_counted_apart(office: Open) -> None:
    at = office()
    assert at.rings(0, trunk="call-test") == "queued first"
    assert at.rings(1) == "already_texted"
    assert at.rings(2, trunk="call-test") == "queued second"
    assert at.rings(3, Outcome.ANSWERED_HERE, trunk="call-test") == "not_missed"
    assert at.rings(4) == "already_texted"  # the second real one; the caller has had that message


def test_second_message_is_not_sent_again_within_once_per(office: Open) -> None:
    """Each call finds one other within the twenty minutes before it."""
    at = office("20m")
    assert [at.rings(n) for n in (0, 15, 30, 45, 60)] == [
        "queued first", "queued second", "already_texted", "queued second", "already_texted",
    ]  # fmt: skip


def test_call_over_midnight_is_counted_with_its_own_day(office: Open) -> None:
    """14 hours after ten it is midnight."""
    at = office(quiet="01:00-02:00")
    assert at.rings(14 * 60 - 5) == "queued first"
    assert at.rings(14 * 60 - 0.1, rang=30) == "queued second"  # came before midnight, and was missed after it
    assert at.rings(14 * 60 + 5) == "already_texted"  # the first of its day, texted since midnight


@pytest.mark.parametrize("once_per", ["day", "24h"])
def test_two_calls_of_one_night_get_one_text_in_the_morning_and_the_right_one(office: Open, once_per: str) -> None:
    """Calls at 22:00 and 22:30; it is quiet until 8:00, when it is another day."""
    at = office(once_per)
    assert at.rings(12 * 60) == "held first"
    assert at.rings(12 * 60 + 30) == "held second"
    assert at.morning_comes(22 * 60) == ["already_texted", "queued second"]


@pytest.mark.parametrize(
    ("once_per", "at_two", "at_half_past_seven", "morning"),
    [
        ("day", "already_texted", "held second", ["already_texted", "queued second"]),
        ("20m", "already_texted", "already_texted", ["queued first"]),
        ("24h", "held second", "held third", ["already_texted", "already_texted", "queued third"]),
        ("call", "held first", "held first", ["queued first"] * 3),
    ],
)
def test_text_that_is_held_counts_from_when_it_goes(
    office: Open, once_per: str, at_two: str, at_half_past_seven: str, morning: list[str]
) -> None:
    """A call at ten in the evening is held until 8:00; calls of the small hours, which are of another day, find it waiting."""
    at = office(once_per)
    assert at.rings(12 * 60) == "held first"
    assert at.rings(16 * 60) == at_two
    assert at.rings(22 * 60 - 30) == at_half_past_seven
    assert at.morning_comes(22 * 60) == morning
