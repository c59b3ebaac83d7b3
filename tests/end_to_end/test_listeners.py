"""Whatever a gateway listens on: a call over each of it is journalled and texted, and `textback call-test` works."""

import re
import socket
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.peers import sipp
from tests.peers.gateway import RunningGateway
from tests.peers.sipp import Call, Ends

SETS = [
    ("tcp:127.0.0.1",),
    ("udp:[::1]",),
    ("tcp:[::1]",),
    ("tcp:127.0.0.1", "udp:[::1]"),
    ("tcp:[::1]", "udp:127.0.0.1"),
    ("udp:127.0.0.1", "udp:[::1]"),
    ("tcp:[::1]", "tcp:127.0.0.1", "udp:[::1]", "udp:127.0.0.1"),
    ("udp:0.0.0.0", "tcp:0.0.0.0", "udp:[::]", "tcp:[::]"),
]


@pytest.mark.parametrize("places", SETS, ids=" ".join)
def test_listeners(tmp_path: Path, places: tuple[str, ...]) -> None:
    running = RunningGateway(tmp_path)
    running.listen_at(*places)
    try:
        running.start()
        placed = []
        for number, place in enumerate(places):
            transport, _, host = place.partition(":")
            host = {"0.0.0.0": "127.0.0.1", "[::]": "::1"}.get(host, host).strip("[]")
            for caller, ends in ((f"+1415555012{number}", Ends()), (f"+1415555013{number}", Ends(cancel_after=0.3))):
                one = [Call(caller=caller)]
                placed.append(sipp.start(tmp_path, running.sip_port, one, ends, host=host, transport=transport))
        assert [process.wait(60) for process in placed] == [0] * 2 * len(places)
        running.wait_for("texts", 2 * len(places), state="accepted")
        outcomes = sorted(call["outcome"] for call in running.calls())
        assert outcomes == ["abandoned"] * len(places) + ["no_answer"] * len(places)
        tried = running.cli("call-test", "--from", "+14155550177")
        assert tried.returncode == 0, tried
        assert re.search(r"it rings \(180\).*nobody answered \(480\)", tried.stdout, re.DOTALL), tried
        running.wait_for("texts", 1, to="+14155550177", state="accepted")
    finally:
        running.end()


@pytest.mark.parametrize("public", ["203.0.113.7", "2001:db8::7"])
def test_public_address_beside_listeners_of_both_families(tmp_path: Path, public: str) -> None:
    running = RunningGateway(tmp_path)
    places = ("udp:127.0.0.1", "udp:[::1]")
    running.listen_at(*places)
    running.path.write_text(running.path.read_text().replace("[sip]\n", f'[sip]\npublic_address = "{public}"\n'))
    try:
        running.start()
        for host in ("127.0.0.1", "::1"):
            placed = sipp.start(tmp_path, running.sip_port, [Call(caller="+14155550123")], Ends(cancel_after=0.2), host=host)
            assert placed.wait(60) == 0
        running.wait_for("calls", 2, outcome="abandoned")
    finally:
        running.end()


def test_call_that_nobody_answers(gateway: Callable[..., RunningGateway]) -> None:
    """The file names another address than the gateway took; then no gateway runs, and its token still lies there."""
    running = gateway()
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as silent:
        silent.bind(("127.0.0.1", 0))
        place = f"127.0.0.1:{silent.getsockname()[1]}"
        running.path.write_text(running.path.read_text().replace(f"127.0.0.1:{running.sip_port}", place))
        tried = running.cli("call-test", "--hang-up", "1")
    assert tried.returncode == 1, tried
    assert "we hung up; nothing had answered" in tried.stdout
    assert f"nobody answers calls at udp:{place}: was sip.listen changed since it started" in tried.stdout
    assert "(487)" not in tried.stdout
    running.stop()
    tried = running.cli("call-test", "--from", "+14155550177")
    assert (tried.returncode, tried.stdout) == (1, "")
    asked = running.cli("status")
    assert (asked.returncode, tried.stderr) == (1, asked.stderr)
    assert "textback: no gateway answers at 127.0.0.1:" in asked.stderr
    assert asked.stderr.endswith(f"; start it with textback -c {running.path} run\n")
