"""`data_dir` alone, out of a file that may be broken in every other line."""

import re
import tomllib
from collections.abc import Iterator
from pathlib import Path

from config.model import Config

DEFAULT: Path = Config.model_fields["data_dir"].default
_KEY = re.compile(r"""\s*(?:data_dir|"data_dir"|'data_dir')\s*=(?P<value>.*)""")
_TABLE = re.compile(r"\s*\[")


def data_dir(path: Path) -> Path:
    """Where the file says that everything is kept, else the default; a file that cannot be read says nothing."""
    try:
        text = path.read_bytes().decode(errors="replace")
    except OSError:
        return DEFAULT
    return next(((path.parent / value).absolute() for value in _values(text) if value), DEFAULT)


def _values(text: str) -> Iterator[str]:
    """What stands after the key, before the first table."""
    for line in text.removeprefix("\ufeff").splitlines():
        if _TABLE.match(line):
            return
        if found := _KEY.match(line):
            yield _string(found["value"])


def _string(written: str) -> str:
    """A TOML string; one whose quotes are missing is meant as it stands."""
    try:
        value = tomllib.loads(f"value = {written}")["value"]
    except tomllib.TOMLDecodeError:
        value = written.partition("#")[0].strip().strip("\"'")
    return value if isinstance(value, str) and "\0" not in value else ""
