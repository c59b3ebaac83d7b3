"""A file read whole, as it is at one moment, or not at all; and written so."""

import contextlib
import os
import stat
from dataclasses import dataclass
from pathlib import Path


class Unusable(Exception):
    """A file cannot be used; the words complete "the file …": why, and what to do."""


class NotYet(Unusable):
    """It cannot be used now; it may be so later though nobody changes it."""


class JustChanged(NotYet):
    """It is being written, or was moments ago."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Stamp:
    """What changes when a file is written, or replaced by another, also where that one is as old and as large."""

    written_ns: int
    size: int
    changed_ns: int
    inode: int


@dataclass(frozen=True, slots=True, kw_only=True)
class WholeFile:
    """The content, and the stamp of what was read."""

    content: bytes
    stamp: Stamp


def stamp_of(path: Path) -> Stamp:
    """Of the file as it lies there now."""
    try:
        return _stamp(path.stat())
    except (OSError, ValueError) as error:
        raise Unusable(_why_not(error)) from None


def read_whole(path: Path, at_most: int) -> WholeFile:
    """The whole file, if it is not larger and is not written to meanwhile."""
    try:
        descriptor = os.open(path, os.O_RDONLY | os.O_CLOEXEC | os.O_NONBLOCK)  # a pipe would be waited for
        with os.fdopen(descriptor, "rb") as file:
            before = os.fstat(descriptor)
            if not stat.S_ISREG(before.st_mode):
                raise Unusable("is no file; name a file")
            content = file.read(at_most + 1) if before.st_size <= at_most else b""
            after = os.fstat(descriptor)
    except (OSError, ValueError) as error:
        raise Unusable(_why_not(error)) from None
    if max(before.st_size, len(content)) > at_most:
        raise Unusable(f"is larger than {at_most // 1_000_000} MB; leave out what does not belong there")
    if before.st_mtime_ns != after.st_mtime_ns or not before.st_size == after.st_size == len(content):
        raise JustChanged("was written to while it was read")
    return WholeFile(content=content, stamp=_stamp(after))


def _stamp(status: os.stat_result) -> Stamp:
    return Stamp(written_ns=status.st_mtime_ns, size=status.st_size, changed_ns=status.st_ctime_ns, inode=status.st_ino)


def _why_not(error: OSError | ValueError) -> str:
    if isinstance(error, FileNotFoundError):
        return "is not there; put it there, or name another"
    if isinstance(error, PermissionError):
        return "may not be read; give it to the user that the gateway runs as, or chmod 644"
    if isinstance(error, IsADirectoryError):
        return "is a directory; name a file"
    return f"cannot be read: {error.strerror if isinstance(error, OSError) else error}"


def write(path: Path, content: bytes) -> None:
    """Put a file of ours in the place of the one before, on the disk, for nobody else to read; `OSError` where that fails."""
    fresh = path.with_name(f"{path.name}.new")
    with contextlib.suppress(FileNotFoundError):
        fresh.unlink()
    try:
        with os.fdopen(os.open(fresh, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600), "wb") as file:
            file.write(content)
            file.flush()
            os.fsync(file.fileno())
        fresh.replace(path)
    except OSError:
        with contextlib.suppress(OSError):
            fresh.unlink(missing_ok=True)
        raise
    _sync(path.parent)


def _sync(directory: Path) -> None:
    """The directory's entry on the disk too."""
    descriptor = os.open(directory, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
