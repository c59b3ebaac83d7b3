"""Long texts over SMPP: half of one is never given back, is never called delivered, and is finished where that is possible."""

import asyncio
from collections.abc import Callable
from itertools import pairwise

import pytest

from sms.smpp import pdu
from sms.smpp.bridge import SmppBridge
from sms.smpp.pdu import Pdu
from sms.text import Accepted, NotSent, Outcome, Refusal, Refused, Unknown
from tests.peers.faulty_smsc import Answer, FaultySmsc, Link
from tests.sms.test_smpp_bridge import LONG, TEXT, bound, configured, until

NEVER = -1


def by_part(*statuses: int) -> Answer:
    """Answers the submits in turn, with the id `P1`, `P2` … to each that it takes; NEVER: no answer. The last one repeats."""
    count = 0

    async def answer(link: Link, one: Pdu) -> None:
        nonlocal count
        count += 1
        status = statuses[min(count, len(statuses)) - 1]
        if status != NEVER:
            link.answer(one, status, f"P{count}\0".encode() if status == 0 else b"")

    return answer


@pytest.mark.parametrize(
    ("statuses", "ids"),
    [((0, 0x0B), ("P1",)), ((0, NEVER), ("P1",)), ((0, 0, 0x66), ("P1", "P2")), ((0, 0, NEVER), ("P1", "P2")), ((NEVER,), ())],
)
async def test_half_a_text_is_unknown_and_says_which_parts_were_taken(statuses: tuple[int, ...], ids: tuple[str, ...]) -> None:
    smsc = await FaultySmsc(on_submit=by_part(*statuses)).start()
    async with bound(smsc) as (bridge, _):
        outcome = await bridge.submit(LONG)
    assert isinstance(outcome, Unknown)
    assert (outcome.provider_ids, outcome.parts) == (ids, 3)
    assert not ids or f"{len(ids)} of 3" in outcome.detail
    assert len(smsc.submitted) == len(ids) + 1


async def test_a_text_that_goes_whole_is_one_part() -> None:
    smsc = await FaultySmsc(on_submit=by_part(NEVER)).start()
    async with bound(smsc, long_texts="payload") as (bridge, _):
        outcome = await bridge.submit(LONG)
    assert isinstance(outcome, Unknown)
    assert (outcome.provider_ids, outcome.parts) == ((), 1)


async def test_a_part_without_an_id_keeps_its_place() -> None:
    async def only_some(link: Link, one: Pdu) -> None:
        link.answer(one, 0, b"\0" if len(smsc.submitted) == 2 else f"P{len(smsc.submitted)}\0".encode())

    smsc = await FaultySmsc(on_submit=only_some).start()
    async with bound(smsc) as (bridge, _):
        assert await bridge.submit(LONG) == Accepted(provider_ids=("P1", "", "P3"))


LATE: list[tuple[int, int, Callable[[Outcome], bool]]] = [
    (1, 0, lambda outcome: isinstance(outcome, Unknown) and (outcome.provider_ids, outcome.parts) == (("late",), 3)),
    (2, 0, lambda outcome: isinstance(outcome, Unknown) and (outcome.provider_ids, outcome.parts) == (("P1", "late"), 3)),
    (3, 0, lambda outcome: outcome == Accepted(provider_ids=("P1", "P2", "late"))),
    (1, 0x0B, lambda outcome: isinstance(outcome, Refused) and outcome.kind is Refusal.NO_ROUTE),
    (3, 0x0B, lambda outcome: isinstance(outcome, Unknown) and (outcome.provider_ids, outcome.parts) == (("P1", "P2"), 3)),
]


@pytest.mark.parametrize(("part", "status", "is_right"), LATE)
async def test_late_answer_of_any_part_is_told(part: int, status: int, is_right: Callable[[Outcome], bool]) -> None:
    waiting: list[tuple[Link, Pdu]] = []

    async def all_but_one(link: Link, one: Pdu) -> None:
        if len(smsc.submitted) == part:
            waiting.append((link, one))
        else:
            link.answer(one, 0, f"P{len(smsc.submitted)}\0".encode())

    smsc = await FaultySmsc(on_submit=all_but_one).start()
    async with bound(smsc) as (bridge, sink):
        assert isinstance(await bridge.submit(LONG), Unknown)
        link, one = waiting[0]
        link.answer(one, status, b"late\0" if status == 0 else b"")
        await until(lambda: sink.late_outcomes)
        ((key, outcome),) = sink.late_outcomes
        assert key == LONG.key
        assert is_right(outcome)
    assert len(smsc.submitted) == part


@pytest.mark.parametrize("status", [0x64, 0x58, 0x14, 0x08])
async def test_a_later_part_that_is_refused_for_now_waits_and_then_goes(status: int) -> None:
    times: list[float] = []

    async def busy(link: Link, one: Pdu) -> None:
        times.append(asyncio.get_running_loop().time())
        link.answer(one, status if len(times) == 2 else 0, b"1\0")

    smsc = await FaultySmsc(on_submit=busy).start()
    async with bound(smsc) as (bridge, _):
        assert await bridge.submit(LONG) == Accepted(provider_ids=("1", "1", "1"))
    assert len(times) == 4
    assert times[2] - times[1] > 0.9


async def test_a_later_part_that_is_refused_on_and_on_is_given_up_within_bounds() -> None:
    times: list[float] = []

    async def busy(link: Link, one: Pdu) -> None:
        times.append(asyncio.get_running_loop().time())
        link.answer(one, 0 if len(times) == 1 else 0x64, b"1\0")

    smsc = await FaultySmsc(on_submit=busy).start()
    pauses = (0.05, 0.1, 0.2)
    bridge = SmppBridge("primary", configured(smsc), part_again=pauses)
    async with bound(smsc, bridge=bridge):
        outcome = await bridge.submit(LONG)
    assert isinstance(outcome, Unknown)
    assert (outcome.provider_ids, outcome.parts) == (("1",), 3)
    assert "0x00000064" in outcome.detail
    waited = [later - earlier for earlier, later in pairwise(times[1:])]
    assert len(waited) in (2, 3)  # as the clock happens to fall, the last pause would be beyond the bound
    assert all(real >= wanted * 0.95 for real, wanted in zip(waited, pauses, strict=False))


async def test_link_that_ends_while_a_part_waits_leaves_half_a_text() -> None:
    smsc = await FaultySmsc(on_submit=by_part(0, 0x64)).start()
    bridge = SmppBridge("primary", configured(smsc), part_again=(300.0,))
    async with bound(smsc, bridge=bridge):
        submitting = asyncio.create_task(bridge.submit(LONG))
        await until(lambda: len(smsc.submitted) == 2)
        smsc.links[0].writer.close()
        async with asyncio.timeout(20):  # and not only when the part's pause is over
            outcome = await submitting
        assert isinstance(outcome, Unknown)
        assert (outcome.provider_ids, outcome.parts) == (("P1",), 3)
        await until(lambda: len(smsc.binds) == 2 and bridge.health().up)
    assert len(smsc.submitted) == 2


async def test_goodbye_lets_a_part_that_waits_go_first() -> None:
    smsc = await FaultySmsc(on_submit=by_part(0, 0x64, 0)).start()
    async with bound(smsc) as (bridge, _):
        submitting = asyncio.create_task(bridge.submit(LONG))
        await until(lambda: len(smsc.submitted) == 2)
    assert await submitting == Accepted(provider_ids=("P1", "P3", "P4"))


async def test_goodbye_does_not_wait_for_ever_and_says_what_is_known() -> None:
    smsc = await FaultySmsc(on_submit=by_part(0, 0x64)).start()
    bridge = SmppBridge("primary", configured(smsc), part_again=(300.0,))
    async with bound(smsc, bridge=bridge):
        submitting = asyncio.create_task(bridge.submit(LONG))
        await until(lambda: len(smsc.submitted) == 2)
    outcome = await submitting
    assert isinstance(outcome, Unknown)
    assert (outcome.provider_ids, outcome.parts) == (("P1",), 3)
    assert any(one.command == pdu.UNBIND for one in smsc.requests)


async def test_a_long_text_has_one_place_from_its_first_part_to_its_last() -> None:
    """Another text never comes between its parts and takes its place."""
    smsc = await FaultySmsc(on_submit=by_part(0, 0x64, 0)).start()
    async with bound(smsc, window=1) as (bridge, _):
        submitting = asyncio.create_task(bridge.submit(LONG))
        await until(lambda: len(smsc.submitted) == 2)
        assert bridge.room() == 0
        assert isinstance(await bridge.submit(TEXT), NotSent)
        assert isinstance(await submitting, Accepted)
        assert bridge.room() == 1
    assert len(smsc.submitted) == 4
