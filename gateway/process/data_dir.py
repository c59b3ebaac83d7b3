"""The directory that holds everything a gateway knows, and that only one gateway may hold at a time."""

import errno
import fcntl
import os
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

LOCK = "gateway.lock"
"""In it stands the name of the configuration that the gateway runs by."""
COMMAND_WITHIN_S = 2.0
"""A command that writes while no gateway runs holds the lock no longer; a gateway that starts waits so long for it,"""
AGAIN_S = 0.05
"""and tries so often."""
LAST_GOOD = "last-good.toml"
"""A copy of the configuration that the gateway took last."""
SYSTEMD = "INVOCATION_ID"
"""What systemd sets in the environment of each service."""
TOKEN_FILE = "call-test.token"  # noqa: S105 — a file's name
TOKEN_HEADER = "X-Textback-Token"  # noqa: S105 — a header's name
"""By the token over HTTP, and in test calls, somebody shows that they may read the data directory."""

_NO_ROOM = frozenset({errno.ENOSPC, errno.EDQUOT})


class CannotStart(Exception):
    """One plain sentence for the admin."""


@contextmanager
def only_one_here(data_dir: Path, configuration: Path | None = None) -> Iterator[None]:
    """Hold the data directory, so that a second gateway on it stops with a sentence instead of sending everything twice.

    `configuration` is the file by which the gateway runs.
    """
    try:
        data_dir.mkdir(mode=0o700, parents=True, exist_ok=True)
        lock = os.open(data_dir / LOCK, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    except OSError as error:
        raise CannotStart(f"data_dir {data_dir} cannot be used: {error.strerror}; {_cure(error)}") from error
    try:
        _hold(lock, data_dir)
        _name(configuration, lock, data_dir)
        yield
    finally:
        os.close(lock)


@contextmanager
def while_none_runs(data_dir: Path) -> Iterator[None]:
    """Keep gateways from starting meanwhile; `CannotStart` where one runs. Makes no file: root's would not be the gateway's."""
    try:
        lock = os.open(data_dir / LOCK, os.O_RDONLY | os.O_CLOEXEC)
    except FileNotFoundError:  # nor has one run
        yield
        return
    except OSError as error:
        raise CannotStart(
            f"{data_dir / LOCK} cannot be opened: {error.strerror}; run this as root, or as the gateway's user"
        ) from error
    try:
        if not _is_had(lock, within=0):
            raise CannotStart(f"a gateway runs on data_dir {data_dir}; it alone may write there")
        yield
    finally:
        os.close(lock)


def one_runs(data_dir: Path) -> bool:
    """Does a gateway run there, as far as this user may know?"""
    try:
        with while_none_runs(data_dir):
            return False
    except CannotStart as error:
        return error.__cause__ is None


def _cure(error: OSError) -> str:
    if error.errno == errno.EROFS and SYSTEMD in os.environ:  # above all: whatever systemd keeps the service from
        return (
            "the service may write into /var/lib/textback alone, so let that be data_dir, and mount another disk there"
            " (at /var/lib/private/textback) where it must be one"
        )
    if error.errno == errno.EROFS:
        return "its disk is mounted read-only, so mount it for writing, or name another directory in the configuration"
    return "create it and give it to the user that the gateway runs as, or name another in the configuration"


def _hold(lock: int, data_dir: Path) -> None:
    try:
        if not _is_had(lock, within=COMMAND_WITHIN_S):
            raise CannotStart(f"another gateway already runs on data_dir {data_dir}; stop it first (textback status shows it)")
    except OSError as error:
        raise CannotStart(
            f"data_dir {data_dir} cannot be locked: {error.strerror}; name one on a disk of this machine"
        ) from error


def _name(configuration: Path | None, lock: int, data_dir: Path) -> None:
    try:
        os.ftruncate(lock, 0)
        os.pwrite(lock, os.fsencode(configuration.absolute()) if configuration else b"", 0)
    except OSError as error:
        raise CannotStart(f"{data_dir / LOCK} cannot be written: {error.strerror}; {_cure_of_writing(error)}") from error


def _is_had(lock: int, *, within: float) -> bool:
    """Take the lock, whoever else may have it for a moment."""
    until = time.monotonic() + within
    while True:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            if time.monotonic() >= until:
                return False
            time.sleep(AGAIN_S)
        else:
            return True


def write_token(path: Path, token: str) -> None:
    """For the commands on this machine, by whoever may read the data directory."""
    try:
        path.unlink(missing_ok=True)
        with os.fdopen(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600), "w") as file:
            file.write(token)
    except OSError as error:
        raise CannotStart(f"{path} cannot be written: {error.strerror}; {_cure_of_writing(error)}") from error


def _cure_of_writing(error: OSError) -> str:
    return "free some space" if error.errno in _NO_ROOM else _cure(error)
