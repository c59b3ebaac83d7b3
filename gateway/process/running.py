"""The data directory of a gateway that runs, found by the name of its configuration.

The file itself may not say it any more: it was cut off, or changed. Light: a health check loads it.
"""

import os
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

from gateway.process.data_dir import LOCK


def data_dir_of(configuration: Path) -> Path | None:
    """Where it keeps everything; None: none runs by this file, or it is another user's."""
    wanted = configuration.resolve()
    for lock in _locks():
        named = configuration_of(lock.parent)
        if named is not None and named.resolve() == wanted:
            return lock.parent
    return None


def configuration_of(data_dir: Path) -> Path | None:
    """The file by which a gateway runs there, or the last one ran; None: nobody knows."""
    try:
        content = (data_dir / LOCK).read_text(errors="surrogateescape")
    except OSError:
        return None
    return Path(content) if content else None


def _locks() -> Iterator[Path]:
    """Of all gateways of this user; of everybody's, for root."""
    for process in Path("/proc").glob("[0-9]*/fd"):
        with suppress(OSError):
            yield from filter(None, map(_lock, process.iterdir()))


def _lock(descriptor: Path) -> Path | None:
    """What a process has open, if it is a lock that lies where its name says: not in another container."""
    try:
        name = Path(os.readlink(descriptor))
        return name if name.name == LOCK and name.samefile(descriptor) else None
    except OSError:
        return None
