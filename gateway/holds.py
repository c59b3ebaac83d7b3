"""Held texts: decided once more when their time comes, or when a person says so."""

import asyncio
import sqlite3
from collections.abc import Callable
from datetime import UTC, datetime

import structlog

from gateway.ruling import Ruling, Verdict
from gateway.store import holds
from gateway.store.database import Database, StoreError

LOOK_AGAIN_S = 60.0
AT_ONCE = 200
"""Held texts decided in one transaction."""


class Holds:
    """`woken` is set when a text was held; `ruled` is called with what became of each that fell due."""

    def __init__(self, *, store: Database, ruling: Ruling, ruled: Callable[[Verdict], None], woken: asyncio.Event) -> None:
        self._store = store
        self._ruling = ruling
        self._ruled = ruled
        self._woken = woken
        self._log = structlog.get_logger()

    async def run(self) -> None:
        """Decide what falls due until cancelled."""
        while True:
            self._woken.clear()
            try:
                next_at = await self._round()
            except StoreError as error:
                self._log.error("holds_unreadable", error=str(error))
                next_at = None
            except Exception:
                self._log.exception("held_text_not_decided")
                next_at = None
            await self._sleep_until(next_at)

    async def release(self, text: int) -> Verdict | None:
        """A person lets a held text go past the limits; every other rule still speaks. None: it is not held."""
        now = datetime.now(UTC)
        verdict = await self._store.write(lambda db: self._ruling.on_due(db, text, now, is_released=True))
        self._tell(verdict)
        return verdict

    async def release_many(self, line: str | None, since: datetime | None) -> list[tuple[int, Verdict]]:
        """`release` for the held texts of one line or of all, whose call came since; one transaction."""
        now = datetime.now(UTC)
        released = await self._store.write(lambda db: self._release_many(db, line, since, now))
        for _, verdict in released:
            self._tell(verdict)
        return released

    def _release_many(
        self, db: sqlite3.Connection, line: str | None, since: datetime | None, now: datetime
    ) -> list[tuple[int, Verdict]]:
        found = holds.held_since(db, line, since)
        verdicts = [(text, self._ruling.on_due(db, text, now, is_released=True)) for text in found]
        return [(text, verdict) for text, verdict in verdicts if verdict is not None]

    async def _round(self) -> datetime | None:
        now = datetime.now(UTC)
        for text in await self._store.write(lambda db: holds.held_due(db, now, AT_ONCE)):
            self._tell(await self._store.write(lambda db, text=text: self._ruling.on_due(db, text, now)))  # type: ignore[misc]
        return await self._store.write(holds.next_held_at)

    def _tell(self, verdict: Verdict | None) -> None:
        if verdict is None:
            return
        log = self._log.bind(call=verdict.call, text=verdict.text, decision=verdict.decision)
        log.info("held_text_decided", reason=verdict.reason.value)
        self._ruled(verdict)

    async def _sleep_until(self, at: datetime | None) -> None:
        seconds = LOOK_AGAIN_S if at is None else (at - datetime.now(UTC)).total_seconds()
        try:
            await asyncio.wait_for(self._woken.wait(), max(0.001, min(seconds, LOOK_AGAIN_S)))
        except TimeoutError:
            return
