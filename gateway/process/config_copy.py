"""A copy of the configuration that the gateway took last, in the data directory.

The commands that only look go by it while the file itself is broken. The file holds no secrets, so neither does the copy.
"""

from pathlib import Path

import structlog

from config.model import Config
from gateway.files import whole_file
from gateway.process.data_dir import LAST_GOOD


def keep(config: Config) -> None:
    """Write the copy, whole or not at all; where that fails the log says so, and nothing else is the worse for it."""
    path = config.data_dir / LAST_GOOD
    try:
        if not _holds(path, config.content):
            whole_file.write(path, config.content)
    except OSError as error:
        structlog.get_logger().warning(
            "configuration_copy_not_kept",
            error=f"{path} cannot be written: {error.strerror}",
            then="while the file is broken, the commands that look go by an older copy, or by none",
        )


def _holds(path: Path, content: bytes) -> bool:
    try:
        return path.read_bytes() == content
    except FileNotFoundError:
        return False
