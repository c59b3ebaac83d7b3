"""Where things are unless somebody says otherwise, for those too that must not load the configuration's models."""

from pathlib import Path

SEARCHED = (Path("/etc/textback/textback.toml"), Path("textback.toml"))
"""Where the configuration is looked for."""
DATA_DIR = Path("/var/lib/textback")
"""`data_dir`."""
WEB_LISTEN = "127.0.0.1:8080"
"""`web.listen`."""


def is_there(path: Path) -> bool:
    """One in a directory that this user may not enter counts, and is then said to be unreadable."""
    try:
        path.stat()
    except (FileNotFoundError, NotADirectoryError):
        return False
    except OSError:
        pass
    return True
