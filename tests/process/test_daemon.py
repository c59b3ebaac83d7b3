"""The gateway as a whole, in this process."""

import asyncio
import sqlite3
from pathlib import Path

import pytest

from config.load import load
from gateway.daemon import Gateway
from gateway.process.data_dir import CannotStart
from gateway.store.database import StoreError
from tests.peers.gateway import RunningGateway


async def test_gateway_that_cannot_write_any_more_ends_with_a_word(tmp_path: Path) -> None:
    """The thread that writes has ended: whoever watches over the gateway starts it again."""
    gateway = Gateway(load(RunningGateway(tmp_path).path))
    running = asyncio.create_task(gateway.serve())
    await asyncio.wait_for(gateway.is_ready.wait(), 30)
    says = r"the thread that writes it has ended by ProgrammingError: .* restart the gateway"
    with pytest.raises(StoreError, match=says):
        await gateway._store.write(sqlite3.Connection.close)
    with pytest.raises(CannotStart, match=says):
        await asyncio.wait_for(running, 30)
