"""Asterisk out of a tree of another Debian, run by chroot on loopback, with the configuration of tests/pbx."""

import re
import shutil
import signal
import socket
import subprocess
import tempfile
import time
from collections.abc import Mapping
from pathlib import Path

from tests.peers.gateway import PATIENCE_S
from tests.peers.ports import free_sip_port

CONFIGS = Path(__file__).parent
DIRECTORIES = """\
[directories](!)
astetcdir => {at}
astvarlibdir => {at}/lib
astdbdir => {at}/lib
astspooldir => {at}/spool
astrundir => {at}
astlogdir => {at}
[options]
highpriority = no
"""
TOLD = r"told (\S+) (\S*) (\S*)"
"""What `h` of extensions.conf writes: the caller, DIALSTATUS, HANGUPCAUSE."""


class Asterisk:
    """One, with PJSIP or, where `is_old`, with chan_sip in its place."""

    def __init__(self, tree: Path, *, places: Mapping[str, str], is_old: bool = False) -> None:
        self.port = free_sip_port()
        self._tree, self._is_old = tree, is_old
        self._directory = Path(tempfile.mkdtemp(prefix="textback-", dir=tree / "run"))
        ours, other = ("CHAN_SIP", "ASTERISK") if is_old else ("ASTERISK", "CHAN_SIP")
        self._places = {ours: f"127.0.0.1:{self.port}", other: f"127.0.0.1:{free_sip_port()}", **places}
        self._process: subprocess.Popen[bytes] | None = None

    def start(self) -> "Asterisk":
        """Write its configuration, start it, and wait until all its modules are there."""
        for name in ("lib", "spool"):
            (self._directory / name).mkdir()
        (self._tree / "etc/hosts").write_text(f"127.0.0.1 localhost {socket.gethostname()}\n")  # else each call waits for a DNS
        at = f"/run/{self._directory.name}"
        (self._directory / "asterisk.conf").write_text(DIRECTORIES.format(at=at).replace("(!)", ""))
        for path in CONFIGS.glob("*.conf"):
            (self._directory / path.name).write_text(self._placed(path.read_text()))
        self._process = subprocess.Popen(
            [*self._inside(), "-f"], stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
        )
        until = time.monotonic() + PATIENCE_S
        while "fully booted" not in self.command("core waitfullybooted"):
            assert self._process.poll() is None, self.log
            assert time.monotonic() < until, self.log
            time.sleep(0.2)
        return self

    def stop(self) -> None:
        """End it, and take its files away."""
        if self._process is not None:
            self._process.send_signal(signal.SIGTERM)
            try:
                self._process.wait(timeout=15)
            except subprocess.TimeoutExpired:
                self._process.kill()
                self._process.wait()
        shutil.rmtree(self._directory)

    def command(self, words: str) -> str:
        """What its command line answers."""
        ran = subprocess.run([*self._inside(), "-rx", words], capture_output=True, text=True, check=False, timeout=PATIENCE_S)
        return ran.stdout + ran.stderr

    def contacts(self) -> str:
        """What `qualify` found of the gateway."""
        return self.command("sip show peer textback" if self._is_old else "pjsip show contacts")

    @property
    def version(self) -> str:
        """As it says itself."""
        words = subprocess.run(["chroot", str(self._tree), "asterisk", "-V"], capture_output=True, text=True, check=True).stdout
        return re.sub(r"^Asterisk (\d+\.\d+).*", r"\1", words.strip())

    @property
    def log(self) -> str:
        """Its notices, warnings and errors."""
        path = self._directory / "messages"
        return path.read_text(errors="replace") if path.exists() else ""

    def told(self, caller: str) -> str:
        """DIALSTATUS, and HANGUPCAUSE, at the end of a caller's call; `-` where no Dial() had been."""
        found = [_words(status, cause) for number, status, cause in re.findall(TOLD, self.log) if number == caller]
        return ", ".join(found) or "-"

    def _inside(self) -> list[str]:
        return ["chroot", str(self._tree), "/usr/sbin/asterisk", "-C", f"/run/{self._directory.name}/asterisk.conf"]

    def _placed(self, text: str) -> str:
        for word, instead in self._places.items():
            (host, _, port), (at, _, its_port) = word.partition(":"), instead.partition(":")
            text = text.replace(word, instead).replace(f"host = {host}\nport = {port}", f"host = {at}\nport = {its_port}")
        return text.replace("PJSIP/", "SIP/") if self._is_old else text


def _words(status: str, cause: str) -> str:
    """The cause says something of calls that failed."""
    return f"{status} {cause}" if status not in ("", "ANSWER") else status or "-"
