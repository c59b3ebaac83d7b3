"""Lists for people: columns with their titles. On a terminal nothing is wider than it, through a pipe each row is one line;
nothing is ever cut."""

import shutil
import sys
import textwrap
import unicodedata
from collections.abc import Sequence
from dataclasses import dataclass

from gateway.core.shown import shown

GAP = "  "
INDENT = " " * 8


@dataclass(frozen=True, slots=True, kw_only=True)
class Column:
    """A title and the least width; numbers stand to the right."""

    title: str
    width: int = 0
    is_number: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Row:
    """One cell for each column, and what stands below them, each on lines of its own."""

    cells: tuple[str, ...]
    notes: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Table:
    """Columns as wide as they have to be; `width` is the terminal's, None where there is none."""

    columns: tuple[Column, ...]
    widths: tuple[int, ...]
    width: int | None

    @property
    def titles(self) -> list[str]:
        """The first line."""
        begin, last = self._split(tuple(column.title for column in self.columns))
        return self._wrapped(begin + GAP + last if self._is_last_beside else begin)

    def lines(self, rows: Sequence[Row]) -> list[str]:
        """Each row, with its notes."""
        return [line for row in rows for line in self._lines(row)]

    def _lines(self, row: Row) -> list[str]:
        begin, last = self._split(row.cells)
        whole = (begin + GAP + last).rstrip()
        is_beside = self._is_last_beside and self._fits(whole)
        notes = row.notes if is_beside or not last else (last, *row.notes)
        lines = self._wrapped(whole if is_beside else begin.rstrip())
        return lines + [line for note in notes for line in self._wrapped(INDENT + shown(note))]

    def _split(self, cells: tuple[str, ...]) -> tuple[str, str]:
        """All but the last cell, in columns; the last."""
        *first, last = (shown(cell) for cell in cells)
        columns = zip(first, self.widths, self.columns, strict=False)
        return GAP.join(_padded(cell, width, column) for cell, width, column in columns), last

    @property
    def _is_last_beside(self) -> bool:
        """A terminal that is too narrow has the last column on lines of its own."""
        return self._fits(" " * (sum(self.widths) + len(GAP) * (len(self.columns) - 1)))

    def _fits(self, line: str) -> bool:
        return self.width is None or _width(line) <= self.width

    def _wrapped(self, line: str) -> list[str]:
        if self.width is None or self._fits(line):
            return [line]
        return textwrap.wrap(line, max(self.width, len(INDENT) * 2), subsequent_indent=INDENT)


def table(columns: tuple[Column, ...], rows: Sequence[Row]) -> Table:
    """The columns, wide enough for these rows."""
    widths = [
        max(column.width, *(_width(shown(cell)) for cell in (column.title, *(row.cells[place] for row in rows))))
        for place, column in enumerate(columns)
    ]
    return Table(columns=columns, widths=tuple(widths), width=terminal_width())


def terminal_width() -> int | None:
    """Of the terminal that standard output is; None: it is none."""
    return shutil.get_terminal_size().columns if sys.stdout.isatty() else None


def _padded(cell: str, width: int, column: Column) -> str:
    space = " " * (width - _width(cell))
    return space + cell if column.is_number else cell + space


def _width(text: str) -> int:
    """In columns of a terminal: wide letters take two, accents none."""
    return sum(0 if unicodedata.combining(c) else 2 if unicodedata.east_asian_width(c) in "WF" else 1 for c in text)
