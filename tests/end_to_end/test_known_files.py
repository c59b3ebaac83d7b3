"""A contacts file that is not there when the gateway starts, comes, and goes again: with real calls."""

import urllib.request
from collections.abc import Callable
from pathlib import Path

from tests.peers.gateway import RunningGateway
from tests.peers.sipp import Call, Ends, place

Start = Callable[..., RunningGateway]
EVE, ADA, SAM = "+14155550125", "+14155550126", "+14155550127"
HUNG_UP = Ends(cancel_after=0.2)


def test_nobody_is_texted_who_may_be_blocked(gateway: Start, tmp_path: Path) -> None:
    running = gateway(more='[contacts]\nfile = "contacts.csv"')
    contacts = running.directory / "contacts.csv"
    assert place(tmp_path, running.sip_port, [Call(caller=EVE), Call(caller=ADA)], HUNG_UP).is_good
    texts = running.wait_for("texts", 2, state="held", held_for="contacts_unknown")
    assert all(text["due_at"] is not None for text in texts)
    (fault,) = running.get("/api/v1/status")[1]["files_unusable"]
    assert (fault["file"], fault["key"]) == (str(contacts), "contacts.file")
    shown = running.cli("status").stdout
    assert f"{contacts} is not there; put it there, or name another; meanwhile texts are held until it can be read" in shown
    assert "the contacts file is not there" in running.cli("explain", "1").stdout
    assert "textback_files_unusable 1.0" in metrics(running)
    checked = running.cli("check")
    assert (checked.returncode, "contacts.csv is not there" in checked.stderr) == (1, True)

    contacts.write_text(f"{EVE},Eve,blocked\n{SAM},Sam,staff\n")
    running.wait_for("texts", 1, state="accepted")
    running.wait_for("texts", 1, state="cancelled", detail="blocked")
    assert running.get("/api/v1/status")[1]["files_unusable"] == []

    running.stop()
    contacts.unlink()
    running.start()
    running.wait_for_log("its last good copy counts")
    assert place(tmp_path, running.sip_port, [Call(caller=SAM)], HUNG_UP).is_good
    calls = running.wait_for("calls", 1, reason="staff")
    assert sum(call["text"] is not None for call in calls) == 2
    assert {text["to"] for text in running.texts() if text["state"] == "accepted"} == {ADA}


def test_whose_row_broke_is_not_texted(gateway: Start, tmp_path: Path) -> None:
    """Staff and blocked people of the last good copy, over a restart; for `check` a row is a warning."""
    running = gateway(more='[contacts]\nfile = "contacts.csv"')
    contacts = running.directory / "contacts.csv"
    contacts.write_text(f"number,name,group\n{EVE},Eve,blocked\n{SAM},Sam,staff\n")
    running.wait_for_log("contacts_read")
    running.stop()
    contacts.write_text(f'number,name,group\n1.41556E+10,Eve,blocked\n{SAM},"Sam,staff\n{ADA},Ada,\n')
    running.start()
    running.wait_for_log("contact_rows_unreadable")
    assert place(tmp_path, running.sip_port, [Call(caller=caller) for caller in (EVE, SAM, ADA)], HUNG_UP).is_good
    running.wait_for("texts", 1, state="accepted")
    assert {call["reason"] for call in running.wait_for("calls", 3)} == {"blocked", "staff", "missed_call"}
    assert [text["to"] for text in running.texts()] == [ADA]
    shown = running.cli("status").stdout
    assert "has 2 rows that cannot be read (line 2: is no valid telephone number); textback check names each" in shown
    checked = running.cli("check")
    assert (checked.returncode, "contacts.csv:3: has a quote that is not closed" in checked.stdout) == (0, True), checked


def metrics(running: RunningGateway) -> str:
    """What Prometheus reads."""
    with urllib.request.urlopen(f"http://127.0.0.1:{running.web_port}/metrics", timeout=30) as answer:
        text: str = answer.read().decode()
        return text
