"""What waits and for whom, counted anew at each beat and whenever somebody asks."""

import asyncio
import contextlib
from collections.abc import Mapping
from datetime import UTC, datetime

from gateway.core.delivery import TextState
from gateway.store import StoreConnection, counts
from gateway.store.database import Database, StoreError

WITHIN_S = 1.0
"""Else what was counted last is told."""


class Counts:
    """The counts of the moment at which the database answered last."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self.texts: Mapping[str, int] = {"queued": 0, "held": 0, "held_for_a_person": 0, "unknown": 0}
        self._at = datetime.now(UTC)
        self.why_late = ""
        """Why they are not those of the last question; empty where they are, and where the database itself says why not."""

    async def refresh(self) -> None:
        """Count; what was counted last stays where the database cannot be written, which is said where it is noticed."""
        with contextlib.suppress(StoreError):
            self.texts = await self._database.run(count)
            self._at = datetime.now(UTC)
        self.why_late = ""

    async def refresh_soon(self) -> None:
        """`refresh`, where the database answers soon."""
        try:
            async with asyncio.timeout(WITHIN_S):
                await self.refresh()
        except TimeoutError:
            self.why_late = f"busy, as when another program holds it; texts are counted as of {self._at:%H:%M:%S} UTC"


def count(db: StoreConnection) -> dict[str, int]:
    """Texts that wait: for a bridge, for their time or a person, for an answer."""
    piles = counts.of_texts(db)
    for_a_person = piles.get(counts.HELD_FOR_A_PERSON, 0)
    return {
        "queued": piles.get(TextState.QUEUED, 0),
        "held": piles.get(TextState.HELD, 0) + for_a_person,
        "held_for_a_person": for_a_person,
        "unknown": piles.get(TextState.UNKNOWN, 0),
    }
