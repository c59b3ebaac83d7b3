"""The gateway, Kannel's real boxes, and an SMSC that is not ours: a text there, its receipt and a STOP back."""

import json
import time
import urllib.error
import urllib.request
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from sms.segments import gsm_7
from tests.end_to_end.test_texts import miss
from tests.peers.gateway import PATIENCE_S, RunningGateway
from tests.peers.kannel import Kannel
from tests.peers.settings import unpaced
from tests.peers.smsc import Smsc

Start = Callable[..., RunningGateway]
SECRET = "an-unguessable-secret"


@pytest.fixture
def kannel(tmp_path: Path, smsc: Smsc) -> Iterator[Kannel]:
    directory = tmp_path / "kannel"
    directory.mkdir()
    peer = Kannel(directory, smsc_port=smsc.port)
    yield peer
    peer.stop()


def use(running: RunningGateway, kannel: Kannel) -> str:
    """Send by Kannel from now on; the address of our webhooks."""
    (running.directory / "kannel.password").write_text("foobar")
    (running.directory / "hook.secret").write_text(SECRET)
    web = f"http://127.0.0.1:{running.web_port}"
    running.configure(
        sms=f'[sms.primary]\nkind = "kannel"\nurl = "{kannel.sendsms}"\nusername = "tester"\npassword_file = "kannel.password"\n'
        f'hook_secret_file = "hook.secret"\nhook_from = "127.0.0.1"\ncallback_url = "{web}"\n{unpaced()}',
    )
    running.reload()
    assert "reload_refused" not in running.log
    return f"{web}/hooks/primary"


def wait_for_replies(running: RunningGateway, count: int) -> list[dict[str, str]]:
    """Until so many replies are kept; all of them."""
    until = time.monotonic() + PATIENCE_S
    while len(replies := json.loads(running.cli("replies", "--json").stdout)) < count:
        assert time.monotonic() < until, f"{count} wanted, have {replies}\n{running.log}"
    found: list[dict[str, str]] = replies
    return found


def test_text_receipt_and_stop(gateway: Start, smsc: Smsc, kannel: Kannel, tmp_path: Path) -> None:
    running = gateway()
    hooks = use(running, kannel)
    kannel.start(f"{hooks}/inbound/{SECRET}")
    miss(running, tmp_path)
    (text,) = running.wait_for("texts", 1, state="accepted")
    (submitted,) = smsc.wait_for_submitted(1)
    assert (submitted["to"], submitted["from"]) == ("14155550123", "14155550100")
    assert bytes.fromhex(submitted["hex"]).decode() == text["body"]
    left = datetime.strptime(submitted["validity_period"], "%y%m%d%H%M%S000+").replace(tzinfo=UTC) - datetime.now(UTC)
    assert timedelta(minutes=10) < left <= timedelta(minutes=15)
    smsc.command(f"receipt {submitted['id']} DELIVRD")
    running.wait_for("texts", 1, state="delivered")
    smsc.command("reply 14155550123 14155550100 Stop")
    answer = running.wait_for("texts", 2)[1]
    assert answer["body"] == "ABC HVAC: you will get no more texts. Reply START to undo."
    miss(running, tmp_path)
    assert running.wait_for("calls", 2, outcome="no_answer")[1]["reason"] == "opted_out"
    assert len(smsc.wait_for_submitted(2)) == 2
    written = ["Jó † ☀  Ġ kérem", "Grüße & @ €", "スト"]
    smsc.command(f"octets 14155550177 14155550100 8 {'STOP'.encode('utf-16-be').hex()}")
    smsc.command(f"octets 14155550178 14155550100 8 {written[0].encode('utf-16-be').hex()}")
    smsc.command(f"octets 14155550178 14155550100 0 {gsm_7(written[1]).hex()}")
    smsc.command(f"octets 14155550178 14155550100 8 {written[2].encode('utf-16-be').hex()}")
    replies = wait_for_replies(running, 5)
    assert {reply["body"] for reply in replies if reply["from"] == "+14155550178"} == set(written)
    assert [reply["wish"] for reply in replies if reply["from"] == "+14155550177"] == ["opt_out"]
    assert SECRET not in running.log
    assert "foobar" not in running.log


def test_strangers_cannot_speak_for_kannel(gateway: Start, kannel: Kannel) -> None:
    running = gateway()
    hooks = use(running, kannel)
    for path in ("inbound", "inbound/wrong-secret-wrong-secret"):
        with pytest.raises(urllib.error.HTTPError) as caught:
            urllib.request.urlopen(f"{hooks}/{path}?from=%2B14155550123&to=%2B14155550100&text=START", timeout=30)
        assert caught.value.code == 403
        caught.value.close()
    assert running.cli("replies", "--json").stdout.strip() == "[]"


def test_stop_of_a_number_written_nationally(gateway: Start, kannel: Kannel, tmp_path: Path) -> None:
    """Networks write numbers as they like; what counts is whose they are."""
    running = gateway()
    hooks = use(running, kannel)
    for number, written in enumerate(("4155550123", "14155550123", "%2B14155550123", "0014155550123"), start=1):
        for word in ("START", "STOP"):
            query = f"from={written}&to=4155550100&text={word}&id={number}{word}"
            with urllib.request.urlopen(f"{hooks}/inbound/{SECRET}?{query}", timeout=30) as answer:
                assert answer.status == 200
    replies = json.loads(running.cli("replies", "--json").stdout)
    assert {(reply["from"], reply["to"]) for reply in replies} == {("+14155550123", "+14155550100")}
    miss(running, tmp_path)
    assert running.wait_for("calls", 1, outcome="no_answer")[0]["reason"] == "opted_out"


def test_kannel_that_is_away_loses_nothing(gateway: Start, smsc: Smsc, kannel: Kannel, tmp_path: Path) -> None:
    running = gateway()
    use(running, kannel)
    miss(running, tmp_path)
    (text,) = running.wait_for("texts", 1, state="queued")
    kannel.start()
    running.wait_for("texts", 1, state="accepted")
    assert [bytes.fromhex(one["hex"]).decode() for one in smsc.wait_for_submitted(1)] == [text["body"]]
