"""Work that is done again and again: woken, in time, after a fault, and ended between two turns."""

import asyncio
from datetime import UTC, datetime, timedelta

import pytest
from structlog.testing import capture_logs

from gateway.process.counted_warnings import CountedWarnings
from gateway.repeated import Repeated
from gateway.store.database import StoreError
from tests.sms.test_smpp_bridge import until


async def test_wake_that_meets_a_stop_ends_it() -> None:
    """A cancel or a stop that comes in the same turn of the loop as the wake is not lost: 200 times."""
    for _ in range(200):
        woken = asyncio.Event()
        repeated = Repeated("x", nothing, woken)
        task = asyncio.create_task(repeated.run())
        await asyncio.sleep(0)
        woken.set()
        repeated.stop()
        async with asyncio.timeout(5):
            await task


async def test_cancel_that_meets_the_wake_is_not_swallowed() -> None:
    for turns in range(8):
        woken = asyncio.Event()
        task = asyncio.create_task(Repeated("x", nothing, woken).run())
        for _ in range(turns):
            await asyncio.sleep(0)
        woken.set()
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            async with asyncio.timeout(5):
                await task


async def nothing() -> None:
    """A turn that does nothing and says nothing of the next."""


async def test_turn_under_way_is_finished() -> None:
    begun, may_end, ended = asyncio.Event(), asyncio.Event(), []

    async def turn() -> None:
        begun.set()
        await may_end.wait()
        ended.append(True)

    repeated = Repeated("x", turn)
    task = asyncio.create_task(repeated.run())
    await begun.wait()
    repeated.stop()
    await asyncio.sleep(0.01)
    assert not task.done()
    may_end.set()
    await task
    assert ended == [True]


@pytest.mark.parametrize("error", [StoreError("x.db: the disk is full; free some space"), LookupError("a fault of ours")])
async def test_fault_is_told_once_and_the_turn_is_done_again(error: Exception) -> None:
    turns: list[datetime] = []

    async def turn() -> datetime:
        turns.append(datetime.now(UTC))
        if len(turns) <= 2:
            raise error
        return datetime.now(UTC) + timedelta(milliseconds=1)

    with capture_logs() as logs:
        repeated = Repeated("x", turn)
        task = asyncio.create_task(repeated.run())
        await until(lambda: len(turns) > 5)
        repeated.stop()
        await task
    assert [log["event"] for log in logs] == ["task_failed", "task_well_again"]
    assert ("exc_info" in logs[0]) == isinstance(error, LookupError)


def test_counted_warnings_tell_the_first_at_once_and_count_the_rest() -> None:
    now = 0.0
    warnings = CountedWarnings(every=600, clock=lambda: now)
    assert [warnings.happened("limit") for _ in range(1041)] == [1] + [0] * 1040
    assert warnings.happened("other") == 1
    assert warnings.overdue() == {}
    now = 600.0
    assert warnings.overdue() == {"limit": 1040}
    assert warnings.overdue() == {}
    assert warnings.happened("limit") == 0
    now = 1300.0
    assert warnings.happened("limit") == 2
