"""Twilio: what we send, what its answers mean, and what its calls say; a text is never sent twice."""

import asyncio
import base64
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta
from typing import Any
from urllib.parse import urlencode

import pytest
from pydantic import SecretStr

from config.bridges import Twilio as Settings
from sms.build import build_bridge
from sms.http.bridge import HookRefused, HttpBridge
from sms.http.exchange import Hook
from sms.http.twilio import Twilio
from sms.text import Accepted, NotSent, Receipt, ReceiptState, Refusal, Refused, Reply, Text, Unknown
from tests.peers.provider import Provider, hang_up, stay_silent
from tests.sms.test_smpp_bridge import Kept, until

TEXT = Text(key="7", to="+14155550123", sender="+14155550100", body="Grüße & more = 100%")
NOW = datetime(2026, 11, 23, 12, tzinfo=UTC)


@asynccontextmanager
async def running(
    provider: Provider, tmp_path: Any, public_url: str = "https://office.example", **more: Any
) -> AsyncIterator[tuple[HttpBridge, Kept]]:
    """A bridge built from its configuration, on a provider of ours."""
    settings = Settings(
        kind="twilio", account_sid="AC1", auth_token=SecretStr("12345"), base_url=provider.url,
        response_timeout=timedelta(seconds=0.4), **more,
    )  # fmt: skip
    bridge, sink = build_bridge("primary", settings, tmp_path, public_url), Kept()
    assert isinstance(bridge, HttpBridge)
    task = asyncio.create_task(bridge.run(sink))
    try:
        await until(lambda: bridge.health().up)
        yield bridge, sink
    finally:
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)
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
        "StatusCallback": "https://office.example/hooks/primary/receipt",
    }


async def test_no_callback_where_twilio_cannot_reach_us(tmp_path: Any) -> None:
    provider = await Provider().start()
    async with running(provider, tmp_path, public_url="") as (bridge, _):
        await bridge.submit(TEXT)
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


@pytest.mark.parametrize("url", ["http://127.0.0.1:1", "https://127.0.0.1:1", "http://nowhere.invalid"])
async def test_provider_out_of_reach_is_not_sent(tmp_path: Any, url: str) -> None:
    provider = await Provider().start()
    good, provider.url = provider.url, url
    async with running(provider, tmp_path) as (bridge, _):
        provider.url = good
        outcome = await bridge.submit(TEXT)
        assert isinstance(outcome, NotSent)
        assert "cannot be reached" in outcome.detail


async def test_tls_that_is_not_trusted_is_not_sent(tmp_path: Any) -> None:
    provider = await Provider().start()
    plain, provider.url = provider.url, provider.url.replace("http:", "https:")
    async with running(provider, tmp_path) as (bridge, _):
        provider.url = plain
        assert isinstance(await bridge.submit(TEXT), NotSent)
    assert provider.sent == []


def test_signature_of_twilios_documentation() -> None:
    """The example of Twilio's page on request validation: account token 12345."""
    fields = {
        "CallSid": "CA1234567890ABCDE", "Caller": "+14158675309", "Digits": "1234", "From": "+14158675309", "To": "+18005551212",
    }  # fmt: skip
    api = Twilio(base_url="https://api.twilio.com", account_sid="AC1", auth_token="12345")
    url = "https://mycompany.com/myapp.php?foo=1&bar=2"
    good = {"x-twilio-signature": "RSOYDt4T1cUTdK1PDd93/VVr8B8="}
    body = urlencode(fields).encode()
    assert api.is_genuine(Hook(url=url, headers=good, body=body, at=NOW))
    assert not api.is_genuine(Hook(url=url + "x", headers=good, body=body, at=NOW))
    assert not api.is_genuine(Hook(url=url, headers=good, body=body + b"&a=b", at=NOW))
    assert not api.is_genuine(Hook(url=url, headers={}, body=body, at=NOW))
    assert not api.is_genuine(Hook(url=url, headers={"x-twilio-signature": "\udcff"}, body=b"\xff", at=NOW))


def read(**form: str) -> Receipt | Reply | None:
    """What a call with these fields says."""
    api = Twilio(base_url="https://api.twilio.com", account_sid="AC1", auth_token="12345")
    return api.read(Hook(url="", headers={}, body=urlencode(form).encode(), at=NOW), "primary")


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
    assert found == Reply(bridge="primary", sender="+14155550123", to="+14155550100", body="Stop", at=NOW)


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
