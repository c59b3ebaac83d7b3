"""The database as the command line reads it, beside a gateway that may be running, or without one."""

import os
import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from gateway.store.errors import NoDatabase, NotStarted, StoreError, in_words
from gateway.store.opening import BUSY_TIMEOUT_S, refuse_newer
from gateway.store.saved import refuse_empty, what_to_put_there
from gateway.store.schema import VERSION

FILE = "textback.db"
_NOT_YOURS = "may not be read by this user; run this as root, or as the gateway's user"


@contextmanager
def reading(path: Path) -> Iterator[sqlite3.Connection]:
    """A read-only connection; `StoreError` where there is no database of this program's schema that can be read."""
    refuse_unreadable(path)
    try:
        connection = sqlite3.connect(_address(path), uri=True, timeout=BUSY_TIMEOUT_S)
        connection.row_factory = sqlite3.Row
        try:
            _refuse_older(refuse_newer(connection, path), path)
            yield connection
        finally:
            connection.close()
    except sqlite3.Error as error:
        raise StoreError(in_words(error, path)) from error


def refuse_unreadable(path: Path) -> None:
    """`StoreError` where there is no file, or none that this user may read.

    It is not opened for that: to close it would take away the locks of a gateway in this process.
    """
    try:
        refuse_empty(path)
        path.stat()
    except FileNotFoundError:
        raise NoDatabase(f"{path}: no database here yet; it is made when the gateway first starts") from None
    except PermissionError:
        raise StoreError(f"{path}: {_NOT_YOURS}") from None
    except OSError as error:
        raise StoreError(f"{path}: cannot be read: {error.strerror}; look at data_dir and its disk") from None
    if not path.is_file():
        raise StoreError(f"{path}: is no file; {what_to_put_there(path)}")
    if not os.access(path, os.R_OK):
        raise StoreError(f"{path}: {_NOT_YOURS}")


def _address(path: Path) -> str:
    """The file's, for SQLite. Where nothing can be written beside it and no log lies there, the file is all there is."""
    if os.access(path.parent, os.W_OK):
        how = "mode=ro"
    elif _has_log(path) and not Path(f"{path}-shm").exists():
        raise StoreError(f"{path}: its log cannot be read on a disk that takes no writing; copy the directory to another disk")
    else:
        how = "mode=ro" if _has_log(path) else "immutable=1"
    return f"{path.absolute().as_uri()}?{how}"


def _has_log(path: Path) -> bool:
    log = Path(f"{path}-wal")
    return log.exists() and log.stat().st_size > 0


def _refuse_older(version: int, path: Path) -> None:
    if version < VERSION:
        raise NotStarted(
            f"{path}: written by an older Textback (schema {version}, this program knows {VERSION}); the gateway brings it up"
            " to date when it starts"
        )
