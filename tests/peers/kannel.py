"""Kannel's real bearerbox and smsbox as processes: between our HTTP bridge and an SMSC, or as a yardstick."""

import re
import subprocess
import time
import urllib.error
import urllib.request
from collections.abc import Callable
from pathlib import Path

from tests.peers.gateway import PATIENCE_S
from tests.peers.ports import free_port

CONFIG = """\
group = core
admin-port = {admin}
admin-password = bar
smsbox-port = {box}
admin-interface = 127.0.0.1
log-file = "{directory}/bearerbox.log"
log-level = 1
dlr-storage = internal

group = smsc
smsc = smpp
smsc-id = out
host = 127.0.0.1
port = {smsc}
smsc-username = abchvac
smsc-password = secret
system-type = ""
transceiver-mode = 1
interface-version = 34
source-addr-ton = 1
source-addr-npi = 1
dest-addr-ton = 1
dest-addr-npi = 1
max-pending-submits = {window}
enquire-link-interval = 30
reconnect-delay = 1

group = smsbox
bearerbox-host = 127.0.0.1
sendsms-port = {sendsms}
log-file = "{directory}/smsbox.log"
log-level = 1

group = sendsms-user
username = tester
password = foobar
concatenation = true
max-messages = 10

group = sms-service
keyword = default
get-url = "{inbound}?{documented}"
max-messages = 0
catch-all = true
"""


def documented_get_url() -> str:
    """The query of `get-url`, as admins are told to write it."""
    found = re.search(r"`get-url`.*?`http[^`?]*\?([^`]+)`", (Path(__file__).parents[2] / "docs/providers.md").read_text())
    assert found is not None
    return found[1]


class Kannel:
    """Bound to an SMSC; `sendsms` is the address of its HTTP interface."""

    def __init__(self, directory: Path, *, smsc_port: int, window: int = 10) -> None:
        self._directory, self._smsc_port, self._window = directory, smsc_port, window
        self._ports = {"admin": free_port(), "box": free_port(), "sendsms": free_port()}
        self.sendsms = f"http://127.0.0.1:{self._ports['sendsms']}/cgi-bin/sendsms"
        self._path = directory / "kannel.conf"
        self._boxes: list[subprocess.Popen[bytes]] = []

    def start(self, inbound: str = "http://127.0.0.1:1/", *, is_bound: bool = True) -> "Kannel":
        """Start both boxes, and wait until they listen and are bound. Replies go to the address `inbound`."""
        values = {"directory": self._directory, "smsc": self._smsc_port, "inbound": inbound, "window": self._window}
        values["documented"] = documented_get_url()
        self._path.write_text(CONFIG.format(**values, **self._ports))
        for box in ("bearerbox", "smsbox"):
            with (self._directory / f"{box}.out").open("wb") as out:
                command = [f"/usr/sbin/{box}", "-v", "4", str(self._path)]
                self._boxes.append(subprocess.Popen(command, stdout=out, stderr=out, cwd=self._directory))
            self._wait(self.status)
        self._wait(lambda: ("online" in self.status() or not is_bound) and self._listens())
        return self

    def _wait(self, is_so: Callable[[], object]) -> None:
        until = time.monotonic() + PATIENCE_S
        while not is_so():
            assert time.monotonic() < until, self.status() + "".join(out.read_text() for out in self._directory.glob("*.out"))
            time.sleep(0.1)

    @property
    def pids(self) -> list[int]:
        """Of both boxes."""
        return [box.pid for box in self._boxes]

    def status(self) -> str:
        """What bearerbox says of itself."""
        try:
            with urllib.request.urlopen(
                f"http://127.0.0.1:{self._ports['admin']}/status.txt?password=bar", timeout=30
            ) as answer:
                return str(answer.read().decode())
        except OSError:
            return ""

    def stop(self) -> None:
        """End both."""
        for box in reversed(self._boxes):
            box.terminate()
        boxes, self._boxes = self._boxes, []
        for box in boxes:
            try:
                box.wait(timeout=30)
            except subprocess.TimeoutExpired:
                box.kill()
                box.wait()

    def _listens(self) -> bool:
        try:
            urllib.request.urlopen(self.sendsms, timeout=30)
        except urllib.error.HTTPError:
            return True
        except OSError:
            return False
        return True
