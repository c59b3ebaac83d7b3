"""The contacts file: `number,name,group`, a row each, numbers in any form. A bad row is reported and spoils no other."""

import csv
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from config.model import E164
from gateway.core.case import Contact
from gateway.core.phone import read_number

LARGEST_FILE = 20_000_000
GROUPS = ("staff", "blocked", "vip")


@dataclass(frozen=True, slots=True, kw_only=True)
class Contacts:
    """Who is known, and what is wrong with the file: a line and a sentence each."""

    by_number: Mapping[E164, Contact]
    problems: tuple[tuple[int, str], ...] = ()


def read(path: Path, region: str) -> Contacts:
    """Read the file; `OSError` where it cannot be read at all."""
    if path.stat().st_size > LARGEST_FILE:
        raise OSError(27, f"larger than {LARGEST_FILE // 1_000_000} MB")
    text = path.read_bytes().decode("utf-8-sig", "replace")
    found: dict[E164, Contact] = {}
    problems: list[tuple[int, str]] = []
    rows = csv.reader(text.splitlines(), delimiter=_delimiter(text))
    try:
        for row in rows:
            cells = [cell.strip() for cell in row]
            if not any(cells) or cells[0].startswith("#") or (rows.line_num == 1 and cells[0].lower() in ("number", "phone")):
                continue
            _take(cells, rows.line_num, region, found, problems)
    except csv.Error as error:
        problems.append((rows.line_num, f"is no row of a table: {error}"))
    return Contacts(by_number=found, problems=tuple(problems))


def _take(cells: list[str], line: int, region: str, found: dict[E164, Contact], problems: list[tuple[int, str]]) -> None:
    number = read_number(cells[0], region)
    name, group = [*cells, "", "", ""][1:3]
    if number is None:
        problems.append((line, f"{cells[0]!r} is no valid telephone number"))
        return
    if group and group.lower() not in GROUPS:
        problems.append((line, f"{group!r} is no group that means anything here; there are {', '.join(GROUPS)}"))
    if number in found and found[number].group != group.lower():
        problems.append((line, f"{cells[0]} stands here for the second time; the stricter group counts"))
        group = min((found[number].group, group.lower()), key=_strictness)
    found[number] = Contact(name=name or (found[number].name if number in found else ""), group=group.lower())


def _strictness(group: str) -> int:
    return ("blocked", "staff", "vip").index(group) if group in GROUPS else len(GROUPS)


def _delimiter(text: str) -> str:
    """What a spreadsheet's export separates by: comma, semicolon or tab."""
    first = text.split("\n", 1)[0]
    return max(",;\t", key=first.count)
