"""What --help says is for admins: every command says in words what it is for."""

import re
from pathlib import Path

from tests.peers import commands


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
