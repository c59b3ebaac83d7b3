"""The directory that holds everything a gateway knows, and that only one gateway may hold at a time."""

import errno
import fcntl
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

LOCK = "gateway.lock"


class CannotStart(Exception):
    """One plain sentence for the admin."""


@contextmanager
def only_one_here(data_dir: Path) -> Iterator[None]:
    """Hold the data directory, so that a second gateway on it stops with a sentence instead of sending everything twice."""
    try:
        data_dir.mkdir(mode=0o700, parents=True, exist_ok=True)
        lock = os.open(data_dir / LOCK, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    except OSError as error:
        raise CannotStart(f"data_dir {data_dir} cannot be used: {error.strerror}; {_cure(error)}") from error
    try:
        _hold(lock, data_dir)
        yield
    finally:
        os.close(lock)


def _cure(error: OSError) -> str:
    if error.errno == errno.EROFS:  # above all: whatever systemd keeps the service from
        return (
            "the service may write into /var/lib/textback alone, so let that be data_dir, and mount another disk there"
            " (at /var/lib/private/textback) where it must be one"
        )
    return "create it and give it to the user that the gateway runs as, or name another in the configuration"


def _hold(lock: int, data_dir: Path) -> None:
    try:
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        raise CannotStart(
            f"another gateway already runs on data_dir {data_dir}; stop it first (textback status shows it)"
        ) from None
    except OSError as error:
        raise CannotStart(
            f"data_dir {data_dir} cannot be locked: {error.strerror}; name one on a disk of this machine"
        ) from error


def write_token(path: Path, token: str) -> None:
    """For `textback call-test` on this machine, by whoever may read the data directory."""
    try:
        path.unlink(missing_ok=True)
        with os.fdopen(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600), "w") as file:
            file.write(token)
    except OSError as error:
        raise CannotStart(f"{path} cannot be written: {error.strerror}; free some space, or mend data_dir's owner") from error
