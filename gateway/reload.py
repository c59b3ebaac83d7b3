"""Loading the configuration again while the gateway runs."""

from pathlib import Path

from config import load
from config.model import Config
from config.problems import ConfigError

FIXED = (
    "data_dir",
    "sip.listen",
    "sip.rtp_ports",
    "sip.max_calls",
    "sip.public_address",
    "web.listen",
    "web.password",
    "web.public_url",
)
"""Keys that are read once, at the start."""


def load_changed(running: Config) -> Config:
    """The file of a running configuration, read again; `ConfigError` also where it changes what is fixed."""
    fresh = load.load(running.path)
    fixed = [key for key in FIXED if _value(running, key) != _value(fresh, key)]
    if fixed:
        says = "cannot be changed while the gateway runs; restart it"
        raise ConfigError([load.problem(fresh, key, says) for key in fixed])
    return fresh


def changed_at(path: Path) -> int:
    """When a file was last written, in nanoseconds; 0 while it is not there."""
    try:
        return path.stat().st_mtime_ns
    except OSError:
        return 0


def _value(config: Config, key: str) -> object:
    value: object = config
    for name in key.split("."):
        value = getattr(value, name)
    return value
