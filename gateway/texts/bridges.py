"""The bridges that run now: started, kept running, and exchanged when the configuration is loaded again."""

import asyncio
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import asynccontextmanager
from pathlib import Path

import structlog

from config.bridges import BridgeSettings
from sms.build import build_bridge
from sms.text import Bridge, Sink

AGAIN_S = 10.0
"""A bridge that failed by a fault of its own is run again after so long."""
GOODBYE_WITHIN_S = 15.0
"""A bridge that was exchanged is waited for so long before its successor starts: an SMSC may allow one bind only."""


class Bridges:
    """`by_name` is always the same mapping; its content changes on `use`."""

    def __init__(self, data_dir: Path, public_url: str, changed: Callable[[], None], *, again_s: float = AGAIN_S) -> None:
        self.by_name: dict[str, Bridge] = {}
        self._data_dir = data_dir
        self._public_url = public_url
        self._changed = changed
        self._again_s = again_s
        self._settings: dict[str, BridgeSettings] = {}
        self._running: dict[str, asyncio.Task[None]] = {}
        """By name; a bridge that is gone stays here until it has said goodbye."""
        self._sink: Sink | None = None
        self._tasks: asyncio.TaskGroup | None = None
        """Both there while bridges run."""
        self._log = structlog.get_logger()

    @asynccontextmanager
    async def running(self, sink: Sink, settings: Mapping[str, BridgeSettings]) -> AsyncIterator[None]:
        """Run these bridges until the context is left; then let them say goodbye."""
        async with asyncio.TaskGroup() as tasks:
            self._sink, self._tasks = sink, tasks
            self.use(settings)
            yield
            self.use({})

    def use(self, settings: Mapping[str, BridgeSettings]) -> None:
        """Stop what is gone or different, start what is new or different, leave the rest alone. Within `running`.

        A bridge with new settings starts when the old one of that name has said goodbye; until then it is not up.
        """
        assert self._sink is not None
        assert self._tasks is not None
        for name in list(self.by_name):
            if settings.get(name) != self._settings[name]:
                self._running[name].cancel()
                del self.by_name[name], self._settings[name]
        for name, one in settings.items():
            if name in self.by_name:
                continue
            bridge = build_bridge(name, one, self._data_dir, self._public_url)
            self.by_name[name], self._settings[name] = bridge, one
            before = self._running.get(name)
            self._running[name] = self._tasks.create_task(self._keep_running(bridge, self._sink, before), name=f"bridge {name}")
        self._changed()

    async def _keep_running(self, bridge: Bridge, sink: Sink, before: asyncio.Task[None] | None) -> None:
        """A fault in one bridge ends neither the gateway nor the other bridges."""
        if before is not None:
            await asyncio.wait({before}, timeout=GOODBYE_WITHIN_S)
        while True:
            try:
                await bridge.run(sink)
            except Exception as error:
                self._log.exception("bridge_failed", bridge=bridge.name, error=type(error).__name__, again_in_s=self._again_s)
            else:
                self._log.error("bridge_ended", bridge=bridge.name, again_in_s=self._again_s)
            await asyncio.sleep(self._again_s)
