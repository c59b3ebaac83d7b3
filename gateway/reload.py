"""Loading the configuration, calendars and contacts again while the gateway runs.

Everything is read and checked in a thread, so that no call waits for it; what was read comes into force in one turn of the
event loop, or not at all.
"""

import asyncio
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path

import structlog

from config import load
from config.model import Config
from config.problems import ConfigError
from gateway import taken
from gateway.directory import Directory
from gateway.knowledge import Knowledge
from gateway.repeated import Repeated

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
LOOK_EVERY = timedelta(seconds=2)
"""With `watch` the file is looked at so often."""
KNOW_AGAIN_EVERY = timedelta(minutes=1)
"""Calendars and contacts change without being announced; they are looked at so often, after a change sooner."""

ComesIntoForce = Callable[[Config, Directory], None]


class Reloading:
    """Keeps the configuration of the moment. `ask` may come at any time, also before the gateway is up: it is done later."""

    def __init__(self, config: Config, knowledge: Knowledge, comes_into_force: ComesIntoForce) -> None:
        self.config = config
        self.error = ""
        """Why the last reload was refused; empty where it was not."""
        self._knowledge = knowledge
        self._comes_into_force = comes_into_force
        self._is_asked = False
        self._seen = changed_at(config.path)
        self._know_again_at = datetime.now(UTC) + KNOW_AGAIN_EVERY
        self._repeated = Repeated("configuration", self._turn)
        self._log = structlog.get_logger()

    def ask(self) -> None:
        """Load the file again, soon."""
        self._is_asked = True
        self._repeated.wake()

    async def run(self) -> None:
        """Until `stop`."""
        await self._repeated.run()

    def stop(self) -> None:
        """Load nothing more."""
        self._repeated.stop()

    async def _turn(self) -> datetime:
        changed, is_asked = changed_at(self.config.path), self._is_asked
        self._is_asked = False
        is_new = changed not in (0, self._seen)
        self._seen = changed or self._seen
        if is_asked or (self.config.watch and is_new):
            await self._load()
        elif self._knowledge.is_settling or datetime.now(UTC) >= self._know_again_at:
            await self._know_again(self.config)
        return datetime.now(UTC) if self._is_asked else datetime.now(UTC) + LOOK_EVERY

    async def _load(self) -> None:
        """The whole file, or the old one stays and it is said why."""
        try:
            config = await asyncio.to_thread(load_changed, self.config)
            await self._know_again(config)
            await asyncio.to_thread(taken.keep, config)
        except ConfigError as error:
            self.error = str(error)
            self._log.error("reload_refused", problems=len(error.problems), first=str(error.problems[0]), kept=self.config.hash)
        except Exception as error:
            self.error = f"{self.config.path} could not be read by a fault of the program: {type(error).__name__}: {error}"
            self._log.exception("reload_refused", kept=self.config.hash)
        else:
            self.error = ""
            self._log.info("configuration_loaded", config=config.hash, lines=len(config.line))

    async def _know_again(self, config: Config) -> None:
        now = datetime.now(UTC)
        directory = await asyncio.to_thread(self._knowledge.directory, config, now)
        self._know_again_at = now + KNOW_AGAIN_EVERY
        self._comes_into_force(config, directory)
        self.config = config


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
