"""What is wrong with the database file, in a sentence."""

import errno
import os
import sqlite3
from pathlib import Path

ALMOST_NOTHING = 64 * 1024
"""Bytes free on a disk that is as good as full."""

_OF_THE_FILE = frozenset(
    {
        sqlite3.SQLITE_BUSY,
        sqlite3.SQLITE_CANTOPEN,
        sqlite3.SQLITE_FULL,
        sqlite3.SQLITE_IOERR,
        sqlite3.SQLITE_LOCKED,
        sqlite3.SQLITE_NOLFS,
        sqlite3.SQLITE_NOMEM,
        sqlite3.SQLITE_PERM,
        sqlite3.SQLITE_PROTOCOL,
        sqlite3.SQLITE_READONLY,
    }
)
_OPENED_BY = {
    errno.ENOENT: "make data_dir again, for the user that the gateway runs as",
    errno.EACCES: "data_dir belongs to another user, so run this as root, or give it to the user that the gateway runs as",
    errno.EMFILE: "raise the limit of open files (LimitNOFILE=, ulimit -n)",
    errno.ENFILE: "raise the machine's limit of open files (fs.file-max)",
}
"""What lets a directory be opened that was not."""
_DAMAGE = frozenset({sqlite3.SQLITE_CORRUPT, sqlite3.SQLITE_NOTADB})


class StoreError(Exception):
    """The database cannot be opened or written; the sentence says where and what to do."""


class NotStarted(StoreError):
    """A gateway that starts mends it; whoever knows how this one is started says so."""


class NoDatabase(NotStarted):
    """No gateway has run here yet: nothing has happened, and nobody is known."""


def is_of_the_file(error: sqlite3.Error) -> bool:
    """Would every step fail so now, and may it succeed later? Anything else is one step's own."""
    return _primary_code(error) in _OF_THE_FILE


def is_busy(error: sqlite3.Error) -> bool:
    """Does another program hold the database?"""
    return _primary_code(error) == sqlite3.SQLITE_BUSY


def is_of_the_disk(error: sqlite3.Error) -> bool:
    """Could the disk not read or write? That may be the whole disk, or one bad sector that one step reads."""
    return _primary_code(error) == sqlite3.SQLITE_IOERR


def is_damage(error: sqlite3.Error) -> bool:
    """Is what the file holds no database, or no longer?"""
    return _primary_code(error) in _DAMAGE


def _primary_code(error: sqlite3.Error) -> int:
    """Without the extension (https://sqlite.org/rescode.html); 0 where Python itself refused."""
    return int(getattr(error, "sqlite_errorcode", 0)) & 0xFF


def in_words(error: Exception, path: Path) -> str:
    """What is wrong with the file, and what to do."""
    said = str(error).lower()
    if _is_read_only(path) and any(part in said for part in ("unable to open", "readonly", "i/o")):
        return f"{path}: the disk is mounted read-only; look why (dmesg), and mount it for writing"
    if is_disk_full(path) and ("i/o" in said or "unable to open" in said):
        said = "full"
    for part, words in (
        ("full", "the disk is full; free some space"),
        ("no space", "the disk is full; free some space"),
        ("no such file", "the directory is gone; make it again, for the user that the gateway runs as"),
        ("locked", "another program holds the database; is a second gateway running on this data_dir?"),
        ("readonly", "the database cannot be written; give it to the user that the gateway runs as"),
        ("unable to open", f"the database cannot be opened: {_not_opened(path.parent)}"),
        ("not a database", "this is not a Textback database; move it away or name another data_dir"),
        ("malformed", "the database is damaged; restore a backup"),
        ("disk i/o", "disk I/O error: it cannot be read or written; look at the disk (dmesg), and have a backup at hand"),
    ):
        if part in said:
            return f"{path}: {words}"
    return f"{path}: {error}"


def _not_opened(directory: Path) -> str:
    """SQLite keeps the reason to itself, so the directory is asked. Not the file: to close it would drop SQLite's locks."""
    try:
        os.close(os.open(directory, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC))
        if not os.access(directory, os.W_OK | os.X_OK):
            raise PermissionError(errno.EACCES, os.strerror(errno.EACCES))
    except OSError as error:
        return f"{error.strerror}; {_OPENED_BY.get(error.errno or 0, f'look at {directory} and its disk')}"
    return "check that all files in data_dir belong to the gateway's user"


def _is_read_only(path: Path) -> bool:
    """Is the disk that the file is on mounted so?"""
    try:
        return bool(os.statvfs(path.parent).f_flag & os.ST_RDONLY)
    except OSError:
        return False


def is_disk_full(path: Path) -> bool:
    """Is there next to nothing free where the file is?"""
    try:
        disk = os.statvfs(path.parent)
    except OSError:
        return False
    return disk.f_bavail * disk.f_frsize < ALMOST_NOTHING
