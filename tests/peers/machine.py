"""A machine to install on: this one's own programs, with /etc, /opt, /usr/local and /run that are gone when it ends."""

import os
import subprocess
from pathlib import Path

LAYERS = ("/etc", "/opt", "/usr/local")
SUDO = [] if os.geteuid() == 0 else ["sudo"]


class Machine:
    """A mount namespace. What is written below `LAYERS` is written into memory; systemd is not there, and its tools are told so."""

    def __init__(self, directory: Path) -> None:
        self._above = directory / "above"
        self._above.mkdir()
        self._process: subprocess.Popen[str] | None = None

    def start(self) -> "Machine":
        """Make it; it lives until `stop`, at the latest until the tests are gone."""
        layers = [
            f'mkdir -p "{self._above}"/{{up,work}}{path} && mount -t overlay overlay'
            f' -o "lowerdir={path},upperdir={self._above}/up{path},workdir={self._above}/work{path}" {path}'
            for path in LAYERS
        ]
        steps = [
            "{ mount --make-rprivate / 2>/dev/null || ! grep -q shared: /proc/self/mountinfo; }",  # in a chroot, / is no mount
            f'mount -t tmpfs tmpfs "{self._above}"',
            *layers,
            "mount -t tmpfs tmpfs /run",
            "mkdir -p /run/systemd/system",
            "echo up",
            "exec cat",
        ]
        command = [*SUDO, "unshare", "--mount", "--propagation", "unchanged", "bash", "-c", " && ".join(steps)]
        self._process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
        assert self._process.stdout is not None
        assert self._process.stdout.readline() == "up\n", "a namespace with overlays cannot be made; this needs root or sudo"
        return self

    def stop(self) -> None:
        """Take it away, with all that was written."""
        assert self._process is not None
        self._process.communicate()

    def command(self, *words: str, **environment: str) -> list[str]:
        """What to start on this machine in order to run a command on that one."""
        assert self._process is not None
        inside = [*SUDO, "nsenter", "--target", str(self._process.pid), "--mount", "--root", "--wd"]
        return [*inside, "env", "SYSTEMD_OFFLINE=1", *(f"{name}={value}" for name, value in environment.items()), *words]

    def run(self, *words: str, **environment: str) -> subprocess.CompletedProcess[str]:
        """Run a command there to its end."""
        command = self.command(*words, **environment)
        return subprocess.run(command, capture_output=True, text=True, timeout=300, check=False)
