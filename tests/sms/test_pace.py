"""Window and pace: a text goes on the wire when it is handed over or not at all, and never faster than was agreed."""

import asyncio
from collections import deque
from collections.abc import AsyncIterator, Callable, Iterable
from contextlib import asynccontextmanager
from pathlib import Path

import pytest
from aiohttp import web

from config.bridges import KINDS, Spool
from config.load import load
from sms.http.bridge import HttpBridge
from sms.smpp.pdu import Pdu
from sms.text import Accepted, Bridge, NotSent, Outcome, Text
from tests.peers.faulty_smsc import FaultySmsc, Link
from tests.peers.provider import Provider
from tests.sms.provider_settings import REST, SECTIONS, settings_of
from tests.sms.test_providers import running
from tests.sms.test_smpp_bridge import LONG, TEXT, KeepingSink, bound, until
from tests.sms.test_smpp_parts import by_part


class Waking(KeepingSink):
    """A sink whose owner waits for room, as the gateway's outbox does."""

    def __init__(self) -> None:
        super().__init__()
        self.woken = asyncio.Event()

    def bridge_changed(self, bridge: str) -> None:
        super().bridge_changed(bridge)
        self.woken.set()


async def hand_over_all(bridge: Bridge, sink: Waking, texts: Iterable[Text]) -> list[Outcome]:
    """As the outbox does it: ask for room, claim so many, which takes a moment, hand them over, wait to be woken."""
    waiting, tasks = deque(texts), []
    async with asyncio.timeout(60):
        while waiting:
            sink.woken.clear()
            room = bridge.room()
            await asyncio.sleep(0.003)
            tasks += [asyncio.create_task(bridge.submit(waiting.popleft())) for _ in range(min(room, len(waiting)))]
            await asyncio.sleep(0)  # they have begun before room is asked for again
            await sink.woken.wait()
        return list(await asyncio.gather(*tasks))


@asynccontextmanager
async def at_pace(kind: str, tmp_path: Path, more: str) -> AsyncIterator[tuple[Bridge, Waking, Callable[[], list[float]]]]:
    """A bridge of a kind, and when each submit arrived at its peer."""
    times: list[float] = []
    sink = Waking()
    settings = {name: float(value) for name, value in (line.split(" = ") for line in more.splitlines())}
    if kind == "smpp":

        async def take(link: Link, one: Pdu) -> None:
            times.append(asyncio.get_running_loop().time())
            link.answer(one, 0, b"1\0")

        smsc = await FaultySmsc(on_submit=take).start()
        window = int(settings.pop("window", 10))
        async with bound(smsc, sink=sink, window=window, **settings) as (bridge, _):
            yield bridge, sink, lambda: times
    else:

        async def answer(request: web.Request) -> web.StreamResponse:
            times.append(asyncio.get_running_loop().time())
            return web.json_response({"sid": "SM1"}, status=201)

        async with running("twilio", await Provider(act=answer).start(), tmp_path, more, sink) as (http, _):
            yield http, sink, lambda: times


def most_within(times: list[float], seconds: float) -> int:
    """The most in any stretch of time so long."""
    return max(sum(begin <= time < begin + seconds for time in times) for begin in times)


@pytest.mark.parametrize("kind", ["smpp", "http"])
async def test_text_without_a_turn_is_not_sent_and_does_not_wait(kind: str, tmp_path: Path) -> None:
    async with at_pace(kind, tmp_path, "per_second = 0.2") as (bridge, _, times):
        assert bridge.room() == 1
        assert await bridge.submit(TEXT) == Accepted(provider_ids=("1",) if kind == "smpp" else ("SM1",))
        assert bridge.room() == 0
        with pytest.raises(StopIteration) as ended:  # it has ended without having waited for anything
            bridge.submit(TEXT).__await__().send(None)
        assert isinstance(ended.value.value, NotSent)
        assert len(times()) == 1


@pytest.mark.parametrize("kind", [kind for kind in KINDS if kind != "spool"])
def test_one_a_second_unless_told_otherwise(kind: str, tmp_path: Path) -> None:
    """As a file that an admin writes is read: left out, set, and set to go without a pace."""
    if kind == "smpp":
        section = 'host = "h"\nsystem_id = "a"'
    else:
        settings_of(kind, tmp_path)  # writes the secrets
        section = SECTIONS[kind].format(url="http://127.0.0.1:1")
    found = []
    for more in ("", "per_second = 7", 'per_second = "unlimited"'):
        (tmp_path / "textback.toml").write_text(f'{REST}\n[sms.primary]\nkind = "{kind}"\n{more}\n{section}\n')
        settings = load(tmp_path / "textback.toml").sms["primary"]
        assert not isinstance(settings, Spool)
        found.append(settings.per_second)
    assert found == [1.0, 7.0, None]


@pytest.mark.parametrize("kind", ["smpp", "http"])
async def test_room_is_what_can_go_at_once(kind: str, tmp_path: Path) -> None:
    async with at_pace(kind, tmp_path, "window = 7") as (bridge, _, times):
        assert bridge.room() == 7
        outcomes = await asyncio.gather(*(bridge.submit(TEXT) for _ in range(9)))
        assert [type(outcome) for outcome in outcomes] == [Accepted] * 7 + [NotSent] * 2
        assert len(times()) == 7
        assert bridge.room() == 7


@pytest.mark.parametrize("kind", ["smpp", "http"])
async def test_pace_is_kept_and_every_text_that_was_asked_for_goes(kind: str, tmp_path: Path) -> None:
    async with at_pace(kind, tmp_path, "per_second = 50.0") as (bridge, sink, times):
        outcomes = await hand_over_all(bridge, sink, [TEXT] * 120)
        assert [type(outcome) for outcome in outcomes] == [Accepted] * 120
        assert most_within(times(), 0.97) <= 50  # between our clock's second and theirs is a little air
        assert times()[-1] - times()[0] >= 119 / 50


async def test_parts_keep_the_pace_and_go_before_other_texts(tmp_path: Path) -> None:
    async with at_pace("smpp", tmp_path, "per_second = 50.0") as (bridge, sink, times):
        outcomes = await hand_over_all(bridge, sink, [LONG, TEXT, TEXT] * 24)
        assert [type(outcome) for outcome in outcomes] == [Accepted] * 72
        assert len(times()) == 120
        assert most_within(times(), 0.97) <= 50
        assert times()[-1] - times()[0] >= 119 / 50


async def test_a_part_that_waits_for_its_turn_leaves_no_room_for_others(tmp_path: Path) -> None:
    async with at_pace("smpp", tmp_path, "per_second = 5.0") as (bridge, _sink, times):
        submitting = asyncio.create_task(bridge.submit(LONG))
        await until(lambda: len(times()) == 1)
        outcomes = []
        while len(times()) < 3:
            outcomes.append(await bridge.submit(TEXT))
            await asyncio.sleep(0.01)
        assert {type(outcome) for outcome in outcomes} == {NotSent}
        assert isinstance(await submitting, Accepted)


async def test_idle_time_is_not_made_up_for(tmp_path: Path) -> None:
    async with at_pace("smpp", tmp_path, "per_second = 100.0") as (bridge, _, _times):
        assert isinstance(await bridge.submit(TEXT), Accepted)
        await asyncio.sleep(0.5)
        assert bridge.room() == 1


@pytest.mark.parametrize("status", [0x58, 0x14])
async def test_smsc_that_throttles_leaves_no_room_until_it_is_over(status: int) -> None:
    smsc = await FaultySmsc(on_submit=by_part(status, 0)).start()
    sink = Waking()
    async with bound(smsc, sink=sink) as (bridge, _):
        outcomes = await hand_over_all(bridge, sink, [TEXT] * 3)
        assert [type(outcome).__name__ for outcome in outcomes] == ["Refused", "Accepted", "Accepted"]
    assert len(smsc.submitted) == 3


async def test_window_of_an_http_bridge_may_be_larger_than_a_pool(tmp_path: Path) -> None:
    """All requests are on the wire at once; none waits for another's connection."""
    at_once = 0
    all_here = asyncio.Event()

    async def answer(request: web.Request) -> web.StreamResponse:
        nonlocal at_once
        at_once += 1
        if at_once == 150:
            all_here.set()
        await all_here.wait()
        return web.json_response({"sid": "SM1"}, status=201)

    async with running("twilio", await Provider(act=answer).start(), tmp_path, "window = 150") as (bridge, _):
        assert isinstance(bridge, HttpBridge)
        async with asyncio.timeout(20):
            outcomes = await asyncio.gather(*(bridge.submit(TEXT) for _ in range(150)))
    assert {type(outcome) for outcome in outcomes} == {Accepted}


async def test_two_hundred_a_second_are_close_to_it_and_no_more(tmp_path: Path) -> None:
    async with at_pace("smpp", tmp_path, "per_second = 200.0\nwindow = 50") as (bridge, sink, times):
        outcomes = await hand_over_all(bridge, sink, [TEXT] * 600)
        assert {type(outcome) for outcome in outcomes} == {Accepted}
        rate = (len(times()) - 1) / (times()[-1] - times()[0])
        assert 150 < rate <= 200
