"""Decisions as an office sees them: held texts, limits, reload, test sends, forks, on the running gateway."""

import sqlite3
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from gateway.store import calls, instants
from gateway.store.database import reading
from tests.peers import sipp
from tests.peers.gateway import PATIENCE_S, RunningGateway
from tests.peers.sipp import Call, Ends
from tests.peers.smsc import Smsc

Start = Callable[..., RunningGateway]
CALLER = "+14155550123"
HUNG_UP = Ends(cancel_after=0.2)
ELSEWHERE = Ends(cancel_after=0.2, cancel_headers=("Reason: SIP;cause=200",))


def place(running: RunningGateway, directory: Path, *callers: str, ends: Ends = HUNG_UP) -> None:
    """Calls that end."""
    assert sipp.place(directory, running.sip_port, [Call(caller=caller) for caller in callers or (CALLER,)], ends).is_good


def waiting(running: RunningGateway, wait: str) -> None:
    """Rewrite the configuration so that the line waits."""
    running.path.write_text(
        running.path.read_text().replace("[line.front-desk.text]", f'[line.front-desk.text]\nwait = "{wait}"')
    )


def an_hour_passes(running: RunningGateway) -> None:
    """Since the first call, while the gateway is down: what was held then falls due."""
    running.stop()
    db = sqlite3.connect(running.database)
    earlier = "strftime('%Y-%m-%dT%H:%M:%fZ', {}, '-1 hour')"
    with db:
        db.execute(
            f"UPDATE calls SET arrived_at = {earlier.format('arrived_at')}, outcome_at = {earlier.format('outcome_at')} WHERE id = 1"
        )
        db.execute(f"UPDATE texts SET due_at = {earlier.format('due_at')} WHERE call = 1")
    db.close()
    running.start()


def test_wait_then_send(gateway: Start, smsc: Smsc, tmp_path: Path) -> None:
    running = gateway(sms=smsc.config(), ring=30)
    waiting(running, "2s")
    running.reload()
    place(running, tmp_path)
    running.wait_for("texts", 1, state="accepted")
    assert running.calls()[0]["decision"] == "send"
    (submitted,) = smsc.submitted()
    with reading(running.database) as db:
        held, sent = calls.decisions(db, 1)
    assert (held["decision"], held["reason"], sent["decision"]) == ("hold", "wait", "send")
    assert datetime.fromtimestamp(submitted["at"], UTC) - instants.read(held["at"]) >= timedelta(seconds=2)


def test_held_text_is_shown_and_not_sent(gateway: Start, smsc: Smsc, tmp_path: Path) -> None:
    running = gateway(sms=smsc.config(), ring=30)
    waiting(running, "1h")
    running.reload()
    place(running, tmp_path)
    held = running.wait_for("texts", 1, state="held")[0]
    assert held["held_for"] == "wait"
    assert running.calls()[0]["decision"] == "hold"
    assert smsc.submitted() == []
    an_hour_passes(running)
    running.wait_for("texts", 1, state="accepted")
    assert len(smsc.submitted()) == 1


@pytest.mark.parametrize("how", ["answered", "replied", "done"])
def test_caller_who_was_reached_meanwhile_is_not_texted(gateway: Start, smsc: Smsc, tmp_path: Path, how: str) -> None:
    running = gateway(sms=smsc.config(), ring=30)
    waiting(running, "1h")
    running.reload()
    place(running, tmp_path)
    running.wait_for("texts", 1, state="held")
    if how == "answered":
        place(running, tmp_path, ends=ELSEWHERE)
        running.wait_for("calls", 1, outcome="answered_elsewhere")
    elif how == "replied":
        smsc.command("reply 14155550123 14155550100 I called you")
        smsc.wait_for_answer(1)
    else:
        assert running.cli("calls", "done", "1").returncode == 0
    an_hour_passes(running)
    running.wait_for("texts", 1, state="cancelled")
    assert running.calls()[0]["reason"] == "resolved"
    assert smsc.submitted() == []


def test_held_text_survives_a_crash(gateway: Start, smsc: Smsc, tmp_path: Path) -> None:
    running = gateway(sms=smsc.config(), ring=30)
    waiting(running, "10s")
    running.reload()
    place(running, tmp_path)
    running.wait_for("texts", 1, state="held")
    running.kill()
    running.start()
    running.wait_for("texts", 1, state="accepted")
    assert len(smsc.submitted()) == 1


def test_limit_holds_for_a_person(gateway: Start, smsc: Smsc, tmp_path: Path) -> None:
    running = gateway(sms=smsc.config(), ring=30, limits="per_minute = 2")
    place(running, tmp_path, "+14155550131", "+14155550132", "+14155550133", "+14155550134")
    texts = running.wait_for("texts", 2, state="held")
    held = [text["id"] for text in texts if text["state"] == "held"]
    running.wait_for_status(lambda status: status["held_for_a_person"] == 2)
    assert "2 held for a person: textback texts release ID" in running.cli("status").stdout
    assert "limit_reached" in running.log
    released = running.cli("texts", "release", str(held[0]))
    assert (released.returncode, released.stdout) == (0, f"text {held[0]} goes out\n")
    assert running.cli("texts", "drop", str(held[1])).returncode == 0
    running.wait_for("texts", 3, state="accepted")
    assert running.texts()[held[1] - 1]["state"] == "cancelled"
    assert len(smsc.submitted()) == 3
    again = running.cli("texts", "release", str(held[0]))
    unchanged = "is accepted; only a held text can be released, so nothing was changed"
    assert (again.returncode, again.stderr) == (1, f"textback: text {held[0]} {unchanged}\n")


def test_forked_call_is_texted_once(gateway: Start, smsc: Smsc, tmp_path: Path) -> None:
    """The same caller rings twice at once: the PBX forked one call to two of its registrations."""
    running = gateway(sms=smsc.config(), ring=4)
    place(running, tmp_path, CALLER, CALLER, ends=Ends())
    running.wait_for("texts", 1, state="accepted")
    calls = running.wait_for("calls", 2, outcome="no_answer")
    assert sorted(call["reason"] for call in calls) == ["duplicate", "missed_call"]
    assert len(smsc.submitted()) == 1


def test_second_call_gets_its_own_message(gateway: Start, smsc: Smsc, tmp_path: Path) -> None:
    variant = '[[line.front-desk.text.variant]]\nmissed = 2\nmessage = "{business} again"\n'
    running = gateway(sms=smsc.config(), ring=1, once_per="day", more=variant)
    for _ in range(3):
        place(running, tmp_path, ends=Ends())
    calls = running.wait_for("calls", 3, outcome="no_answer")
    assert [call["reason"] for call in calls] == ["missed_call", "missed_call", "already_texted"]
    running.wait_for("texts", 2, state="accepted")
    assert bytes.fromhex(smsc.submitted()[1]["hex"]) == b"ABC HVAC again"


def test_reload_swaps_whole_or_not_at_all(gateway: Start, tmp_path: Path) -> None:
    running = gateway(ring=30)
    before = running.get("/readyz")[1]["config_hash"]
    good = running.path.read_text()
    running.path.write_text(good.replace("ring_seconds", "ring_secondz"))
    running.reload()
    status = running.wait_for_status(lambda status: "ring_secondz" in status["reload_error"])
    assert status["config_hash"] == before
    assert running.get("/readyz")[0] == 200
    assert "ring_secondz" in running.cli("status").stderr
    assert running.get("/readyz")[1]["reload_failed"]
    running.path.write_text(good.replace("max_calls = 100", "max_calls = 50"))
    running.reload()
    running.wait_for_status(lambda status: "sip.max_calls" in status["reload_error"])
    running.path.write_text(
        good.replace('business = "ABC HVAC"', 'business = "New Name"').replace('127.0.0.1"]\n', '127.0.0.2"]\n')
    )
    running.reload()
    running.wait_for_status(lambda status: status["config_hash"] != before and not status["reload_error"])
    refused = sipp.place(tmp_path, running.sip_port, [Call(caller=CALLER)], Ends(status=403, rings=False))
    assert refused.is_good
    assert sipp.place(tmp_path, running.sip_port, [Call(caller=CALLER)], HUNG_UP, source="127.0.0.2").is_good
    assert running.wait_for("texts", 1, state="accepted")[0]["body"].startswith("New Name:")


def test_reload_exchanges_bridges_and_a_call_keeps_its_plan(gateway: Start, smsc: Smsc, tmp_path: Path) -> None:
    running = gateway(ring=8)
    placed = sipp.start(tmp_path, running.sip_port, [Call(caller=CALLER)], Ends())
    running.wait_for("calls", 1, outcome=None)
    running.configure(sms=smsc.config(), ring=30)
    running.reload()
    running.wait_for_status(lambda status: status["bridges"].get("primary", {}).get("up") and "spool" not in status["bridges"])
    assert placed.wait(timeout=PATIENCE_S) == 0
    running.wait_for("texts", 1, state="accepted")
    assert 7.9 < running.calls()[0]["rang_seconds"] < 29
    assert len(smsc.submitted()) == 1


def test_file_watch(gateway: Start) -> None:
    running = gateway()
    running.path.write_text("watch = true\n" + running.path.read_text())
    running.reload()
    hash_now = running.wait_for_status(lambda status: not status["reload_error"])["config_hash"]
    running.path.write_text(running.path.read_text() + "\n# changed\n")
    running.wait_for_status(lambda status: status["config_hash"] != hash_now)


def test_send_test(gateway: Start, smsc: Smsc, tmp_path: Path) -> None:
    running = gateway(sms=smsc.config(), ring=1, once_per="day")
    done = running.cli("send-test", CALLER, "--wait", "1")
    assert done.returncode == 0, done.stderr
    assert "ABC HVAC: Sorry we missed your call." in done.stdout
    assert "the network has accepted it" in done.stdout
    place(running, tmp_path, ends=Ends())
    running.wait_for("texts", 2, state="accepted")  # the test counted for nobody
    assert [text["is_test"] for text in running.texts()] == [True, False]
    smsc.command("reply 14155550123 14155550100 STOP")
    smsc.wait_for_answer(1)
    refused = running.cli("send-test", CALLER)
    assert refused.returncode == 1
    assert "wants no texts" in refused.stderr
    assert running.cli("send-test", "12").returncode == 2
    nowhere = running.cli("send-test", CALLER, "--line", "nowhere")
    assert (nowhere.returncode, nowhere.stderr) == (2, "textback: there is no line nowhere; the lines are front-desk\n")


def test_what_changes_things_wants_the_token(gateway: Start) -> None:
    running = gateway()
    assert running.post("/api/v1/send-test", {"line": "front-desk", "to": CALLER})[0] == 403
    assert running.post("/api/v1/texts/1/drop", {})[0] == 403
    assert running.texts() == []


def test_explain_a_call_that_has_not_happened(gateway: Start, tmp_path: Path) -> None:
    running = gateway(ring=1, once_per="day")
    assert '"send"' in running.cli("explain", "--line", "front-desk", "--from", CALLER, "--json").stdout
    place(running, tmp_path, ends=Ends())
    running.wait_for("texts", 1, state="accepted")
    told = running.cli("explain", "--line", "front-desk", "--from", CALLER)
    assert "Such a call would not be texted, because the caller has already been texted (already_texted)" in told.stdout
    assert "textback.toml" in told.stdout
    assert running.cli("explain").returncode == 2
    assert running.cli("explain", "--line", "front-desk", "--at", "noon").returncode == 2
