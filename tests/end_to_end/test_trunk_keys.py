"""What a trunk's keys say of numbers and statuses, through the real gateway and its reload: real calls, real answers."""

import json
from collections.abc import Callable
from pathlib import Path

from tests.peers import sipp
from tests.peers.gateway import RunningGateway
from tests.peers.sipp import Call, Ends

KEYS = 'strip = "9"\nreplace = "NXXXXXX -> +1415"\nno_answer = 486\n'
FORWARDED = Ends(
    status=486, invite_headers=("Diversion: <sip:95550100@[local_ip]>;reason=no-answer",), to_header="<sip:s@[remote_ip]>"
)


def test_numbers_and_statuses_are_the_trunks(gateway: Callable[..., RunningGateway], tmp_path: Path) -> None:
    running = gateway(trunk=KEYS)

    def place(caller: str, ends: Ends, dialled: str = "95550100") -> None:
        ran = sipp.place(tmp_path, running.sip_port, [Call(caller=caller, dialled=dialled)], ends)
        assert ran.is_good, ran

    place("95550123", Ends(status=486))
    place("914155550124", FORWARDED, "200")
    calls = running.wait_for("calls", 2, line="front-desk", outcome="no_answer", decision="send")
    assert [(call["caller"], call["caller_as_sent"]) for call in calls] == [
        ("+14155550123", "95550123"),
        ("+14155550124", "914155550124"),
    ]
    assert [text["to"] for text in running.wait_for("texts", 2)] == ["+14155550123", "+14155550124"]
    told = running.cli("explain", "1").stdout
    assert "caller read from From, sent as 95550123" in told

    running.configure(trunk="no_answer = 408")
    running.reload()
    place("95550125", Ends(status=404, rings=False))
    place("+14155550126", Ends(status=408), "+14155550100")
    running.wait_for("calls", 1, line="front-desk", caller="+14155550126", decision="send")
    running.wait_for("calls", 1, line=None, caller=None, outcome="refused")
    read = json.loads(running.cli("explain", "--json", "--header", "From: <sip:95550125@pbx>").stdout)
    assert (read["caller"]["number"], read["caller"]["steps"]) == (None, [])
