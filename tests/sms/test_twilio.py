"""Twilio: what we send, what its answers mean, and what its calls say; a text is never sent twice."""

import asyncio
import base64
import json
import ssl
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta
from typing import Any
from urllib.parse import urlencode

import pytest
from aiohttp import web
from pydantic import SecretStr

from config.bridges import Twilio as Settings
from sms.http.bridge import HookRefused, HttpBridge
from sms.http.exchange import Hook, Response
from sms.http.providers import provider_of
from sms.http.twilio import Twilio
from sms.text import Accepted, NotSent, Receipt, ReceiptState, Refusal, Refused, Reply, Text, Unknown
from tests.peers.provider import Provider, hang_up, stay_silent
from tests.sms.test_smpp_bridge import KeepingSink, certificate, stop, until

TEXT = Text(key="7", to="+14155550123", sender="+14155550100", body="Grüße & more = 100%")
NOW = datetime(2026, 11, 23, 12, tzinfo=UTC)


@asynccontextmanager
async def running(
    provider: Provider, tmp_path: Any, public_url: str = "https://office.example", **more: Any
) -> AsyncIterator[tuple[HttpBridge, KeepingSink]]:
    """A bridge built from its configuration, on a provider of ours."""
    settings = Settings(
        kind="twilio", account_sid="AC1", auth_token=SecretStr("12345"), base_url=provider.url,
        response_timeout=timedelta(seconds=0.4), per_second=None, **more,
    )  # fmt: skip
    receipt_url = f"{public_url}/hooks/primary/receipt" if public_url else ""
    bridge = HttpBridge("primary", settings, provider_of(settings, receipt_url), public_url, look_up_after=(0.05, 0.1, 0.1))
    sink = KeepingSink()
    task = asyncio.create_task(bridge.run(sink))
    try:
        await until(lambda: bridge.health().up)
        yield bridge, sink
    finally:
        await stop(task)
        await provider.stop()


async def test_request_is_what_twilio_documents(tmp_path: Any) -> None:
    provider = await Provider().start()
    async with running(provider, tmp_path) as (bridge, _):
        assert await bridge.submit(TEXT) == Accepted(provider_ids=("SM1",))
    (sent,) = provider.sent
    assert (sent.method, sent.path) == ("POST", "/2010-04-01/Accounts/AC1/Messages.json")
    assert sent.headers["authorization"] == "Basic " + base64.b64encode(b"AC1:12345").decode()
    assert sent.headers["content-type"] == "application/x-www-form-urlencoded"
    assert sent.form == {
        "To": "+14155550123",
        "From": "+14155550100",
        "Body": "Grüße & more = 100%",
        "StatusCallback": "https://office.example/hooks/primary/receipt?key=7",
    }


async def test_no_callback_where_twilio_cannot_reach_us(tmp_path: Any) -> None:
    provider = await Provider().start()
    async with running(provider, tmp_path, public_url="") as (bridge, _):
        assert await bridge.submit(TEXT) == Accepted(provider_ids=("SM1",))
    assert "StatusCallback" not in provider.sent[0].form


@pytest.mark.parametrize(
    ("status", "body", "kind"),
    [
        (400, '{"code": 21610, "message": "STOP"}', Refusal.OPTED_OUT),
        (400, '{"code": 21211, "message": "invalid To"}', Refusal.PERMANENT),
        (400, '{"code": 21614}', Refusal.PERMANENT),
        (400, '{"code": 30034}', Refusal.CONFIGURATION),
        (400, '{"code": 21606}', Refusal.CONFIGURATION),
        (429, '{"code": 20429}', Refusal.TEMPORARY),
        (429, "", Refusal.TEMPORARY),
        (400, "no json", Refusal.PERMANENT),
        (401, '{"code": 20003}', Refusal.CONFIGURATION),
        (403, "", Refusal.CONFIGURATION),
    ],
)
async def test_refusals(tmp_path: Any, status: int, body: str, kind: Refusal) -> None:
    provider = await Provider(status=status, body=body, headers={"Retry-After": "7"}).start()
    async with running(provider, tmp_path) as (bridge, _):
        outcome = await bridge.submit(TEXT)
        assert isinstance(outcome, Refused)
        assert (outcome.kind, outcome.retry_after) == (kind, timedelta(seconds=7))
        assert "12345" not in outcome.detail
        assert outcome.is_number_dead == (kind is Refusal.PERMANENT and "21" in body)
        assert bridge.health().paused == (status in (401, 403))
        assert (bridge.room() == 0) == (status in (401, 403, 429))
    assert len(provider.sent) == 1


@pytest.mark.parametrize("status", [500, 502, 503, 302, 200])
async def test_answers_that_leave_it_open_are_unknown(tmp_path: Any, status: int) -> None:
    provider = await Provider(status=status, body="{}", headers={"Location": "/elsewhere"}).start()
    async with running(provider, tmp_path) as (bridge, _):
        assert isinstance(await bridge.submit(TEXT), Unknown)
    assert len(provider.sent) == 1  # no redirect was followed, nothing was repeated


@pytest.mark.parametrize("act", [hang_up, stay_silent])
async def test_no_answer_is_unknown_and_never_repeated(tmp_path: Any, act: Any) -> None:
    provider = await Provider(act=act).start()
    async with running(provider, tmp_path) as (bridge, _):
        assert isinstance(await bridge.submit(TEXT), Unknown)
    assert len(provider.sent) == 1


async def test_answer_that_comes_in_pieces_is_read_whole(tmp_path: Any) -> None:
    async def in_pieces(request: web.Request) -> web.StreamResponse:
        response = web.StreamResponse(status=201)
        await response.prepare(request)
        for piece in (b'{"sid": ', b'"SM', b'7"}'):
            await response.write(piece)
            await asyncio.sleep(0.02)
        return response

    provider = await Provider(act=in_pieces).start()
    async with running(provider, tmp_path) as (bridge, _):
        assert await bridge.submit(TEXT) == Accepted(provider_ids=("SM7",))


async def test_answer_that_is_cut_off_is_unknown(tmp_path: Any) -> None:
    async def cut(request: web.Request) -> web.StreamResponse:
        response = web.StreamResponse(status=201, headers={"Content-Length": "100"})
        await response.prepare(request)
        await response.write(b'{"sid": ')
        return await hang_up(request)

    provider = await Provider(act=cut).start()
    async with running(provider, tmp_path) as (bridge, _):
        assert isinstance(await bridge.submit(TEXT), Unknown)
    assert len(provider.sent) == 1


@pytest.mark.parametrize("url", ["http://127.0.0.1:1", "https://127.0.0.1:1", "http://nowhere.invalid"])
async def test_provider_out_of_reach_is_not_sent(tmp_path: Any, url: str) -> None:
    provider = await Provider().start()
    good, provider.url = provider.url, url
    async with running(provider, tmp_path) as (bridge, _):
        provider.url = good
        outcome = await bridge.submit(TEXT)
        assert isinstance(outcome, NotSent)
        assert "cannot be reached" in outcome.detail


@pytest.mark.parametrize("name", ["localhost", "other"])
async def test_tls_that_is_not_trusted_is_not_sent(tmp_path: Any, name: str) -> None:
    server = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    server.load_cert_chain(*certificate(tmp_path, name))
    provider = await Provider().start(ssl=server)
    async with running(provider, tmp_path) as (bridge, _):
        assert await bridge.submit(TEXT) == NotSent(detail="the provider cannot be reached: its certificate is not trusted")
    assert provider.sent == []


async def test_proxy_of_the_environment_is_used(tmp_path: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    provider = await Provider().start()
    monkeypatch.setenv("http_proxy", provider.url)
    provider.url = "http://api.provider.example"
    async with running(provider, tmp_path) as (bridge, _):
        assert isinstance(await bridge.submit(TEXT), Accepted)
    assert provider.sent[0].headers["host"] == "api.provider.example"


def read(**form: str) -> Receipt | Reply:
    """What a call with these fields says."""
    api = Twilio(messages_url="", account="AC1", token="12345", signing_key="12345")
    (found,) = api.read(Hook(url="", headers={}, body=urlencode(form).encode(), at=NOW), "primary")
    return found


@pytest.mark.parametrize(
    ("status", "state"),
    [
        ("delivered", "delivered"),
        ("undelivered", "undelivered"),
        ("failed", "undelivered"),
        ("sent", "on_its_way"),
        ("new", "on_its_way"),
    ],
)
def test_status_callbacks(status: str, state: str) -> None:
    found = read(MessageSid="SM1", MessageStatus=status, To="+14155550123", ErrorCode="30003")
    assert isinstance(found, Receipt)
    assert (found.provider_id, found.state, found.to) == ("SM1", ReceiptState(state), "+14155550123")


def test_inbound_message() -> None:
    found = read(MessageSid="SM2", From="+14155550123", To="+14155550100", Body="Stop")
    assert found == Reply(bridge="primary", sender="+14155550123", to="+14155550100", body="Stop", at=NOW, provider_id="SM2")


@pytest.mark.parametrize("form", [{}, {"MessageSid": "SM1"}, {"MessageSid": "SM1", "From": "+1"}])
def test_calls_that_say_nothing_are_refused(form: dict[str, str]) -> None:
    with pytest.raises(ValueError, match=r"missing|neither"):
        read(**form)


async def test_hook_without_a_signature_is_refused(tmp_path: Any) -> None:
    provider = await Provider().start()
    async with running(provider, tmp_path) as (bridge, sink):
        with pytest.raises(HookRefused) as caught:
            await bridge.hook(Hook(url="https://office.example/hooks/primary/inbound", headers={}, body=b"Body=STOP", at=NOW))
        assert caught.value.status == 403
        assert sink.replies == []


async def test_a_lost_answer_is_looked_up(tmp_path: Any) -> None:
    asked: list[web.Request] = []

    async def lose_the_answer(request: web.Request) -> web.StreamResponse:
        if request.method == "POST":
            return await hang_up(request)
        asked.append(request)
        made = f"{datetime.now(UTC):%a, %d %b %Y %H:%M:%S +0000}"
        ours = {"sid": "SM9", "body": TEXT.body, "direction": "outbound-api", "date_created": made}
        earlier = {**ours, "sid": "SM1", "date_created": "Mon, 23 Nov 2020 12:00:00 +0000"}
        others = [{**ours, "sid": "SM2", "body": "other"}, {**ours, "sid": "SM3", "direction": "inbound"}, earlier]
        return web.json_response({"messages": others if len(asked) == 1 else [*others, ours]})

    provider = await Provider(act=lose_the_answer).start()
    async with running(provider, tmp_path) as (bridge, sink):
        assert isinstance(await bridge.submit(TEXT), Unknown)
        await until(lambda: sink.late_outcomes)
        assert sink.late_outcomes == [("7", Accepted(provider_ids=("SM9",)))]
    assert [one.method for one in provider.sent] == ["POST", "GET", "GET"]
    assert asked[0].query["To"] == TEXT.to
    assert asked[0].query["From"] == TEXT.sender
    assert asked[0].query["DateSent>"][:4] == str(datetime.now(UTC).year)
    assert asked[0].headers["Authorization"] == "Basic " + base64.b64encode(b"AC1:12345").decode()


async def test_two_messages_that_could_be_it_say_nothing(tmp_path: Any) -> None:
    made = f"{NOW:%a, %d %b %Y %H:%M:%S +0000}"
    both = [{"sid": sid, "body": TEXT.body, "direction": "outbound-api", "date_created": made} for sid in ("A", "B")]
    api = Twilio(messages_url="", account="AC1", token="12345", signing_key="12345")

    def found(messages: object, status: int = 200) -> object:
        return api.found(Response(status=status, headers={}, body=json.dumps({"messages": messages}).encode()), TEXT, NOW)

    assert found(both) is None
    assert found(both[:1]) == Accepted(provider_ids=("A",))
    assert found(both[:1], status=500) is None
    assert found([{**both[0], "date_created": "never"}]) is None
    assert found(None) is None
