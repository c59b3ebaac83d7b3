"""What a gateway writes into: the database, and the reserve for the calls that the database cannot take."""

import asyncio
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from gateway.calls.reserve import FILE as RESERVE_FILE
from gateway.calls.reserve import Reserve
from gateway.core.facts import Publish
from gateway.process.data_dir import CannotStart
from gateway.store.database import FILE, Database, StoreError
from gateway.texts import handover


@dataclass(frozen=True, slots=True, kw_only=True)
class Stores:
    """Both, open."""

    database: Database
    reserve: Reserve

    def health(self) -> dict[str, Any]:
        """`{writable, detail, calls_kept}`, as `textback status` shows it."""
        error = self.database.last_error
        return {"writable": not error, "detail": error, "calls_kept": len(self.reserve)}

    async def settle_interrupted_texts(self, within: float) -> None:
        """Before anything else that is written; where the database makes that take longer, calls are taken meanwhile."""
        settled = self.database.insist(handover.recover, datetime.now(UTC))
        await asyncio.wait({settled}, timeout=within)

    def close(self) -> None:
        """The database first: what it cannot take any more is in the reserve already."""
        self.database.close()


def open_stores(data_dir: Path, publish: Publish) -> Stores:
    """`CannotStart` where one of them cannot be opened. `publish` hears what is committed."""
    try:
        reserve = Reserve(data_dir / RESERVE_FILE)
        return Stores(database=Database(data_dir / FILE, publish), reserve=reserve)
    except StoreError as error:
        raise CannotStart(str(error)) from error
