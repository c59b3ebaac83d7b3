"""Held texts: decided once more when their time comes, when what they wait for is there, or when a person says so."""

import asyncio
from datetime import UTC, datetime, timedelta

import structlog

from gateway.core.reason import Reason
from gateway.decisions import deciding
from gateway.decisions.ruling import InForce, Verdict
from gateway.repeated import Repeated
from gateway.store import holds
from gateway.store.database import Database, StoreError

AT_ONCE = 200
"""Held texts decided in one turn."""
LAST_DECISION_WITHIN_S = 1.0
STUMBLED_AGAIN = timedelta(minutes=1)
"""A held text that could not be decided by a fault of ours is decided again after so long; the others do not wait for it."""


class Holds:
    """`woken` is set when a text was held, or another directory is in force."""

    def __init__(self, *, store: Database, in_force: InForce, woken: asyncio.Event) -> None:
        self._store = store
        self._in_force = in_force
        self._repeated = Repeated("holds", self._turn, woken)
        self._stumbled: dict[int, datetime] = {}
        """Texts that could not be decided, and when they are tried again."""
        self._log = structlog.get_logger()

    async def run(self) -> None:
        """Decide what falls due until `stop`."""
        await self._repeated.run()

    async def stop(self) -> None:
        """Decide nothing more; comes back when the text under way is decided, so that the outbox may still have it."""
        await self._repeated.stopped(LAST_DECISION_WITHIN_S)

    async def release(self, text: int) -> Verdict | None:
        """A person lets a held text go past the limits; every other rule still speaks. None: it is not held."""
        return await self._store.run(deciding.decide_anew, self._in_force.ruling, text, datetime.now(UTC), is_released=True)

    async def release_many(self, line: str | None, since: datetime | None) -> list[tuple[int, Verdict]]:
        """`release` for the held texts of one line or of all, whose call came since; one transaction."""
        return await self._store.run(deciding.release_many, self._in_force.ruling, line, since, datetime.now(UTC))

    async def _turn(self) -> datetime | None:
        now = datetime.now(UTC)
        self._stumbled = {text: again_at for text, again_at in self._stumbled.items() if again_at > now}
        over = None if self._in_force.directory.contacts_unknown else Reason.CONTACTS_UNKNOWN
        due = await self._store.run(holds.held_due, now, AT_ONCE, tuple(self._stumbled), over)
        for text in due:
            if self._repeated.is_stopping:
                return None
            await self._decide(text)
        if len(due) == AT_ONCE:
            return now
        next_at = await self._store.run(holds.next_held_at, tuple(self._stumbled))
        return min([*([next_at] if next_at else []), *self._stumbled.values()], default=None)

    async def _decide(self, text: int) -> None:
        now = datetime.now(UTC)
        try:
            await self._store.run(deciding.decide_anew, self._in_force.ruling, text, now)
        except StoreError:
            raise
        except Exception:
            self._stumbled[text] = now + STUMBLED_AGAIN
            self._log.exception("held_text_not_decided", text=text, again_in_s=STUMBLED_AGAIN.total_seconds())
