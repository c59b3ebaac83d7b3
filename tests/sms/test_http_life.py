"""An HTTP bridge from its start to its end: stopped in the middle, stored badly, answered in ways that nobody can read."""

import asyncio
from datetime import UTC, datetime
from pathlib import Path

import pytest
from aiohttp import web
from structlog.testing import capture_logs

from sms.build import build_bridge
from sms.http.bridge import HttpBridge
from sms.http.exchange import Response
from sms.http.providers import provider_of
from sms.http.twilio import Twilio
from sms.text import Accepted, NotSent, Outcome, Unknown
from tests.peers.provider import Provider, hang_up
from tests.sms.provider_settings import settings_of
from tests.sms.test_providers import TEXT, running
from tests.sms.test_smpp_bridge import KeepingSink, stop, until


async def test_before_its_start_and_after_its_end_it_takes_nothing(tmp_path: Path) -> None:
    server = await Provider().start()
    bridge = build_bridge("primary", settings_of("twilio", tmp_path, server.url), tmp_path, "")
    assert bridge.room() == 0
    assert isinstance(await bridge.submit(TEXT), NotSent)
    async with running("twilio", server, tmp_path) as (ran, _):
        assert ran.room() > 0
    for one in (bridge, ran):
        assert one.room() == 0
        assert not one.health().up
        assert await one.submit(TEXT) == NotSent(detail="the bridge is not running")
    assert server.sent == []


async def test_stopped_while_a_request_is_under_way_it_waits_for_the_answer(tmp_path: Path) -> None:
    may_answer = asyncio.Event()

    async def slowly(request: web.Request) -> web.StreamResponse:
        await may_answer.wait()
        return web.json_response({"sid": "SM1"}, status=201)

    server = await Provider(act=slowly).start()
    bridge, sink = build_bridge("primary", settings_of("twilio", tmp_path, server.url), tmp_path, ""), KeepingSink()
    ran = asyncio.create_task(bridge.run(sink))
    await until(lambda: bridge.health().up)
    submitting = asyncio.create_task(bridge.submit(TEXT))
    await until(lambda: server.sent)
    ran.cancel()
    await until(lambda: bridge.room() == 0)
    may_answer.set()
    assert await submitting == Accepted(provider_ids=("SM1",))
    with pytest.raises(asyncio.CancelledError):
        await ran
    await server.stop()


class Unreadable(Twilio):
    """A provider whose answers break our reader."""

    def outcome(self, answer: Response) -> Outcome:
        raise KeyError("sid")


async def test_answer_that_breaks_the_reader_leaves_its_text_unknown_and_the_bridge_up(tmp_path: Path) -> None:
    server = await Provider().start()
    provider = Unreadable(messages_url=server.url, account="AC1", token="x", signing_key="")
    bridge, sink = HttpBridge("primary", settings_of("twilio", tmp_path, server.url), provider, ""), KeepingSink()
    ran = asyncio.create_task(bridge.run(sink))
    await until(lambda: bridge.health().up)
    with capture_logs() as logged:
        outcome = await bridge.submit(TEXT)
    assert isinstance(outcome, Unknown)
    assert [entry["event"] for entry in logged] == ["answer_unreadable"]
    assert bridge.health().up
    await stop(ran)
    await server.stop()


async def test_a_look_up_that_cannot_be_stored_ends_nothing_and_is_tried_again(tmp_path: Path) -> None:
    class Failing(KeepingSink):
        has_failed = False

        async def late(self, key: str, outcome: Outcome) -> None:
            if not self.has_failed:
                self.has_failed = True
                raise OSError("disk full")
            await super().late(key, outcome)

    async def lose_the_answer(request: web.Request) -> web.StreamResponse:
        if request.method == "POST":
            return await hang_up(request)
        made = f"{datetime.now(UTC):%a, %d %b %Y %H:%M:%S +0000}"
        ours = {"sid": "SM9", "body": TEXT.body, "direction": "outbound-api", "date_created": made}
        return web.json_response({"messages": [ours]})

    server = await Provider(act=lose_the_answer).start()
    settings = settings_of("twilio", tmp_path, server.url)
    bridge, sink = HttpBridge("primary", settings, provider_of(settings, ""), "", look_up_after=(0.01, 0.01)), Failing()
    ran = asyncio.create_task(bridge.run(sink))
    await until(lambda: bridge.health().up)
    with capture_logs() as logged:
        assert isinstance(await bridge.submit(TEXT), Unknown)
        await until(lambda: sink.late_outcomes)
    assert sink.late_outcomes == [(TEXT.key, Accepted(provider_ids=("SM9",)))]
    assert [entry["event"] for entry in logged] == ["look_up_failed"]
    assert not ran.done()
    await stop(ran)
    await server.stop()


async def test_look_ups_after_an_outage_do_not_come_all_at_once(tmp_path: Path) -> None:
    now_open = most = 0

    async def look(request: web.Request) -> web.StreamResponse:
        nonlocal now_open, most
        now_open += 1
        most = max(most, now_open)
        await asyncio.sleep(0.01)
        now_open -= 1
        return web.json_response({"messages": []})

    server = await Provider(act=look).start()
    settings = settings_of("twilio", tmp_path, server.url)
    bridge = HttpBridge("primary", settings, provider_of(settings, ""), "", look_up_after=(0.01,))
    ran = asyncio.create_task(bridge.run(KeepingSink()))
    await until(lambda: bridge.health().up)
    for _ in range(40):
        bridge.ask(TEXT, datetime.now(UTC))
    await until(lambda: len(server.sent) == 40, 20)
    assert most <= 4
    await stop(ran)
    await server.stop()
