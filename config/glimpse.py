"""One value alone, out of a configuration that may be broken in every other line. Light: a health check loads it."""

import re
import tomllib
from collections.abc import Iterator
from pathlib import Path

from config.places import DATA_DIR

_TABLE = re.compile(r"\s*\[\s*(?P<name>[^\[\]]*?)\s*\]")
_ANY_TABLE = re.compile(r"\s*\[")


def data_dir(path: Path) -> Path:
    """Where the file says that everything is kept, else the default; a file that cannot be read says nothing."""
    found = value(content(path), "data_dir")
    return (path.parent / found).absolute() if found else DATA_DIR


def content(path: Path) -> str:
    """What is in a file, as far as it is text; nothing where it cannot be read."""
    try:
        return path.read_bytes().decode(errors="replace").removeprefix("\ufeff")
    except OSError:
        return ""


def value(text: str, key: str, section: str = "") -> str:
    """The string that a key of a section says, or of none; where the file is no TOML the first that stands after it.

    Empty: there is none.
    """
    try:
        document = tomllib.loads(text)
    except (ValueError, RecursionError):
        return next((found for found in _values(text, key, section) if found), "")
    table = document.get(section) if section else document
    found = table.get(key) if isinstance(table, dict) else None
    return found if isinstance(found, str) and "\0" not in found else ""


def _values(text: str, key: str, section: str) -> Iterator[str]:
    wanted = re.compile(rf"""\s*(?:{key}|"{key}"|'{key}')\s*=(?P<value>.*)""")
    here = ""
    for line in text.splitlines():
        if _ANY_TABLE.match(line):
            table = _TABLE.match(line)
            here = table["name"] if table else "…"
        elif here == section and (found := wanted.match(line)):
            yield _string(found["value"])


def _string(written: str) -> str:
    """A TOML string; one whose quotes are missing is meant as it stands."""
    try:
        found = tomllib.loads(f"value = {written}")["value"]
    except tomllib.TOMLDecodeError:
        found = written.partition("#")[0].strip().strip("\"'")
    return found if isinstance(found, str) and "\0" not in found else ""
