"""Pydantic's errors as problems: each at the key that an admin wrote, in a sentence that says what to write instead."""

from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from difflib import get_close_matches
from pathlib import Path
from typing import Any

from pydantic import BaseModel, ValidationError

from config import bridges, secrets
from config.model import Alert, Config, Contacts, Hours, Line, LineText, Trunk, Variant
from config.problems import Finder, Problem, did_you_mean
from config.providers import InboundPaths, ReceiptPaths
from config.written import Misplaced, written

NAMED = {"trunk": "pbx", "sms": "primary", "hours": "office", "line": "front-desk", "alert": "owner"}
"""Sections whose parts have a name, each with an example of one."""
_PATTERNS = {"^[^:]*$": "must have no colon in it", "^[ -~]*$": "must be letters, digits and signs of plain ASCII"}


def in_words(
    error: ValidationError,
    document: dict[str, Any],
    inherited: Collection[str],
    finder: Finder,
    secret_files: Mapping[str, Path],
) -> list[Problem]:
    """One problem a key, and none for what a line only inherited or what its parts explain.

    `secret_files`: where secrets were read, by the key that names the file.
    """
    found: dict[str, Problem] = {}
    for one in error.errors(include_url=False):
        parts = _place(one["loc"], document) + _within(one)
        key = ".".join(parts)
        if any(key == other or key.startswith(f"{other}.") for other in inherited):
            continue
        if one["type"] in _OF_A_WHOLE_SECTION and (meant := _meant_section(parts, document, inherited)):
            found[".".join(parts[:2])] = finder.problem(".".join(parts[:2]), meant)
            continue
        if any(other.startswith(f"{key}.") for other in found):
            continue
        if "[key]" not in one["loc"] and _is_nameless(parts, one["input"]):
            if not any(problem.startswith(f"{parts[0]}.") and "needs a name" in found[problem].says for problem in found):
                found[key] = finder.problem(key, _needs_name(parts[0]))
            continue
        if _is_secret(parts):
            key, one = f"{key}_file", {**one, "input": None}  # noqa: PLW2901 — never shown
        held = f"what {secret_files[key]} holds " if key in secret_files else ""
        found.setdefault(key, finder.problem(key, f"{held}{_sentence(one, parts, key, document)}"))
    return list(found.values())


def _place(location: Sequence[int | str], document: dict[str, Any]) -> list[str]:
    """Pydantic's location, without what stands in no file: tags of unions, `week`, indices into what is no list.

    Entries of lists count from 1, as everywhere.
    """
    parts: list[str] = []
    here: Any = document
    for index, part in enumerate(location):
        is_tag = index == 2 and (location[0] == "sms" or (location[0] == "hours" and part == "week"))
        if part == "[key]" or is_tag or (isinstance(part, int) and not isinstance(here, list)):
            continue
        parts.append(str(part + 1 if isinstance(part, int) else part))
        if isinstance(here, dict):
            here = here.get(part)
        else:
            here = here[part] if isinstance(here, list) and isinstance(part, int) and part < len(here) else None
    return parts


def _within(one: Any) -> list[str]:
    """The key of a section that its own check names."""
    if one["type"] == "union_tag_invalid":
        return ["kind"]
    fault = one.get("ctx", {}).get("error")
    return [fault.key] if isinstance(fault, Misplaced) and fault.key else []


def _is_nameless(parts: Sequence[str], given: Any) -> bool:
    is_section = isinstance(given, dict) or (isinstance(given, list) and given and all(isinstance(one, dict) for one in given))
    return len(parts) == 2 and parts[0] in NAMED and not is_section


def _needs_name(section: str) -> str:
    return f"stands in [{section}], which needs a name; write [{section}.{NAMED[section]}] above it, for instance"


_OF_A_WHOLE_SECTION = ("missing", "union_tag_not_found")


def _meant_section(parts: Sequence[str], document: dict[str, Any], inherited: Collection[str]) -> str:
    """What is said of a name that only sections below it bear, where another section's name is near; else nothing."""
    section, name = parts[0], ".".join(parts[1:2])
    table = document[section].get(name) if section in NAMED and isinstance(document.get(section), dict) else None
    if not isinstance(table, dict):
        return ""
    own = {key: value for key, value in table.items() if f"{section}.{name}.{key}" not in inherited}
    close = get_close_matches(name, [other for other in document[section] if other != name], n=1)
    if not close or not own or not all(isinstance(value, dict) for value in own.values()):
        return ""
    below = next(iter(own))
    return f"stands only in [{section}.{name}.{below}]; did you mean [{section}.{close[0]}.{below}]?"


def _is_secret(parts: Sequence[str]) -> bool:
    depth = 2 if parts[0] == "web" else 3
    return len(parts) == depth and parts[-1] in secrets.SECRET_KEYS.get(parts[0], ())


# --- sentences --------------------------------------------------------------------------------------------------------


def _sentence(one: Any, parts: Sequence[str], key: str, document: dict[str, Any]) -> str:
    kind, context, given = one["type"], one.get("ctx", {}), one["input"]
    if kind == "extra_forbidden":
        return f"is no key of this section{_meant_key(str(one['loc'][-1]), parts, document)}"
    if kind in ("union_tag_invalid", "union_tag_not_found"):
        what = "kind must be" if kind == "union_tag_not_found" else f"{written(given.get('kind'))} must be"
        return f"{what} one of {_kinds(str(context.get('tag', '')))}"
    if kind in ("model_type", "model_attributes_type", "dict_type"):
        return _no_section(key, given)
    if kind == "tuple_type":
        return _no_list(key, given)
    says = _SENTENCES.get(kind)
    return says(given, context) if says else f"{written(given)} {str(one['msg']).replace('Input should be', 'must be')}"


_SENTENCES: dict[str, Callable[[Any, Any], str]] = {
    "missing": lambda given, context: "is missing, and there is no default for it",
    "value_error": lambda given, context: str(context["error"]),
    "literal_error": lambda given, context: f"{written(given)} must be {_quoted(context['expected'])}",
    "string_type": lambda given, context: f"{written(given)} must be a string in quotes",
    "bool_type": lambda given, context: f"{written(given)} must be true or false, without quotes",
    "int_type": lambda given, context: f"{written(given)} must be a whole number, without quotes",
    "float_type": lambda given, context: f"{written(given)} must be a valid number, without quotes",
    "finite_number": lambda given, context: f"{written(given)} must be a valid number",
    "string_pattern_mismatch": lambda given, context: f"{written(given)} {_PATTERNS[context['pattern']]}",
    "too_short": lambda given, context: "must not be empty",
    "string_too_short": lambda given, context: "must not be empty",
    "too_long": lambda given, context: f"is longer than {context['max_length']} {_unit(given)}",
    "string_too_long": lambda given, context: f"is longer than {context['max_length']} characters",
}


def _unit(given: Any) -> str:
    return "entries" if isinstance(given, list | tuple) else "characters"


def _quoted(expected: str) -> str:
    return expected.replace("'", '"')


def _kinds(given: str) -> str:
    close = get_close_matches(given, bridges.KINDS, n=1)
    hint = f'; did you mean "{close[0]}"?' if close else ""
    quoted = ", ".join(f'"{kind}"' for kind in KINDS_IN_ORDER)
    return f"{quoted}{hint}"


KINDS_IN_ORDER = ("spool", *(kind for kind in bridges.KINDS if kind != "spool"))


def _no_section(key: str, given: Any) -> str:
    header = f"{key}.{NAMED[key]}" if key in NAMED else key
    if isinstance(given, list) and all(isinstance(one, dict) for one in given) and given:
        return f"is written with single brackets, and stands once: [{header}]"
    return f"{written(given)} must be a section of its own: [{header}]"


def _no_list(key: str, given: Any) -> str:
    if key.endswith(".variant"):
        return f"is a list of sections; write each of them with double brackets: [[{key}]]"
    example = f": [{written(given)}]" if isinstance(given, str | int | float) and not isinstance(given, bool) else ""
    return f"{written(given)} must be a list in brackets{_quoted(example)}"


# --- what might have been meant ---------------------------------------------------------------------------------------

_MODELS: dict[str, type[BaseModel]] = {"trunk": Trunk, "line": Line, "alert": Alert, "hours": Hours, "contacts": Contacts}


def _meant_key(name: str, parts: Sequence[str], document: dict[str, Any]) -> str:
    """The key of this section that is nearest, unless another section has one of just this name."""
    known = _known_keys(parts, document)
    places = [] if get_close_matches(name, known, n=1, cutoff=_AS_GOOD_AS_SAME) else _places_of(name, parts)
    return f"; it belongs {' or '.join(places)}" if places else did_you_mean(name, known)


_AS_GOOD_AS_SAME = 0.85
_INNER: dict[str, type[BaseModel]] = {"[line.NAME.text]": LineText, "[[line.NAME.text.variant]]": Variant}


def _places_of(name: str, parts: Sequence[str]) -> list[str]:
    """Every kind of section that has a key of this name; those of a line with the name of the line."""
    sections = {f"[{kind}.NAME]" if kind in NAMED else f"[{kind}]": model for kind, model in _sections()} | _INNER
    found = [header for header, model in sections.items() if name in _fields(model)]
    found += ["[sms.NAME]"] if parts[0] != "sms" and any(name in _fields(model) for model in bridges.KINDS.values()) else []
    own = parts[1] if parts[0] == "line" and len(parts) > 2 else "NAME"
    places = [f"into {header.replace('line.NAME', f'line.{own}')}" for header in found]
    is_of_the_top = name in _fields(Config) and len(parts) > 1 and name not in {*NAMED, *dict(_sections())}
    return [*places, *(["above the first section"] if is_of_the_top else [])]


def _sections() -> list[tuple[str, type[BaseModel]]]:
    simple = [
        (name, type(field.default)) for name, field in Config.model_fields.items() if isinstance(field.default, BaseModel)
    ]
    return [*simple, *_MODELS.items()]


def _known_keys(parts: Sequence[str], document: dict[str, Any]) -> list[str]:
    """The keys that might have been meant where an unknown one stands."""
    section, *rest = parts
    if not rest:
        return _fields(Config)
    if section == "sms":
        return _keys_of_bridge(rest, document)
    if section == "line" and "variant" in rest:
        return _fields(Variant)
    if section == "line" and len(rest) > 2:
        return _fields(LineText)
    field = Config.model_fields.get(section)
    model = _MODELS.get(section) or (type(field.default) if field and isinstance(field.default, BaseModel) else None)
    return _fields(model) if model else []


def _keys_of_bridge(rest: Sequence[str], document: dict[str, Any]) -> list[str]:
    inner: dict[str, type[BaseModel]] = {"receipt": ReceiptPaths, "inbound": InboundPaths}
    model = (inner.get(rest[1]) if len(rest) > 2 else None) or model_of_bridge(document, rest[0])
    return _fields(model) if model else []


def model_of_bridge(document: dict[str, Any], name: str) -> type[BaseModel] | None:
    """The model of `[sms.NAME]` by the kind that it says, where it says one."""
    tables = document.get("sms")
    table = tables.get(name) if isinstance(tables, dict) else None
    kind = table.get("kind") if isinstance(table, dict) else None
    return bridges.KINDS.get(kind) if isinstance(kind, str) else None


def _fields(model: type[BaseModel]) -> list[str]:
    secret = {key for keys in secrets.SECRET_KEYS.values() for key in keys}
    names: Iterable[str] = model.model_fields
    return [f"{name}_file" if name in secret else name for name in names if name != "name"]
