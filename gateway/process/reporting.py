"""What others ask about the running gateway: whether it would take a call, how it is, what waits."""

import asyncio
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any

from gateway.calls.journal import Journal
from gateway.decisions.ruling import InForce
from gateway.office.knowledge import BY_ROWS
from gateway.process.counts import Counts
from gateway.process.reload import Reloading
from gateway.process.status import Readiness, report
from gateway.process.stores import Stores
from sip.pipe.client import AgentClient
from sms.text import Bridge


@dataclass(frozen=True, slots=True, kw_only=True)
class Reporting:
    """A `Reporter`. Looks at the parts; counts anew, and loads the configuration again, where it is asked to."""

    agent: AgentClient
    journal: Journal
    bridges: Mapping[str, Bridge]
    stores: Stores
    in_force: InForce
    reloading: Reloading
    counts: Counts
    stop: asyncio.Event
    """The gateway is asked to end."""

    async def count(self) -> None:
        """What waits and for whom is counted anew, where the database answers soon."""
        await self.counts.refresh_soon()

    async def reload(self) -> dict[str, Any]:
        """Load the configuration again: its file, why it was refused, which sections are gone, which files that it names cannot
        be used, and which but for some rows."""
        await self.reloading.loaded()
        faults = self.in_force.directory.faults
        return {
            "file": str(self.reloading.config.path.absolute()),
            "refused": self.reloading.error,
            "gone": list(self.reloading.gone),
            "unusable": [asdict(fault) for fault in faults if fault.meanwhile not in BY_ROWS],
            "with_bad_rows": [asdict(fault) for fault in faults if fault.meanwhile in BY_ROWS],
        }

    def readiness(self) -> Readiness:
        """Agent up and database writable; trunks and bridges do not count, calls are journalled without them."""
        why_not = []
        if self.agent.ready is None:
            why_not.append("the SIP agent is not listening")
        if self.stores.database.last_error:
            why_not.append(self.stores.database.last_error)
        if self.stop.is_set():
            why_not.append("the gateway is stopping")
        return Readiness(why_not=tuple(why_not))

    def status(self) -> dict[str, Any]:
        """The shape that `textback status --json` prints."""
        return report(
            self.reloading.config,
            agent=self.agent,
            open_calls=self.journal.open_calls,
            bridges=self.bridges,
            database=self._database(),
            reload_error=self.reloading.error,
            reloads=self.reloading.tried,
            faults=self.in_force.directory.faults,
            counts=self.counts.texts,
        )

    def _database(self) -> dict[str, Any]:
        health = self.stores.health()
        return {**health, "detail": health["detail"] or self.counts.why_late}
