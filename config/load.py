"""From a TOML file to a `Config`, or to every problem that it has, each with file, line and key."""

import hashlib
import tomllib
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from pydantic import BaseModel, ValidationError

from config import bridges, checks, secrets
from config.model import Alert, Config, Hours, Line, LineText, Trunk, Variant
from config.places import SEARCHED
from config.positions import positions
from config.problems import ConfigError, Finder, Problem, in_words


def find(named: str | None) -> Path:
    """The file to read: the one that was named, else the first of `SEARCHED` that exists."""
    if named is not None:
        return Path(named)
    for path in SEARCHED:
        if path.exists():
            return path
    places = " nor ".join(str(path) for path in SEARCHED)
    raise ConfigError([Problem(file="textback", line=None, key="", says=f"there is neither {places}; name one with -c FILE")])


def load(path: Path) -> Config:
    """Read and check one file; `ConfigError` with everything that is wrong."""
    return read(path, _content(path))


def read(path: Path, content: bytes) -> Config:
    """As `load`, of a file whose content is at hand."""
    document, where = _parse(path, content)
    finder = Finder(path, where)
    problems = _secrets_written_out(document, finder) + _read_secrets(document, path.parent, finder)
    _resolve_lines(document)
    try:
        config = Config.model_validate(document)
    except ValidationError as error:
        told = {problem.key for problem in problems}
        told |= {problem.key.rpartition(".")[0] for problem in problems}
        problems += [p for p in _in_words(error, document, where, finder) if p.key not in told]
        raise ConfigError(problems + checks.references(document, finder)) from None
    problems += checks.references(document, finder) + checks.whole(config, finder)
    if problems:
        raise ConfigError(problems)
    config._path, config._positions = path, where
    config._hash = hashlib.sha256(content).hexdigest()[:12]
    return config.model_copy(update={"data_dir": (path.parent / config.data_dir).absolute()})


def not_in_effect(path: Path) -> list[Problem]:
    """The keys of a file that this version reads and does not act on yet, each with its line."""
    document, where = _parse(path, _content(path))
    finder = Finder(path, where)
    return [finder.problem(key, says) for key, says in checks.not_in_effect(document)]


def problem(config: Config, key: str, says: str) -> Problem:
    """Something to say about a key of a configuration that was loaded, with its place in the file."""
    return Finder(config.path, config._positions).problem(key, says)


def warnings_about_secrets(path: Path) -> list[Problem]:
    """Secrets that anybody on the machine may read."""
    document, where = _parse(path, _content(path))
    finder = Finder(path, where)
    found = []
    for section, table, keys in secrets.sections(document):
        for key in keys:
            name = table.get(f"{key}_file")
            if isinstance(name, str) and secrets.is_open_to_others(file := secrets.find(name, path.parent)):
                says = f"{file} can be read by everybody on this machine; run: chmod 640 {file}"
                found.append(finder.problem(f"{section}.{key}_file", says))
    return found


def _content(path: Path) -> bytes:
    try:
        return path.read_bytes()
    except OSError as error:
        cure = "chmod 644 lets the gateway's user read it" if isinstance(error, PermissionError) else "name one with -c FILE"
        says = f"cannot be read: {error.strerror}; {cure}"
        raise ConfigError([Problem(file=str(path), line=None, key="", says=says)]) from None


def _parse(path: Path, content: bytes) -> tuple[dict[str, Any], dict[str, int]]:
    finder = Finder(path, {})
    try:
        text = content.decode().replace("\r\n", "\n")
        return tomllib.loads(text), positions(text)
    except UnicodeDecodeError as error:
        line = content.count(b"\n", 0, error.start) + 1
        raise ConfigError([Problem(file=str(path), line=line, key="", says="is not UTF-8; save it as UTF-8")]) from None
    except tomllib.TOMLDecodeError as error:
        said, _, place = str(error).rpartition(" (at line ")
        line_text = place.partition(",")[0]
        line = int(line_text) if line_text.isdecimal() else text.count("\n") + 1
        says = f"{said or error}; a value is text in quotes, a number, true, false, or a list in brackets"
        raise ConfigError([Problem(file=finder.problem("", "").file, line=line, key="", says=says)]) from None


def _secrets_written_out(document: dict[str, Any], finder: Finder) -> list[Problem]:
    """A secret in the configuration itself is refused, and dropped so that no later error shows it."""
    found = []
    for section, table, keys in secrets.sections(document):
        for key in keys:
            if key in table:
                table.pop(key)
                says = f'must not stand in this file; write it into a file of its own and say {key}_file = "…"'
                found.append(finder.problem(f"{section}.{key}", says))
    return found


def _read_secrets(document: dict[str, Any], beside: Path, finder: Finder) -> list[Problem]:
    found = []
    for section, table, keys in secrets.sections(document):
        for key in keys:
            name = table.get(f"{key}_file")
            if not isinstance(name, str):
                continue
            del table[f"{key}_file"]
            try:
                table[key] = secrets.read(name, beside)
            except secrets.SecretError as error:
                table[key] = "unread"
                found.append(finder.problem(f"{section}.{key}_file", str(error)))
    return found


def _resolve_lines(document: dict[str, Any]) -> None:
    """What a line does not say is taken from the rest of the file."""
    trunks, ways = (document.get(section) for section in ("trunk", "sms"))
    for name, table in _tables(document, "trunk"):
        table["name"] = name
    for name, table in _tables(document, "line"):
        table["name"] = name
        table.setdefault("timezone", document.get("timezone", "UTC"))
        table.setdefault("trunks", list(trunks) if isinstance(trunks, dict) else [])
        table.setdefault("sms", list(ways) if isinstance(ways, dict) else [])
        table.setdefault("sender", table.get("number", ""))


def _tables(document: dict[str, Any], section: str) -> list[tuple[str, dict[str, Any]]]:
    tables = document.get(section)
    return [(n, t) for n, t in tables.items() if isinstance(t, dict)] if isinstance(tables, dict) else []


def _in_words(error: ValidationError, document: dict[str, Any], where: dict[str, int], finder: Finder) -> list[Problem]:
    """Pydantic's errors as problems: one a key, and none for what a line only inherited or what its parts explain."""
    problems: dict[str, Problem] = {}
    for one in error.errors(include_url=False):
        key = _dotted(one["loc"], document)
        if one["type"] != "missing" and key not in where and not key.endswith(secrets.SECRET_KEYS["sms"]):
            continue
        if any(other.startswith(f"{key}.") for other in problems):
            continue
        if key.rpartition(".")[2] in secrets.SECRET_KEYS["sms"] and one["type"] != "missing":
            key, one = f"{key}_file", {**one, "input": None}  # noqa: PLW2901 — a secret is never shown
        elif key.rpartition(".")[2] in secrets.SECRET_KEYS["sms"]:
            key = f"{key}_file"
        problems.setdefault(key, finder.problem(key, in_words(one, _known_keys(key, document))))
    return list(problems.values())


def _dotted(location: Sequence[int | str], document: dict[str, Any]) -> str:
    """Pydantic's location without the names of union members that it puts between the keys."""
    parts: list[str] = []
    here: Any = document
    for part in location:
        if isinstance(here, dict) and part not in here and len(parts) == 2 and parts[0] == "sms" and part in bridges.KINDS:
            continue
        if part == "week":
            continue
        parts.append(str(part))
        if isinstance(here, dict):
            here = here.get(part)
        elif isinstance(here, list) and isinstance(part, int) and part < len(here):
            here = here[part]
        else:
            here = None
    return ".".join(parts)


def _known_keys(key: str, document: dict[str, Any]) -> list[str]:
    """The keys that might have been meant where an unknown one stands."""
    section, *rest = key.split(".")
    models: dict[str, type[BaseModel]] = {"trunk": Trunk, "line": Line, "alert": Alert, "hours": Hours}
    if len(rest) == 0:
        return _fields(Config)
    if section == "sms":
        kind = document.get("sms", {}).get(rest[0], {}).get("kind")
        return _fields(bridges.KINDS[kind]) if kind in bridges.KINDS else []
    if section == "line" and "variant" in rest:
        return _fields(Variant)
    if section == "line" and len(rest) > 2:
        return _fields(LineText)
    field = Config.model_fields.get(section)
    model = models.get(section) or (type(field.default) if field and isinstance(field.default, BaseModel) else None)
    return _fields(model) if model else []


def _fields(model: type[BaseModel]) -> list[str]:
    secret = {key for keys in secrets.SECRET_KEYS.values() for key in keys}
    return [f"{name}_file" if name in secret else name for name in model.model_fields if name != "name"]
