"""Calls that the database cannot take now, kept in a file that needs no room: its bytes were written when there was some.

Each line is a call's arrival, with its ending once it has one, and a checksum; a NUL byte is the end. What stands here at the
next start is journalled then. All of it is idempotent: a call that the database has already is not journalled twice.
"""

import asyncio
import json
import os
import threading
import zlib
from dataclasses import asdict, dataclass
from datetime import timedelta
from pathlib import Path
from typing import Any, TypeVar

import structlog

from config.model import E164
from gateway.core.call import Outcome
from gateway.store.calls import Arrival, Ending
from gateway.store.errors import StoreError
from gateway.store.instants import read, written

T = TypeVar("T")

FILE = "calls.reserve"
SIZE = 1024 * 1024
"""A thousand calls, more or less; it grows where the disk lets it."""
PATIENCE_S = 0.25
"""A commit that takes longer is not waited for before the call is safe."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Kept:
    """A call as far as it is known."""

    arrival: Arrival
    ending: Ending | None = None

    @property
    def knows(self) -> tuple[bool, int]:
        """How much, to compare: the ending is the last that comes, and before it the caller may change."""
        return self.ending is not None, len(self.arrival.earlier_callers)


class Reserve:
    """The file. `keep` and `cross_off` may be called from any thread and come back when it is on the disk."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self._log = structlog.get_logger()
        self._lock = threading.Lock()
        self._pending: dict[str, Kept] = {}
        """What the database does not have yet, by the call's key."""
        self._end = self._size = 0
        try:
            self._file = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
            self._grow_to(SIZE)
            self._read()
        except OSError as error:
            raise StoreError(
                f"{path}: cannot be made ({error.strerror}); it is for calls that come while the database cannot be written; "
                f"free {SIZE // 1024} kB, or give data_dir to the user that the gateway runs as"
            ) from error

    @property
    def calls(self) -> tuple[Kept, ...]:
        """The calls that stand here, in the order in which they came."""
        return tuple(self._pending.values())

    def __len__(self) -> int:
        return len(self._pending)

    async def secure(self, kept: Kept, commit: "asyncio.Future[T]", *, patience: float = PATIENCE_S) -> T:
        """The result of a commit. Until it is there the call stands here, once the patience is over or the waiting is."""
        try:
            await asyncio.wait({commit}, timeout=patience)
            if not commit.done():
                await asyncio.to_thread(self.keep, kept)
            result = await commit
        except BaseException:  # cancelled at the end, closed, or a fault over this call
            self.keep(kept)
            raise
        if kept.arrival.key in self._pending:
            await asyncio.to_thread(self.cross_off, kept)
        return result

    def keep(self, kept: Kept) -> None:
        """Write a call down. Where even that fails it is told, and the call waits in memory alone."""
        with self._lock:
            here = self._pending.get(kept.arrival.key)
            if here is not None and (here == kept or (kept.ending is None and here.knows >= kept.knows)):
                return
            self._pending[kept.arrival.key] = kept
            try:
                self._append(_line(kept))
            except OSError as error:
                self._log.exception("call_kept_in_memory_only", key=kept.arrival.key, file=str(self.path), error=error.strerror)

    def cross_off(self, kept: Kept) -> None:
        """The database has it; an arrival alone does not cross off an ending. When it has all, the file is as good as empty."""
        with self._lock:
            here = self._pending.get(kept.arrival.key)
            if here is not None and kept.knows >= here.knows:
                del self._pending[kept.arrival.key]
            if not self._pending and self._end:
                self._clear()

    def close(self) -> None:
        """Close the file."""
        os.close(self._file)

    def _clear(self) -> None:
        self._end = 0
        try:
            self._write(b"\0", 0)
        except OSError as error:  # what stands there is in the database too: at the next start it changes nothing
            self._log.error("reserve_not_cleared", file=str(self.path), error=error.strerror)

    def _append(self, line: bytes) -> None:
        if not _is_at(self._file, self.path):
            self._make_anew()
        if self._end + len(line) + 1 > self._size:
            self._grow_to(self._size + SIZE)
        self._write(line + b"\0", self._end)
        self._end += len(line)

    def _make_anew(self) -> None:
        """Somebody removed the file."""
        fresh = os.open(self.path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
        os.dup2(fresh, self._file, inheritable=False)
        os.close(fresh)
        self._grow_to(SIZE)
        self._end = 0
        for kept in self._pending.values():
            line = _line(kept)
            self._write(line + b"\0", self._end)
            self._end += len(line)

    def _grow_to(self, size: int) -> None:
        """Real bytes: to write over them needs no room, whatever the file system does about holes."""
        self._size = os.fstat(self._file).st_size
        if self._size < size:
            os.posix_fallocate(self._file, self._size, size - self._size)
            self._write(bytes(size - self._size), self._size)
            self._size = size

    def _write(self, what: bytes, at: int) -> None:
        while what:
            sent = os.pwrite(self._file, what, at)
            what, at = what[sent:], at + sent
        os.fdatasync(self._file)

    def _read(self) -> None:
        """What a gateway left here, each call once, with its ending where there was one."""
        content, _, _ = os.pread(self._file, self._size, 0).partition(b"\0")
        for line in content.splitlines(keepends=True):
            checksum, _, body = line.partition(b" ")
            if checksum != b"%08x" % zlib.crc32(body):
                self._log.error("reserve_damaged", file=str(self.path), at=self._end, lost="a call that was being written")
                return
            self._end += len(line)
            try:
                kept = _kept(body)
            except (ValueError, KeyError, TypeError):
                self._log.exception("reserve_unreadable", file=str(self.path), written_by="another version")
            else:
                self._pending[kept.arrival.key] = kept


def _is_at(descriptor: int, path: Path) -> bool:
    try:
        return os.path.samestat(os.fstat(descriptor), path.stat())
    except FileNotFoundError:
        return False


def _line(kept: Kept) -> bytes:
    arrival = {**asdict(kept.arrival), "arrived_at": written(kept.arrival.arrived_at)}
    ending = kept.ending and {
        "outcome": kept.ending.outcome.value,
        "at": written(kept.ending.at),
        "rang": kept.ending.rang.total_seconds(),
        "sip_reason": kept.ending.sip_reason,
    }
    body = json.dumps({"arrival": arrival, "ending": ending}).encode() + b"\n"
    return b"%08x %s" % (zlib.crc32(body), body)


def _kept(body: bytes) -> Kept:
    members = json.loads(body)
    return Kept(arrival=_arrival(members["arrival"]), ending=_ending(members["ending"]) if members["ending"] else None)


def _arrival(members: dict[str, Any]) -> Arrival:
    caller = members["caller"]
    return Arrival(
        **{
            **members,
            "caller": E164(caller) if caller else None,
            "dialled": tuple(members["dialled"]),
            "diversions": tuple(members["diversions"]),
            "earlier_callers": tuple(members.get("earlier_callers", ())),
            "arrived_at": read(members["arrived_at"]),
        }
    )


def _ending(members: dict[str, Any]) -> Ending:
    return Ending(
        outcome=Outcome(members["outcome"]),
        at=read(members["at"]),
        rang=timedelta(seconds=members["rang"]),
        sip_reason=members["sip_reason"],
    )
