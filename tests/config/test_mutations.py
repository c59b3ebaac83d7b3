"""Odd values in the place of each value: what is refused is refused once, at that line; what is accepted works."""

import re
from pathlib import Path

import pytest
from structlog.testing import capture_logs

import config
from tests.config.whole import KEYS, lay_out, problems_of, toml

EXAMPLE = Path(config.__file__).with_name("textback.example.toml")


@pytest.fixture(scope="module")
def path(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Where a configuration is written, beside all the files that it names."""
    return lay_out(tmp_path_factory.mktemp("broken"))


ODD = (
    '""', '"x"', '"a\\u0000b"', "-1", "1e999", "nan", "true", "[]", '[["x"]]', "{ x = 1 }", "1979-05-27", f'"{"x" * 5000}"',
)  # fmt: skip
_PAIR = re.compile(r"^([A-Za-z_-]+ *= *)(.+?)(\s+#.*)?$")


def mutations_of_the_example(odd: str) -> list[tuple[int, str]]:
    """The example with another value in one place: the line, and the text."""
    lines = EXAMPLE.read_text().split("\n")
    found = []
    for number, line in enumerate(lines):
        if match := _PAIR.match(line):
            found.append((number + 1, "\n".join([*lines[:number], match[1] + odd, *lines[number + 1 :]])))
    return found


@pytest.mark.parametrize("odd", ODD)
def test_mutated_example_is_refused_at_its_line_or_works(path: Path, odd: str) -> None:
    for name in ("carrier.password", "smsc.password", "twilio.token"):
        (path.parent / name).write_text("secret")
    mutations = mutations_of_the_example(odd)
    assert len(mutations) > 50
    for line, text in mutations:
        check_mutation(path, line, text)


@pytest.mark.parametrize("turn", range(4))
def test_mutated_whole_configuration_is_refused_at_its_line_or_works(path: Path, turn: int) -> None:
    """Every fourth key of all that there are, with each odd value in turn."""
    for index, (section, key) in enumerate(KEYS[turn::4]):
        text, line = toml(section, key, ODD[index % len(ODD)])
        check_mutation(path, line, text)


def check_mutation(path: Path, line: int, text: str) -> None:
    """All that is refused is refused once, at the line of the mutation."""
    path.write_text(text)
    with capture_logs():
        mutated = text.split("\n")[line - 1]
        # days off that are gone take those with them that are open all the same
        lines = {line, line + 1} if mutated.startswith("holidays =") else {line}
        assert {problem.line for problem in problems_of(path)} <= lines, mutated[:200]
