"""The database's files on the disk: are they still those that the gateway holds open? If not, what it holds is saved.

A file that was removed is still whole in the open handle, and is written back. A file that somebody put in its place is never
touched: what the gateway holds is saved beside it, and a person decides. Steps wait meanwhile.
"""

import contextlib
import ctypes
import os
import sqlite3
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path

import structlog

from gateway.store.errors import StoreError, in_words, is_damage
from gateway.store.saved import newest_saved
from gateway.store.schema import APPLICATION_ID

MAGIC = b"SQLite format 3\0"
FileId = tuple[int, int]
"""Device and inode."""


class OpenFile:
    """The one connection that writes. Used by the store's thread only."""

    def __init__(self, path: Path, connect: Callable[[Path], sqlite3.Connection]) -> None:
        self._path = path
        self._connect = connect
        self._files = path, Path(f"{path}-wal"), Path(f"{path}-shm")
        self._log = structlog.get_logger()
        self.is_saving = False
        """What it holds is nowhere else just now."""
        self._is_open = False
        self._opened: list[FileId | None] = [None, None, None]
        """The files as they were when they were opened; only the first counts while they are not."""
        self._header_of = -1
        """A descriptor of the file, while it is open, and what its header said then."""
        self._header: int | None = None
        try:
            self._saved = newest_saved(path) if not path.exists() else None
            if self._saved is not None:
                self._put_back(self._saved)
            self.connection = self._open()
        except (OSError, sqlite3.Error) as error:
            raise StoreError(in_words(error, path)) from error

    def look(self) -> None:
        """Nothing, where all is as it was or could be mended; `StoreError` where the file is not to be written now."""
        try:
            self._look()
        except (OSError, sqlite3.Error) as error:
            raise StoreError(in_words(error, self._path)) from error

    def close(self) -> None:
        """Let the file go, whatever state it is in; what it has and nobody else is saved before."""
        try:
            self.look()
        except StoreError as error:
            self._log.error("database_not_closed_in_order", error=str(error))
        if self._is_open and self._is_ours(_id_of(self._path)):
            self._close()
        elif self._is_open:
            _never_close(self.connection)

    def _open(self) -> sqlite3.Connection:
        connection = self._connect(self._path)
        with contextlib.suppress(sqlite3.OperationalError):  # on a full disk it stays in the log, which was there already
            connection.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchall()  # so that the file's own header names us
        self._opened = [_id_of(path) for path in self._files]
        self._header_of = os.open(self._path, os.O_RDONLY | os.O_CLOEXEC)
        self._header = _application_id(self._header_of)
        self._is_open, self._saved = True, None
        return connection

    def _look(self) -> None:
        """The file itself is not opened for that: see `_close`."""
        found = [_id_of(path) for path in self._files]
        if found[0] is None:
            self._write_back()
        elif not self._is_ours(found[0]):
            self._let_go(is_moved=found[0] != self._opened[0])
            raise StoreError(f"{self._path}: {self._whats_wrong()}")
        elif not self._is_open or found != self._opened:
            self._reopen()

    def _is_ours(self, found: FileId | None) -> bool:
        is_same = found is not None and found == self._opened[0]
        is_named_ours = not self._is_open or _application_id(self._header_of) in {APPLICATION_ID, self._header} - {None}
        return is_same and is_named_ours

    def _close(self) -> None:
        """The descriptor last: to close one takes SQLite's locks away (https://sqlite.org/howtocorrupt.html §2.2)."""
        self.connection.close()
        os.close(self._header_of)

    def _whats_wrong(self) -> str:
        says = "the file was replaced by another while the gateway ran; calls are kept until you decide. "
        if self._saved is None:
            return f"{says}Stop the gateway, put the newest backup there, start it"
        return (
            f"{says}Move it away, and the gateway writes its own back; or restart the gateway to use it"
            f" (what the gateway knew is in {self._saved.name})"
        )

    def _reopen(self) -> None:
        """The write-ahead log or its index was removed: everything goes into the file, which is opened anew."""
        if self._is_open:
            is_hindered = self.connection.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchone()[0]
            if is_hindered:
                raise StoreError(f"{self._path}: its -wal or -shm was removed, and another program reads it; end that program")
            self._close()
            self._is_open = False
            self._log.warning("database_log_was_removed", path=str(self._path), mended="written into the file, opened again")
        self.connection = self._open()

    def _write_back(self) -> None:
        """The file was removed."""
        self._let_go(is_moved=True)
        if self._saved is None:
            raise StoreError(f"{self._path}: the file is gone; stop the gateway, put the newest backup there, start it")
        self._put_back(self._saved)
        self.connection = self._open()

    def _let_go(self, *, is_moved: bool) -> None:
        """Save what the handle holds and give the handle up, so that nothing of it is ever written into another's file."""
        if not self._is_open:
            return
        self.is_saving = True
        try:
            self._saved = self._save()
        except sqlite3.DatabaseError as error:
            if is_moved or not is_damage(error):
                raise
        finally:
            self.is_saving = False
        if is_moved:
            self._close()  # SQLite sees that the file is not there, and leaves what is there alone
        else:
            _never_close(self.connection)
        for path, opened in zip(self._files[1:], self._opened[1:], strict=True):
            if opened is not None and _id_of(path) == opened:
                _set_aside(path) if self._saved is None else path.unlink()
        self._is_open, self._opened[0] = False, None

    def _save(self) -> Path:
        """A whole copy beside the file, under a name of its own."""
        copy = Path(f"{self._path}.copying")
        copy.unlink(missing_ok=True)
        os.close(os.open(copy, os.O_CREAT | os.O_EXCL | os.O_WRONLY, 0o600))
        try:
            self.connection.execute("VACUUM INTO ?", (str(copy),))
            _refuse_damaged(copy)
        except sqlite3.Error:
            copy.unlink()
            raise
        _sync(copy)
        saved = copy.rename(f"{self._path}.saved-{_now()}")
        _sync(saved.parent)
        self._log.warning("database_saved", path=str(saved))
        return saved

    def _put_back(self, saved: Path) -> None:
        """Where nothing is; another's write-ahead log that lies there must not be taken for this file's."""
        for path in self._files[1:]:
            if path.exists():
                _set_aside(path)
        os.link(saved, self._path)
        saved.unlink()
        _sync(self._path.parent)
        self._opened = [_id_of(self._path), None, None]
        self._log.warning("database_written_back", path=str(self._path), why="the file was gone")


def _id_of(path: Path) -> FileId | None:
    try:
        found = path.stat()
    except (FileNotFoundError, NotADirectoryError):
        return None
    return found.st_dev, found.st_ino


def _application_id(descriptor: int) -> int | None:
    """Out of the file's header (https://sqlite.org/fileformat.html §1.3); None: not SQLite's."""
    header = os.pread(descriptor, 100, 0)
    return int.from_bytes(header[68:72], "big") if len(header) == 100 and header.startswith(MAGIC) else None


def _refuse_damaged(path: Path) -> None:
    connection = sqlite3.connect(path)
    try:
        found = connection.execute("PRAGMA integrity_check(1)").fetchone()[0]
    finally:
        connection.close()
    if found != "ok":
        error = sqlite3.DatabaseError("database disk image is malformed")
        error.sqlite_errorcode = sqlite3.SQLITE_CORRUPT
        raise error


def _never_close(connection: sqlite3.Connection) -> None:
    """To close it would write the write-ahead log into the file, which is another's now. The process's end does not."""
    ctypes.pythonapi.Py_IncRef(ctypes.py_object(connection))


def _set_aside(path: Path) -> None:
    path.rename(f"{path}.{_now()}")


def _sync(path: Path) -> None:
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def _now() -> str:
    return f"{datetime.now(UTC):%Y%m%dT%H%M%S.%f}"
