"""What a gateway writes into: the database, and the reserve for the calls that the database cannot take."""

import asyncio
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import structlog

from gateway.calls.reserve import FILE as RESERVE_FILE
from gateway.calls.reserve import Reserve
from gateway.process.data_dir import CannotStart
from gateway.store import texts
from gateway.store.database import FILE, Database, StoreError


@dataclass(frozen=True, slots=True, kw_only=True)
class Stores:
    """Both, open."""

    database: Database
    reserve: Reserve

    def health(self) -> dict[str, Any]:
        """`{writable, detail, calls_kept}`, as `textback status` shows it."""
        error = self.database.last_error
        return {"writable": not error, "detail": error, "calls_kept": len(self.reserve)}

    async def hold_interrupted_texts(self, within: float) -> None:
        """Before anything else that is written; where the database makes that take longer, calls are taken meanwhile."""
        held = self.database.insist(texts.recover, datetime.now(UTC))
        held.add_done_callback(_tell_held)
        await asyncio.wait({held}, timeout=within)

    def close(self) -> None:
        """The database first: what it cannot take any more is in the reserve already."""
        self.database.close()


def open_stores(data_dir: Path) -> Stores:
    """`CannotStart` where one of them cannot be opened."""
    try:
        reserve = Reserve(data_dir / RESERVE_FILE)
        return Stores(database=Database(data_dir / FILE), reserve=reserve)
    except StoreError as error:
        raise CannotStart(str(error)) from error


def _tell_held(held: "asyncio.Future[tuple[int, ...]]") -> None:
    if held.cancelled() or isinstance(held.exception(), StoreError):
        return
    for text in held.result():
        structlog.get_logger().error(
            "text_unknown", text=text, detail="the gateway stopped while it was being sent; it is held"
        )
