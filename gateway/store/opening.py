"""Opening the database: whose file it is, how it is written, and bringing an older one up to date."""

import os
import sqlite3
from datetime import timedelta
from pathlib import Path

from gateway.store.errors import StoreError, in_words, is_damage
from gateway.store.saved import refuse_empty, what_to_put_there
from gateway.store.schema import APPLICATION_ID, MIGRATIONS, VERSION

BUSY_TIMEOUT_S = 5.0
"""Another program's lock is waited for so long before it counts as trouble."""
BUSY_TURN = timedelta(milliseconds=250)
"""Once the database is open, that is waited for in turns of this length, between which it may be closed."""


def open_to_write(path: Path) -> sqlite3.Connection:
    """A connection that writes, to a database of this program's schema; a file that it made in vain is taken away again."""
    is_new = not path.exists()
    connection = _connect(path)
    try:
        _set_up(connection, path)
        migrate(connection, path)
        connection.execute(f"PRAGMA busy_timeout = {BUSY_TURN // timedelta(milliseconds=1)}")
    except StoreError:
        connection.close()
        for name in (path, Path(f"{path}-wal"), Path(f"{path}-shm")) if is_new else ():
            name.unlink(missing_ok=True)
        raise
    return connection


def _connect(path: Path) -> sqlite3.Connection:
    try:
        refuse_empty(path)
        _refuse_anothers(path)
        return sqlite3.connect(path, timeout=BUSY_TIMEOUT_S, isolation_level=None, check_same_thread=False)
    except (sqlite3.Error, OSError) as error:
        raise StoreError(in_words(error, path)) from error


def _refuse_anothers(path: Path) -> None:
    """A backup that root has put in its place belongs to root, and the service may not write into it."""
    if path.exists() and os.geteuid() not in (0, path.stat().st_uid):
        raise StoreError(f"{path}: belongs to another user; run as root: chown --reference={path.parent} {path}")


def _set_up(connection: sqlite3.Connection, path: Path) -> None:
    try:
        connection.row_factory = sqlite3.Row
        refuse_newer(connection, path)
        connection.execute("PRAGMA journal_mode = WAL")
        connection.execute("PRAGMA synchronous = FULL")
        connection.execute("PRAGMA foreign_keys = ON")
        connection.execute("PRAGMA temp_store = MEMORY")  # another full disk is none of ours
        path.chmod(0o600)
    except (sqlite3.Error, OSError) as error:
        raise StoreError(in_words(error, path)) from error


def migrate(connection: sqlite3.Connection, path: Path) -> None:
    """Bring the schema up to this program's, in one transaction; an unknown future schema is refused."""
    try:
        have = refuse_newer(connection, path)
        if have == VERSION:
            return
        connection.execute("PRAGMA foreign_keys = OFF")  # a table that is rebuilt keeps its children
        connection.execute("BEGIN IMMEDIATE")
        for statements in MIGRATIONS[have:]:
            for statement in statements:
                connection.execute(statement)
        connection.execute(f"PRAGMA user_version = {VERSION}")
        connection.execute("COMMIT")
        connection.execute("PRAGMA foreign_keys = ON")
    except sqlite3.Error as error:
        if connection.in_transaction:
            connection.rollback()
        raise StoreError(in_words(error, path)) from error


def refuse_newer(connection: sqlite3.Connection, path: Path) -> int:
    """The schema's version; `StoreError` where it is one that this program does not know, or the file is not ours."""
    _refuse_foreign(connection, path)
    have: int = connection.execute("PRAGMA user_version").fetchone()[0]
    if have > VERSION:
        raise StoreError(
            f"{path}: written by a newer Textback (schema {have}, this program knows {VERSION}); "
            "install that version again, or restore the backup from before the upgrade"
        )
    return have


def _refuse_foreign(connection: sqlite3.Connection, path: Path) -> None:
    if not _is_textbacks(connection):
        raise StoreError(f"{path}: this is not a Textback database; {what_to_put_there(path)}, or name another data_dir")


def _is_textbacks(connection: sqlite3.Connection) -> bool:
    """By the id in its header; an older Textback's has none, but has its tables, and one that was just made has no table."""
    try:
        if connection.execute("PRAGMA application_id").fetchone()[0] == APPLICATION_ID:
            return True
        tables = {row[0] for row in connection.execute("SELECT name FROM sqlite_master WHERE type = 'table'")}
    except sqlite3.DatabaseError as error:
        if is_damage(error):
            return False
        raise
    return not tables or {"calls", "texts", "decisions"} <= tables
