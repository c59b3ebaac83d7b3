"""What --help says is for admins: every command says in words what it is for."""

import re
from pathlib import Path

import pytest

from tests.peers import commands

ACTIONS = [
    ("calls", "done", "1"),
    ("texts", "release", "1"),
    ("texts", "drop", "1"),
    ("texts", "resend", "1"),
    ("texts", "settle", "1"),
    ("numbers", "list"),
    ("numbers", "forget", "+14155550123"),
    ("optout", "list"),
    ("optout", "add", "+14155550123"),
    ("optout", "remove", "+14155550123", "--reason", "asked"),
]


def test_every_command_says_what_it_is_for(tmp_path: Path) -> None:
    path = commands.configured(tmp_path)
    (all_of_them,) = commands.run(path, ("--help",))
    names = re.findall(r"^    (\S+)", all_of_them.out, re.MULTILINE)
    assert {"run", "check", "calls", "texts", "explain"} <= set(names)
    actions = [("texts", "drop"), ("texts", "resend"), ("calls", "done"), ("numbers", "forget")]
    asked = [*((name,) for name in names), *actions]
    for command, done in zip(asked, commands.run(path, *((*command, "--help") for command in asked)), strict=True):
        paragraph = done.out.split("\n\n")[1]
        assert paragraph[0].isupper(), command
        assert paragraph.endswith("."), command
        assert "`" not in done.out, command


@pytest.mark.parametrize("where", [1, 2, -1])
def test_configuration_may_be_named_anywhere(tmp_path: Path, where: int) -> None:
    """After the command, after its action, and at the end; what stands in front is another file then."""
    path = commands.configured(tmp_path)
    asked = [list(action) for action in ACTIONS]
    for command in asked:
        place = len(command) if where == -1 else where
        command[place:place] = ["-c", str(path)]
    for command, done in zip(asked, commands.run(tmp_path / "none.toml", *asked), strict=True):
        assert (done.status, "usage" in done.err, "none.toml" in done.err) == (1, False, False), (command, done)
