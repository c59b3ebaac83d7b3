"""What runs beside the calls: the beat, and how it all ends; over a real socket as systemd listens at, and a real database."""

import asyncio
import socket
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import pytest

from gateway.process.beat import Beat
from gateway.process.counts import Counts
from gateway.process.housekeeping import housekeeping
from gateway.repeated import Repeated
from gateway.store.database import Database
from tests.sms.test_smpp_bridge import until


@pytest.fixture
def systemd(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[socket.socket]:
    """Listens, and wants a sign of life every 0.2 s."""
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as listener:
        listener.bind(str(tmp_path / "notify"))
        listener.setblocking(False)
        monkeypatch.setenv("NOTIFY_SOCKET", str(tmp_path / "notify"))
        monkeypatch.setenv("WATCHDOG_USEC", "200000")
        yield listener


async def test_each_beat_counts_tells_what_is_overdue_and_then_gives_a_sign_of_life(
    systemd: socket.socket, tmp_path: Path
) -> None:
    store, told = Database(tmp_path / "textback.db", lambda _: None), list[str]()
    counts = Counts(store)
    loop = asyncio.get_running_loop()
    async with housekeeping(Beat(counts, (lambda: told.append("one"), lambda: told.append("two")))):
        async with asyncio.timeout(30):
            for beats in (1, 2, 3):
                assert await loop.sock_recv(systemd, 100) == b"WATCHDOG=1"
                assert told[: 2 * beats] == ["one", "two"] * beats
        assert counts.texts == {"queued": 0, "held": 0, "held_for_a_person": 0, "unknown": 0}
    store.close()


async def test_no_sign_of_life_while_the_database_does_not_answer(systemd: socket.socket, tmp_path: Path) -> None:
    """Not even an error: the thread hangs, as a disk that is gone makes it."""
    store, hangs, told = Database(tmp_path / "textback.db", lambda _: None), asyncio.Event(), list[int]()
    loop = asyncio.get_running_loop()
    goes_on = asyncio.run_coroutine_threadsafe(hangs.wait(), loop)
    stuck = store.run(lambda _: goes_on.result())
    async with housekeeping(Beat(Counts(store), ()), Repeated("other", lambda: _turn(told), at_least_every=0.01)):
        await until(lambda: len(told) > 50)
        with pytest.raises(BlockingIOError):
            systemd.recv(100)
        hangs.set()
        await stuck
        async with asyncio.timeout(30):
            assert await loop.sock_recv(systemd, 100) == b"WATCHDOG=1"
    store.close()


async def test_a_chore_that_does_not_end_is_cut_off_and_the_others_end_in_order() -> None:
    ended: list[str] = []

    async def endless() -> datetime | None:
        try:
            await asyncio.Event().wait()
        finally:
            ended.append("cut off")

    async def short() -> datetime | None:
        await asyncio.sleep(0.05)
        ended.append("whole")
        return datetime.now(UTC)

    async with asyncio.timeout(30), housekeeping(Repeated("endless", endless), Repeated("short", short)):
        await until(lambda: "whole" in ended)
    assert ended[-1] == "cut off"


async def _turn(told: list[int]) -> datetime | None:
    told.append(1)
    return datetime.now(UTC)
