"""The contacts file: `number,name,group`, a row each, numbers in any form. A bad row is reported and spoils no other.

It may come from a spreadsheet: with a header that names the columns in another order, with semicolons or tabs, as Excel
writes it.
"""

import csv
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from difflib import get_close_matches

from config.model import E164
from gateway.core.case import Contact
from gateway.core.phone import read_number
from gateway.files.whole_file import NotYet, Unusable

LARGEST_FILE = 20_000_000
GROUPS = ("staff", "blocked", "vip")
NEVER_TEXTED = ("staff", "blocked")
DOUBTED_FOR_S = 60.0
"""A file that has lost its end is believed when it has stayed so for so long."""
_HEADERS: Mapping[str, tuple[str, ...]] = {
    "number": ("number", "phone", "phone number", "telephone", "tel", "mobile", "cell", "caller"),
    "name": ("name", "contact", "full name", "display name"),
    "group": ("group", "groups", "category"),
}
_AS_WRITTEN = {"number": 0, "name": 1, "group": 2}
"""Where the columns are in a file without a header."""
_LINE_END = re.compile(r"\r\n|\n|\r")


@dataclass(frozen=True, slots=True, kw_only=True)
class RowProblem:
    """What is wrong with a row: its line, the cell that it is about (it may hold a number: not for the log), a sentence."""

    line: int
    cell: str
    says: str

    def __str__(self) -> str:
        return f"{self.cell!r} {self.says}" if self.cell else self.says


@dataclass(frozen=True, slots=True, kw_only=True)
class Contacts:
    """Who is known, and what is wrong with the file."""

    by_number: Mapping[E164, Contact]
    problems: tuple[RowProblem, ...] = ()
    broken: tuple[RowProblem, ...] = ()
    """Of the problems, those for which it is not known who a row is about, or of which group."""
    broken_rows: frozenset[str] = frozenset()
    """These rows, as they are written."""
    doubtful: frozenset[E164] = frozenset()
    """Numbers that stand in such rows."""
    has_groups: bool = True
    """There is a column for them."""
    stands_on_copy: bool = False
    """Rows broke since the last good contents: whoever these say is never texted, and is missing, is so still."""


@dataclass(slots=True)
class _Reading:
    region: str
    columns: Mapping[str, int] = field(default_factory=lambda: _AS_WRITTEN)
    rows: int = 0
    found: dict[E164, Contact] = field(default_factory=dict)
    problems: list[RowProblem] = field(default_factory=list)
    broken: dict[int, RowProblem] = field(default_factory=dict)
    doubtful: set[E164] = field(default_factory=set)

    def wrong(self, line: int, cell: str, says: str, *, is_broken: bool = False) -> None:
        problem = RowProblem(line=line, cell=cell, says=says)
        self.problems.append(problem)
        if is_broken:
            self.broken.setdefault(line, problem)


def read(content: bytes, region: str) -> Contacts:
    """Read a file's content; `Unusable` where it is no table of contacts."""
    text, is_utf_8 = _text(content)
    _refuse_nothing(text)
    reading = _Reading(region)
    if not is_utf_8:
        reading.wrong(_first_odd_line(content), "", "is not UTF-8, and is read as Windows-1252; save the file as UTF-8")
    lines = [(number, line) for number, line in enumerate(_LINE_END.split(text), start=1) if _says_something(line)]
    delimiter, lines = _delimiter(lines)
    for index, (number, line) in enumerate(lines):
        cells = _cells(line, delimiter, number, reading)
        if index == 0 and (columns := _header(cells, number, region)) is not None:
            _refuse_open_quote(number, reading)
            reading.columns = columns
        elif any(cells):
            reading.rows += 1
            _take(cells, number, reading)
    if reading.rows and not reading.found:
        raise Unusable(
            f"has {reading.rows} rows and no telephone number in the column for it (line {lines[-1][0]} for one);"
            " write number,name,group, or name the columns so in the first line"
        )
    return Contacts(
        by_number=reading.found,
        problems=tuple(reading.problems),
        broken=tuple(reading.broken.values()),
        broken_rows=frozenset(line.strip() for number, line in lines if number in reading.broken),
        doubtful=frozenset(reading.doubtful),
        has_groups="group" in reading.columns,
    )


def completed(new: Contacts, good: Contacts, before: Contacts) -> Contacts | None:
    """Contacts of which rows broke since the last good ones, with everybody who was never to be texted, by the good ones or by
    what was in force before, and is now missing or in such a row. None: no row broke, the new ones are good themselves.
    `Unusable` where the column of their groups is gone."""
    if not new.has_groups and any(contact.group in NEVER_TEXTED for contact in good.by_number.values()):
        raise Unusable("has no column called group any more; name the columns number,name,group, also where no group is set")
    if not new.broken_rows - good.broken_rows:
        return None
    known = {**good.by_number, **before.by_number}
    still = {
        number: contact
        for number, contact in known.items()
        if contact.group in NEVER_TEXTED and (number not in new.by_number or number in new.doubtful)
    }
    return replace(new, by_number={**new.by_number, **still}, stands_on_copy=True)


def doubts(new: bytes, old: bytes, age: float) -> None:
    """`Unusable` where a file looks like the last good one when it is half written: nothing, or only that one's beginning."""
    _refuse_nothing(_text(new)[0])
    if len(new) >= len(old) or not old.startswith(new):
        return
    if not new.endswith((b"\n", b"\r")) and old[len(new) : len(new) + 1] not in (b"\n", b"\r"):
        raise Unusable("stops in the middle of a row; write it whole, or end that row with a line break")
    if age < DOUBTED_FOR_S:
        raise NotYet(f"is only the beginning of what it was; it counts when it stays so for {DOUBTED_FOR_S:.0f} s")


def _refuse_nothing(text: str) -> None:
    """A file of which nothing was written yet, or everything was lost, says of nobody that he may be texted."""
    if not text.strip(' \t\r\n,;"'):
        raise Unusable("is empty; to have no contacts, write the line number,name,group")


def _text(content: bytes) -> tuple[str, bool]:
    """The text, and whether it is Unicode. Spreadsheets also write UTF-16, with a mark in front, and Windows-1252."""
    try:
        if content[:2] in (b"\xff\xfe", b"\xfe\xff"):
            return content.decode("utf-16"), True
        if b"\0" in content:
            raise Unusable("is no text; save it as CSV (UTF-8)")
        return content.decode("utf-8-sig"), True
    except UnicodeDecodeError:
        return content.decode("cp1252", "replace"), False


def _first_odd_line(content: bytes) -> int:
    try:
        content.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        return content.count(b"\n", 0, error.start) + 1
    return 1


def _says_something(line: str) -> bool:
    return bool(line.strip(" \t,;")) and not line.lstrip(' "').startswith("#")


def _delimiter(lines: list[tuple[int, str]]) -> tuple[str, list[tuple[int, str]]]:
    """What the cells are separated by, comma, semicolon or tab, and the lines without Excel's `sep=;`."""
    if not lines:
        return ",", lines
    first = lines[0][1].strip().lower()
    if first.startswith("sep=") and len(first) == 5:
        return first[4], lines[1:]
    return max(",;\t", key=lambda mark: len(_split(lines[0][1], mark))), lines


def _split(line: str, delimiter: str) -> list[str]:
    return [cell.strip() for cell in next(csv.reader([line], delimiter=delimiter), [])]


def _cells(line: str, delimiter: str, number: int, reading: _Reading) -> list[str]:
    """One line is one row: a quote that is never closed spoils no other row."""
    if line.count('"') % 2:
        reading.wrong(number, "", "has a quote that is not closed", is_broken=True)
    try:
        return _split(line, delimiter)
    except csv.Error as error:
        reading.wrong(number, "", f"is no row of a table: {error}", is_broken=True)
        return []


def _refuse_open_quote(line: int, reading: _Reading) -> None:
    """In a header it hides columns, and with them everybody's group."""
    if line in reading.broken:
        raise Unusable(f"has a quote that is not closed in its header (line {line}); write number,name,group")


def _header(cells: Sequence[str], line: int, region: str) -> Mapping[str, int] | None:
    """Where the columns are, by a first row that names them; None: it is a contact itself."""
    words = [cell.lower().replace("_", " ") for cell in cells]
    found = {
        column: words.index(next(name for name in names if name in words))
        for column, names in _HEADERS.items()
        if any(name in words for name in names)
    }
    if not found or any(read_number(cell, region) for cell in cells):
        return None
    if "number" not in found:
        raise Unusable(f"has no column called number in its header (line {line}); name the columns number,name,group")
    return found


def _take(cells: Sequence[str], line: int, reading: _Reading) -> None:
    written, name, group = (_cell(cells, reading.columns, column) for column in ("number", "name", "group"))
    number = read_number(written, reading.region)
    if number is None:
        reading.wrong(line, written, "is no valid telephone number", is_broken=True)
        return
    group = group.lower()
    if group and group not in GROUPS:
        near = get_close_matches(group, GROUPS, n=1)
        hint = f"; did you mean {near[0]}?" if near else ""
        reading.wrong(
            line, group, f"is no group that means anything here; there are {', '.join(GROUPS)}{hint}", is_broken=bool(near)
        )
    before = reading.found.get(number)
    if before is not None and before.group != group:
        reading.wrong(line, written, "stands here for the second time; the stricter group counts")
        group = min((before.group, group), key=_strictness)
    if line in reading.broken:
        reading.doubtful.add(number)
    reading.found[number] = Contact(name=name or (before.name if before else ""), group=group)


def _cell(cells: Sequence[str], columns: Mapping[str, int], column: str) -> str:
    place = columns.get(column)
    return cells[place] if place is not None and place < len(cells) else ""


def _strictness(group: str) -> int:
    return ("blocked", "staff", "vip").index(group) if group in GROUPS else len(GROUPS)
