"""Real calls by SIPp to a real gateway: what each ending is taken for."""

import json
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest

from tests.peers import sipp
from tests.peers.gateway import RunningGateway
from tests.peers.raw_caller import RawCaller
from tests.peers.sipp import Call, Ends
from tests.sip.test_offers import OFFERS

Start = Callable[..., RunningGateway]
HUNG_UP = Ends(cancel_after=0.4)


def test_rung_out_is_no_answer_and_texted(gateway: Start, tmp_path: Path) -> None:
    running = gateway(ring=1)
    ran = sipp.place(tmp_path, running.sip_port, [Call(caller="+14155550123")])
    assert ran.is_good, ran
    call = running.wait_for("texts", 1, state="accepted") and running.calls()[0]
    assert (call["outcome"], call["decision"], call["reason"]) == ("no_answer", "send", "missed_call")
    assert call["caller"] == "+14155550123"
    assert 0.9 < call["rang_seconds"] < 10
    assert json.loads(running.cli("calls", "--json").stdout) == [call]
    assert json.loads(running.cli("texts", "--json").stdout) == running.texts()
    for named in ("1", "last", call["call_id"]):
        explained = json.loads(running.cli("explain", named, "--json").stdout)
        assert explained["call"] == call
        assert explained["texts"] == running.texts()


@pytest.mark.parametrize(
    ("reason", "outcome"),
    [
        ((), "abandoned"),
        (("Reason: Q.850;cause=16",), "abandoned"),
        (('Reason: SIP;cause=487;text="ORIGINATOR_CANCEL"',), "abandoned"),
        (("Reason: Q.850;cause=26", 'Reason: SIP;cause=200;text="Call completed elsewhere"'), "answered_elsewhere"),
        (('reason: sip ; cause = 200 ; text="Call completed elsewhere", Q.850;cause=26',), "answered_elsewhere"),
    ],
)
def test_caller_hung_up_is_told_from_answered_elsewhere(
    gateway: Start, tmp_path: Path, reason: tuple[str, ...], outcome: str
) -> None:
    running = gateway(ring=10)
    ends = Ends(cancel_after=0.4, cancel_headers=reason)
    assert sipp.place(tmp_path, running.sip_port, [Call(caller="+14155550123")], ends).is_good
    running.wait_for("calls", 1, outcome=outcome)
    expected = ("send", "missed_call") if outcome == "abandoned" else ("skip", "not_missed")
    assert (running.calls()[0]["decision"], running.calls()[0]["reason"]) == expected


def test_trunk_that_marks_every_cancelled_call_is_not_believed(gateway: Start, tmp_path: Path) -> None:
    running = gateway(ring=10, trunk='answered_elsewhere = "ignore"')
    ends = Ends(cancel_after=0.4, cancel_headers=("Reason: Q.850;cause=26",))
    assert sipp.place(tmp_path, running.sip_port, [Call(caller="+14155550123")], ends).is_good
    running.wait_for("calls", 1, outcome="abandoned")


def test_withheld_caller_is_journalled_and_not_texted(gateway: Start, tmp_path: Path) -> None:
    running = gateway()
    ends = Ends(invite_headers=("Privacy: id", "P-Asserted-Identity: <sip:+14155550199@127.0.0.1>"))
    assert sipp.place(tmp_path, running.sip_port, [Call(caller="anonymous")], ends).is_good
    running.wait_for("calls", 1, outcome="no_answer")
    call = running.calls()[0]
    assert (call["caller"], call["reason"], call["text"]) == (None, "withheld", None)


def test_asserted_identity_is_the_caller(gateway: Start, tmp_path: Path) -> None:
    running = gateway()
    ends = Ends(invite_headers=("P-Asserted-Identity: <sip:+14155550188@127.0.0.1>",))
    assert sipp.place(tmp_path, running.sip_port, [Call(caller="1001")], ends).is_good
    running.wait_for("texts", 1, to="+14155550188")


def test_call_with_long_headers_rings(gateway: Start, tmp_path: Path) -> None:
    """STIR/SHAKEN's Identity, History-Info and a mobile network's SDP together are longer than many stacks take."""
    running = gateway()
    ends = Ends(invite_headers=("Identity: " + "x" * 5000, "X-More: " + "y" * 4000))
    assert sipp.place(tmp_path, running.sip_port, [Call(caller="+14155550123")], ends).is_good
    running.wait_for("texts", 1, state="accepted")


def test_hung_up_sooner_than_min_ring_is_not_texted(gateway: Start, tmp_path: Path) -> None:
    running = gateway(ring=10, min_ring="3s")
    assert sipp.place(tmp_path, running.sip_port, [Call(caller="+14155550123")], HUNG_UP).is_good
    running.wait_for("calls", 1, outcome="abandoned", reason="too_short")


def test_number_of_no_line_gets_404_and_is_journalled(gateway: Start, tmp_path: Path) -> None:
    running = gateway()
    ends = Ends(status=404, rings=False)
    assert sipp.place(tmp_path, running.sip_port, [Call(caller="+14155550123", dialled="+14155550777")], ends).is_good
    running.wait_for("calls", 1, outcome="refused", reason="no_line", decision="skip")


def test_default_line_takes_what_names_no_number(gateway: Start, tmp_path: Path) -> None:
    running = gateway(trunk='default_line = "front-desk"')
    assert sipp.place(tmp_path, running.sip_port, [Call(caller="+14155550123", dialled="textback")]).is_good
    running.wait_for("calls", 1, line="front-desk", decision="send")


def test_diverted_call_is_for_the_line_it_was_diverted_from(gateway: Start, tmp_path: Path) -> None:
    running = gateway()
    ends = Ends(invite_headers=("Diversion: <sip:+14155550100@pbx>;reason=no-answer",))
    assert sipp.place(tmp_path, running.sip_port, [Call(caller="+14155550123", dialled="gateway")], ends).is_good
    running.wait_for("calls", 1, line="front-desk", decision="send")


FORWARDED = '[line.forwarded]\nnumber = "+14155550105"\narrives = "missed"\n'
HISTORY = ("History-Info: <sip:+14155550105@pbx>;index=1, <sip:textback@gateway>;index=1.1;mp=1",)


def test_forwarded_call_that_history_alone_tells_of(gateway: Start, tmp_path: Path) -> None:
    """The number that was called stands in History-Info, without a cause (RFC 7044), and no Diversion is there."""
    running = gateway(more=FORWARDED, ring=2)
    rung_out = Ends(invite_headers=HISTORY, to_header="<sip:textback@[remote_ip]>")
    assert sipp.place(tmp_path, running.sip_port, [Call(caller="+14155550123", dialled="textback")], rung_out).is_good
    running.wait_for("calls", 1, line="forwarded", outcome="no_answer", reason="missed_call")
    elsewhere = ('Reason: SIP;cause=200;text="Call completed elsewhere"',)
    answered = replace(rung_out, cancel_after=0.4, cancel_headers=elsewhere)
    assert sipp.place(tmp_path, running.sip_port, [Call(caller="+14155550124", dialled="textback")], answered).is_good
    running.wait_for("calls", 1, line="forwarded", outcome="answered_elsewhere", reason="not_missed")
    assert [text["to"] for text in running.texts()] == ["+14155550123"]


def test_one_text_a_day(gateway: Start, tmp_path: Path) -> None:
    running = gateway(once_per="day")
    for _ in range(2):
        assert sipp.place(tmp_path, running.sip_port, [Call(caller="+14155550123")]).is_good
    calls = running.wait_for("calls", 2, outcome="no_answer")
    assert [call["reason"] for call in calls] == ["missed_call", "already_texted"]
    assert len(running.texts()) == 1


def test_more_calls_than_may_ring_are_busy_and_texted(gateway: Start, tmp_path: Path) -> None:
    running = gateway(max_calls=2, ring=4)
    many = [Call(caller=f"+1415555012{n}") for n in range(3)]
    ran = sipp.place(tmp_path, running.sip_port, many, Ends(rings=False), rate=100)
    assert not ran.is_good  # one of them got 486
    calls = running.wait_for("calls", 2, outcome="no_answer")
    assert sorted(call["outcome"] for call in calls) == ["busy", "no_answer", "no_answer"]
    texts = running.wait_for("texts", 3, state="accepted")
    assert {text["to"] for text in texts} == {call.caller for call in many}


def test_strange_offers_ring_and_what_the_sip_stack_refuses_is_a_call_all_the_same(gateway: Start, tmp_path: Path) -> None:
    running = gateway()
    with RawCaller(running.sip_port, caller="+14155550123") as caller:
        caller.send(body=OFFERS["SRTP alone"])
        assert caller.until(480).status == 480
    with RawCaller(running.sip_port, caller="+14155550124") as caller:
        caller.send("INVITE", "Require: tdialog")
        assert caller.until(420).status == 420
    assert running.wait_for("texts", 1, state="accepted")[0]["to"] == "+14155550123"
    running.wait_for("calls", 1, outcome="no_answer")
    running.wait_for("calls", 1, outcome="refused")
    refused = next(call for call in running.calls() if call["outcome"] == "refused")
    assert (refused["caller"], refused["line"], refused["decision"], refused["reason"]) == (
        "+14155550124", "front-desk", "skip", "not_missed",
    )  # fmt: skip
    explained = (
        "the SIP stack refused its INVITE: it requires an extension that is unknown here (refused); Reason: SIP;cause=420"
    )
    assert explained in running.cli("explain", str(refused["id"])).stdout
    status = running.wait_for_status(lambda status: status["agent"]["stack_refused"] == 1)
    assert status["agent"]["rings_every_offer"]
    assert "0 from strangers, 0 malformed, 1 by the SIP stack\n" in running.cli("status").stdout
    running.wait_for_log("refused_by_sip_stack")


def test_stranger_gets_403_and_is_counted(gateway: Start, tmp_path: Path) -> None:
    running = gateway()
    ends = Ends(status=403, rings=False)
    assert sipp.place(tmp_path, running.sip_port, [Call(caller="+14155550123")], ends, source="127.0.0.2").is_good
    running.wait_for_status(lambda status: status["agent"]["strangers_refused"] == 1)
    assert running.calls() == []
    assert "strangers_refused" in running.log


@pytest.mark.parametrize("header", ["Max-Forwards: 70", "CSeq: 1 INVITE", "Call-ID: [call_id]", "From: <sip:x@y>;tag=1"])
def test_malformed_call_of_a_trunk_gets_400_and_is_no_call(gateway: Start, tmp_path: Path, header: str) -> None:
    running = gateway()
    ends = Ends(status=400, rings=False, invite_headers=(header,))
    assert sipp.place(tmp_path, running.sip_port, [Call(caller="+14155550123")], ends).is_good
    running.wait_for_status(lambda status: status["agent"]["malformed_refused"] == 1)
    assert running.calls() == []
    assert sipp.place(tmp_path, running.sip_port, [Call(caller="+14155550123")]).is_good
    running.wait_for("calls", 1, outcome="no_answer")
