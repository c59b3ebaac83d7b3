"""Signed calls: the vectors that the vendors publish, and the vendors' own libraries as judges of many more."""

import base64
import hashlib
import hmac
import json
import time
import warnings
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from urllib.parse import parse_qsl, urlencode

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from sms.http.exchange import Hook, Provider
from sms.http.plivo import Plivo
from sms.http.twilio import Twilio
from sms.http.vonage import Vonage
from tests.sms.provider_settings import provider

with warnings.catch_warnings():
    warnings.simplefilter("ignore")
    from plivo.utils.signature_v3 import (
        construct_post_url,
        get_signature_v3,
        validate_v3_signature,
    )
    from sinch.domains.sms.sinch_events.v1.sms_sinch_event import SmsSinchEvent
    from telnyx.lib.webhook_verification import WebhookVerificationError, verify_webhook_signature
    from twilio.request_validator import RequestValidator
    from vonage_http_client.auth import Auth

URL = "https://office.example/hooks/primary/receipt?key=7-1795437000123"
FIELDS = st.dictionaries(st.text("abcXYZ_", min_size=1, max_size=6), st.text(min_size=1, max_size=8), min_size=1, max_size=5)
WORDS = st.text(st.characters(codec="utf-8", exclude_characters="\0"), max_size=12)
MANY = settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])


def stamp() -> str:
    """Now, as the vendors write it."""
    return str(int(time.time()))


def hook(body: bytes, headers: dict[str, str], url: str = URL) -> Hook:
    return Hook(
        url=url, headers=headers, body=body, at=datetime.now(UTC), what="receipt", query=dict(parse_qsl(url.partition("?")[2]))
    )


def twilio(token: str, header: str = "x-twilio-signature") -> Twilio:
    return Twilio(messages_url="", account="AC1", token="x", signing_key=token, signature_header=header)


def test_twilio_by_its_documentation() -> None:
    """The example of Twilio's page on request validation, which SignalWire's library tests with too."""
    fields = {
        "CallSid": "CA1234567890ABCDE", "Caller": "+14158675309", "Digits": "1234", "From": "+14158675309", "To": "+18005551212",
    }  # fmt: skip
    url, body, good = "https://mycompany.com/myapp.php?foo=1&bar=2", urlencode(fields).encode(), "RSOYDt4T1cUTdK1PDd93/VVr8B8="
    for header in ("x-twilio-signature", "x-signalwire-signature"):
        api = twilio("12345", header)
        assert api.is_genuine(hook(body, {header: good}, url))
        assert api.is_genuine(hook(body, {header: good}, url.replace("mycompany.com", "mycompany.com:443")))
        assert not api.is_genuine(hook(body, {header: good}, url + "x"))
        assert not api.is_genuine(hook(body + b"&a=b", {header: good}, url))
        assert not api.is_genuine(hook(body, {}, url))
        assert not api.is_genuine(hook(b"\xff", {header: "\udcff"}, url))
    assert not twilio("").is_genuine(hook(body, {"x-twilio-signature": good}, url))


def test_signalwire_by_a_call_of_its_own() -> None:
    """A call that SignalWire made, as its library's tests keep it."""
    fields = {
        "CallSid": "a97d4e8a-6047-4e2b-be48-fb96b33b5642", "AccountSid": "6bfbbe86-a901-4197-8759-2a0de1fa319d",
        "ApiVersion": "2010-04-01", "Direction": "outbound-api", "From": "sip:+17063958228@sip.swire.io",
        "To": "sip:jpsantos@joaosantos-2a0de1fa319d.sip.swire.io", "Timestamp": "Thu, 09 Nov 2023 14:40:55 +0000",
        "CallStatus": "no-answer", "CallbackSource": "call-progress-events", "HangupDirection": "outbound",
        "HangupBy": "sip:+17063958228@sip.swire.io", "SipResultCode": "487",
    }  # fmt: skip
    headers = {"x-signalwire-signature": "muUMpldcBHlzuXGZ5gbw1ETZCYA="}
    api = twilio("PSK_V3bF8oyeRNpJWGoRWHNYQMUU", "x-signalwire-signature")
    assert api.is_genuine(hook(urlencode(fields).encode(), headers, "https://675d-189-71-169-171.ngrok-free.app/voice"))


@MANY
@given(fields=FIELDS, token=st.text("abc123", min_size=1, max_size=8), spoiled=st.booleans())
def test_twilio_as_its_library_judges(fields: dict[str, str], token: str, spoiled: bool) -> None:
    judge = RequestValidator(token)
    signature = judge.compute_signature(URL, fields) if not spoiled else "AAAA"
    found = twilio(token).is_genuine(hook(urlencode(fields).encode(), {"x-twilio-signature": signature}))
    assert found == judge.validate(URL, fields, signature) == (not spoiled)


def plivo(token: str) -> Plivo:
    return Plivo(base_url="", auth_id="MA1", auth_token=token, receipt_url="")


@MANY
@given(
    fields=FIELDS,
    token=st.text("abc123", min_size=1, max_size=8),
    nonce=st.text("0123", min_size=1, max_size=9),
    url=st.sampled_from([URL, "https://office.example/hooks/primary/inbound", "https://office.example:8443/h?b=2&a=1&a=0"]),
    spoiled=st.booleans(),
)
def test_plivo_as_its_library_judges(fields: dict[str, str], token: str, nonce: str, url: str, spoiled: bool) -> None:
    signed = construct_post_url(url, fields).decode()
    signature = get_signature_v3(token.encode(), signed, nonce.encode()).decode() if not spoiled else "AAAA"
    headers = {"x-plivo-signature-v3": f"BBBB,{signature}", "x-plivo-signature-v3-nonce": nonce}
    found = plivo(token).is_genuine(hook(urlencode(fields).encode(), headers, url))
    assert found == validate_v3_signature("POST", url, nonce, token, f"BBBB,{signature}", fields) == (not spoiled)


def vonage(method: str) -> Vonage:
    return Vonage(
        base_url="", api_key="k", api_secret="s", signing_key="signing", signature_method=method, hook_secret="", receipt_url=""
    )


@MANY
@given(fields=FIELDS, method=st.sampled_from(["md5", "sha1", "sha256", "sha512"]), spoiled=st.booleans())
def test_vonage_as_its_library_judges(fields: dict[str, str], method: str, spoiled: bool) -> None:
    now = stamp()
    judge = Auth(api_key="k", api_secret="s", signature_secret="signing", signature_method=method)  # type: ignore[arg-type]
    stamped = {**fields, "timestamp": now}
    signature = judge.sign_params(dict(stamped)).upper() if not spoiled else "00"
    signed = {**stamped, "sig": signature}
    found = vonage(method).is_genuine(hook(urlencode(signed).encode(), {}, "https://office.example/hooks/primary/receipt"))
    assert found == judge.check_signature(dict(signed)) == (not spoiled)


def test_vonage_by_get_and_by_json() -> None:
    """An account's settings say by which method it calls."""
    judge = Auth(api_key="k", api_secret="s", signature_secret="signing", signature_method="sha256")
    fields = {"msisdn": "14155550123", "messageId": "A", "status": "delivered", "timestamp": stamp()}
    signed = {**fields, "sig": judge.sign_params(dict(fields))}
    by_get = hook(b"", {}, f"https://office.example/hooks/primary/receipt?{urlencode(signed)}")
    by_json = hook(json.dumps(signed).encode(), {"content-type": "application/json"}, "https://office.example/x")
    for call in (by_get, by_json):
        assert vonage("sha256").is_genuine(call)
        assert len(vonage("sha256").read(call, "primary")) == 1


def test_vonage_by_the_plain_hash() -> None:
    now = stamp()
    fields = {"msisdn": "1", "timestamp": now, "text": "a&b=c"}
    signed = f"&msisdn=1&text=a_b_c&timestamp={now}signing"
    fields["sig"] = hashlib.md5(signed.encode()).hexdigest()
    assert vonage("md5hash").is_genuine(hook(urlencode(fields).encode(), {}, "https://office.example/x"))


KEY = Ed25519PrivateKey.from_private_bytes(
    bytes.fromhex("9d61b19deffd5a60ba844af492ec2cc44449c5697b326919703bac031cae7f60")  # RFC 8032 §7.1, test 1
)


@MANY
@given(body=WORDS, spoiled=st.sampled_from(["", "body", "signature", "length"]))
def test_telnyx_as_its_library_judges(tmp_path: Path, body: str, spoiled: str) -> None:
    now = stamp()
    signature = KEY.sign(f"{now}|{body}".encode())
    if spoiled == "signature":
        signature = bytes((signature[0] ^ 1,)) + signature[1:]
    signature = signature[:-1] if spoiled == "length" else signature
    headers = {"telnyx-timestamp": now, "telnyx-signature-ed25519": base64.b64encode(signature).decode()}
    octets = body.encode() + (b"!" if spoiled == "body" else b"")
    public_key = base64.b64encode(KEY.public_key().public_bytes_raw()).decode()
    try:
        verify_webhook_signature(octets, headers, public_key)
        is_good = True
    except WebhookVerificationError:
        is_good = False
    assert provider("telnyx", tmp_path).is_genuine(hook(octets, headers)) == is_good == (not spoiled)


@MANY
@given(body=WORDS, nonce=st.text("abc123", min_size=1, max_size=9), spoiled=st.booleans())
def test_sinch_as_its_library_judges(tmp_path: Path, body: str, nonce: str, spoiled: bool) -> None:
    now = stamp()
    told = json.dumps({"body": body}, ensure_ascii=False)
    mac = hmac.new(b"signing", f"{told}.{nonce}.{now}".encode(), hashlib.sha256).digest()
    headers = {
        "x-sinch-webhook-signature": base64.b64encode(mac).decode() if not spoiled else "AAAA",
        "x-sinch-webhook-signature-nonce": nonce,
        "x-sinch-webhook-signature-timestamp": now,
        "x-sinch-webhook-signature-algorithm": "HmacSHA256",
    }
    judged = SmsSinchEvent("signing").validate_authentication_header(headers, told)
    assert provider("sinch", tmp_path).is_genuine(hook(told.encode(), headers)) == judged == (not spoiled)


def test_android_by_its_documentation(tmp_path: Path) -> None:
    """HMAC-SHA256 of body and timestamp, hexadecimal, as the project's example computes it."""
    now = stamp()
    body = b'{"event":"sms:received"}'
    signature = hmac.new(b"signing", body + now.encode(), hashlib.sha256).hexdigest()
    api = provider("android", tmp_path)
    assert api.is_genuine(hook(body, {"x-signature": signature, "x-timestamp": now}))
    assert not api.is_genuine(hook(body + b" ", {"x-signature": signature, "x-timestamp": now}))
    assert not api.is_genuine(hook(body, {"x-timestamp": now}))


def test_bandwidth_shows_our_credentials(tmp_path: Path) -> None:
    api = provider("bandwidth", tmp_path)
    good = "Basic " + base64.b64encode(b"textback:signing").decode()
    assert api.is_genuine(hook(b"[]", {"authorization": good}))
    assert not api.is_genuine(hook(b"[]", {"authorization": good[:-2]}))
    assert not api.is_genuine(hook(b"[]", {}))


def signed_at(kind: str, stamp: str) -> tuple[bytes, dict[str, str]]:
    """A call that is genuine but for its age."""
    body = b"{}"
    match kind:
        case "telnyx":
            signature = base64.b64encode(KEY.sign(f"{stamp}|".encode() + body)).decode()
            return body, {"telnyx-timestamp": stamp, "telnyx-signature-ed25519": signature}
        case "sinch":
            mac = hmac.new(b"signing", body + f".n.{stamp}".encode(), hashlib.sha256).digest()
            return body, {
                "x-sinch-webhook-signature": base64.b64encode(mac).decode(),
                "x-sinch-webhook-signature-nonce": "n",
                "x-sinch-webhook-signature-timestamp": stamp,
            }
        case "android":
            return body, {
                "x-timestamp": stamp,
                "x-signature": hmac.new(b"signing", body + stamp.encode(), "sha256").hexdigest(),
            }
        case _:
            sig = hmac.new(b"signing", f"&timestamp={stamp}".encode(), "sha256").hexdigest()
            return urlencode({"timestamp": stamp, "sig": sig}).encode(), {}


@pytest.mark.parametrize("kind", ["telnyx", "sinch", "android", "vonage"])
def test_an_old_call_cannot_be_played_back(tmp_path: Path, kind: str) -> None:
    api: Provider = provider(kind, tmp_path)

    def is_taken(stamp: Any) -> bool:
        body, headers = signed_at(kind, str(stamp))
        return api.is_genuine(hook(body, headers, "https://office.example/hooks/primary/receipt"))

    for age in (timedelta(0), timedelta(seconds=290), timedelta(seconds=-290)):
        assert is_taken(int((datetime.now(UTC) - age).timestamp()))
    for age in (timedelta(seconds=310), timedelta(seconds=-310), timedelta(days=3)):
        assert not is_taken(int((datetime.now(UTC) - age).timestamp()))
    for junk in ("", "now", "-1", "1e9", "٣", "9" * 400):
        assert not is_taken(junk)
