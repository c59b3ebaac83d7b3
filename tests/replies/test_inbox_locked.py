"""A STOP that comes while the database cannot be written: no text goes to its sender once it can."""

import asyncio
import sqlite3
from contextlib import closing
from datetime import UTC, datetime
from pathlib import Path

import pytest

from config.model import E164
from gateway.store import consent
from gateway.store.database import StoreError
from sms.text import Reply
from tests.peers.faulty_smsc import FaultySmsc
from tests.peers.sending import CALLER, sending, smpp
from tests.sms.test_smpp_bridge import until


async def test_a_stop_that_finds_the_file_locked_counts_before_the_text_of_a_call(tmp_path: Path) -> None:
    smsc = await FaultySmsc().start()
    async with sending(tmp_path, smpp(smsc)) as it, asyncio.TaskGroup() as tasks:
        await until(lambda: it.bridges.by_name["primary"].health().up)
        stop = Reply(bridge="primary", sender=CALLER, to="+14155550100", body="STOP", at=datetime.now(UTC))
        with closing(sqlite3.connect(it.config.data_dir / "textback.db", isolation_level=None)) as other:
            other.execute("BEGIN IMMEDIATE")
            it.missed(CALLER, tasks=tasks)
            await until(lambda: it.store.last_error)
            for _ in range(2):  # the network is told, and tries again
                with pytest.raises(StoreError):
                    await it.inbox.reply(stop)
            other.execute("ROLLBACK")
            await until(lambda: not it.store.last_error)
        assert await it.store.run(consent.opted_out_at, E164(CALLER)) is not None
        rows = await it.until("cancelled")
        assert [row["state"] for row in rows if row["kind"] == "missed_call"] == ["cancelled"]
        await it.until("accepted")  # the one confirmation
    assert len(smsc.submitted) == 1
    await smsc.stop()
