"""The gateway in a ring group that the PBX ends: phones ring beside it, and what the CANCEL says is the outcome."""

import time
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

from tests.peers import sipp
from tests.peers.gateway import RunningGateway
from tests.peers.sipp import Call, Ends

GROUP = """\
[line.group]
number = "+14155550105"
arrives = "group"
ring_seconds = 2
ring_most = "5s"
min_ring = "1s"
[line.group.text]
once_per = "call"
"""
AFTER_RING_SECONDS = Ends(cancel_after=2.5)
ELSEWHERE = replace(AFTER_RING_SECONDS, cancel_headers=('Reason: SIP;cause=200;text="Call completed elsewhere"',))


def test_who_ends_the_ring_decides(gateway: Callable[..., RunningGateway], tmp_path: Path) -> None:
    """A phone answers, or the PBX gives up, after `ring_seconds` have passed; or the PBX never ends it."""
    running = gateway(more=GROUP)

    def place(caller: str, ends: Ends, dialled: str = "+14155550105") -> float:
        began = time.monotonic()
        ran = sipp.place(tmp_path, running.sip_port, [Call(caller=caller, dialled=dialled)], ends)
        assert ran.is_good, ran
        return time.monotonic() - began

    place("+14155550123", ELSEWHERE)
    running.wait_for("calls", 1, line="group", outcome="answered_elsewhere", reason="not_missed")
    place("+14155550124", AFTER_RING_SECONDS)
    running.wait_for("calls", 1, line="group", outcome="abandoned", reason="missed_call")
    assert place("+14155550125", Ends(status=480)) >= 5
    running.wait_for("calls", 1, line="group", outcome="no_answer", reason="missed_call")
    place("+14155550126", Ends(status=487, invite_headers=("Expires: 2",)))
    calls = running.wait_for("calls", 2, line="group", outcome="no_answer", reason="missed_call")
    assert 2 <= next(call["rang_seconds"] for call in calls if call["caller"] == "+14155550126") < 5
    place("+14155550127", Ends(status=480, invite_headers=("Expires: 60",)), "+14155550100")
    running.wait_for("calls", 1, line="front-desk", outcome="no_answer")
    tried = running.cli("call-test", "--line", "group", "--from", "+14155550128")
    assert tried.returncode == 0, tried.stderr
    assert "we hung up (487)" in tried.stdout
    calls = running.wait_for("calls", 2, line="group", outcome="abandoned", reason="missed_call")
    assert next(call["rang_seconds"] for call in calls if call["caller"] == "+14155550128") < 5
    texts = running.wait_for("texts", 5)
    assert {text["to"] for text in texts} == {f"+1415555012{n}" for n in (4, 5, 6, 7, 8)}
