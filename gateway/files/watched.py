"""A file that is looked at again and again: what it says now, or what its last good copy says."""

from collections.abc import Callable, Hashable
from dataclasses import dataclass
from pathlib import Path
from typing import Generic, TypeVar

from gateway.files.file_age import BELIEVED_AFTER_S, FileAge
from gateway.files.last_good import Copies
from gateway.files.whole_file import JustChanged, NotYet, Stamp, Unusable, read_whole, stamp_of

Value = TypeVar("Value")
ReadAs = TypeVar("ReadAs", bound=Hashable)


@dataclass(frozen=True, slots=True, kw_only=True)
class Known(Generic[Value]):
    """What is known of a file now."""

    value: Value | None
    """None: nothing, and never was."""
    why_not: str = ""
    """Why the file itself cannot be used; empty where it can."""
    is_fresh: bool = False
    """It was read now, for the first time or because it changed."""
    is_changing: bool = False
    """It is to be looked at again soon: it has changed moments ago, or may become well by itself."""
    not_kept: str = ""
    """Why no copy of it could be kept."""


@dataclass(frozen=True, slots=True, kw_only=True)
class _Good(Generic[Value, ReadAs]):
    content: bytes
    copied: bytes
    """What its copy holds: the content, or an earlier one that still counts for a part."""
    value: Value
    read_as: ReadAs
    stamp: Stamp | None
    """Of the file that it was read from; None: a copy of an earlier run."""


class Watched(Generic[Value, ReadAs]):
    """`parse` makes the value of a content; `doubts` compares a new content with the last good one, and the file's age in
    seconds; `completed` makes a value whole by the copy's and the one before; None: it is so by itself, and takes the copy's
    place. All three raise `Unusable`. `waits`: the gateway waits until a file is written, commands take it as it is."""

    def __init__(
        self,
        path: Path,
        *,
        at_most: int,
        parse: Callable[[bytes, ReadAs], Value],
        doubts: Callable[[bytes, bytes, float], None] = lambda _new, _old, _age: None,
        completed: Callable[[Value, Value, Value], Value | None] = lambda _new, _copied, _before: None,
        copies: Copies,
        waits: bool,
    ) -> None:
        self.path = path
        self._at_most = at_most
        self._parse = parse
        self._doubts = doubts
        self._completed = completed
        self._copies = copies
        self._waits = waits
        self._age = FileAge()
        self._good: _Good[Value, ReadAs] | None = None
        self._refused: tuple[Stamp, ReadAs, str] | None = None
        """What was read and found bad: it is not read again."""
        self._has_looked = False

    def look(self, read_as: ReadAs) -> Known[Value]:
        """What is known now; the file is read where it is new or has changed."""
        if self._good is None:
            self._good = self._from_copy(read_as)
        why_not, fresh, changing, not_kept = "", False, False, ""
        try:
            stamp = stamp_of(self.path)
            if self._good is None or self._good.stamp != stamp:
                self._take(stamp, read_as)
                fresh, not_kept = True, self._keep()
        except JustChanged as error:
            changing, why_not = True, "" if self._good is not None else str(error)
        except NotYet as error:
            changing, why_not = True, str(error)
        except Unusable as error:
            why_not = str(error)
        self._has_looked = True
        if self._good is not None and self._good.read_as != read_as:
            why_not = self._read_again(self._good, read_as) or why_not
        value = self._good.value if self._good else None
        return Known(value=value, why_not=why_not, is_fresh=fresh, is_changing=changing, not_kept=not_kept)

    def _take(self, stamp: Stamp, read_as: ReadAs) -> None:
        age = self._age.of(stamp)
        if self._waits and (self._has_looked or self._good is not None) and age < BELIEVED_AFTER_S:
            raise JustChanged(f"has changed just now; it counts when it stays so for {BELIEVED_AFTER_S:.0f} s")
        if self._refused is not None and self._refused[:2] == (stamp, read_as):
            raise Unusable(self._refused[2])
        whole = read_whole(self.path, self._at_most)
        try:
            if self._good is not None:
                self._doubts(whole.content, self._good.content, age if whole.stamp == stamp else 0.0)
            self._good = self._read(whole.content, read_as, whole.stamp)
        except NotYet:
            raise
        except Unusable as error:
            self._refused = (whole.stamp, read_as, str(error))
            raise

    def _read(self, content: bytes, read_as: ReadAs, stamp: Stamp | None) -> _Good[Value, ReadAs]:
        value, before = self._parse(content, read_as), self._good
        if before is not None and before.copied != content and (copied := self._parsed(before.copied, read_as)) is not None:
            whole = self._completed(value, copied, before.value if before.read_as == read_as else copied)
            if whole is not None:
                return _Good(content=content, copied=before.copied, value=whole, read_as=read_as, stamp=stamp)
        return _Good(content=content, copied=content, value=value, read_as=read_as, stamp=stamp)

    def _parsed(self, content: bytes, read_as: ReadAs) -> Value | None:
        try:
            return self._parse(content, read_as)
        except Unusable:
            return None

    def _keep(self) -> str:
        try:
            if self._good is not None:
                self._copies.keep(self.path, self._good.copied)
        except OSError as error:
            return error.strerror or str(error)
        return ""

    def _from_copy(self, read_as: ReadAs) -> _Good[Value, ReadAs] | None:
        content = self._copies.of(self.path)
        if content is None or (value := self._parsed(content, read_as)) is None:
            return None
        return _Good(content=content, copied=content, value=value, read_as=read_as, stamp=None)

    def _read_again(self, good: _Good[Value, ReadAs], read_as: ReadAs) -> str:
        """The last good content, for the time zone, the region or the years of now; why that is not possible."""
        try:
            self._good = self._read(good.content, read_as, good.stamp)
        except Unusable as error:
            return str(error)
        return ""
