"""A configuration file as text: read from the disk, and as TOML with the line of each key. What it means is not looked at."""

import ast
import errno
import re
import tomllib
from codecs import BOM_UTF8
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from config.positions import header_of, last_pair, positions
from config.problems import ConfigError, Finder, Problem
from config.written import control_characters

LARGEST = 5_000_000
_ESCAPED = ("U+0008", "U+0009", "U+000A", "U+000C", "U+000D")
r"""What `\b`, `\t`, `\n`, `\f` and `\r` in double quotes are."""
DEEPEST = 40
"""So many brackets may stand within each other."""
_PLACE = re.compile(r" \(at (?:line (\d+), column (\d+)|end of document)\)$")
_TWICE = re.compile(r"Cannot (?:declare|mutate immutable namespace|overwrite)")
_LISTS_OF_SECTIONS = ("variant",)
_LONG_TEXTS = ("message", "opt_out_reply", "opt_in_reply", "help_reply", "hook_answer", "fields")
"""What may have several lines, by any name of its dotted key."""


def content(path: Path) -> bytes:
    """What is in a file; `ConfigError` where it cannot be read."""
    try:
        with path.open("rb") as file:
            read = file.read(LARGEST + 1)
    except OSError as error:
        raise ConfigError([_of_file(path, f"cannot be read: {error.strerror}; {_cure(error)}")]) from None
    if len(read) > LARGEST:
        says = f"is larger than {LARGEST // 1_000_000} MB, which no configuration is; name another one with -c FILE"
        raise ConfigError([_of_file(path, says)])
    return read


def _cure(error: OSError) -> str:
    match error.errno:
        case errno.EACCES | errno.EPERM:
            return "chmod 644 lets the gateway's user read it"
        case errno.ELOOP:
            return "it is a link that leads back to itself; let it point to the file, or name one with -c FILE"
        case errno.EISDIR:
            return "name the file that is in it with -c FILE"
        case _:
            return "name one with -c FILE"


def parse(path: Path, content: bytes) -> tuple[dict[str, Any], dict[str, int]]:
    """The tables of a file, and the line of each dotted key; `ConfigError` where it is no TOML."""
    text = _text(path, content)
    try:
        document, where = tomllib.loads(text), positions(text)
    except tomllib.TOMLDecodeError as error:
        raise ConfigError([_no_toml(path, text, str(error))]) from None
    except RecursionError:
        raise ConfigError([_too_deep(path, _line_of_depth(text))]) from None
    except ValueError as error:  # a number of thousands of digits
        says = f"holds a number that is too large: {str(error).partition(';')[0]}; write a smaller one"
        raise ConfigError([_of_file(path, says, _longest_number(text))]) from None
    deepest = max(where, key=lambda key: key.count("."), default="")
    if deepest.count(".") > DEEPEST:
        raise ConfigError([_too_deep(path, where[deepest])])
    return document, where


def _text(path: Path, content: bytes) -> str:
    """The text in UTF-8. The mark that Windows writes in front (BOM) is passed over."""
    content = content.removeprefix(BOM_UTF8)
    try:
        text = content.decode()
    except UnicodeDecodeError as error:
        raise ConfigError(
            [_of_file(path, "is not UTF-8; save it as UTF-8", content.count(b"\n", 0, error.start) + 1)]
        ) from None
    if "\0" in text:
        says = "is not UTF-8 (perhaps UTF-16), or is no text; save it as UTF-8"
        raise ConfigError([_of_file(path, says, text.count("\n", 0, text.index("\0")) + 1)])
    return text.replace("\r\n", "\n")


def unprintable(value: Any, key: str = "") -> Iterator[tuple[str, str]]:
    """Each key of a document that has a control character in its name or its text, and what is said of it."""
    if isinstance(value, str):
        allowed = "\n\t" if set(_LONG_TEXTS) & set(key.split(".")) else ""
        if found := control_characters(value, allowed):
            yield key, f"holds a control character ({found}), which is seen nowhere; write it without{_perhaps_escaped(found)}"
    items = value.items() if isinstance(value, dict) else enumerate(value, start=1) if isinstance(value, list) else ()
    for name, inner in items:
        inner_key = f"{key}.{name}" if key else str(name)
        if found := control_characters(str(name)):
            yield inner_key, f"has a control character ({found}) in its name; write it without"
        else:
            yield from unprintable(inner, inner_key)


def _perhaps_escaped(found: str) -> str:
    return r", and a path with / or in single quotes: in double ones \t is a tab" if found in _ESCAPED else ""


# --- what is no TOML --------------------------------------------------------------------------------------------------


def _no_toml(path: Path, text: str, error: str) -> Problem:
    place = _PLACE.search(error)
    said = error[: place.start()] if place else error
    line = int(place[1]) if place and place[1] else text.rstrip("\n").count("\n") + 1
    if _TWICE.match(said):
        return _twice(path, text, said, line, int(place[2]) if place and place[2] else len(_lines(text)[line - 1]) + 1)
    at = _lines(text)[line - 1]
    return _of_file(path, f"{said}; {_cure_of_brackets(said, at) or _cure_of_syntax(said, at)}", line)


_QUOTE_IS_MISSING = re.compile(r"(?:Illegal|Found invalid) character '\\n'|Unterminated string|Expected ['\"]{3,5}$")
_ESCAPE = re.compile(r"Unescaped|Invalid hex value|Escaped character")


def _cure_of_brackets(said: str, line: str) -> str:
    """Of quotes, brackets and commas that are missing, which a line may begin or end with; empty: it is none of these."""
    value = line.partition("=")[2]
    if _ESCAPE.match(said):
        return r"in double quotes \ begins a sign such as \n; write / instead, or put the text in single quotes"
    if _QUOTE_IS_MISSING.match(said):
        return "the closing quote is missing"
    if "Unclosed array" in said:
        return "a comma is missing between two values, or the bracket ] at the end of the list"
    if "{" in value and "}" not in value:
        return "what stands in { } stands on one line, from the first bracket to the last"
    if re.search(r",\s*}", value) and "key part" in said:
        return "no comma stands before }"
    if "Unclosed inline table" in said:
        return "a comma is missing between two values, or the bracket } at the end"
    return ""


def _cure_of_syntax(said: str, line: str) -> str:
    stripped = line.strip()
    if "Duplicate" in said:
        return "a key stands once, so remove one of them"
    if stripped.startswith("["):
        return "a section is its name in brackets, alone on its line: [line.front-desk]"
    if stripped and "=" not in stripped and not stripped.startswith("#"):
        return "a line is a section in brackets, or key = value, or a comment that begins with #"
    if "Expected '='" in said:
        return "a key is one word, or stands in quotes; a value stands behind ="
    return "a value is text in quotes, a number, true, false, or a list in brackets"


def _twice(path: Path, text: str, said: str, line: int, column: int) -> Problem:
    """A key or a section that stands there for the second time: which one, and where it stood first."""
    lines = _lines(text)
    is_header = lines[line - 1].lstrip().startswith("[")
    try:
        if is_header:
            key, before = _named(said) or header_of(lines[line - 1]), "\n".join(lines[: line - 1])
        else:
            key, line, before = last_pair("\n".join([*lines[: line - 1], lines[line - 1][: column - 1]]))
        first = positions(before).get(key)
    except (IndexError, AssertionError):  # within a table that has not ended there
        return _of_file(path, f"{said}; a key stands once, so remove one of them", line)
    there = f" in line {first}" if first else ""
    finder = Finder(path, {key: line})
    if is_header and key.rpartition(".")[2] in _LISTS_OF_SECTIONS:
        return finder.problem(key, f"stands here for the second time; each needs double brackets: [[{key}]]")
    return finder.problem(
        key, f"is there already{there}; a {'section' if is_header else 'key'} stands once, so remove one of them"
    )


def _named(said: str) -> str:
    """The section that tomllib names, as in `Cannot declare ('line', 'front') twice`."""
    found = re.search(r"\(.*\)", said)
    return ".".join(ast.literal_eval(found[0])) if found else ""


def _too_deep(path: Path, line: int | None) -> Problem:
    return _of_file(path, f"has more than {DEEPEST} brackets within each other; no value needs so many, so remove some", line)


def _line_of_depth(text: str) -> int | None:
    depth = 0
    for number, line in enumerate(_lines(text), start=1):
        depth += sum(line.count(opening) for opening in "[{") - sum(line.count(closing) for closing in "]}")
        if depth > DEEPEST or line.count("[") > DEEPEST or line.count("{") > DEEPEST:
            return number
    return None


def _longest_number(text: str) -> int:
    lengths = [max((len(digits) for digits in re.findall(r"[\d_]+", line)), default=0) for line in _lines(text)]
    return lengths.index(max(lengths)) + 1


def _lines(text: str) -> list[str]:
    return text.split("\n")


def _of_file(path: Path, says: str, line: int | None = None) -> Problem:
    place = Finder(path, {}).problem("", says)
    return Problem(file=place.file, line=line, key="", says=says)
