"""Reloads that are asked for: whoever asks hears of a load that began after the question, not of one that was under way."""

import asyncio

from gateway.process.reload import Reloads


async def test_question_during_a_load_is_answered_by_the_next() -> None:
    reloads = Reloads()
    first = reloads.ask()
    under_way = reloads.asked
    second = asyncio.create_task(reloads.until_answered(reloads.ask()))
    reloads.answer(under_way)
    await reloads.until_answered(first)
    await asyncio.sleep(0)
    assert (second.done(), reloads.is_asked) == (False, True)
    reloads.answer(reloads.asked)
    await asyncio.wait_for(second, 5)
    assert not reloads.is_asked


async def test_many_who_ask_at_once_are_all_answered_by_one_load() -> None:
    reloads = Reloads()
    async with asyncio.timeout(5), asyncio.TaskGroup() as tasks:
        for _ in range(20):
            tasks.create_task(reloads.until_answered(reloads.ask()))
        await asyncio.sleep(0)
        reloads.answer(reloads.asked)
