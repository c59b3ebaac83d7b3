"""`check` tells of trunks whose past callers are no numbers, or all one, as the configuration of now would read them."""

import sqlite3
from datetime import UTC, datetime, timedelta
from pathlib import Path

from config.load import load
from gateway.preview.past_calls import LOOKED_BACK, of_journal
from tests.cli.histories import add_call
from tests.peers import commands

NOW = datetime(2026, 11, 23, 18, tzinfo=UTC)
MISREAD = (
    "12 of 12 callers came in a form that is no number of US, such as '91415•••1011'; strip = \"9\" would read them as such"
    " (docs/numbers.md)"
)


def test_callers_of_the_last_month_are_read_as_they_would_be_now(db: sqlite3.Connection, tmp_path: Path) -> None:
    for number in range(12):
        add_call(db, number, at=NOW - timedelta(days=number), who=f"9141555510{number:02}")
    path = commands.configured(tmp_path)
    assert [(advice.key, advice.says) for advice in of_journal(load(path), NOW)] == [("trunk.pbx", MISREAD)]
    path.write_text(path.read_text().replace("[trunk.pbx]", '[trunk.pbx]\nstrip = "9"'))
    assert of_journal(load(path), NOW) == ()


def test_neither_test_calls_nor_old_calls_nor_those_of_another_trunk(db: sqlite3.Connection, tmp_path: Path) -> None:
    for number in range(36):
        add_call(db, number, at=NOW - (LOOKED_BACK + timedelta(days=1)) * (number < 12), who="101")
    db.execute("UPDATE calls SET trunk = 'call-test' WHERE id BETWEEN 13 AND 24")
    db.execute("UPDATE calls SET trunk = 'gone' WHERE id > 24")
    assert of_journal(load(commands.configured(tmp_path)), NOW) == ()


def test_check_says_it_with_its_line(db: sqlite3.Connection, tmp_path: Path) -> None:
    for number in range(12):
        add_call(db, number, at=datetime.now(UTC) - timedelta(hours=number), who="+14155550100")
    (done,) = commands.run(commands.configured(tmp_path), ("check",))
    assert (
        f"By past calls:\n  {tmp_path / 'textback.toml'}:4: trunk.pbx: 12 of 12 callers were the number of line front itself"
        in (done.out)
    )
