"""The beat: again and again the gateway shows that it lives, counts what waits, and tells what was only counted so far."""

from collections.abc import Callable, Sequence
from datetime import UTC, datetime, timedelta

from gateway.process.counts import Counts
from gateway.process.notify import notify, watchdog_seconds
from gateway.repeated import Repeated

EVERY_S = 5.0


class Beat:
    """A chore. systemd's watchdog is told that the event loop and the database's thread live: the count came back."""

    def __init__(self, counts: Counts, tellings: Sequence[Callable[[], None]]) -> None:
        self._counts = counts
        self._tellings = tellings
        """Each tells the log what is overdue, if anything."""
        self._every_s = min(watchdog_seconds() or EVERY_S, EVERY_S)
        self._repeated = Repeated("beat", self._turn, at_least_every=self._every_s)

    async def run(self) -> None:
        """Until `stop`."""
        await self._repeated.run()

    def stop(self) -> None:
        """No further beat."""
        self._repeated.stop()

    async def _turn(self) -> datetime:
        await self._counts.refresh()
        for tell in self._tellings:
            tell()
        notify("WATCHDOG=1")
        return datetime.now(UTC) + timedelta(seconds=self._every_s)
