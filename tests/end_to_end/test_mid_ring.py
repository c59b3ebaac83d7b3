"""What trunks send beside INVITE and CANCEL, to one real gateway: a caller who changes in mid-ring, and what is no call at all."""

import json
import socket
from collections.abc import Callable

from tests.peers.gateway import RunningGateway
from tests.peers.raw_caller import RawCaller
from tests.sip.test_offers import OFFERS

Start = Callable[..., RunningGateway]
RECEPTION, CALLER = "+14155550177", "+14155550123"
BROKEN = (
    "INVITE sip:+14155550100@127.0.0.1 SIP/2.0\r\nVia: SIP/2.0/UDP {at};branch=z9hG4bK-broken\r\nFrom: <sip:+14155550123@pbx\r\n"
    "To: <sip:+14155550100@127.0.0.1>\r\nCall-ID: broken\r\nCSeq: 1 INVITE\r\nContent-Length: 0\r\n\r\n"
)


def hand_over(running: RunningGateway, *identity: str, body: str = "") -> None:
    """A call of the reception's rings, somebody else takes it over in mid-ring, and nobody answers."""
    with RawCaller(running.sip_port, caller=RECEPTION) as caller:
        caller.send()
        assert caller.until(180).status == 180
        caller.send("UPDATE", *identity, body=body)
        wanted = 491 if body else 200
        assert caller.until(wanted, "UPDATE").status == wanted
        caller.send("CANCEL", of=1)
        assert caller.until(487).status == 487


def test_what_a_trunk_sends_beside_invite_and_cancel(gateway: Start) -> None:
    running = gateway(ring=60)
    hand_over(running, f"P-Asserted-Identity: <sip:{CALLER}@pbx>")
    hand_over(running, f"Remote-Party-ID: <sip:{CALLER}@pbx>;party=calling", body=OFFERS["PCMU"])
    hand_over(running, f"P-Asserted-Identity: <sip:{CALLER}@pbx>", "Privacy: id")
    running.wait_for("calls", 3, outcome="abandoned")
    texts = running.wait_for("texts", 2, state="accepted")
    assert [text["to"] for text in texts] == [CALLER, CALLER]
    calls = sorted(running.calls(), key=lambda call: int(call["id"]))
    assert [(call["caller"], call["reason"]) for call in calls] == [
        (CALLER, "missed_call"), (CALLER, "missed_call"), (None, "withheld"),
    ]  # fmt: skip
    assert {one["caller"] for call in calls for one in call["earlier_callers"]} == {RECEPTION}
    told = running.cli("explain", str(calls[0]["id"])).stdout
    assert f": {CALLER} called front-desk" in told
    assert f"the caller was {RECEPTION}, read from From" in told
    assert f"it was {RECEPTION}" in told
    running.wait_for_log("caller_changed")
    say_what_is_no_call(running)
    assert json.loads(running.cli("calls", "--json").stdout) == calls[::-1]


def say_what_is_no_call(running: RunningGateway) -> None:
    """A STOP by SIP, and an INVITE that cannot be read."""
    with RawCaller(running.sip_port) as caller:
        caller.send("MESSAGE", body="STOP", content_type="text/plain")
        assert caller.until(405, "MESSAGE").status == 405
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as peer:
        peer.connect(("127.0.0.1", running.sip_port))
        peer.settimeout(90)
        peer.sendall(BROKEN.format(at=f"127.0.0.1:{peer.getsockname()[1]}").encode())
        assert peer.recv(65536).startswith(b"SIP/2.0 400 ")
    counted = running.wait_for_status(
        lambda status: status["agent"]["requests_refused"] == status["agent"]["malformed_refused"] == 1
    )
    assert counted["agent"]["last_request_refused"].startswith("MESSAGE of pbx (127.0.0.1:")
    told = running.cli("status").stdout
    assert "refused: 1 requests that nobody here takes; the last: MESSAGE of pbx" in told
    assert "0 from strangers, 1 malformed, 0 by the SIP stack; the last malformed: pbx (127.0.0.1:" in told
    assert "From cannot be read\n" in told
    running.wait_for_log("requests_refused")
    running.wait_for_log("malformed_refused")
