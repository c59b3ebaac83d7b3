"""The database as a command writes it while no gateway runs."""

import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from gateway.store.errors import StoreError, in_words
from gateway.store.opening import BUSY_TIMEOUT_S, open_to_write
from gateway.store.reading import refuse_unreadable


@contextmanager
def writing(path: Path) -> Iterator[sqlite3.Connection]:
    """One transaction, on the disk when this ends; `StoreError` where there is no database or it cannot be written."""
    refuse_unreadable(path)
    connection = open_to_write(path)
    try:
        connection.execute(f"PRAGMA busy_timeout = {BUSY_TIMEOUT_S * 1000:.0f}")
        connection.execute("BEGIN IMMEDIATE")
        yield connection
        connection.execute("COMMIT")
    except sqlite3.Error as error:
        raise StoreError(in_words(error, path)) from error
    finally:
        connection.close()
