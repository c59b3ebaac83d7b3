"""What a text is, in one word: kept, also of texts that an older program wrote; what counts for whom follows from it."""

import sqlite3
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from gateway.core.kind import TextKind
from gateway.store import counts, history, queue, receipts, schema, texts
from gateway.store.opening import migrate
from gateway.store.selection import Selection
from sms.smpp.deliver import Delivered
from sms.smpp.receipt import read
from tests.store.test_counts import counted_one_by_one

AT = "2026-11-23T18:00:00.000Z"
NOW = datetime(2026, 11, 23, 18, 1, tzinfo=UTC)
COLUMNS = "line, recipient, sender, body, segments, state, queued_at, due_at, expires_at"
VALUES = f"'front', '+14155550123', '+14155550100', 'x', 1, 'queued', '{AT}', '{AT}', '2026-11-23T19:00:00.000Z'"


@contextmanager
def written_by(version: int, path: Path) -> Iterator[sqlite3.Connection]:
    """A database as the program of that schema left it, with a text of each kind that it knew."""
    db = sqlite3.connect(path, isolation_level=None)
    db.row_factory = sqlite3.Row
    for statements in schema.MIGRATIONS[:version]:
        for statement in statements:
            db.execute(statement)
    db.execute(f"PRAGMA user_version = {version}")
    db.execute(
        "INSERT INTO calls (id, key, call_id, trunk, source, line, caller, caller_name, caller_header, dialled, diversions,"
        f" verstat, arrived_at) VALUES (1, 'k', 'c', 'pbx', '', 'front', '+14155550123', '', '', '[]', '[]', '', '{AT}')"
    )
    db.execute(f"INSERT INTO texts (id, call, {COLUMNS}) VALUES (1, 1, {VALUES})")
    if version >= 2:
        db.execute(f"INSERT INTO texts (id, is_test, {COLUMNS}) VALUES (2, 1, {VALUES})")
    if version >= 3:
        db.execute(f"INSERT INTO texts (id, is_answer, {COLUMNS}) VALUES (3, 1, {VALUES})")
    if version >= 6:
        db.execute(f"INSERT INTO texts (id, is_answer, answer_to, {COLUMNS}) VALUES (4, 1, 'opt_out', {VALUES})")
    db.execute("INSERT INTO parts (text, number, bridge, provider_id) VALUES (1, 1, 'primary', 'abc')")
    yield db
    db.close()


KINDS = {1: TextKind.MISSED_CALL, 2: TextKind.TEST, 3: TextKind.CONFIRMATION, 4: TextKind.CONFIRMATION}


@pytest.mark.parametrize("version", range(1, 9))
def test_texts_of_older_databases_get_their_kind(tmp_path: Path, version: int) -> None:
    """They are counted, claimed and found as before, and nothing is left of the columns that said so until then."""
    path = tmp_path / "textback.db"
    with written_by(version, path) as db:
        migrate(db, path)
        rows = db.execute("SELECT * FROM texts ORDER BY id").fetchall()
        assert {row["id"]: row["kind"] for row in rows} == {row["id"]: KINDS[row["id"]] for row in rows}
        assert not {"is_test", "is_answer", "answer_to"} & set(rows[0].keys())
        assert counts.of_texts(db) == counted_one_by_one(db)
        looked = queue.claim_due(db, NOW, {"front": ("primary",)}, {"primary": 9})
        assert [claimed.id for claimed in looked.claimed] == [*(3, 4)[: max(0, len(rows) - 2)], *(1, 2)[: len(rows)]]
        assert Counter(counts.of_texts(db)) == counted_one_by_one(db)
        assert texts.selected(db, Selection())[-1]["provider_id"] == "abc"
        assert db.execute(history.SENT_SINCE, ("2026", 9)).fetchone()["n"] == 1
        assert [row[0] for row in db.execute("PRAGMA integrity_check")] == ["ok"]
        assert db.execute("PRAGMA foreign_key_check").fetchall() == []


@pytest.mark.parametrize("version", range(1, 9))
def test_receipts_find_the_texts_of_older_databases(tmp_path: Path, version: int) -> None:
    """By the ids that stand there as an SMSC wrote them: its receipt writes the same one in decimal, or padded."""
    path = tmp_path / "textback.db"
    with written_by(version, path) as db:
        migrate(db, path)
        for theirs in ("2748", "0ABC"):
            delivered = Delivered(
                source="+14155550123", destination="+14155550100", esm_class=4, data_coding=0, tlvs={},
                octets=f"id:{theirs} stat:DELIVRD".encode(),
            )  # fmt: skip
            receipt = read(delivered, "primary", NOW)
            assert receipts.add(db, receipt, receipt.find_id).text == 1


@pytest.mark.parametrize("version", range(6, 9))
def test_confirmations_of_older_databases_are_not_repeated(tmp_path: Path, version: int) -> None:
    path = tmp_path / "textback.db"
    with written_by(version, path) as db:
        migrate(db, path)
        since = NOW - timedelta(hours=1)
        assert texts.confirmed_since(db, "+14155550123", "opt_out", since)  # type: ignore[arg-type]
        assert not texts.confirmed_since(db, "+14155550123", "opt_in", since)  # type: ignore[arg-type]


def test_schema_of_a_new_database_is_that_of_an_old_one(tmp_path: Path) -> None:
    """Every table, index and trigger, by its columns."""
    shapes = []
    for version in (0, 1, 8):
        path = tmp_path / f"{version}.db"
        with written_by(version, path) if version else empty(path) as db:
            migrate(db, path)
            shapes.append([tuple(row) for row in db.execute("SELECT type, name, tbl_name, sql FROM sqlite_master ORDER BY 2")])
    assert shapes[0] == shapes[1] == shapes[2]


@contextmanager
def empty(path: Path) -> Iterator[sqlite3.Connection]:
    db = sqlite3.connect(path, isolation_level=None)
    db.row_factory = sqlite3.Row
    yield db
    db.close()
