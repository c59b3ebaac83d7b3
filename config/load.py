"""From a TOML file to a `Config`, or to every problem that it has, each with file, line and key."""

import hashlib
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from pydantic import BaseModel, ValidationError

from config import checks, errors, files, secrets
from config.document import content as content_of
from config.document import parse, unprintable
from config.model import Config, Trunk, Web
from config.places import SEARCHED, is_there
from config.problems import ConfigError, Finder, Problem
from config.written import control_characters


def find(named: str | None) -> Path:
    """The file to read: the one that was named, else the first of `SEARCHED` that exists."""
    if named is not None:
        return Path(named)
    for path in SEARCHED:
        if is_there(path):
            return path
    places = " nor ".join(str(path) for path in SEARCHED)
    raise ConfigError([Problem(file="textback", line=None, key="", says=f"there is neither {places}; name one with -c FILE")])


def load(path: Path, *, has_secrets: bool = True) -> Config:
    """Read and check one file; `ConfigError` with everything that is wrong.

    Without secrets no file that it names is opened, and words that mean nothing stand in place of the secrets.
    """
    return read(path, content_of(path), has_secrets=has_secrets)


def read(path: Path, content: bytes, *, beside: Path | None = None, has_secrets: bool = True) -> Config:
    """As `load`, of a file whose content is at hand. `beside`: where the files that it names lie, if not with itself."""
    beside = path.parent if beside is None else beside
    document, where = parse(path, content)
    finder = Finder(path, where)
    problems = [finder.problem(key, says) for key, says in unprintable(document)]
    problems += _secrets_written_out(document, finder)
    secret_files: dict[str, Path] = {}
    problems += _read_secrets(document, beside, finder, secret_files) if has_secrets else _without_secrets(document)
    problems += _names_written_out(document, finder)
    inherited = _resolve_lines(document)
    files.make_whole(document, beside)
    config, wrong = _validated(document, inherited, finder, secret_files)
    problems = _not_told_before(problems, wrong)
    problems = _not_told_before(problems, checks.references(document, finder))
    if config is not None:
        problems += checks.whole(config, finder)
        problems += [finder.problem(key, says) for key, says in (files.faults_of(config) if has_secrets else ())]
    if problems or config is None:
        raise ConfigError(problems)
    config._path, config._positions, config._content = path, where, content
    config._hash = hashlib.sha256(content).hexdigest()[:12]
    return config


def _validated(
    document: dict[str, Any], inherited: set[str], finder: Finder, secret_files: Mapping[str, Path]
) -> tuple[Config | None, list[Problem]]:
    """The configuration, or what is wrong with its values: at least one problem."""
    try:
        return Config.model_validate(document), []
    except ValidationError as error:
        unexplained = finder.problem("", f"cannot be used: {error.errors(include_input=False)[0]['msg']}")
        return None, errors.in_words(error, document, inherited, finder, secret_files) or [unexplained]


def _not_told_before(problems: list[Problem], more: list[Problem]) -> list[Problem]:
    """Further problems, without those of keys that are known to be wrong; a section is not blamed for its secret."""
    reported = {problem.key for problem in problems}
    reported |= {problem.key.rpartition(".")[0] for problem in problems if problem.key.endswith("_file")}
    return problems + [problem for problem in more if problem.key not in reported]


def not_in_effect(path: Path) -> list[Problem]:
    """The keys of a file that this version reads and does not act on yet, each with its line."""
    document, where = parse(path, content_of(path))
    finder = Finder(path, where)
    return [finder.problem(key, says) for key, says in checks.not_in_effect(document)]


def problem(config: Config, key: str, says: str) -> Problem:
    """Something to say about a key of a configuration that was loaded, with its place in the file."""
    return Finder(config.path, config._positions).problem(key, says)


def warnings_about_secrets(path: Path) -> list[Problem]:
    """Secrets that anybody on the machine may read."""
    document, where = parse(path, content_of(path))
    finder = Finder(path, where)
    found = []
    for section, table, keys in secrets.sections(document):
        for key in keys:
            name = table.get(f"{key}_file")
            if isinstance(name, str) and secrets.is_open_to_others(file := secrets.find(name, path.parent)):
                says = f"{file} can be read by everybody on this machine; run: chmod 640 {file}"
                found.append(finder.problem(f"{section}.{key}_file", says))
    return found


def _secrets_written_out(document: dict[str, Any], finder: Finder) -> list[Problem]:
    """A secret in the configuration itself is refused, and dropped so that no later error shows it."""
    found = []
    for section, table, keys in secrets.sections(document):
        for key in keys:
            if key in table:
                del table[key]
                if _has_secret(document, section, key) and f"{key}_file" not in table:
                    table[key] = secrets.UNREAD
                says = f'must not stand in this file; write it into a file of its own and say {key}_file = "…"'
                found.append(finder.problem(f"{section}.{key}", says))
    return found


def _read_secrets(document: dict[str, Any], beside: Path, finder: Finder, secret_files: dict[str, Path]) -> list[Problem]:
    """Each secret in the place of its file's name, which `secret_files` then says by key.

    One that cannot be read, or was written out, leaves a word in its place.
    """
    found = []
    for section, table, keys in secrets.sections(document):
        for key in keys:
            if f"{key}_file" not in table or not _has_secret(document, section, key):
                continue
            name = table.pop(f"{key}_file")
            table[key] = secrets.UNREAD
            try:
                if not (isinstance(name, str) and control_characters(name)):
                    table[key] = secrets.read(name, beside)
                    secret_files[f"{section}.{key}_file"] = secrets.find(name, beside)
            except secrets.SecretError as error:
                found.append(finder.problem(f"{section}.{key}_file", str(error)))
    return found


def _without_secrets(document: dict[str, Any]) -> list[Problem]:
    for _, table, keys in secrets.sections(document):
        for key in keys:
            if isinstance(table.get(f"{key}_file"), str):
                del table[f"{key}_file"]
                table[key] = secrets.stand_in(key)
    return []


def _has_secret(document: dict[str, Any], section: str, key: str) -> bool:
    """May a section of this kind have a secret of this name?"""
    kind, _, name = section.partition(".")
    models: dict[str, type[BaseModel]] = {"web": Web, "trunk": Trunk}
    model = models.get(kind) or errors.model_of_bridge(document, name)
    return model is not None and key in model.model_fields


def _names_written_out(document: dict[str, Any], finder: Finder) -> list[Problem]:
    return [
        finder.problem(f"{section}.{name}.name", f"is no key of this section; its name is in its brackets: [{section}.{name}]")
        for section in ("trunk", "line")
        for name, table in _tables(document, section)
        if "name" in table
    ]


def _resolve_lines(document: dict[str, Any]) -> set[str]:
    """What a line does not say is taken from the rest of the file; the keys that were filled in."""
    inherited: set[str] = set()
    for section in ("trunk", "line"):
        for name, table in _tables(document, section):
            table["name"] = name
            inherited.add(f"{section}.{name}.name")
    for name, table in _tables(document, "line"):
        rest = {
            "timezone": document.get("timezone", "UTC"),
            "trunks": [one for one, _ in _tables(document, "trunk")],
            "sms": [one for one, _ in _tables(document, "sms")],
            "sender": table.get("number", ""),
        }
        inherited |= {f"line.{name}.{key}" for key in rest if key not in table}
        table.update({key: value for key, value in rest.items() if key not in table})
    return inherited


def _tables(document: dict[str, Any], section: str) -> list[tuple[str, dict[str, Any]]]:
    tables = document.get(section)
    return [(n, t) for n, t in tables.items() if isinstance(t, dict)] if isinstance(tables, dict) else []
