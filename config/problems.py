"""What is wrong with a configuration file, in sentences for the person who edits it."""

from collections.abc import Iterable
from dataclasses import dataclass
from difflib import get_close_matches
from pathlib import Path
from typing import Any


@dataclass(frozen=True, slots=True, kw_only=True)
class Problem:
    """One thing to repair (or, as a warning, to think about): where it stands, what is wrong, what would be right."""

    file: str
    line: int | None
    key: str
    says: str

    def __str__(self) -> str:
        place = f"{self.file}:{self.line}" if self.line else self.file
        return f"{place}: {self.key}: {self.says}" if self.key else f"{place}: {self.says}"


class ConfigError(Exception):
    """The file cannot be used; `problems` holds everything that is wrong with it, in the file's order."""

    def __init__(self, problems: Iterable[Problem]) -> None:
        self.problems = tuple(sorted(problems, key=lambda problem: problem.line or 0))
        super().__init__("\n".join(map(str, self.problems)))


class Finder:
    """Makes problems out of keys, with the line that each stands in."""

    def __init__(self, path: Path, positions: dict[str, int]) -> None:
        self._file = path.name if path.parent == Path() else str(path)
        self._positions = positions

    def problem(self, key: str, says: str) -> Problem:
        """A problem of a key; one that is not in the file is placed at its nearest table."""
        return Problem(file=self._file, line=self._line(key), key=key, says=says)

    def _line(self, key: str) -> int | None:
        while key:
            if key in self._positions:
                return self._positions[key]
            key = key.rpartition(".")[0]
        return None


def did_you_mean(word: str, known: Iterable[str]) -> str:
    """`; did you mean "front-desk"?`, or what there is to choose from."""
    names = [str(name) for name in known]
    close = get_close_matches(word, names, n=1, cutoff=0.6)
    if close:
        return f'; did you mean "{close[0]}"?'
    return f"; there {'is' if len(names) == 1 else 'are'} {', '.join(names)}" if names else "; there is none"


def in_words(error: Any, known_keys: Iterable[str]) -> str:
    """One of pydantic's errors as a sentence."""
    kind, context, given = error["type"], error.get("ctx", {}), error["input"]
    match kind:
        case "extra_forbidden":
            key = str(error["loc"][-1])
            return f"is no key of this section{did_you_mean(key, known_keys)}"
        case "missing":
            return "is missing, and there is no default for it"
        case "value_error":
            return str(context["error"])
        case "literal_error":
            expected = context["expected"].replace("'", '"')
            return f"{_shown(given)} must be {expected}"
        case "union_tag_invalid" | "union_tag_not_found":
            kinds = str(context.get("expected_tags", "'smpp', 'spool'"))
            close = get_close_matches(str(context.get("tag", "")), [kind.strip("'") for kind in kinds.split(", ")], n=1)
            hint = f'; did you mean "{close[0]}"?' if close else ""
            return f"kind must be one of {kinds}{hint}".replace("'", '"')
        case "string_type" | "path_type":
            return f"{_shown(given)} must be a string in quotes"
        case "tuple_type" | "list_type":
            return f"{_shown(given)} must be a list in brackets"
        case "model_type" | "model_attributes_type" | "dict_type":
            return f"{_shown(given)} must be a section of its own"
        case "string_pattern_mismatch":
            return f"{_shown(given)} must be an address like https://sms.example.com"
        case "too_short" | "string_too_short":
            return "must not be empty"
        case "too_long" | "string_too_long":
            return f"is longer than {context['max_length']} characters"
        case _:
            said = str(error["msg"]).replace("Input should be", "must be")
            return f"{_shown(given)} {said}"


def _shown(value: Any) -> str:
    if isinstance(value, bool):
        return str(value).lower()
    text = f'"{value}"' if isinstance(value, str) else repr(value) if isinstance(value, int | float) else ""
    return text[:60] or "this"
