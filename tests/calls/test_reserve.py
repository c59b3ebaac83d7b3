"""The reserve: what was kept is found again whole, on a full disk too, and what the database has is found no more."""

import asyncio
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from structlog.testing import capture_logs

from config.model import E164
from gateway.calls.reserve import SIZE, Kept, Reserve
from gateway.core.call import Outcome
from gateway.store.calls import Arrival, Ending
from gateway.store.errors import StoreError
from tests.peers.disk import SmallDisk

NOW = datetime(2026, 11, 23, 18, 0, 0, 123000, tzinfo=UTC)


def arrival(
    key: str,
    *,
    name: str = "Ännchen\n\0",
    caller: str | None = "+14155550123",
    earlier: tuple[dict[str, str | None], ...] = (),
) -> Arrival:
    return Arrival(
        key=key, call_id=f"{key}@pbx", trunk="pbx", source="192.0.2.10:5060", line="front", caller=E164(caller) if caller else None,
        caller_as_sent=caller, caller_name=name, caller_header="From", dialled=("+14155550100", "100"),
        diversions=({"number": "+14155550101", "reason": "no-answer"},), verstat="TN-Validation-Passed", arrived_at=NOW,
        earlier_callers=earlier,
    )  # fmt: skip


def ended(key: str, outcome: Outcome = Outcome.ABANDONED) -> Kept:
    rang = timedelta(seconds=2.345)
    return Kept(arrival=arrival(key), ending=Ending(outcome=outcome, at=NOW + rang, rang=rang, sip_reason="SIP;cause=487"))


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "calls.reserve"


@pytest.fixture
def disk(tmp_path: Path) -> Iterator[SmallDisk]:
    small = SmallDisk(tmp_path / "disk", megabytes=2)
    yield small
    small.unmount()


def test_calls_are_found_in_their_order_each_once_and_as_they_ended(path: Path) -> None:
    reserve = Reserve(path)
    for key in ("b", "a", "c"):
        reserve.keep(Kept(arrival=arrival(key, caller=None)))
    reserve.keep(ended("a"))
    found = Reserve(path).calls
    assert [kept.arrival.key for kept in found] == ["b", "a", "c"]
    assert found == (Kept(arrival=arrival("b", caller=None)), ended("a"), Kept(arrival=arrival("c", caller=None)))


def test_arrival_that_comes_late_does_not_undo_the_ending(path: Path) -> None:
    """At a stop both are kept, in any order."""
    reserve = Reserve(path)
    reserve.keep(ended("a"))
    reserve.keep(Kept(arrival=arrival("a")))
    assert reserve.calls == Reserve(path).calls == (ended("a"),)


def test_what_is_settled_is_found_no_more(path: Path) -> None:
    reserve = Reserve(path)
    for _ in range(3):
        for key in ("a", "b"):
            reserve.keep(ended(key))
        reserve.cross_off(Kept(arrival=arrival("a")))  # the database has its arrival, and not its ending
        assert len(Reserve(path)) == 2
        reserve.cross_off(ended("a"))
        reserve.cross_off(ended("b"))
        assert len(reserve) == len(Reserve(path)) == 0
    assert path.stat().st_size == SIZE


@given(st.lists(st.tuples(st.sampled_from("abcdef"), st.booleans(), st.text(max_size=80))))
def test_whatever_is_kept_and_settled_the_file_says_what_is_left(
    tmp_path_factory: pytest.TempPathFactory, happenings: list[tuple[str, bool, str]]
) -> None:
    path = tmp_path_factory.mktemp("reserve") / "calls.reserve"
    reserve, left = Reserve(path), dict[str, Kept]()
    for key, is_kept, name in happenings:
        kept = Kept(arrival=arrival(key, name=name), ending=ended(key).ending)
        if is_kept:
            reserve.keep(kept)
            left[key] = kept
        else:
            reserve.cross_off(kept)
            left.pop(key, None)
    found = {kept.arrival.key: kept for kept in Reserve(path).calls}
    assert {key: found[key] for key in left} == left  # what was settled beside them may be there still, and changes nothing
    assert found == left or left


@pytest.mark.parametrize("cut", [1, 10, 300])
def test_line_that_was_not_written_to_its_end_is_told_and_costs_no_other_call(path: Path, cut: int) -> None:
    reserve = Reserve(path)
    reserve.keep(ended("a"))
    before = path.read_bytes().index(b"\0")
    reserve.keep(ended("b"))
    content = path.read_bytes()
    path.write_bytes(content[: before + cut].ljust(SIZE, b"\0"))
    with capture_logs() as logs:
        found = Reserve(path)
    assert found.calls == (ended("a"),)
    assert [log["event"] for log in logs] == ["reserve_damaged"]
    found.keep(ended("c"))
    assert Reserve(path).calls == (ended("a"), ended("c"))


def test_works_on_a_full_disk(disk: SmallDisk) -> None:
    reserve = Reserve(disk.path / "calls.reserve")
    disk.fill()
    for number in range(300):
        reserve.keep(ended(str(number)))
    assert len(Reserve(disk.path / "calls.reserve")) == 300
    with capture_logs() as logs:
        for number in range(300, 2000):
            reserve.keep(ended(str(number)))
    assert {log["event"] for log in logs} == {"call_kept_in_memory_only"}
    assert len(reserve) == 2000
    disk.make_room()
    with capture_logs() as logs:
        reserve.keep(ended("the first after that"))
    assert logs == []


def test_no_room_for_it_at_the_start(disk: SmallDisk) -> None:
    disk.fill()
    with pytest.raises(StoreError, match=r"calls\.reserve: cannot be made \(No space left on device\).*free 1024 kB"):
        Reserve(disk.path / "calls.reserve")
    disk.make_room()
    assert len(Reserve(disk.path / "calls.reserve")) == 0


def test_removed_file_is_made_again_with_all_that_waits(path: Path) -> None:
    reserve = Reserve(path)
    reserve.keep(ended("a"))
    path.unlink()
    reserve.keep(ended("b"))
    assert Reserve(path).calls == (ended("a"), ended("b"))


async def test_commit_that_is_quick_leaves_nothing_here(path: Path) -> None:
    reserve, commit = Reserve(path), asyncio.get_running_loop().create_future()
    commit.set_result("done")
    assert await reserve.secure(ended("a"), commit) == "done"
    assert Reserve(path).calls == ()


async def test_commit_that_is_slow_is_kept_until_it_is_there(path: Path) -> None:
    reserve, commit = Reserve(path), asyncio.get_running_loop().create_future()
    waiting = asyncio.create_task(reserve.secure(ended("a"), commit, patience=0))
    while not len(reserve):
        await asyncio.sleep(0.01)
    assert Reserve(path).calls == (ended("a"),)
    commit.set_result("done")
    assert await waiting == "done"
    assert Reserve(path).calls == ()


@pytest.mark.parametrize("how", ["cancelled", "failed"])
async def test_commit_that_never_comes_leaves_the_call_here(path: Path, how: str) -> None:
    reserve, commit = Reserve(path), asyncio.get_running_loop().create_future()
    waiting = asyncio.create_task(reserve.secure(ended("a"), commit, patience=60))
    await asyncio.sleep(0)
    if how == "cancelled":
        waiting.cancel()
    else:
        commit.set_exception(LookupError("a fault of ours"))
    with pytest.raises((asyncio.CancelledError, LookupError)):
        await waiting
    assert Reserve(path).calls == (ended("a"),)
