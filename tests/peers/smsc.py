"""An SMSC that is not ours (Net::SMPP, `smsc.pl`) as a process, and its journal."""

import json
import subprocess
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from tests.peers.gateway import PATIENCE_S
from tests.peers.ports import free_port
from tests.peers.settings import unpaced

SCRIPT = Path(__file__).with_name("smsc.pl")


class Smsc:
    """Bound to with system_id `abchvac` and password `secret`."""

    def __init__(self, directory: Path, *, address: str = "127.0.0.1", prefix: Sequence[str] = ()) -> None:
        self.port = free_port()
        self.address, self._prefix = address, prefix
        self.journal_path = directory / "smsc.jsonl"
        (directory / "smsc.password").write_text("secret\n")
        self._process: subprocess.Popen[str] | None = None

    def start(self) -> "Smsc":
        """Start it, on the same port as before."""
        command = [
            *self._prefix,
            "perl",
            str(SCRIPT),
            str(self.journal_path),
            "abchvac",
            "secret",
            str(self.port),
            self.address,
        ]
        self._process = subprocess.Popen(
            command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True
        )
        assert self._process.stdout is not None
        assert self._process.stdout.readline() == f"listening {self.port}\n"
        return self

    def config(self, name: str = "primary", more: str = "") -> str:
        """The section that binds to it."""
        return (
            f'[sms.{name}]\nkind = "smpp"\nhost = "{self.address}"\nport = {self.port}\nsystem_id = "abchvac"\n'
            f'password_file = "smsc.password"\n{unpaced(more)}\n'
        )

    def command(self, line: str) -> None:
        """One of the script's commands: `receipt ID STATE`, `reply FROM TO TEXT` …"""
        assert self._process is not None
        assert self._process.stdin is not None
        self._process.stdin.write(line + "\n")
        self._process.stdin.flush()

    def journal(self) -> list[dict[str, Any]]:
        """Everything that was handed to it, ever."""
        text = self.journal_path.read_text() if self.journal_path.exists() else ""
        return [json.loads(line) for line in text.splitlines()]

    def submitted(self) -> list[dict[str, Any]]:
        """The submit_sm of the journal."""
        return [entry for entry in self.journal() if "hex" in entry]

    def wait_for_submitted(self, count: int) -> list[dict[str, Any]]:
        """Until so many submit_sm have come; all of them."""
        until = time.monotonic() + PATIENCE_S
        while len(found := self.submitted()) < count:
            assert time.monotonic() < until, f"{count} wanted, have {found}"
            time.sleep(0.05)
        return found

    def wait_for_answer(self, count: int) -> list[dict[str, Any]]:
        """Until so many deliver_sm have been answered; the answers."""
        until = time.monotonic() + PATIENCE_S
        while len(answers := [entry for entry in self.journal() if "delivered" in entry]) < count:
            assert time.monotonic() < until, f"{count} answers wanted, have {self.journal()}"
            time.sleep(0.05)
        return answers

    def send_signal(self, number: int) -> None:
        """SIGSTOP and SIGCONT: a machine that hangs, and one that goes on."""
        assert self._process is not None
        self._process.send_signal(number)

    def wait_for_death(self) -> None:
        """After `die COUNT`."""
        assert self._process is not None
        assert self._process.wait(timeout=PATIENCE_S) == -9
        self.kill()

    def kill(self) -> None:
        """As in a power cut."""
        if self._process is not None:
            self._process.kill()
            self._process.communicate()
            self._process = None
