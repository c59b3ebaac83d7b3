"""Events that a gateway has not taken, in a file of the agent's own: read by whichever gateway finds it.

Its bytes are written beforehand, so that it needs no room; they are not forced to the disk, since they are for the death of
processes, not of the machine. Each agent has its own, and holds a lock on it as long as it lives.
"""

import contextlib
import fcntl
import os
import zlib
from collections.abc import Iterable, Sequence
from pathlib import Path

from sip.faults import say
from sip.pipe.lines import ProtocolError, decode_event, encode
from sip.protocol import AgentEvent

SIZE = 256 * 1024
"""Some hundred calls; it grows where the disk lets it."""
_GLOB = "agent-*.calls"


class KeptEvents:
    """The file, as the agent writes it. Nothing raises: what cannot be written is said, and stays in memory alone."""

    def __init__(self, directory: str, name: str) -> None:
        """Without a directory nothing is written."""
        self._path = Path(directory) / f"agent-{name}.calls"
        self._file: int | None = None
        self._end = 0
        if directory:
            self._open()

    @property
    def is_open(self) -> bool:
        """Is there a file to write into?"""
        return self._file is not None

    def append(self, events: Iterable[AgentEvent]) -> None:
        """Add events at the end."""
        if self._file is None:
            return
        lines = b"".join(_line(event) for event in events)
        try:
            _write(self._file, lines + b"\0", self._end)
        except OSError as error:
            say(f"{self._path}: not written ({error.strerror}); a call is lost if the gateway ends before it has taken it")
        else:
            self._end += len(lines)

    def clear(self) -> None:
        """The gateway has all of it."""
        if self._file is None or not self._end:
            return
        try:
            _write(self._file, b"\0", 0)
        except OSError as error:  # what stands there is journalled already: it would change nothing
            say(f"{self._path}: not cleared ({error.strerror})")
        self._end = 0

    def close(self) -> None:
        """At the end; a file with nothing in it is removed."""
        if self._file is not None and not self._end:
            with contextlib.suppress(OSError):
                self._path.unlink()

    def _open(self) -> None:
        try:
            file = os.open(self._path, os.O_RDWR | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600)
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
            _write(file, bytes(SIZE), 0)
            self._file = file
        except OSError as error:
            say(f"{self._path}: cannot be made ({error.strerror}); calls that the gateway is slow to take are lost if both end")


def files(directory: Path) -> Sequence[Path]:
    """What agents left there, and what a living one holds."""
    return sorted(directory.glob(_GLOB))


def left_in(path: Path) -> tuple[AgentEvent, ...] | None:
    """What a dead agent left in its file; None: it still lives."""
    with path.open("rb") as file:
        try:
            fcntl.flock(file, fcntl.LOCK_SH | fcntl.LOCK_NB)
        except BlockingIOError:
            return None
        return tuple(_events(file.read().partition(b"\0")[0]))


def _line(event: AgentEvent) -> bytes:
    body = encode(event)
    return b"%08x %s" % (zlib.crc32(body), body)


def _events(content: bytes) -> Iterable[AgentEvent]:
    """Up to the first line that is not whole: it was being written."""
    for line in content.splitlines(keepends=True):
        checksum, _, body = line.partition(b" ")
        if checksum != b"%08x" % zlib.crc32(body):
            return
        with contextlib.suppress(ProtocolError):  # another version's
            yield decode_event(body)


def _write(file: int, what: bytes, at: int) -> None:
    while what:
        sent = os.pwrite(file, what, at)
        what, at = what[sent:], at + sent
