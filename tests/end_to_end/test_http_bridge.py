"""A text through a provider's HTTP API, its receipt and a STOP through the webhooks of the running gateway."""

import asyncio
import base64
import hashlib
import hmac
import threading
import urllib.error
import urllib.request
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from urllib.parse import urlencode

import pytest
from aiohttp import web

from tests.peers import sipp
from tests.peers.gateway import PATIENCE_S, RunningGateway
from tests.peers.provider import Provider, hang_up, stay_silent
from tests.peers.settings import unpaced
from tests.peers.sipp import Call, Ends

Start = Callable[..., RunningGateway]
CALLER = "+14155550123"
PUBLIC = "https://office.example"


def call_hook(running: RunningGateway, what: str, form: dict[str, str], *, token: str = "secret", query: str = "") -> int:
    """Call a webhook as Twilio does, through a proxy that knows the public name."""
    path = f"/hooks/primary/{what}{query}"
    signed = PUBLIC + path + "".join(name + value for name, value in sorted(form.items()))
    signature = base64.b64encode(hmac.new(token.encode(), signed.encode(), hashlib.sha1).digest()).decode()
    request = urllib.request.Request(f"http://127.0.0.1:{running.web_port}{path}", urlencode(form).encode(), method="POST")
    request.add_header("X-Twilio-Signature", signature)
    try:
        with urllib.request.urlopen(request, timeout=30) as answer:
            assert answer.read() == b"<Response/>"
            return int(answer.status)
    except urllib.error.HTTPError as error:
        return error.code


def twilio(provider: Provider, directory: Path) -> str:
    """The section, and its secret."""
    (directory / "twilio.password").write_text("secret")
    return (
        f'[sms.primary]\nkind = "twilio"\naccount_sid = "AC1"\nauth_token_file = "twilio.password"\nbase_url = "{provider.url}"\n'
        + unpaced()
    )


async def test_text_receipt_and_stop(gateway: Start, tmp_path: Path) -> None:
    provider = await Provider().start()
    section = twilio(provider, tmp_path)

    def scenario() -> None:
        running = gateway(sms=section, ring=1, web=f'public_url = "{PUBLIC}"')
        assert sipp.place(tmp_path, running.sip_port, [Call(caller=CALLER)], Ends()).is_good
        running.wait_for("texts", 1, state="accepted")
        receipt = {"MessageSid": "SM1", "MessageStatus": "delivered", "To": CALLER}
        assert call_hook(running, "receipt", receipt, token="wrong") == 403
        assert running.texts()[0]["state"] == "accepted"
        assert call_hook(running, "receipt", receipt) == 200
        running.wait_for("texts", 1, state="delivered")
        stop = {"MessageSid": "SM9", "From": CALLER, "To": "+14155550100", "Body": "STOP"}
        assert call_hook(running, "inbound", stop) == 200
        assert call_hook(running, "inbound", {"MessageSid": "SM9"}) == 400
        assert running.get("/hooks/primary/inbound")[0] == 403
        assert sipp.place(tmp_path, running.sip_port, [Call(caller=CALLER)], Ends()).is_good
        assert running.wait_for("calls", 2, outcome="no_answer")[1]["reason"] == "opted_out"
        running.wait_for("texts", 2)
        assert "secret" not in running.log
        landline = {"MessageSid": "SM1", "MessageStatus": "undelivered", "ErrorCode": "30006", "To": "+14155550199"}
        assert call_hook(running, "receipt", landline) == 200
        assert sipp.place(tmp_path, running.sip_port, [Call(caller="+14155550199")], Ends()).is_good
        running.wait_for("calls", 1, reason="undeliverable")

    await asyncio.to_thread(scenario)
    assert [sent.form["Body"].split(": ")[1][:5] for sent in provider.sent] == ["Sorry", "you w"]
    await provider.stop()


async def test_send_test_says_what_the_bridge_said(gateway: Start, tmp_path: Path) -> None:
    provider = await Provider().start()
    section = twilio(provider, tmp_path)

    def sent(running: RunningGateway) -> tuple[int, list[str], str]:
        done = running.cli("send-test", "415-555-0123", "--wait", "2")
        return done.returncode, done.stdout.splitlines()[2:], done.stderr

    def scenario() -> None:
        running = gateway(sms=section, ring=1)
        status, said, talk = sent(running)
        assert (status, said[-1]) == (0, "the network has accepted it; waiting for the receipt, by primary")
        assert talk.startswith("No receipt yet;")
        provider.status, provider.body = 400, '{"code": 21211, "message": "The To number is not valid"}'
        status, said, talk = sent(running)
        assert (status, talk) == (1, "")
        assert said[-1].startswith("the network refused it, by primary (21211 ")
        provider.act = hang_up
        status, said, talk = sent(running)
        assert (status, talk) == (1, "")
        assert said[-1].startswith("handed over, and the network gave no answer: it may have gone, by primary (")
        provider.act, provider.status, provider.body = None, 401, '{"code": 20003, "message": "Authenticate"}'
        status, said, talk = sent(running)
        assert status == 1
        assert said[-1].startswith("it was not taken (primary: ")
        assert "Authenticate" in said[-1]
        assert "primary is paused: the account was refused:" in talk
        assert "It has not gone, and is tried again until " in talk
        assert "receipt" not in talk
        status, said, talk = sent(running)
        assert (status, said) == (1, ["waits for a bridge"])
        assert "primary is paused: the account was refused:" in talk

    await asyncio.to_thread(scenario)
    await provider.stop()


async def test_lost_answers_are_settled_by_receipts_and_repetitions_change_nothing(gateway: Start, tmp_path: Path) -> None:
    """Two texts to one number without an answer: only the key in the callback's address tells which one is meant."""
    provider = await Provider(act=hang_up).start()
    section = twilio(provider, tmp_path)

    def scenario() -> None:
        running = gateway(sms=section, ring=1, web=f'public_url = "{PUBLIC}"')
        for count in (1, 2):
            assert sipp.place(tmp_path, running.sip_port, [Call(caller=CALLER)], Ends()).is_good
            running.wait_for("texts", count, state="unknown")
        queries = [sent.form["StatusCallback"].removeprefix(f"{PUBLIC}/hooks/primary/receipt") for sent in provider.sent]
        failed = {"MessageSid": "SM2", "MessageStatus": "failed", "To": CALLER, "ErrorCode": "21610"}
        delivered = {"MessageSid": "SM1", "MessageStatus": "delivered", "To": CALLER}
        assert call_hook(running, "receipt", delivered, query=queries[0]) == 200
        assert [text["state"] for text in running.texts()] == ["delivered", "unknown"]
        assert call_hook(running, "receipt", failed, query=queries[1]) == 200
        assert [text["state"] for text in running.texts()] == ["delivered", "undelivered"]
        assert why_not(running, 3) == "opted_out"  # the receipt said so
        start = {"MessageSid": "R1", "From": CALLER, "To": "+14155550100", "Body": "START"}
        stop = {**start, "MessageSid": "R0", "Body": "STOP"}
        for form in (stop, start, stop):
            assert call_hook(running, "inbound", form) == 200
        assert call_hook(running, "receipt", failed, query=queries[1]) == 200
        assert why_not(running, 4) != "opted_out"  # what came before START was only repeated after it
        assert running.log.count("reply_repeated") == 1

    def why_not(running: RunningGateway, calls: int) -> str:
        assert sipp.place(tmp_path, running.sip_port, [Call(caller=CALLER)], Ends()).is_good
        return str(running.wait_for("calls", calls, outcome="no_answer")[-1]["reason"])

    await asyncio.to_thread(scenario)
    await provider.stop()


SPOOL = '[sms.second]\nkind = "spool"\n'


@pytest.mark.parametrize(
    ("status", "body", "state", "bridge"),
    [
        (401, '{"code": 20003}', "accepted", "second"),  # our account
        (429, "", "accepted", "second"),  # for now
        (400, '{"code": 21211}', "refused", "primary"),  # the number: no bridge would do better
        (400, '{"code": 21610}', "refused", "primary"),  # it said STOP
        (503, "", "unknown", "primary"),  # it may have gone
    ],
)
async def test_next_bridge_only_after_a_definite_no(
    gateway: Start, tmp_path: Path, status: int, body: str, state: str, bridge: str
) -> None:
    provider = await Provider(status=status, body=body).start()
    section = twilio(provider, tmp_path) + SPOOL

    def scenario() -> None:
        running = gateway(sms=section, ring=1)
        assert sipp.place(tmp_path, running.sip_port, [Call(caller=CALLER)], Ends()).is_good
        (text,) = running.wait_for("texts", 1, state=state)
        assert text["bridge"] == bridge
        spool = running.directory / "data" / "spool.jsonl"
        assert (spool.exists() and spool.read_text() != "") == (bridge == "second")
        if status == 401:
            assert "primary" in running.cli("status").stdout
            assert running.get("/readyz")[1]["bridges"]["primary"]["paused"]
            assert running.log.count("bridge_paused") == 1
        assert sipp.place(tmp_path, running.sip_port, [Call(caller=CALLER)], Ends()).is_good
        reason = running.wait_for("calls", 2, outcome="no_answer")[1]["reason"]
        assert reason == {'{"code": 21610}': "opted_out"}.get(body, "missed_call")  # one refusal of a number marks nobody

    await asyncio.to_thread(scenario)
    await provider.stop()


async def test_hook_that_is_too_large_is_refused(gateway: Start, tmp_path: Path) -> None:
    provider = await Provider().start()
    section = twilio(provider, tmp_path)

    def scenario() -> None:
        running = gateway(sms=section, web=f'public_url = "{PUBLIC}"')
        form = {"MessageSid": "R", "From": CALLER, "To": "+14155550100", "Body": "x" * 70_000}
        assert call_hook(running, "inbound", form) == 413
        assert call_hook(running, "inbound", {**form, "Body": "x" * 1000}) == 200

    await asyncio.to_thread(scenario)
    await provider.stop()


async def test_text_that_a_crash_cut_off_is_asked_for(gateway: Start, tmp_path: Path) -> None:
    """No public address, so no receipt either: only Twilio's list of messages can tell."""
    bodies: list[str] = []
    has_come = threading.Event()

    async def take_and_say_nothing(request: web.Request) -> web.StreamResponse:
        if request.method == "POST":
            bodies.append((await request.post())["Body"])
            has_come.set()
            return await stay_silent(request)
        made = f"{datetime.now(UTC):%a, %d %b %Y %H:%M:%S +0000}"
        one = {"sid": "SM7", "body": bodies[0], "direction": "outbound-api", "date_created": made}
        return web.json_response({"messages": [one]})

    provider = await Provider(act=take_and_say_nothing).start()
    section = twilio(provider, tmp_path)

    def scenario() -> None:
        running = gateway(sms=section, ring=1)
        assert sipp.place(tmp_path, running.sip_port, [Call(caller=CALLER)], Ends()).is_good
        assert has_come.wait(PATIENCE_S)
        running.kill()
        running.start()
        (text,) = running.wait_for("texts", 1, state="accepted")
        assert text["provider_id"] == "SM7"

    await asyncio.to_thread(scenario)
    assert [sent.method for sent in provider.sent] == ["POST", "GET"]
    await provider.stop()
