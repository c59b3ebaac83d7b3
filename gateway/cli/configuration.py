"""The configuration for commands that look at what happened or ask the running gateway: they need no secret of it.

While the file is broken they go by the copy of the last one that the gateway took, and say so.
"""

import os
import shlex
from pathlib import Path

from config import glimpse, load
from config.model import Config
from config.places import DATA_DIR
from config.problems import ConfigError
from gateway.cli.say import complain
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
        return _last_good(glimpse.data_dir(path), path.parent, error)


def how_to_run(config: Config) -> str:
    """The command that starts the gateway of a configuration: with `-c`, unless the file is found without."""
    try:
        is_found = config.path.name == LAST_GOOD or load.find(None) == config.path
    except ConfigError:
        is_found = False
    return "textback run" if is_found else f"textback -c {shlex.quote(str(config.path))} run"


def _last_good(data_dir: Path, beside: Path, broken: ConfigError) -> Config:
    copy = data_dir / LAST_GOOD
    try:
        config = load.read(copy, copy.read_bytes(), beside=beside, has_secrets=False)
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
        f" {copy}; textback check names all that is wrong"
    )
    return config.model_copy(update={"data_dir": data_dir})


def _in_short(broken: ConfigError) -> str:
    first, *others = broken.problems
    return f"{first} (and {len(others)} more)" if others else str(first)
