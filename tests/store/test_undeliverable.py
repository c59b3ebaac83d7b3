"""When a number counts as dead: a receipt says so, or two refusals on different days, and never by a bridge's own fault."""

import sqlite3
from datetime import UTC, datetime, timedelta
from pathlib import Path

from config.model import E164
from gateway.store import schema, undeliverable
from gateway.store.database import migrate

NOW = datetime(2026, 11, 23, 18, tzinfo=UTC)
DAY = timedelta(days=1)
LANDLINE, OTHER, THIRD, FOURTH = (E164(f"+1415555012{n}") for n in range(4))


def refuse(db: sqlite3.Connection, number: E164, at: datetime, bridge: str = "primary") -> int:
    return undeliverable.refused(db, number, at, bridge, "0x0000000B")


def dead(db: sqlite3.Connection, number: E164 = LANDLINE, now: datetime = NOW + 3 * DAY) -> bool:
    return undeliverable.said_at(db, number, now) is not None


def test_two_refusals_on_different_days(db: sqlite3.Connection) -> None:
    assert refuse(db, LANDLINE, NOW) == 1
    assert not dead(db)
    refuse(db, LANDLINE, NOW + timedelta(hours=3))
    assert not dead(db)
    refuse(db, LANDLINE, NOW + DAY)
    assert undeliverable.said_at(db, LANDLINE, NOW + DAY) == NOW + DAY
    assert dead(db, now=NOW + timedelta(days=170))
    assert not dead(db, now=NOW + timedelta(days=182))
    assert not dead(db, OTHER)


def test_receipt_is_believed_at_once(db: sqlite3.Connection) -> None:
    undeliverable.add(db, LANDLINE, NOW, "primary UNDELIV")
    assert dead(db)
    assert not dead(db, now=NOW + timedelta(days=181))


def test_bridge_that_refuses_everybody_marks_nobody(db: sqlite3.Connection) -> None:
    """An hour of a wrong dest_ton, and another hour of it two days later."""
    for at in (NOW, NOW + 2 * DAY):
        assert [refuse(db, number, at) for number in (LANDLINE, OTHER, THIRD, FOURTH)] == [1, 2, 3, 4]
        assert not any(dead(db, number) for number in (LANDLINE, OTHER, THIRD, FOURTH))
        undeliverable.accepted(db, E164("+14155550177"), "primary")
    assert not any(dead(db, number) for number in (LANDLINE, OTHER, THIRD, FOURTH))
    assert refuse(db, LANDLINE, NOW + 3 * DAY) == 1  # it is well again: this one is evidence, and the first


def test_refusals_count_when_the_bridge_accepts_others(db: sqlite3.Connection) -> None:
    for at in (NOW, NOW + DAY):
        refuse(db, LANDLINE, at)
        refuse(db, OTHER, at)
        undeliverable.accepted(db, THIRD, "primary")
    assert dead(db, LANDLINE)
    assert dead(db, OTHER)


def test_number_that_is_accepted_lives(db: sqlite3.Connection) -> None:
    for at in (NOW, NOW + DAY):
        refuse(db, LANDLINE, at)
        undeliverable.accepted(db, THIRD, "primary")
    assert dead(db)
    undeliverable.accepted(db, LANDLINE, "second")
    assert not dead(db)


def test_another_bridges_fault_is_its_own(db: sqlite3.Connection) -> None:
    refuse(db, LANDLINE, NOW)
    refuse(db, LANDLINE, NOW + DAY)
    for number in (LANDLINE, OTHER, THIRD):
        refuse(db, number, NOW + DAY, "second")
    assert dead(db)
    assert not dead(db, OTHER)


def test_numbers_that_one_refusal_had_marked_are_no_longer_dead(tmp_path: Path) -> None:
    """What an older program remembered: a refusal becomes evidence, a receipt stays."""
    path = tmp_path / "textback.db"
    old = sqlite3.connect(path, isolation_level=None)
    old.row_factory = sqlite3.Row
    for statements in schema.MIGRATIONS[:5]:
        for statement in statements:
            old.execute(statement)
    old.execute("PRAGMA user_version = 5")
    written = "2026-11-23T18:00:00.000Z"
    old.execute("INSERT INTO undeliverable VALUES (?, ?, 'primary 0x0000000B')", (LANDLINE, written))
    old.execute("INSERT INTO undeliverable VALUES (?, ?, 'primary UNDELIV err:011')", (OTHER, written))
    migrate(old, path)
    assert (dead(old, LANDLINE), dead(old, OTHER)) == (False, True)
    refuse(old, LANDLINE, NOW + DAY)
    assert dead(old, LANDLINE)
    old.close()
