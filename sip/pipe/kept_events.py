"""Events that a gateway has not taken, in a file of the agent's own: read by whichever gateway finds it.

Its bytes are written beforehand, so that it needs no room; they are not forced to the disk, since they are for the death of
processes, not of the machine. Each agent has its own, and holds a lock on it as long as it lives; the next one uses it again.
"""

import fcntl
import os
import zlib
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

from sip.faults import say
from sip.pipe.lines import ProtocolError, decode_event, encode
from sip.protocol import AgentEvent

SIZE = 256 * 1024
"""Some hundred calls; it grows where the disk lets it."""
_GLOB = "agent-*.calls"
_FILES_AT_MOST = 100


class KeptEvents:
    """The file, as the agent writes it. Nothing raises: what cannot be written is said."""

    def __init__(self, directory: str) -> None:
        """Without a directory nothing is written."""
        self._file: int | None = None
        self._end = 0
        if directory:
            self._open(Path(directory))

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
            say(f"the agent's file of calls cannot be written ({error.strerror}): what the gateway is slow to take may be lost")
        else:
            self._end += len(lines)

    def clear(self) -> None:
        """The gateway has all of it."""
        if self._file is None or not self._end:
            return
        try:
            _write(self._file, b"\0", 0)
        except OSError as error:  # what stands there is journalled already: it would change nothing
            say(f"the agent's file of calls cannot be cleared ({error.strerror})")
        self._end = 0

    def close(self) -> None:
        """Let go of the file, as the agent's end does."""
        if self._file is not None:
            os.close(self._file)
            self._file = None

    def _open(self, directory: Path) -> None:
        """One that is there, in which nothing stands, else another."""
        try:
            found = (_empty(directory / f"agent-{number}.calls") for number in range(1, _FILES_AT_MOST))
            self._file = next(file for file in found if file is not None)
        except (OSError, StopIteration) as error:
            say(f"{directory}: no file for calls that the gateway is slow to take ({error}); they are lost if both end")


def files(directory: Path) -> Sequence[Path]:
    """Those of dead agents and of living ones."""
    return sorted(directory.glob(_GLOB))


@dataclass(frozen=True, slots=True, kw_only=True)
class Left:
    """What stands in a dead agent's file."""

    events: tuple[AgentEvent, ...]
    unreadable: int
    """Lines that are not whole, or another version's."""


def take_over(path: Path, take: Callable[[Left], bool]) -> bool:
    """Give what a dead agent left in its file, if anything, to who says whether it may go now; False: the agent lives."""
    file = os.open(path, os.O_RDWR | os.O_CLOEXEC)
    try:
        if not _is_locked(file):
            return False
        content = os.pread(file, os.fstat(file).st_size, 0).partition(b"\0")[0]
        if content and take(_read(content)):
            _write(file, b"\0", 0)
        return True
    finally:
        os.close(file)


def _empty(path: Path) -> int | None:
    """The file, locked and of full size; None where another agent has it, or something stands there."""
    file = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    try:
        if _is_locked(file) and os.pread(file, 1, 0) in (b"", b"\0"):
            size = os.fstat(file).st_size
            _write(file, bytes(max(0, SIZE - size)), size)
            return file
    except OSError:
        os.close(file)
        raise
    os.close(file)
    return None


def _is_locked(file: int) -> bool:
    try:
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True


def _line(event: AgentEvent) -> bytes:
    body = encode(event)
    return b"%08x %s" % (zlib.crc32(body), body)


def _read(content: bytes) -> Left:
    lines = content.splitlines(keepends=True)
    events = tuple(event for line in lines if (event := _event(line)) is not None)
    return Left(events=events, unreadable=len(lines) - len(events))


def _event(line: bytes) -> AgentEvent | None:
    checksum, _, body = line.partition(b" ")
    if checksum != b"%08x" % zlib.crc32(body):
        return None
    try:
        return decode_event(body)
    except ProtocolError:
        return None


def _write(file: int, what: bytes, at: int) -> None:
    while what:
        sent = os.pwrite(file, what, at)
        what, at = what[sent:], at + sent
