"""What networks have said of numbers, and forgetting it: somebody has a new phone."""

import asyncio
import json
from pathlib import Path

from tests.end_to_end.test_http_bridge import CALLER, call_hook, twilio
from tests.peers import sipp
from tests.peers.gateway import RunningGateway
from tests.peers.provider import Provider
from tests.peers.sipp import Call, Ends
from tests.web.wire import Start

PUBLIC = 'public_url = "https://office.example"'


def test_nothing_is_known_at_first(gateway: Start) -> None:
    running = gateway()
    assert running.cli("numbers", "list").stderr == "No network has said of a number that it cannot be texted.\n"
    assert json.loads(running.cli("numbers", "list", "--json").stdout) == []
    done = running.cli("numbers", "forget", CALLER)
    assert (done.returncode, done.stderr) == (
        1,
        f"textback: nothing is known of {CALLER}; textback numbers list shows what is\n",
    )
    wrong = running.cli("numbers", "forget", "hello")
    assert wrong.returncode == 2
    assert "is no valid telephone number" in wrong.stderr


async def test_number_that_was_forgotten_is_texted_again(gateway: Start, tmp_path: Path) -> None:
    provider = await Provider().start()
    section = twilio(provider, tmp_path)

    def missed(running: RunningGateway) -> None:
        assert sipp.place(tmp_path, running.sip_port, [Call(caller=CALLER)], Ends(cancel_after=0.2)).is_good

    def scenario() -> None:
        running = gateway(sms=section, web=PUBLIC)
        landline = {"MessageSid": "SM7", "MessageStatus": "undelivered", "ErrorCode": "30006", "To": CALLER}
        assert call_hook(running, "receipt", landline) == 200
        missed(running)
        assert running.wait_for("calls", 1, outcome="abandoned")[0]["reason"] == "undeliverable"
        (known,) = json.loads(running.cli("numbers", "list", "--json").stdout)
        assert (known["number"], known["is_dead"], known["refusals"]) == (CALLER, True, 0)
        assert known["source"].startswith("primary ")
        assert "30006" in known["source"]
        shown = running.cli("numbers", "list").stdout
        assert CALLER in shown
        assert "not texted" in shown
        assert known["source"] in shown
        done = running.cli("numbers", "forget", "+1 415-555-0123")
        assert (done.returncode, done.stdout) == (0, f"{CALLER} is forgotten; the next missed call is texted\n")
        assert "event=number_forgotten" in running.log
        assert "+1415•••0123" in running.log
        assert CALLER not in next(line for line in running.log.splitlines() if "number_forgotten" in line)
        assert json.loads(running.cli("numbers", "list", "--json").stdout) == []
        missed(running)
        assert running.wait_for("calls", 2, outcome="abandoned")[1]["decision"] == "send"
        assert running.post("/api/v1/numbers/forget", {"number": CALLER})[0] == 403

    await asyncio.to_thread(scenario)
    await provider.stop()
