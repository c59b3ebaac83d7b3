"""Every provider: what we send field by field, what its answers mean, what its calls say. From the providers' documentation."""

import asyncio
import base64
import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any
from urllib.parse import parse_qsl, quote, urlencode

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from sms.build import build_bridge
from sms.http.bridge import HookRefused, HttpBridge
from sms.http.exchange import CanLookUp, Hook, Response
from sms.text import Accepted, Part, Receipt, ReceiptState, Refusal, Refused, Reply, Text, Unknown
from tests.peers.provider import Provider as Server
from tests.sms.provider_settings import SECRET, SECTIONS, provider, settings_of
from tests.sms.test_smpp_bridge import KeepingSink, stop, until

TEXT = Text(key="7-1795437000123", to="+14155550123", sender="+14155550100", body="Grüße & more = 100%")
WIDE = Text(key="8-1795437000123", to="+14155550123", sender="+14155550100", body="Jó reggelt ☀")
NOW = datetime(2026, 11, 23, 12, tzinfo=UTC)
PUBLIC = "https://office.example"
CALLBACK = f"{PUBLIC}/hooks/primary/receipt"
WITH_KEY = f"{CALLBACK}?key=7-1795437000123"
SECRET_CALLBACK = f"{CALLBACK}/{SECRET}"


def basic(user: str) -> str:
    return "Basic " + base64.b64encode(f"{user}:S3CRET".encode()).decode()


FORM, JSON = "application/x-www-form-urlencoded", "application/json"
TWILIO = {"To": TEXT.to, "From": TEXT.sender, "Body": TEXT.body, "StatusCallback": WITH_KEY}
REQUESTS: dict[str, tuple[str, dict[str, str], Any]] = {
    "twilio": ("/2010-04-01/Accounts/AC1/Messages.json", {"authorization": basic("AC1"), "content-type": FORM}, TWILIO),
    "signalwire": ("/api/laml/2010-04-01/Accounts/P1/Messages", {"authorization": basic("P1"), "content-type": FORM}, TWILIO),
    "telnyx": (
        "/v2/messages",
        {"authorization": "Bearer S3CRET", "content-type": JSON},
        {"from": TEXT.sender, "to": TEXT.to, "text": TEXT.body, "messaging_profile_id": "MP", "webhook_url": WITH_KEY},
    ),
    "bandwidth": (
        "/api/v2/users/9/messages",
        {"authorization": basic("u"), "content-type": JSON},
        {"applicationId": "APP", "from": TEXT.sender, "to": [TEXT.to], "text": TEXT.body, "tag": TEXT.key},
    ),
    "vonage": (
        "/sms/json",
        {"content-type": FORM},
        {
            "api_key": "S3CRET", "api_secret": "S3CRET", "from": "14155550100", "to": "14155550123", "text": TEXT.body,
            "type": "text", "client-ref": TEXT.key, "status-report-req": "true", "callback": CALLBACK,
        },
    ),
    "plivo": (
        "/v1/Account/MA1/Message/",
        {"authorization": basic("MA1"), "content-type": JSON},
        {"src": TEXT.sender, "dst": TEXT.to, "text": TEXT.body, "url": WITH_KEY, "method": "POST"},
    ),
    "sinch": (
        "/xms/v1/SP/batches",
        {"authorization": "Bearer S3CRET", "content-type": JSON},
        {
            "from": TEXT.sender, "to": [TEXT.to], "body": TEXT.body, "client_reference": TEXT.key,
            "delivery_report": "per_recipient", "callback_url": CALLBACK,
        },
    ),
    "android": (
        "/3rdparty/v1/messages",
        {"authorization": basic("u"), "content-type": JSON},
        {
            "id": TEXT.key, "textMessage": {"text": TEXT.body}, "phoneNumbers": [TEXT.to], "withDeliveryReport": True,
            "simNumber": 2,
        },
    ),
    "kannel": (
        "/cgi-bin/sendsms",
        {
            "content-type": "text/plain; charset=UTF-8", "x-kannel-username": "u", "x-kannel-password": "S3CRET",
            "x-kannel-from": TEXT.sender, "x-kannel-to": TEXT.to, "x-kannel-coding": "0", "x-kannel-smsc": "out",
            "x-kannel-dlr-mask": "19",
            "x-kannel-dlr-url": f"{SECRET_CALLBACK}?key={TEXT.key}&state=%d&to=%p&answer=%A",
        },
        TEXT.body,
    ),
    "jasmin": (
        "/send",
        {"content-type": FORM},
        {
            "username": "u", "password": "S3CRET", "to": TEXT.to, "from": TEXT.sender, "coding": "0", "content": TEXT.body,
            "dlr": "yes", "dlr-level": "3", "dlr-method": "POST", "dlr-url": f"{SECRET_CALLBACK}?key={TEXT.key}",
        },
    ),
    "http": (
        f"/v1/send?ref={TEXT.key}",
        {"content-type": JSON, "x-api-key": "S3CRET"},
        {
            "message": {"to": ["14155550123"], "from": TEXT.sender, "text": TEXT.body},
            "callback": f"{SECRET_CALLBACK}?key={TEXT.key}",
        },
    ),
}  # fmt: skip
ACCEPTED: dict[str, tuple[int, str, tuple[str, ...]]] = {
    "twilio": (201, '{"sid": "SM1", "status": "queued"}', ("SM1",)),
    "signalwire": (201, '{"sid": "SM1"}', ("SM1",)),
    "telnyx": (200, '{"data": {"id": "4031", "to": [{"status": "queued"}]}}', ("4031",)),
    "bandwidth": (202, '{"id": "1589228074636lm4k2je7j7jklbn2"}', ("1589228074636lm4k2je7j7jklbn2",)),
    "vonage": (
        200,
        '{"message-count": "2", "messages": [{"status": "0", "message-id": "A"}, {"status": "0", "message-id": "B"}]}',
        ("A", "B"),
    ),
    "plivo": (202, '{"message": "message(s) queued", "message_uuid": ["db3c"], "api_id": "db34"}', ("db3c",)),
    "sinch": (201, '{"id": "01FC", "type": "mt_text"}', ("01FC",)),
    "android": (202, '{"id": "7-1795437000123", "state": "Pending"}', ("7-1795437000123",)),
    "kannel": (202, "0: Accepted for delivery", ()),
    "jasmin": (200, 'Success "07033084-5cfd-4812-90a4-e4d24ffb6e3d"', ("07033084-5cfd-4812-90a4-e4d24ffb6e3d",)),
    "http": (202, '{"data": [{"id": 17}]}', ("17",)),
}
KINDS = sorted(SECTIONS)
AS_IT_CAME = ("android", "jasmin", "kannel", "http")
"""These write numbers as the network behind them does, perhaps without the country."""


def test_every_kind_is_here() -> None:
    assert set(KINDS) == set(REQUESTS) == set(ACCEPTED)


@asynccontextmanager
async def running(
    kind: str, server: Server, directory: Path, more: str = "", sink: KeepingSink | None = None
) -> AsyncIterator[tuple[HttpBridge, KeepingSink]]:
    """A bridge built from its configuration, on a server of ours."""
    sink = sink or KeepingSink()
    bridge = build_bridge("primary", settings_of(kind, directory, server.url, more), directory, PUBLIC)
    assert isinstance(bridge, HttpBridge)
    task = asyncio.create_task(bridge.run(sink))
    try:
        await until(lambda: bridge.health().up)
        yield bridge, sink
    finally:
        await stop(task)
        await server.stop()


@pytest.mark.parametrize("kind", KINDS)
async def test_request_is_what_the_provider_documents(kind: str, tmp_path: Path) -> None:
    status, body, ids = ACCEPTED[kind]
    server = await Server(status=status, body=body).start()
    async with running(kind, server, tmp_path) as (bridge, _):
        assert await bridge.submit(TEXT) == Accepted(provider_ids=ids)
    (sent,) = server.sent
    path, headers, expected = REQUESTS[kind]
    assert (sent.method, sent.path) == ("POST", path)
    automatic = {"host", "accept", "accept-encoding", "user-agent", "content-length"}
    assert {name: value for name, value in sent.headers.items() if name not in automatic} == headers
    found: Any = sent.body.decode()
    if headers["content-type"] == JSON:
        found = json.loads(found)
    elif headers["content-type"] == FORM:
        found = sent.form
    assert found == expected


@pytest.mark.parametrize("kind", KINDS)
def test_no_callback_is_asked_for_where_nobody_can_call(kind: str, tmp_path: Path) -> None:
    bridge = build_bridge("primary", settings_of(kind, tmp_path), tmp_path, "")
    assert isinstance(bridge, HttpBridge)
    request = bridge._provider.request(TEXT)
    assert b"hooks" not in request.body
    assert not any("hooks" in value for value in request.headers.values())


def test_what_gsm_7_does_not_have_goes_wide(tmp_path: Path) -> None:
    assert dict(parse_qsl(provider("vonage", tmp_path).request(WIDE).body.decode()))["type"] == "unicode"
    assert provider("kannel", tmp_path).request(WIDE).headers["X-Kannel-Coding"] == "2"
    form = dict(parse_qsl(provider("jasmin", tmp_path).request(WIDE).body.decode()))
    curly = replace(TEXT, body="We’re closed")
    assert provider("kannel", tmp_path).request(curly).body == b"We're closed"
    assert dict(parse_qsl(provider("vonage", tmp_path).request(curly).body.decode()))["text"] == "We're closed"
    assert (form["coding"], bytes.fromhex(form["hex-content"]).decode("utf-16-be")) == ("8", WIDE.body)


REFUSALS: list[tuple[str, int, str, Refusal, bool]] = [
    ("telnyx", 400, '{"errors": [{"code": "40300", "title": "Blocked due to STOP message"}]}', Refusal.OPTED_OUT, False),
    ("telnyx", 400, '{"errors": [{"code": "40310", "title": "Invalid to address"}]}', Refusal.PERMANENT, True),
    ("telnyx", 400, '{"errors": [{"code": "40305", "title": "Invalid from address"}]}', Refusal.CONFIGURATION, False),
    ("telnyx", 403, '{"errors": [{"code": "40010", "title": "Not 10DLC registered"}]}', Refusal.CONFIGURATION, False),
    ("telnyx", 401, '{"errors": [{"code": "10009"}]}', Refusal.CONFIGURATION, False),
    ("telnyx", 429, '{"errors": [{"code": "10011"}]}', Refusal.TEMPORARY, False),
    ("telnyx", 422, '{"errors": "?"}', Refusal.PERMANENT, False),
    ("signalwire", 401, "", Refusal.CONFIGURATION, False),
    ("signalwire", 422, '{"code": "21211", "message": "not valid"}', Refusal.PERMANENT, True),
    ("signalwire", 400, '{"code": 21610}', Refusal.OPTED_OUT, False),
    ("bandwidth", 400, '{"type": "request-validation", "description": "no"}', Refusal.PERMANENT, False),
    ("bandwidth", 401, '{"type": "unauthorized"}', Refusal.CONFIGURATION, False),
    ("bandwidth", 429, '{"type": "too-many-requests"}', Refusal.TEMPORARY, False),
    ("bandwidth", 500, '{"type": "internal-server-error", "description": "later"}', Refusal.TEMPORARY, False),
    ("vonage", 200, '{"messages": [{"status": "1", "error-text": "Throttled"}]}', Refusal.TEMPORARY, False),
    ("vonage", 200, '{"messages": [{"status": "4", "error-text": "Bad Credentials"}]}', Refusal.CONFIGURATION, False),
    ("vonage", 200, '{"messages": [{"status": "29"}]}', Refusal.CONFIGURATION, False),
    ("vonage", 200, '{"messages": [{"status": "33"}]}', Refusal.PERMANENT, True),
    ("vonage", 429, "", Refusal.TEMPORARY, False),
    ("plivo", 400, '{"error": "dst is not a valid phone number"}', Refusal.PERMANENT, False),
    ("plivo", 401, "", Refusal.CONFIGURATION, False),
    ("plivo", 402, '{"error": "no credit"}', Refusal.CONFIGURATION, False),
    ("sinch", 400, '{"code": "syntax_invalid_parameter_format", "text": "to"}', Refusal.PERMANENT, False),
    ("sinch", 401, '{"code": "unauthorized"}', Refusal.CONFIGURATION, False),
    ("sinch", 403, "", Refusal.CONFIGURATION, False),
    ("android", 400, '{"message": "invalid phone"}', Refusal.PERMANENT, False),
    ("android", 401, "", Refusal.CONFIGURATION, False),
    ("kannel", 403, "Authorization failed for sendsms", Refusal.CONFIGURATION, False),
    ("kannel", 400, "Missing receiver(s) number", Refusal.PERMANENT, False),
    ("kannel", 503, "Temporal failure, try again later.", Refusal.TEMPORARY, False),
    ("jasmin", 403, 'Error "Authentication failure for username:u"', Refusal.CONFIGURATION, False),
    ("jasmin", 412, 'Error "No route found"', Refusal.NO_ROUTE, False),
    ("jasmin", 500, 'Error "Cannot send submit_sm, check SMPPClientManagerPB log file for details"', Refusal.TEMPORARY, False),
    ("http", 400, "", Refusal.PERMANENT, False),
    ("http", 503, "", Refusal.TEMPORARY, False),
    ("http", 401, "", Refusal.CONFIGURATION, False),
]


@pytest.mark.parametrize(("kind", "status", "body", "refusal", "is_dead"), REFUSALS)
def test_refusals(tmp_path: Path, kind: str, status: int, body: str, refusal: Refusal, is_dead: bool) -> None:
    outcome = provider(kind, tmp_path).outcome(Response(status=status, headers={}, body=body.encode()))
    assert isinstance(outcome, Refused)
    assert (outcome.kind, outcome.is_number_dead) == (refusal, is_dead)
    assert "S3CRET" not in outcome.detail


def test_android_has_our_id_already(tmp_path: Path) -> None:
    outcome = provider("android", tmp_path).outcome(Response(status=409, headers={}, body=b'{"message": "exists"}'))
    assert isinstance(outcome, Accepted)


def test_bandwidth_is_asked_for_its_list(tmp_path: Path) -> None:
    api = provider("bandwidth", tmp_path)
    assert isinstance(api, CanLookUp)
    request = api.look_up(TEXT, NOW)
    assert (request.method, request.headers["Authorization"]) == ("GET", basic("u"))
    assert dict(parse_qsl(request.url.partition("?")[2])) == {
        "sourceTn": TEXT.sender, "destinationTn": TEXT.to, "fromDateTime": "2026-11-23T12:00:00.000Z", "limit": "50",
    }  # fmt: skip
    ours = {
        "messageId": "15", "sourceTn": TEXT.sender, "destinationTn": TEXT.to, "messageDirection": "OUTBOUND",
        "receiveTime": "2026-11-23T12:00:00.000Z",
    }  # fmt: skip

    def found(*messages: object, status: int = 200) -> object:
        return api.found(Response(status=status, headers={}, body=json.dumps({"messages": messages}).encode()), TEXT, NOW)

    assert found(ours) == Accepted(provider_ids=("15",))
    earlier, inbound = {**ours, "receiveTime": "2026-11-23T11:59:59.999Z"}, {**ours, "messageDirection": "INBOUND"}
    assert found(ours, earlier, inbound, {**ours, "destinationTn": TEXT.sender}, "?") == Accepted(provider_ids=("15",))
    for several in ((), (earlier,), (inbound,), (ours, {**ours, "messageId": "16"})):
        assert found(*several) is None
    assert found(ours, status=500) is None


def test_android_is_asked_for_our_id(tmp_path: Path) -> None:
    api = provider("android", tmp_path)
    assert isinstance(api, CanLookUp)
    request = api.look_up(TEXT, NOW)
    assert (request.method, request.url) == ("GET", f"http://127.0.0.1:1/3rdparty/v1/messages/{TEXT.key}")
    has = json.dumps({"id": TEXT.key, "state": "Sent"}).encode()
    assert api.found(Response(status=200, headers={}, body=has), TEXT, NOW) == Accepted(provider_ids=(TEXT.key,))
    for status, body in ((404, has), (500, has), (200, b'{"id": "8-1"}'), (200, b"[]")):
        assert api.found(Response(status=status, headers={}, body=body), TEXT, NOW) is None


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize(
    ("status", "body"),
    [(500, "{}"), (502, "<html>Bad gateway</html>"), (504, ""), (302, ""), (200, "[]"), (200, "{"), (200, '{"messages": []}')],
)
def test_answers_that_leave_it_open_are_unknown(tmp_path: Path, kind: str, status: int, body: str) -> None:
    assert isinstance(provider(kind, tmp_path).outcome(Response(status=status, headers={}, body=body.encode())), Unknown)


def test_vonage_that_took_half_a_text_is_unknown(tmp_path: Path) -> None:
    body = b'{"messages": [{"status": "0", "message-id": "A"}, {"status": "1"}]}'
    outcome = provider("vonage", tmp_path).outcome(Response(status=200, headers={}, body=body))
    assert outcome == Unknown(detail="Vonage took 1 of 2 parts", provider_ids=("A", ""), parts=2)


def said(kind: str, directory: Path, what: str, told: Any, query: dict[str, str] | None = None) -> list[Receipt | Reply]:
    """What a call says; a dict of strings goes as a form where the provider calls by forms."""
    is_form = kind in ("twilio", "signalwire", "vonage", "plivo", "kannel", "jasmin")
    hook = Hook(
        url="", headers={}, body=urlencode(told).encode() if is_form else json.dumps(told).encode(), at=NOW, what=what,
        query=query or {},
    )  # fmt: skip
    return list(provider(kind, directory).read(hook, "primary"))


D, U, W = ReceiptState.DELIVERED, ReceiptState.UNDELIVERED, ReceiptState.ON_ITS_WAY
KEY = {"key": TEXT.key}


def telnyx(event: str, status: str, *errors: str) -> dict[str, Any]:
    to = [{"phone_number": TEXT.to, "status": status}]
    payload = {"id": "4031", "to": to, "errors": [{"code": code} for code in errors]}
    return {"data": {"event_type": event, "id": "E1", "payload": payload}}


def bandwidth(kind: str, **more: Any) -> list[Any]:
    return [{"type": kind, "to": TEXT.to, "message": {"id": "15", "to": [TEXT.to], "tag": TEXT.key}, **more}]


def vonage(**more: str) -> dict[str, str]:
    return {"msisdn": "14155550123", "to": "14155550100", "messageId": "A", "client-ref": TEXT.key, **more}


RECEIPTS: list[tuple[str, Any, dict[str, str], str, ReceiptState, bool, bool]] = [
    ("signalwire", {"MessageSid": "SM1", "MessageStatus": "delivered", "To": TEXT.to}, KEY, "SM1", D, False, False),
    ("twilio", {"MessageSid": "1", "MessageStatus": "failed", "To": TEXT.to, "ErrorCode": "21610"}, KEY, "1", U, False, True),
    ("twilio", {"MessageSid": "1", "MessageStatus": "undelivered", "To": TEXT.to, "ErrorCode": "30006"}, KEY, "1", U, True, False),
    ("telnyx", telnyx("message.sent", "sent"), KEY, "4031", W, False, False),
    ("telnyx", telnyx("message.finalized", "delivered"), KEY, "4031", D, False, False),
    ("telnyx", telnyx("message.finalized", "delivery_failed", "40300"), KEY, "4031", U, False, True),
    ("telnyx", telnyx("message.finalized", "sending_failed", "40001"), KEY, "4031", U, True, False),
    ("telnyx", telnyx("message.finalized", "delivery_unconfirmed"), KEY, "4031", W, False, False),
    ("bandwidth", bandwidth("message-delivered"), {}, "15", D, False, False),
    ("bandwidth", bandwidth("message-failed", errorCode=4775), {}, "15", U, False, True),
    ("bandwidth", bandwidth("message-failed", errorCode=4720), {}, "15", U, True, False),
    ("bandwidth", bandwidth("message-failed", errorCode=4750), {}, "15", U, False, False),
    ("bandwidth", bandwidth("message-failed", errorCode=9902), {}, "15", W, False, False),
    ("vonage", vonage(status="delivered", **{"err-code": "0"}), {}, "A", D, False, False),
    ("vonage", vonage(status="failed", **{"err-code": "9"}), {}, "A", U, False, True),
    ("vonage", vonage(status="failed", **{"err-code": "3"}), {}, "A", U, True, False),
    ("vonage", vonage(status="buffered", **{"err-code": "0"}), {}, "A", W, False, False),
    ("plivo", {"MessageUUID": "u2", "ParentMessageUUID": "u1", "Status": "delivered", "To": "14155550123"}, KEY, "u1", D, False, False),
    ("plivo", {"MessageUUID": "u1", "Status": "undelivered", "ErrorCode": "200", "To": "14155550123"}, KEY, "u1", U, False, True),
    ("plivo", {"MessageUUID": "u1", "Status": "failed", "ErrorCode": "50", "To": "14155550123"}, KEY, "u1", U, True, False),
    (
        "sinch",
        {"type": "recipient_delivery_report_sms", "batch_id": "b", "status": "Delivered", "recipient": "14155550123", "code": 0,
         "client_reference": TEXT.key},
        {}, "b", D, False, False,
    ),
    (
        "sinch",
        {"type": "recipient_delivery_report_sms", "batch_id": "b", "status": "Failed", "recipient": "14155550123", "code": 402,
         "client_reference": TEXT.key},
        {}, "b", U, False, False,
    ),
    ("android", {"event": "sms:sent", "payload": {"messageId": TEXT.key, "phoneNumber": TEXT.to}}, {}, TEXT.key, W, False, False),
    ("android", {"event": "sms:delivered", "payload": {"messageId": TEXT.key, "recipient": TEXT.to}}, {}, TEXT.key, D, False, False),
    (
        "android",
        {"event": "sms:failed", "payload": {"messageId": TEXT.key, "phoneNumber": TEXT.to, "reason": "RESULT_ERROR"}},
        {}, TEXT.key, U, False, False,
    ),
    ("kannel", {}, {**KEY, "state": "1", "to": TEXT.to, "answer": "ok"}, TEXT.key, D, False, False),
    ("kannel", {}, {**KEY, "state": "16", "to": "14155550123", "answer": "NACK/11"}, TEXT.key, U, False, False),
    ("kannel", {}, {**KEY, "state": "8", "to": TEXT.to}, TEXT.key, W, False, False),
    ("jasmin", {"id": "j", "message_status": "DELIVRD", "level": "2"}, KEY, "j", D, False, False),
    ("jasmin", {"id": "j", "message_status": "ESME_ROK", "level": "1"}, KEY, "j", W, False, False),
    ("jasmin", {"id": "j", "message_status": "ESME_RINVDSTADR", "level": "1"}, KEY, "j", U, False, False),
    ("http", {"event": {"id": 17, "to": "14155550123", "state": "done"}}, KEY, "17", D, False, False),
    ("http", {"event": {"id": 17, "to": "14155550123", "state": "lost"}}, KEY, "17", U, False, False),
    ("http", {"event": {"id": 17, "to": "14155550123", "state": "under way"}}, KEY, "17", W, False, False),
]  # fmt: skip


@pytest.mark.parametrize(("kind", "told", "query", "provider_id", "state", "is_dead", "is_opted_out"), RECEIPTS)
def test_receipts(
    tmp_path: Path, kind: str, told: Any, query: dict[str, str], provider_id: str, state: ReceiptState, is_dead: bool, is_opted_out: bool,
) -> None:  # fmt: skip
    (found,) = said(kind, tmp_path, "receipt", told, query)
    assert isinstance(found, Receipt)
    assert (found.provider_id, found.state, found.key) == (provider_id, state, TEXT.key)
    assert (found.is_number_dead, found.is_opted_out) == (is_dead, is_opted_out)
    as_it_came = {"jasmin": None, "http": "14155550123", "kannel": query.get("to")}
    assert found.to == as_it_came.get(kind, TEXT.to)


REPLIES: list[tuple[str, Any, str]] = [
    ("signalwire", {"MessageSid": "R", "From": TEXT.to, "To": TEXT.sender, "Body": "Stop "}, "R"),
    (
        "telnyx",
        {"data": {"event_type": "message.received", "payload": {
            "id": "R", "from": {"phone_number": TEXT.to}, "to": [{"phone_number": TEXT.sender}], "text": "Stop "}}},
        "R",
    ),
    (
        "bandwidth",
        [{"type": "message-received", "to": TEXT.sender, "message": {
            "id": "R", "from": TEXT.to, "owner": TEXT.sender, "to": [TEXT.sender], "text": "Stop "}}],
        "R",
    ),
    ("vonage", {"msisdn": "14155550123", "to": "14155550100", "messageId": "R", "text": "Stop ", "type": "text"}, "R"),
    ("plivo", {"MessageUUID": "R", "From": "14155550123", "To": "14155550100", "Text": "Stop ", "Type": "sms"}, "R"),
    ("sinch", {"type": "mo_text", "id": "R", "from": "14155550123", "to": "14155550100", "body": "Stop "}, "R"),
    (
        "android",
        {"event": "sms:received", "id": "R", "payload": {
            "messageId": "x", "message": "Stop ", "phoneNumber": TEXT.to, "recipient": TEXT.sender}},
        "R",
    ),
    ("kannel", {"from": TEXT.to, "to": TEXT.sender, "text": "Stop ", "id": "R"}, "R"),
    ("jasmin", {"id": "R", "from": "14155550123", "to": "14155550100", "content": "Stop ", "coding": "0"}, "R"),
    (
        "jasmin",
        {"id": "R", "from": "14155550123", "to": "14155550100", "content": "?", "coding": "8",
         "binary": "Stop ".encode("utf-16-be").hex()},
        "R",
    ),
    ("http", {"id": "R", "from": {"number": "14155550123"}, "to": "14155550100", "text": "Stop "}, "R"),
]  # fmt: skip


@pytest.mark.parametrize(("kind", "told", "provider_id"), REPLIES)
def test_replies(tmp_path: Path, kind: str, told: Any, provider_id: str) -> None:
    (found,) = said(kind, tmp_path, "inbound", told)
    assert isinstance(found, Reply)
    assert (found.body, found.provider_id, found.word, found.at) == ("Stop ", provider_id, "", NOW)
    if kind in AS_IT_CAME:
        assert (found.sender[-11:], found.to[-11:]) == ("14155550123", "14155550100")
    else:
        assert (found.sender, found.to) == (TEXT.to, TEXT.sender)


@pytest.mark.parametrize("told", [{}, {"recipient": None}, {"recipient": ""}])
def test_phone_that_does_not_say_which_of_its_numbers_was_written_to(tmp_path: Path, told: dict[str, Any]) -> None:
    payload = {"messageId": "x", "message": "STOP", "phoneNumber": TEXT.to, "simNumber": 1, **told}
    (found,) = said("android", tmp_path, "inbound", {"event": "sms:received", "id": "R", "payload": payload})
    assert isinstance(found, Reply)
    assert (found.sender, found.to, found.body) == (TEXT.to, "", "STOP")


@pytest.mark.parametrize(
    ("text", "charset", "body"),
    [
        ("Stop+now", "&charset=UTF-8&coding=0", "Stop now"),
        (quote("Grüße".encode()), "&charset=UTF-8&coding=0", "Grüße"),
        (quote("Jó † ☀  Ġ".encode("utf-16-be")), "&charset=UTF-16BE&coding=2", "Jó † ☀  Ġ"),
        (quote("STOP".encode("utf-16-le")), "&charset=UTF-16BE&coding=2", "STOP"),
        (quote("STOP".encode("utf-16-be")), "&coding=2", "STOP"),
        (quote("STOP".encode("utf-16-be")), "", "STOP"),
        (quote("Grüße".encode("cp1252")), "&charset=WINDOWS-1252", "Grüße"),
        (quote("Grüße".encode("latin-1")), "&charset=8-BIT&coding=1", "Grüße"),
        (quote("Grüße".encode()), "&charset=no-such-charset", "Grüße"),
        (quote("Grüße".encode()), "&charset=base64", "Grüße"),
        (quote("Grüße".encode()), "", "Grüße"),
    ],
)
def test_reply_that_kannel_passes_on_is_read_in_its_charset(tmp_path: Path, text: str, charset: str, body: str) -> None:
    """By get-url, where the octets stand in the address as they came over the air."""
    query = f"from=%2B14155550123&to=%2B14155550100&text={text}{charset}&id=R"
    parsed = dict(parse_qsl(query, keep_blank_values=True))
    hook = Hook(url=f"{PUBLIC}/hooks/primary/inbound/{SECRET}?{query}", headers={}, body=b"", at=NOW, query=parsed)
    (found,) = provider("kannel", tmp_path).read(hook, "primary")
    assert isinstance(found, Reply)
    assert (found.body, found.sender, found.to, found.provider_id) == (body, TEXT.to, TEXT.sender, "R")


@pytest.mark.parametrize(
    ("kind", "told", "word"),
    [
        ("twilio", {"MessageSid": "R", "From": TEXT.to, "To": TEXT.sender, "Body": "no more", "OptOutType": "STOP"}, "STOP"),
        ("plivo", {"MessageUUID": "R", "From": "14155550123", "Text": "no more", "MessageIntent": "optout"}, "STOP"),
        ("plivo", {"MessageUUID": "R", "From": "14155550123", "Text": "?", "MessageIntent": "something new"}, ""),
    ],
)
def test_what_the_provider_read_in_a_reply(tmp_path: Path, kind: str, told: Any, word: str) -> None:
    (found,) = said(kind, tmp_path, "inbound", told)
    assert isinstance(found, Reply)
    assert found.word == word


def test_a_part_of_a_vonage_reply_says_so(tmp_path: Path) -> None:
    told = vonage(text="second", concat="true", **{"concat-ref": "ab", "concat-part": "2", "concat-total": "3"})
    (found,) = said("vonage", tmp_path, "inbound", told)
    assert isinstance(found, Reply)
    assert isinstance(found.part, Part)
    assert (found.part.number, found.part.total) == (2, 3)


def test_a_part_of_a_vonage_reply_as_json(tmp_path: Path) -> None:
    told = {**vonage(text="second", **{"concat-ref": "ab"}), "concat": True, "concat-part": 2, "concat-total": 3}
    hook = Hook(url="", headers={"content-type": "application/json"}, body=json.dumps(told).encode(), at=NOW)
    (found,) = provider("vonage", tmp_path).read(hook, "primary")
    assert isinstance(found, Reply)
    assert found.part is not None
    assert (found.part.number, found.part.total) == (2, 3)


def test_half_a_character_can_be_written_down(tmp_path: Path) -> None:
    """JSON can hold half of a surrogate pair; a database cannot."""
    body = b'{"type": "mo_text", "id": "R\\ud800", "from": "14155550123\\udfff", "body": "STOP \\ud83d"}'
    (found,) = provider("sinch", tmp_path).read(Hook(url="", headers={}, body=body, at=NOW), "primary")
    assert isinstance(found, Reply)
    assert "".join((found.body, found.sender, found.provider_id)).encode() == "STOP \ufffd14155550123\ufffdR\ufffd".encode()


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("status", [200, 201, 202, 400, 500])
def test_no_answer_can_keep_its_text_from_being_settled(tmp_path: Path, kind: str, status: int) -> None:
    """What an answer says goes into the database and the log."""
    spoilt = json.dumps({"sid": "\ud800", "message": "\ud800", "code": "\ud800", "id": "\ud800", "description": "\ud800", "type": "x",
        "error": "\ud800", "text": "\ud800", "errors": [{"code": "\ud800", "detail": "\ud800"}], "message_uuid": ["\ud800"],
        "data": [{"id": "\ud800"}], "messages": [{"status": "\ud800", "error-text": "\ud800", "message-id": "\ud800"}]})  # fmt: skip
    outcome = provider(kind, tmp_path).outcome(Response(status=status, headers={}, body=spoilt.encode()))
    for said in (getattr(outcome, "detail", ""), getattr(outcome, "code", ""), *getattr(outcome, "provider_ids", ())):
        said.encode()


def test_several_events_in_one_call(tmp_path: Path) -> None:
    assert len(said("bandwidth", tmp_path, "receipt", bandwidth("message-delivered") + bandwidth("message-sending"))) == 1


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("what", ["receipt", "inbound"])
def test_calls_that_say_nothing_are_errors_in_words(tmp_path: Path, kind: str, what: str) -> None:
    with pytest.raises(ValueError, match=r"missing|neither|not an array"):
        said(kind, tmp_path, what, {"a": "b"})


JUNK = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=8) | st.sampled_from(["message.received", "mo_text"]),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(
            st.sampled_from(["data", "payload", "id", "type", "message", "event", "to", "from", "text", "event_type", "body"]),
            inner,
            max_size=5,
        )
    ),
    max_leaves=12,
)


@pytest.mark.parametrize("kind", KINDS)
@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    body=st.binary(max_size=60) | JUNK.map(lambda junk: json.dumps(junk).encode()), what=st.sampled_from(["receipt", "inbound"])
)
def test_no_body_can_break_a_reader(tmp_path: Path, kind: str, body: bytes, what: str) -> None:
    api = provider(kind, tmp_path)
    hook = Hook(url="https://office.example/x", headers={"telnyx-timestamp": "1"}, body=body, at=NOW, what=what)
    assert not api.is_genuine(hook)
    api.outcome(Response(status=200, headers={}, body=body))
    api.outcome(Response(status=400, headers={}, body=body))
    try:
        found = api.read(hook, "primary")
    except ValueError:
        return
    assert all(isinstance(one, Receipt | Reply) for one in found)


@pytest.mark.parametrize("kind", ["kannel", "jasmin", "http"])
async def test_calls_that_nobody_signs_need_the_secret_in_the_path(tmp_path: Path, kind: str) -> None:
    server = await Server().start()
    told = {"id": "R", "from": TEXT.to, "to": TEXT.sender, "text": "Stop", "content": "Stop"}
    body = urlencode(told).encode() if kind != "http" else json.dumps({**told, "from": {"number": TEXT.to}}).encode()
    async with running(kind, server, tmp_path, 'hook_from = ["192.0.2.0/24", "2001:db8::1"]') as (bridge, sink):

        async def call(secret: str, source: str) -> int:
            hook = Hook(url="/hooks/primary/inbound", headers={}, body=body, at=NOW, secret=secret, source=source)
            try:
                answer = await bridge.hook(hook)
            except HookRefused as error:
                return error.status
            assert answer.body == {"kannel": "", "jasmin": "ACK/Jasmin", "http": "OK"}[kind]
            return answer.status

        assert await call("", "192.0.2.7") == 403
        assert await call("wrong-secret-wrong-secret", "192.0.2.7") == 403
        assert await call(SECRET, "198.51.100.1") == 403
        assert await call(SECRET, "") == 403
        assert sink.replies == []
        assert await call(SECRET, "192.0.2.7") == 200
        assert await call(SECRET, "::ffff:192.0.2.7") == 200
        assert await call(SECRET, "2001:db8::1") == 200
        assert [reply.body for reply in sink.replies] == ["Stop"] * 3


async def test_a_refused_account_pauses_the_bridge_whatever_the_status(tmp_path: Path) -> None:
    server = await Server(status=200, body='{"messages": [{"status": "4", "error-text": "Bad Credentials"}]}').start()
    async with running("vonage", server, tmp_path) as (bridge, _):
        assert isinstance(await bridge.submit(TEXT), Refused)
        assert bridge.health().paused
        assert bridge.room() == 0
