"""Every key of any TOML file is found, on its own line."""

import tomllib
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from config.positions import positions

KEYS = st.text("abcXYZ019-_", min_size=1, max_size=6)
QUOTED = st.one_of(KEYS, st.text("a b.#[]=", min_size=1, max_size=5).map(lambda k: f'"{k}"'))
SCALARS = st.sampled_from(
    [
        "1",
        "true",
        '"x"',
        "'y # z'",
        '"a \\" ] b"',
        '"""\ntwo\nlines \\""""',
        "'''\n[no.table]\n''''",
        "1979-05-27T07:32:00Z",
        "-1.5e3",
    ]
)
VALUES = st.recursive(
    SCALARS,
    lambda inner: (
        st.lists(inner, max_size=3).map(lambda parts: "[\n  " + ", # note\n  ".join(parts) + "\n]")
        | st.dictionaries(KEYS, inner.filter(lambda v: "\n" not in v), max_size=3).map(
            lambda table: "{ " + ", ".join(f"{k} = {v}" for k, v in table.items()) + " }"
        )
    ),
    max_leaves=5,
)
TABLES = st.lists(st.tuples(st.sampled_from(["[{}]", "[[{}]]"]), st.lists(KEYS, min_size=1, max_size=2)), max_size=4)


@st.composite
def files(draw: st.DrawFn) -> str:
    """A TOML file, most likely a valid one."""
    lines = [f"{key} = {value}" for key, value in draw(st.dictionaries(QUOTED, VALUES, max_size=3)).items()]
    for header, name in draw(TABLES):
        lines.append(header.format(".".join(name)) + draw(st.sampled_from(["", "  # note"])))
        lines += [f"{key} = {value}" for key, value in draw(st.dictionaries(QUOTED, VALUES, max_size=3)).items()]
    return draw(st.sampled_from(["\n", "\n\n", "\n# note\n"])).join(lines) + draw(st.sampled_from(["", "\n"]))


def keys(value: Any, path: tuple[str, ...] = ()) -> set[str]:
    """Every dotted key of what tomllib read."""
    found = {".".join(path)} if path else set()
    items = value.items() if isinstance(value, dict) else enumerate(value, start=1) if isinstance(value, list) else ()
    for name, inner in items:
        found |= keys(inner, (*path, str(name)))
    return found


@given(files())
def test_agrees_with_tomllib(text: str) -> None:
    try:
        read = tomllib.loads(text)
    except tomllib.TOMLDecodeError:
        return
    found = positions(text)
    assert keys(read) == set(found)
    lines = text.split("\n")
    for key, line in found.items():
        last = key.rpartition(".")[2].strip('"')
        assert last.isdecimal() or last in lines[line - 1] or last == "", (key, line)


@pytest.mark.parametrize(
    ("text", "key", "line"),
    [
        ("\n\na = 1", "a", 3),
        ("[x]\n\n[x.y]\nb = 1", "x.y.b", 4),
        ("[[x]]\na=1\n[[x]]\na=2\n[x.z]\nq=1", "x.2.z.q", 6),
        ("a.b.c = 1", "a.b.c", 1),
        ("a = [\n1,\n2]", "a.2", 3),
        ('s = """\n\n"""\nb = 1', "b", 4),
        ('"quo\\"ted" = 1', 'quo"ted', 1),
        ("a = { b = 1, c = [ { d = 2 } ] }", "a.c.1.d", 1),
    ],
)
def test_table(text: str, key: str, line: int) -> None:
    assert positions(text)[key] == line
