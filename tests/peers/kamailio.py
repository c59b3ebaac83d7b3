"""Debian's Kamailio as a process, with a configuration of tests/pbx: between callers, phones and the gateway."""

import re
import shutil
import signal
import socket
import subprocess
import time
from collections.abc import Mapping
from pathlib import Path

from tests.peers.gateway import PATIENCE_S
from tests.peers.ports import free_sip_port

PROBE = """\
OPTIONS sip:127.0.0.1:{port} SIP/2.0
Via: SIP/2.0/UDP {at};branch=z9hG4bK-probe-{at}
From: <sip:probe@{at}>;tag=probe
To: <sip:127.0.0.1:{port}>
Call-ID: probe-{at}
CSeq: 1 OPTIONS
Max-Forwards: 70
Content-Length: 0

"""
CONFIG = Path(__file__).parents[1] / "pbx" / "kamailio.cfg"


def program() -> str:
    """Where Kamailio is."""
    found = shutil.which("kamailio", path="/usr/sbin:/usr/local/sbin")
    assert found, "these tests need Kamailio: script/test installs it, or apt-get install kamailio (and mask its service)"
    return found


def kamailio_version() -> str:
    """As it says itself."""
    words = subprocess.run([program(), "-v"], capture_output=True, text=True, check=True).stdout
    return str(re.findall(r"version: kamailio (\S+)", words)[0])


class Kamailio:
    """On loopback, with a port of its own. Its failure routes log what they were told."""

    def __init__(self, directory: Path, *, places: Mapping[str, str], changes: Mapping[str, str] | None = None) -> None:
        self.port = free_sip_port()
        self._directory, self._log = directory, directory / "kamailio.log"
        text = CONFIG.read_text()
        for word, instead in {"KAMAILIO": f"127.0.0.1:{self.port}", **places, **(changes or {})}.items():
            assert word in text, f"{CONFIG} has no {word}"
            text = text.replace(word, instead)
        self._path = directory / "kamailio.cfg"
        self._path.write_text(text)
        self._process: subprocess.Popen[bytes] | None = None

    def start(self) -> "Kamailio":
        """Start it, and wait until it answers."""
        with self._log.open("wb") as log:
            command = [program(), "-DD", "-E", "-f", str(self._path), "-Y", str(self._directory), "-m", "32", "-M", "8"]
            self._process = subprocess.Popen(command, stdout=log, stderr=log, cwd=self._directory)
        until = time.monotonic() + PATIENCE_S
        while not self._answers():
            assert self._process.poll() is None, self.log
            assert time.monotonic() < until, self.log
            time.sleep(0.05)
        return self

    def stop(self) -> None:
        """End it and its children."""
        if self._process is not None:
            self._process.send_signal(signal.SIGTERM)
            self._process.wait(timeout=PATIENCE_S)

    @property
    def log(self) -> str:
        """All that it said."""
        return self._log.read_text(errors="replace")

    def told(self, caller: str) -> list[int]:
        """What a caller's failure routes were told, in order."""
        return [int(status) for status in re.findall(rf"told caller={re.escape(caller)} status=(\d+)", self.log)]

    def _answers(self) -> bool:
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as probe:
            probe.settimeout(0.2)
            probe.connect(("127.0.0.1", self.port))
            at = f"127.0.0.1:{probe.getsockname()[1]}"
            try:
                probe.send(PROBE.format(at=at, port=self.port).replace("\n", "\r\n").encode())
                return probe.recv(4096).startswith(b"SIP/2.0 200")
            except OSError:
                return False
