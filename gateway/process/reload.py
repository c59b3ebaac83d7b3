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
from gateway.files.file_age import BELIEVED_AFTER_S, FileAge
from gateway.files.whole_file import Stamp, Unusable, stamp_of
from gateway.office.directory import Directory
from gateway.office.knowledge import Knowledge
from gateway.process import config_copy
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
"""With `watch` the file is looked at so often; what it says counts when it has stayed so for `BELIEVED_AFTER_S`."""
KNOW_AGAIN_EVERY = timedelta(minutes=1)
"""Calendars and contacts change without being announced; they are looked at so often, after a change sooner."""

GUARDS = ("limits", "contacts", "consent")
"""Sections without which more is texted than before, or other people are."""

ComesIntoForce = Callable[[Config, Directory], None]


class Reloads:
    """Reloads that were asked for, and those done since. May be asked at any time, also before the gateway is up."""

    def __init__(self) -> None:
        self.woken = asyncio.Event()
        self.asked = 0
        """How often."""
        self._answered = 0
        self._changed = asyncio.Event()

    def ask(self) -> int:
        """Load the file again, soon; which time this is."""
        self.asked += 1
        self.woken.set()
        return self.asked

    @property
    def is_asked(self) -> bool:
        """Is there one that is not answered?"""
        return self._answered < self.asked

    def answer(self, asked: int) -> None:
        """The file was read after it was asked so often."""
        self._answered = asked
        self._changed.set()
        self._changed = asyncio.Event()

    async def until_answered(self, asked: int) -> None:
        """Until the file was read after it was asked so often."""
        while self._answered < asked:
            await self._changed.wait()


class Reloading:
    """Keeps the configuration of the moment, and loads it again where `reloads` asks or the file has changed."""

    def __init__(
        self, config: Config, knowledge: Knowledge, comes_into_force: ComesIntoForce, reloads: Reloads | None = None
    ) -> None:
        self.config = config
        self.error = ""
        """Why the last reload was refused; empty where it was not."""
        self.gone: tuple[str, ...] = ()
        """The sections that it took away, where it was not refused."""
        self._knowledge = knowledge
        self._comes_into_force = comes_into_force
        self.tried = 0
        """How often it was begun to load the file again."""
        self._reloads = reloads or Reloads()
        self._seen = changed_at(config.path)
        """Of the file that was loaded or refused last."""
        self._age = FileAge()
        self._know_again_at = datetime.now(UTC) + KNOW_AGAIN_EVERY
        self._repeated = Repeated("configuration", self._turn, self._reloads.woken)
        self._log = structlog.get_logger()

    def ask(self) -> None:
        """Load the file again, soon."""
        self._reloads.ask()

    async def loaded(self) -> None:
        """Load the file again, and come back when that was tried; `error` says what came of it."""
        await self._reloads.until_answered(self._reloads.ask())

    async def run(self) -> None:
        """Until `stop`."""
        await self._repeated.run()

    def stop(self) -> None:
        """Load nothing more."""
        self._repeated.stop()

    async def _turn(self) -> datetime:
        stamp, asked = changed_at(self.config.path), self._reloads.asked
        if self._reloads.is_asked:
            self._seen = stamp or self._seen
            await self._load()
            self._reloads.answer(asked)
        elif (believed := self._believed(stamp)) is not None:
            self._seen = believed
            await self._load(believed)
        elif self._knowledge.is_changing or datetime.now(UTC) >= self._know_again_at:
            await self._know_again(self.config)
        return datetime.now(UTC) if self._reloads.is_asked else datetime.now(UTC) + LOOK_EVERY

    def _believed(self, stamp: Stamp | None) -> Stamp | None:
        """With `watch`: the stamp of a file that is new and has stayed as it is long enough: it may have been half written."""
        if not self.config.watch or stamp is None or stamp == self._seen:
            return None
        return stamp if self._age.of(stamp) >= BELIEVED_AFTER_S else None

    async def _load(self, believed: Stamp | None = None) -> None:
        """The whole file, or the old one stays and it is said why. `believed`: not where it is another file by now."""
        before = self.config
        self.tried += 1
        self.gone = ()
        try:
            config = await asyncio.to_thread(load_changed, before)
            if self._is_another(believed):
                return
            await self._know_again(config)
            await asyncio.to_thread(config_copy.keep, config)
        except ConfigError as error:
            if self._is_another(believed):
                return
            self.error = str(error)
            self._log.error("reload_refused", problems=len(error.problems), first=str(error.problems[0]), kept=before.hash)
        except Exception as error:
            self.error = f"{before.path} could not be read by a fault of the program: {type(error).__name__}: {error}"
            self._log.exception("reload_refused", kept=before.hash)
        else:
            self.error = ""
            self._log.info("configuration_loaded", config=config.hash, lines=len(config.line))
            self._tell_gone(before, config)

    def _is_another(self, believed: Stamp | None) -> bool:
        return believed is not None and changed_at(self.config.path) != believed

    def _tell_gone(self, before: Config, config: Config) -> None:
        """A file that lost its end, or its middle, may still be a configuration."""
        self.gone = sections_gone(before, config)
        if self.gone:
            self._log.warning(
                "configuration_sections_gone",
                file=str(config.path),
                sections=", ".join(f"[{section}]" for section in self.gone),
                detail="they stood there before and count no more; write them again and reload, if that was not meant",
            )

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


def sections_gone(before: Config, config: Config) -> tuple[str, ...]:
    """The sections that guard callers, and those of lines, that stood in the old file and are not in the new one."""
    lines = [f"line.{name}" for name in before.line]
    sections = (*GUARDS, *(section for line in lines for section in (line, f"{line}.text")))
    return tuple(section for section in sections if before.is_set(section) and not config.is_set(section))


def changed_at(path: Path) -> Stamp | None:
    """What changes when a file is written or replaced; None while it is not there."""
    try:
        return stamp_of(path)
    except Unusable:
        return None


def _value(config: Config, key: str) -> object:
    value: object = config
    for name in key.split("."):
        value = getattr(value, name)
    return value
