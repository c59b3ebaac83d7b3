"""The configuration for commands that look at what happened or ask the running gateway: they need no secret of it.

While the file is broken they go by the copy of the last one that the gateway took, and say so.
"""

import os
from datetime import UTC, datetime
from pathlib import Path

from config import glimpse, load
from config.model import Config
from config.places import DATA_DIR
from config.problems import ConfigError
from gateway.cli.say import complain
from gateway.cli.starting import how_to_start
from gateway.core.schedule import local
from gateway.process import running
from gateway.process.data_dir import LAST_GOOD


def for_looking(named: str | None) -> Config:
    """The file, or the last good copy of it; `ConfigError` where there is neither."""
    try:
        path = load.find(named)
    except ConfigError as error:
        return _last_good(DATA_DIR, Path(), error)
    try:
        return load.load(path, has_secrets=False)
    except ConfigError as error:
        if named is not None and not os.path.isfile(path):
            raise
        return _last_good(data_dir_of(path), path.parent, error)


def data_dir_of(path: Path) -> Path:
    """Where the gateway that runs by a file keeps everything, whatever the file says meanwhile; where none runs, as it says."""
    return running.data_dir_of(path) or glimpse.data_dir(path)


def file_of(named: str | None) -> Path | None:
    """The configuration's file, as a gateway names it; None where there is none."""
    try:
        return load.find(named).absolute()
    except ConfigError:
        return None


def as_taken(named: str | None) -> Config:
    """As the gateway took it, whatever the file says meanwhile: so it is reached. As `for_looking` where none has taken any."""
    path = file_of(named)
    data_dir = data_dir_of(path) if path is not None else DATA_DIR
    try:
        content = (data_dir / LAST_GOOD).read_bytes()
        config = load.read(path or data_dir / LAST_GOOD, content, has_secrets=False)
    except (OSError, ConfigError):
        return for_looking(named)
    return config.model_copy(update={"data_dir": data_dir})


def how_to_run(config: Config) -> str:
    """The command that starts the gateway of a configuration, or of the copy of it."""
    is_copy = config.path.name == LAST_GOOD
    return how_to_start(running.configuration_of(config.data_dir) if is_copy else config.path)


def how_to_restart(config: Config) -> str:
    """The command that ends that gateway, whatever it does just now, and starts it again."""
    start = how_to_run(config)
    return start.replace("start", "restart") if start.startswith("systemctl") else f"end its process, then {start}"


def _last_good(data_dir: Path, beside: Path, broken: ConfigError) -> Config:
    copy = data_dir / LAST_GOOD
    try:
        config = load.read(copy, copy.read_bytes(), beside=beside, has_secrets=False)
        taken_at = local(datetime.fromtimestamp(copy.stat().st_mtime, UTC), config.timezone)
    except FileNotFoundError:
        raise broken from None
    except OSError as error:
        complain(f"textback: {copy} cannot be read: {error.strerror}; run this as root, or as the gateway's user")
        raise broken from None
    except ConfigError as error:
        complain(f"textback: what the gateway took last is none for this version of the program: {_in_short(error)}")
        raise broken from None
    complain(
        f"textback: the configuration is broken: {_in_short(broken)}. What follows goes by the last one that the gateway took,"
        f" {copy}, of {taken_at:%Y-%m-%d %H:%M %Z}; textback check names all that is wrong"
    )
    return config.model_copy(update={"data_dir": data_dir})


def _in_short(broken: ConfigError) -> str:
    first, *others = broken.problems
    return f"{first} (and {len(others)} more)" if others else str(first)
