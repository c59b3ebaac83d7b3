"""How long a text is wanted is handed on: in each network's own terms, between what it takes at least and at most."""

import asyncio
import json
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from urllib.parse import parse_qsl

import pytest
from hypothesis import given
from hypothesis import strategies as st

from config import load
from config.problems import ConfigError
from sms.http.exchange import Request
from sms.http.providers import provider_of
from sms.smpp.deliver import _Fields
from sms.smpp.pdu import Pdu
from sms.smpp.validity import written
from sms.text import Accepted, ReceiptState, Refusal, Refused, Validity
from tests.peers.faulty_smsc import FaultySmsc, Link
from tests.peers.provider import Provider
from tests.peers.sending import sending, smpp, twilio
from tests.sms.provider_settings import RECEIPT_URL, REST, SECTIONS, provider, settings_of
from tests.sms.test_providers import TEXT, bandwidth, running, said, telnyx, vonage
from tests.sms.test_smpp_bridge import TEXT as SMPP_TEXT
from tests.sms.test_smpp_bridge import bound, until

NOW = datetime(2026, 11, 23, 12, tzinfo=UTC)
MINUTES_15, SECONDS_2, DAYS_30 = timedelta(minutes=15), timedelta(seconds=2), timedelta(days=30)
CHICAGO = timedelta(hours=-6)


def valid_for(left: timedelta) -> Validity:
    return Validity(until=NOW + left, left=left)


def field(kind: str, request: Request) -> object:
    """What a request says of it; None where it says nothing."""
    headers = {name.lower(): value for name, value in request.headers.items()}
    if kind == "kannel":
        return headers.get("x-kannel-validity")
    name = {
        "twilio": "ValidityPeriod", "signalwire": "ValidityPeriod", "bandwidth": "expiration", "vonage": "ttl",
        "plivo": "message_expiry", "sinch": "expire_at", "android": "ttl", "jasmin": "validity-period",
    }[kind]  # fmt: skip
    is_form = headers["content-type"].startswith("application/x-www-form")
    found: dict[str, Any] = dict(parse_qsl(request.body.decode())) if is_form else json.loads(request.body)
    return found.get(name)


TERMS: list[tuple[str, timedelta, object]] = [
    ("twilio", MINUTES_15, "900"),
    ("twilio", SECONDS_2, "6"),
    ("twilio", DAYS_30, "36000"),
    ("signalwire", MINUTES_15, "900"),
    ("signalwire", DAYS_30, "14400"),
    ("bandwidth", MINUTES_15, "2026-11-23T12:15:00.000Z"),
    ("bandwidth", SECONDS_2, "2026-11-23T12:01:00.000Z"),
    ("bandwidth", DAYS_30, "2026-12-23T12:00:00.000Z"),
    ("vonage", MINUTES_15, "900000"),
    ("vonage", SECONDS_2, "20000"),
    ("vonage", DAYS_30, "604800000"),
    ("plivo", MINUTES_15, 900),
    ("plivo", SECONDS_2, 5),
    ("plivo", DAYS_30, 10800),
    ("sinch", MINUTES_15, "2026-11-23T12:15:00.000Z"),
    ("sinch", SECONDS_2, "2026-11-23T12:01:00.000Z"),
    ("sinch", DAYS_30, "2026-11-26T12:00:00.000Z"),
    ("android", MINUTES_15, 900),
    ("android", SECONDS_2, 5),
    ("android", DAYS_30, 2592000),
    ("kannel", MINUTES_15, "15"),
    ("kannel", MINUTES_15 - SECONDS_2, "15"),
    ("kannel", SECONDS_2, "1"),
    ("jasmin", MINUTES_15, "15"),
    ("jasmin", SECONDS_2, "1"),
]
SAYS_IT = sorted({kind for kind, *_ in TERMS})


@pytest.mark.parametrize(("kind", "left", "expected"), TERMS)
def test_in_the_providers_own_terms(tmp_path: Path, kind: str, left: timedelta, expected: object) -> None:
    request = provider(kind, tmp_path).request(replace(TEXT, validity=valid_for(left)))
    assert field(kind, request) == expected
    assert field(kind, provider(kind, tmp_path).request(TEXT)) is None


def test_who_cannot_be_told_is_known() -> None:
    assert set(SAYS_IT) == set(SECTIONS) - {"telnyx", "http"}


def test_described_provider_has_merge_fields(tmp_path: Path) -> None:
    settings = settings_of("http", tmp_path)
    fields = {
        "to": "{to}",
        "text": "{text}",
        "ttl": "{validity_seconds}",
        "m": "in {validity_minutes} min",
        "until": "{expires_at}",
    }
    api = provider_of(settings.model_copy(update={"fields": fields}), RECEIPT_URL)
    told = json.loads(api.request(replace(TEXT, validity=valid_for(MINUTES_15))).body)
    assert (told["ttl"], told["m"], told["until"]) == (900, "in 15 min", "2026-11-23T12:15:00.000Z")
    told = json.loads(api.request(TEXT).body)  # a text that never expires has the longest that any network keeps one
    assert told["ttl"] == 3 * 86400


@pytest.mark.parametrize(
    ("kind", "line", "is_told"),
    [("twilio", "", True), ("twilio", "validity = false", False), ("jasmin", "", False), ("jasmin", "validity = true", True)],
)
async def test_configuration_decides_whether_it_is_handed_on(tmp_path: Path, kind: str, line: str, is_told: bool) -> None:
    """Jasmin writes its own wall clock as if it were UTC, so it is told only by those who say that it is."""
    server = await Provider(status=201, body='{"sid": "SM1"}').start()
    async with running(kind, server, tmp_path, line) as (bridge, _):
        await bridge.submit(replace(TEXT, validity=valid_for(MINUTES_15)))
    (sent,) = server.sent
    request = Request(url="", headers=sent.headers, body=sent.body)
    assert (field(kind, request) is not None) == is_told


@pytest.mark.parametrize(
    "line",
    ["kind = 'telnyx'\napi_key_file = 's'\nvalidity = true", "kind = 'smpp'\nhost = 'h'\nsystem_id = 'x'\nvalidity = 'later'"],
)
def test_what_has_no_effect_is_an_error(tmp_path: Path, line: str) -> None:
    (tmp_path / "s").write_text("S3CRET\n")
    path = tmp_path / "textback.toml"
    path.write_text(f"{REST}\n[sms.primary]\n{line}\n")
    with pytest.raises(ConfigError, match="validity"):
        load.load(path)


# --- SMPP ---


@pytest.mark.parametrize(
    ("left", "how", "expected"),
    [
        (MINUTES_15, "relative", "000000001500000R"),
        (timedelta(days=2, hours=3, seconds=4), "relative", "000002030004000R"),
        (SECONDS_2, "relative", "000000000100000R"),
        (timedelta(days=90), "relative", "000030000000000R"),
        (MINUTES_15, "absolute", "261123121500000+"),
        (SECONDS_2, "absolute", "261123120100000+"),
        (MINUTES_15, "none", ""),
    ],
)
def test_validity_period_as_smpp_writes_it(left: timedelta, how: Any, expected: str) -> None:
    assert written(valid_for(left), how) == expected
    assert written(None, how) == ""


@given(st.timedeltas(min_value=timedelta(days=-1), max_value=timedelta(days=400)), st.sampled_from(["relative", "absolute"]))
def test_validity_period_is_always_sixteen_characters(left: timedelta, how: Any) -> None:
    assert len(written(valid_for(left), how)) == 16


def validity_of(body: bytes) -> str:
    """The field of a submit_sm."""
    fields = _Fields(body)
    fields.c_string(), fields.address(), fields.address(), fields.take(3), fields.c_string()
    return fields.c_string()


async def test_every_part_bears_it(tmp_path: Path) -> None:
    smsc = await FaultySmsc().start()
    async with bound(smsc) as (bridge, _):
        text = replace(SMPP_TEXT, body="x" * 400, validity=valid_for(MINUTES_15))
        assert isinstance(await bridge.submit(text), Accepted)
    assert [validity_of(body) for body in smsc.submitted] == ["000000001500000R"] * 3


async def test_smsc_that_does_not_take_it_is_told_of_the_setting() -> None:
    async def no_validity(link: Link, one: Pdu) -> None:
        link.answer(one, 0x62)

    smsc = await FaultySmsc(on_submit=no_validity).start()
    async with bound(smsc) as (bridge, _):
        outcome = await bridge.submit(replace(SMPP_TEXT, validity=valid_for(MINUTES_15)))
        assert isinstance(outcome, Refused)
        assert outcome.kind is Refusal.CONFIGURATION
        assert "(validity)" in outcome.detail


# --- from the queue to the wire ---


async def test_what_is_left_of_the_time_is_handed_on(tmp_path: Path) -> None:
    """It counts from when the text was due, however long it has waited since and whoever has declined it."""
    wants_nothing = asyncio.Event()

    async def decline(link: Link, one: Pdu) -> None:
        await wants_nothing.wait()
        link.answer(one, 0x0A)

    smsc, server = await FaultySmsc(on_submit=decline).start(), await Provider().start()
    async with sending(tmp_path, smpp(smsc, "first") + twilio(server, tmp_path, "second")) as it:
        await until(lambda: all(bridge.health().up for bridge in it.bridges.by_name.values()))
        due = datetime.now(UTC) - timedelta(minutes=10)
        await it.add(due_at=due, expires_at=due + MINUTES_15)
        await until(lambda: smsc.submitted)
        wants_nothing.set()
        await it.until("accepted")
    period = validity_of(smsc.submitted[0])
    assert period.startswith("00000000")
    seconds = int(period[8:10]) * 60 + int(period[10:12])
    left = int(server.sent[0].form["ValidityPeriod"])
    assert 240 <= left <= seconds <= 300
    await smsc.stop()
    await server.stop()


# --- what a network says when the time was up ---

SMS = {"To": TEXT.to, "MessageSid": "1", "MessageStatus": "undelivered", "ErrorCode": "30036"}
SINCH = {"type": "recipient_delivery_report_sms", "batch_id": "b", "recipient": "14155550123", "client_reference": TEXT.key}
KANNEL = {"key": TEXT.key, "to": TEXT.to, "state": "2"}


@pytest.mark.parametrize(
    ("kind", "told", "query"),
    [
        ("twilio", SMS, {}),
        ("signalwire", SMS, {}),
        ("telnyx", telnyx("message.finalized", "delivery_failed", "40005"), {}),
        ("telnyx", telnyx("message.finalized", "sending_failed", "40014"), {}),
        ("telnyx", telnyx("message.finalized", "expired"), {}),
        ("bandwidth", bandwidth("message-failed", errorCode=4360), {}),
        ("vonage", vonage(status="expired", **{"err-code": "0"}), {}),
        ("plivo", {"MessageUUID": "u1", "Status": "failed", "ErrorCode": "420", "To": "14155550123"}, {}),
        ("sinch", {**SINCH, "status": "Expired", "code": 0}, {}),
        ("sinch", {**SINCH, "status": "Aborted", "code": 406}, {}),
        ("android", {"event": "sms:failed", "payload": {"messageId": TEXT.key, "phoneNumber": TEXT.to, "reason": "TTL expired"}}, {}),
        ("kannel", {}, {**KANNEL, "answer": "id:1 sub:001 dlvrd:000 stat:EXPIRED err:000"}),
        ("jasmin", {"id": "j", "message_status": "EXPIRED", "level": "2"}, {}),
    ],
)  # fmt: skip
def test_expired_is_undelivered_and_says_why(tmp_path: Path, kind: str, told: Any, query: dict[str, str]) -> None:
    (found,) = said(kind, tmp_path, "receipt", told, query)
    assert found.state is ReceiptState.UNDELIVERED  # type: ignore[union-attr]
    assert "its time was up" in found.code  # type: ignore[union-attr]
    assert not found.is_number_dead  # type: ignore[union-attr]
