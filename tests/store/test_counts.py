"""What `status` counts: right after every change, and at the same cost however many texts there are."""

import random
import sqlite3
from collections import Counter
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from config.model import E164
from gateway.core.delivery import TextEvent, TextState
from gateway.core.kind import TextKind
from gateway.process.counts import count
from gateway.store import counts, holds, queue, texts
from gateway.store.database import migrate
from gateway.store.schema import MIGRATIONS

NOW = datetime(2026, 11, 23, 18, tzinfo=UTC)


def new_text(held_for: str | None = None, *, for_a_person: bool = False) -> texts.NewText:
    return texts.NewText(
        call=None, kind=TextKind.MISSED_CALL,
        line="front", recipient=E164("+14155550123"), region="US", sender="+14155550100", body="x", segments=1,
        queued_at=NOW, due_at=None if for_a_person else NOW, expires_at=NOW + timedelta(minutes=15), held_for=held_for,
    )  # fmt: skip


def counted_one_by_one(db: sqlite3.Connection) -> dict[str, int]:
    rows = db.execute("SELECT state, due_at FROM texts").fetchall()
    return Counter(
        counts.HELD_FOR_A_PERSON if row["state"] == "held" and row["due_at"] is None else row["state"] for row in rows
    )


def fill(db: sqlite3.Connection, texts_each: int) -> None:
    """So many texts in every state, and held for a person."""
    db.execute("BEGIN")
    for state in TextState:
        for _ in range(texts_each):
            text = texts.add(db, new_text("wait" if state is TextState.HELD else None))
            db.execute("UPDATE texts SET state = ? WHERE id = ?", (state, text))
    for _ in range(texts_each):
        texts.add(db, new_text("limit", for_a_person=True))
    db.execute("COMMIT")


@pytest.mark.parametrize("seed", range(5))
def test_counts_are_right_after_every_change(db: sqlite3.Connection, seed: int) -> None:
    chance = random.Random(seed)
    for _ in range(400):
        last = db.execute("SELECT max(id) FROM texts").fetchone()[0] or 0
        text = chance.randint(0, last)
        match chance.randrange(6):
            case 0:
                texts.add(db, new_text())
            case 1:
                texts.add(db, new_text("wait", for_a_person=chance.random() < 0.5))
            case 2:
                texts.settle(db, text, chance.choice(list(TextEvent)), NOW)
            case 3:
                holds.hold_on(db, text, new_text("limit", for_a_person=chance.random() < 0.5))
            case 4:
                queue.claim_due(db, NOW, {"front": ("a",)}, {"a": 1})
            case _:
                db.execute("DELETE FROM texts WHERE id = ?", (text,))
        assert {pile: many for pile, many in counts.of_texts(db).items() if many} == counted_one_by_one(db)
    assert count(db)["held"] == counted_one_by_one(db)["held"] + count(db)["held_for_a_person"]


def test_counting_costs_the_same_however_many_there_are(db: sqlite3.Connection) -> None:
    fill(db, 10)
    few = steps_of_counting(db)
    fill(db, 2000)
    assert count(db) == {"queued": 2010, "held": 4020, "held_for_a_person": 2010, "unknown": 2010}
    assert steps_of_counting(db) == few


def steps_of_counting(db: sqlite3.Connection) -> int:
    """Instructions of SQLite's machine that `count` takes."""
    steps = 0

    def step() -> int:
        nonlocal steps
        steps += 1
        return 0

    db.set_progress_handler(step, 1)
    count(db)
    db.set_progress_handler(None, 1)
    return steps


def test_texts_of_an_older_database_are_counted(tmp_path: Path) -> None:
    db = sqlite3.connect(tmp_path / "textback.db", isolation_level=None)
    db.row_factory = sqlite3.Row
    before = next(number for number, statements in enumerate(MIGRATIONS) if any("text_counts" in one for one in statements))
    for statements in MIGRATIONS[:before]:
        for statement in statements:
            db.execute(statement)
    db.execute(f"PRAGMA user_version = {before}")
    for due_at in (None, "2026"):
        db.executemany(
            "INSERT INTO texts (line, recipient, sender, body, segments, state, queued_at, due_at, expires_at)"
            " VALUES ('front', '+14155550123', '+14155550100', 'x', 1, ?, '2026', ?, '2026')",
            [(state, due_at) for state in TextState for _ in range(3)],
        )
    migrate(db, tmp_path / "textback.db")
    assert counts.of_texts(db) == counted_one_by_one(db)
    db.close()
