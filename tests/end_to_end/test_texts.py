"""From the missed call to an SMSC that is not ours, and what comes back from it."""

import json
import os
import signal
import urllib.request
from collections.abc import Callable
from pathlib import Path

from prometheus_client.parser import text_string_to_metric_families

from tests.peers import sipp
from tests.peers.gateway import PATIENCE_S, RunningGateway
from tests.peers.sipp import Call, Ends
from tests.peers.smsc import Smsc

Start = Callable[..., RunningGateway]
CALLER = "+14155550123"


def miss(running: RunningGateway, directory: Path, *callers: str) -> None:
    """Calls that are rung out."""
    ran = sipp.place(directory, running.sip_port, [Call(caller=caller) for caller in callers or (CALLER,)])
    assert ran.is_good, ran


def test_text_reaches_the_smsc_once_with_its_receipt(gateway: Start, smsc: Smsc, tmp_path: Path) -> None:
    running = gateway(sms=smsc.config())
    miss(running, tmp_path)
    text = running.wait_for("texts", 1, state="accepted")[0]
    (submitted,) = smsc.submitted()
    assert (submitted["to"], submitted["from"], submitted["registered_delivery"]) == ("14155550123", "14155550100", 1)
    assert bytes.fromhex(submitted["hex"]).decode() == text["body"]
    assert text["provider_id"] == submitted["id"]
    smsc.command(f"receipt {submitted['id']} DELIVRD")
    running.wait_for("texts", 1, state="delivered")
    assert smsc.wait_for_answer(1)[0]["status"] == 0
    found = metrics(running)
    assert found["textback_bridge_up", "primary"] == found["textback_agent_up",] == 1
    assert found["textback_submits_total", "primary", "accepted"] == 1
    assert found["textback_receipts_total", "primary", "delivered"] == 1
    assert found["textback_decisions_total", "send", "missed_call"] == 1
    assert found["textback_texts", "unknown"] == found["textback_bridge_paused", "primary"] == 0


def metrics(running: RunningGateway) -> dict[tuple[str, ...], float]:
    """`/metrics`, as Prometheus' own reader reads it: name and labels to value."""
    with urllib.request.urlopen(f"http://127.0.0.1:{running.web_port}/metrics", timeout=30) as answer:
        families = list(text_string_to_metric_families(answer.read().decode()))
    assert all(family.documentation for family in families)
    return {(sample.name, *sample.labels.values()): sample.value for family in families for sample in family.samples}


def test_stop_is_obeyed_and_start_undoes_it(gateway: Start, smsc: Smsc, tmp_path: Path) -> None:
    running = gateway(sms=smsc.config())
    miss(running, tmp_path)
    running.wait_for("texts", 1, state="accepted")
    smsc.command("reply 14155550123 14155550100 Stop.")
    smsc.wait_for_answer(1)
    miss(running, tmp_path)
    assert running.wait_for("calls", 2, outcome="no_answer")[1]["reason"] == "opted_out"
    smsc.command("reply 14155550123 14155550100 START")
    smsc.wait_for_answer(2)
    miss(running, tmp_path)
    assert running.wait_for("calls", 3, outcome="no_answer")[2]["reason"] == "missed_call"
    texts = running.wait_for("texts", 4, state="accepted")
    assert [text["body"].split(": ")[1][:14] for text in texts] == [
        "Sorry we misse",
        "you will get n",
        "you will get o",
        "Sorry we misse",
    ]
    assert len(smsc.submitted()) == 4


def test_words_are_answered_once(gateway: Start, smsc: Smsc) -> None:
    """A second STOP gets nothing more, nor does a machine that answers HELP with HELP; nobody is answered for START alone."""
    running = gateway(sms=smsc.config())
    for number, word in enumerate(("START", "HELP", "help!", "STOP", "stop", "Stop by at 5?"), start=1):
        smsc.command(f"reply 14155550123 14155550100 {word}")
        smsc.wait_for_answer(number)
    texts = running.wait_for("texts", 2, state="accepted")
    assert [text["body"] for text in texts] == [
        "ABC HVAC: we text back when we miss your call. Call (415) 555-0100. Reply STOP to opt out.",
        "ABC HVAC: you will get no more texts. Reply START to undo.",
    ]
    shown = json.loads(running.cli("replies", "--json").stdout)
    assert [reply["wish"] for reply in reversed(shown)] == ["opt_in", "help", "help", "opt_out", "opt_out", None]
    assert "Stop by at 5?" in running.cli("replies").stdout


def test_long_reply_comes_whole_out_of_order_and_across_a_restart(gateway: Start, smsc: Smsc) -> None:
    running = gateway(sms=smsc.config())
    running.wait_for_status(lambda status: status["bridges"]["primary"]["up"])
    smsc.command("part 14155550123 14155550100 3 3  today?")
    smsc.command("part 14155550123 14155550100 1 3 Could you")
    smsc.wait_for_answer(2)
    assert json.loads(running.cli("replies", "--json").stdout) == []
    running.kill()
    running.start()
    running.wait_for_status(lambda status: status["bridges"]["primary"]["up"])
    smsc.command("part 14155550123 14155550100 2 3  come by")
    assert [answer["status"] for answer in smsc.wait_for_answer(3)] == [0, 0, 0]
    (reply,) = json.loads(running.cli("replies", "--json").stdout)
    assert (reply["body"], reply["wish"]) == ("Could you come by today?", None)


def test_provider_that_confirms_itself(gateway: Start, smsc: Smsc) -> None:
    running = gateway(sms=smsc.config(), more="[consent]\nprovider_confirms_opt_out = true\n")
    smsc.command("reply 14155550123 14155550100 STOP")
    smsc.wait_for_answer(1)
    assert json.loads(running.cli("replies", "--json").stdout)[0]["wish"] == "opt_out"
    assert running.texts() == []


def test_stop_cancels_what_is_queued(gateway: Start, smsc: Smsc, tmp_path: Path) -> None:
    running = gateway(sms=smsc.config(more="per_second = 0.02"))
    miss(running, tmp_path, "+14155550131", "+14155550132", CALLER)
    running.wait_for("texts", 3)
    smsc.command("reply 14155550123 14155550100 STOP")
    smsc.wait_for_answer(1)
    cancelled = running.wait_for("texts", 1, to=CALLER, state="cancelled")
    states = {text["is_answer"]: text["state"] for text in cancelled if text["to"] == CALLER}
    assert states == {False: "cancelled", True: "queued"}  # the confirmation keeps the pace too
    assert not any(entry["to"] == "14155550123" and b"missed" in bytes.fromhex(entry["hex"]) for entry in smsc.submitted())


def test_text_waits_for_the_smsc_and_goes_once(gateway: Start, smsc: Smsc, tmp_path: Path) -> None:
    smsc.kill()
    running = gateway(sms=smsc.config())
    miss(running, tmp_path)
    running.wait_for("texts", 1, state="queued")
    smsc.start()
    running.wait_for("texts", 1, state="accepted")
    assert len(smsc.submitted()) == 1


def test_text_that_would_come_too_late_is_not_sent(gateway: Start, smsc: Smsc, tmp_path: Path) -> None:
    smsc.kill()
    running = gateway(sms=smsc.config(), expires="2s")
    miss(running, tmp_path)
    running.wait_for("texts", 1, state="expired")
    smsc.start()
    running.wait_for_status(lambda status: status["bridges"]["primary"]["up"])
    assert smsc.submitted() == []


def test_wrong_password_pauses_the_bridge_says_so_once_and_calls_go_on(gateway: Start, smsc: Smsc, tmp_path: Path) -> None:
    (tmp_path / "smsc.password").write_text("wrong")
    running = gateway(sms=smsc.config())
    running.wait_for_status(lambda status: status["bridges"]["primary"]["paused"])
    miss(running, tmp_path)
    running.wait_for("texts", 1, state="queued")
    assert running.log.count("bridge_paused") == 1
    assert "wrong" not in running.log.replace("the password is wrong", "")
    assert "paused" in running.cli("status").stdout


def test_next_bridge_takes_the_text_when_the_first_is_down(gateway: Start, smsc: Smsc, tmp_path: Path) -> None:
    smsc.kill()
    running = gateway(sms=smsc.config() + '\n[sms.second]\nkind = "spool"\n')
    miss(running, tmp_path)
    assert running.wait_for("texts", 1, state="accepted")[0]["bridge"] == "second"


def test_gateway_that_stops_texts_those_who_still_rang(gateway: Start, smsc: Smsc, tmp_path: Path) -> None:
    running = gateway(sms=smsc.config(), ring=30)
    placed = sipp.start(tmp_path, running.sip_port, [Call(caller=CALLER)], Ends(status=480))
    running.wait_for("calls", 1, outcome=None)
    assert running.stop() == 0
    assert placed.wait(timeout=PATIENCE_S) == 0
    assert running.calls()[0]["outcome"] == "interrupted"
    assert [entry["to"] for entry in smsc.submitted()] == ["14155550123"]


def test_agent_that_dies_is_replaced_and_its_callers_are_texted(gateway: Start, smsc: Smsc, tmp_path: Path) -> None:
    running = gateway(sms=smsc.config(), ring=30)
    placed = sipp.start(tmp_path, running.sip_port, [Call(caller=CALLER)], Ends(status=480))
    running.wait_for("calls", 1, outcome=None)
    first = running.agent_pid()
    os.kill(first, signal.SIGKILL)
    running.wait_for("texts", 1, state="accepted")
    placed.kill()
    placed.wait()
    running.wait_for_status(lambda status: status["agent"]["up"] and status["agent"]["pid"] not in (None, first))
    running.configure(sms=smsc.config(), ring=1)
    ends = Ends(cancel_after=0.3)
    assert sipp.place(tmp_path, running.sip_port, [Call(caller="+14155550124")], ends).is_good
    running.wait_for("texts", 2, state="accepted")
    assert [entry["to"] for entry in smsc.submitted()] == ["14155550123", "14155550124"]
