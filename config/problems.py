"""What is wrong with a configuration file, in sentences for the person who edits it."""

from collections.abc import Iterable
from dataclasses import dataclass
from difflib import get_close_matches
from pathlib import Path

from config.written import visible


@dataclass(frozen=True, slots=True, kw_only=True)
class Problem:
    """One thing to repair (or, as a warning, to think about): where it stands, what is wrong, what would be right."""

    file: str
    line: int | None
    key: str
    says: str

    def __str__(self) -> str:
        place = f"{self.file}:{self.line}" if self.line else self.file
        return visible(f"{place}: {self.key}: {self.says}" if self.key else f"{place}: {self.says}")


class ConfigError(Exception):
    """The file cannot be used; `problems` holds everything that is wrong with it, in the file's order."""

    def __init__(self, problems: Iterable[Problem]) -> None:
        self.problems = tuple(sorted(problems, key=lambda problem: problem.line or 0))
        super().__init__("\n".join(map(str, self.problems)))


class Finder:
    """Makes problems out of keys, with the line that each stands in."""

    def __init__(self, path: Path, positions: dict[str, int]) -> None:
        self._file = str(path)
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
