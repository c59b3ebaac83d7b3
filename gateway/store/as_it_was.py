"""The database as it was at an instant, for questions about a time that is past."""

import sqlite3
from collections.abc import Iterator
from contextlib import closing, contextmanager
from datetime import datetime
from pathlib import Path

from gateway.store.errors import NoDatabase
from gateway.store.instants import written
from gateway.store.opening import migrate
from gateway.store.reading import reading, refuse_unreadable

_LATER: dict[str, dict[str, str]] = {
    "calls": {
        "outcome": "outcome_at",
        "rang_seconds": "outcome_at",
        "done_at": "done_at",
        "decision": "outcome_at",
        "reason": "outcome_at",
        "same_call_as": "outcome_at",
    },
    "texts": {},
    "replies": {},
    "consent": {},
    "undeliverable": {},
    "number_refusals": {},
}
"""The tables that the rules ask, and which of their columns were empty before the instant in another."""
_CAME = {"calls": "arrived_at", "texts": "queued_at"}
"""When a row came; in the other tables it is `at`."""
_STATE_THEN = "CASE WHEN settled_at > {at} THEN 'queued' ELSE state END"
"""A text whose end came later was under way."""


@contextmanager
def reading_as_it_was(path: Path, at: datetime) -> Iterator[sqlite3.Connection]:
    """The database as it was at the instant; an empty one where no gateway has run yet, and nobody is known."""
    try:
        refuse_unreadable(path)
    except NoDatabase:
        with closing(sqlite3.connect(":memory:")) as empty:
            empty.row_factory = sqlite3.Row
            migrate(empty, path)
            yield empty
        return
    with reading(path) as db:
        _forget_after(db, at)
        yield db


def _forget_after(db: sqlite3.Connection, instant: datetime) -> None:
    """Let a connection see only what had happened by an instant: by views of its own that lie over the tables."""
    db.execute("PRAGMA temp_store = MEMORY")  # a full disk is none of ours
    at = f"'{written(instant)}'"
    for table, later in _LATER.items():
        names = [row["name"] for row in db.execute("SELECT name FROM pragma_table_info(?)", (table,))]
        shown = {name: f"CASE WHEN {later[name]} <= {at} THEN {name} END" if name in later else name for name in names}
        if table == "texts":
            shown["state"] = _STATE_THEN.format(at=at)
        columns = ", ".join(f"{what} AS {name}" for name, what in shown.items())
        came = _CAME.get(table, "at")
        db.execute(f"CREATE TEMP VIEW {table} AS SELECT {columns} FROM main.{table} WHERE {came} <= {at}")
