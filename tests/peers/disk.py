"""A disk of a few megabytes, real, that can be filled to its last byte."""

import os
import subprocess
from pathlib import Path

SUDO = [] if os.geteuid() == 0 else ["sudo"]


class SmallDisk:
    """A tmpfs of its own, mounted at a directory that is made for it."""

    def __init__(self, path: Path, *, megabytes: int = 8) -> None:
        self.path = path
        path.mkdir(parents=True)
        owner = f"uid={os.geteuid()},gid={os.getegid()},mode=0700"
        command = [*SUDO, "mount", "-t", "tmpfs", "-o", f"size={megabytes}m,{owner}", "tmpfs", str(path)]
        ran = subprocess.run(command, capture_output=True, text=True, check=False)
        assert ran.returncode == 0, f"a full disk is tried on a real one, so this needs to mount a tmpfs: {ran.stderr}"

    def fill(self) -> None:
        """Until not one byte more is taken."""
        with (self.path / "filler").open("ab", buffering=0) as file:
            size = 1024 * 1024
            while size:
                try:
                    file.write(bytes(size))
                except OSError:
                    size //= 2

    def make_room(self) -> None:
        """As an admin would."""
        (self.path / "filler").unlink()

    def take_no_writing(self) -> None:
        """As the kernel does with a disk that has faults."""
        subprocess.run([*SUDO, "mount", "-o", "remount,ro", str(self.path)], check=True, capture_output=True)

    def unmount(self) -> None:
        """Take it away, whoever still has a file open there."""
        subprocess.run([*SUDO, "umount", "--lazy", str(self.path)], check=False, capture_output=True)
