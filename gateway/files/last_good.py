"""Copies of the last good contents of files that people and programs write, so that a restart does not need the files.

A copy belongs to the file that it was made of, by its whole path: a configuration that names another file is not given it.
"""

import contextlib
import os
import re
from collections.abc import Iterable
from hashlib import sha256
from pathlib import Path

from gateway.files import whole_file

DIRECTORY = "last-good"
"""In `data_dir`; nobody but the gateway's user may enter it."""
_NAME = re.compile(r"[0-9a-f]{12}-.*")


class Copies:
    """The copies of one data directory. `keeps`: only the running gateway writes them, commands read them."""

    def __init__(self, data_dir: Path, *, keeps: bool) -> None:
        self._directory = data_dir / DIRECTORY
        self._keeps = keeps

    def place(self, path: Path) -> Path:
        """Where the copy of a file lies, or would lie."""
        return self._directory / f"{sha256(os.fsencode(path.absolute())).hexdigest()[:12]}-{path.name[:80]}"

    def of(self, path: Path) -> bytes | None:
        """The copy of a file; None where there is none that may be read."""
        try:
            return self.place(path).read_bytes()
        except (OSError, ValueError):
            return None

    def keep(self, path: Path, content: bytes) -> None:
        """Put a copy in the place of the one before, whole and on the disk; `OSError` where it cannot be written."""
        if not self._keeps or self.of(path) == content:
            return
        self._directory.mkdir(mode=0o700, exist_ok=True)
        whole_file.write(self.place(path), content)

    def keep_none_but(self, paths: Iterable[Path]) -> None:
        """Remove the copies of files that the configuration does not name any more: they hold people's numbers."""
        named = {self.place(path).name for path in paths}
        if not self._keeps:
            return
        with contextlib.suppress(OSError):
            for found in list(self._directory.iterdir()):
                if _NAME.fullmatch(found.name) and found.name not in named:
                    found.unlink()
