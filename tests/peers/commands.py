"""The real command line on a data directory that no gateway runs on: many commands in one process, which is not the test's."""

import contextlib
import io
import json
import os
import subprocess
import sys
import traceback
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from gateway.cli.main import main
from tests.peers.settings import awake

CONFIG = """\
data_dir = "."
timezone = "America/Chicago"
region = "US"
[trunk.pbx]
peers = ["192.0.2.10"]
[sms.spool]
kind = "spool"
[line.front]
number = "+14155550100"
business = "ABC HVAC"
{line}
"""


@dataclass(frozen=True, kw_only=True)
class Ran:
    """How a command ended, and what it said."""

    status: int
    out: str
    err: str

    @property
    def json(self) -> object:
        """Standard output as a program reads it."""
        return json.loads(self.out)


def configured(directory: Path, line: str = "", text: str = CONFIG) -> Path:
    """A configuration whose database is `directory/textback.db`; its file."""
    path = directory / "textback.toml"
    path.write_text(awake(text.replace("{line}", line)))
    return path


def run(path: Path, *commands: Sequence[str]) -> list[Ran]:
    """Run commands one after the other, as an admin would, with standard output a pipe."""
    given = json.dumps([["-c", str(path), *command] for command in commands])
    ran = subprocess.run(
        [sys.executable, "-m", "tests.peers.commands"],
        input=given, capture_output=True, text=True, timeout=90, check=True, env={**os.environ, "COLUMNS": "80"},
    )  # fmt: skip
    return [Ran(**done) for done in json.loads(ran.stdout)]


class _Stream(io.StringIO):
    def fileno(self) -> int:
        return 2


def _one(arguments: list[str]) -> dict[str, object]:
    out, err = _Stream(), _Stream()
    with contextlib.redirect_stdout(out), contextlib.redirect_stderr(err):
        try:
            status = main(arguments)
        except SystemExit as end:
            status = int(end.code or 0)
        except Exception:
            err.write(traceback.format_exc())
            status = 70
    return {"status": status, "out": out.getvalue(), "err": err.getvalue()}


if __name__ == "__main__":
    told = [_one(arguments) for arguments in json.load(sys.stdin)]
    json.dump(told, sys.stdout)
