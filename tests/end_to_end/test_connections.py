"""Strangers who hold TCP connections open: a trunk's calls do not suffer, and its own connections are left alone."""

import resource
import socket
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from tests.peers import sipp
from tests.peers.gateway import RunningGateway
from tests.peers.sipp import Call, Ends

HELD = 1300
LIMIT = 1024
INVITE = (
    "INVITE sip:+14155550100@127.0.0.1 SIP/2.0\r\nVia: SIP/2.0/TCP 127.0.0.9:5060;branch=z9hG4bK{n}\r\n"
    "From: <sip:+14155550666@127.0.0.9>;tag={n}\r\nTo: <sip:+14155550100@127.0.0.1>\r\nCall-ID: stranger-{n}\r\n"
    "CSeq: 1 INVITE\r\nContact: <sip:x@127.0.0.9:5060>\r\nMax-Forwards: 70\r\nContent-Length: 0\r\n\r\n"
)


Connect = Callable[[int, str], socket.socket]


@pytest.fixture
def connect() -> Iterator[Connect]:
    """Connections from an address of this machine; closed with the test."""
    made: list[socket.socket] = []

    def one(port: int, source: str) -> socket.socket:
        made.append(socket.create_connection(("127.0.0.1", port), timeout=20, source_address=(source, 0)))
        return made[-1]

    yield one
    for link in made:
        link.close()


def is_closed(link: socket.socket, within: float) -> bool:
    """Does the other side close it?"""
    link.settimeout(within)
    try:
        while link.recv(65536):
            continue
    except TimeoutError:
        return False
    except OSError:
        return True
    return True


@pytest.fixture
def running(tmp_path: Path) -> Iterator[RunningGateway]:
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (min(hard, 8192), hard))
    started = RunningGateway(tmp_path, prefix=["prlimit", f"--nofile={LIMIT}:{LIMIT}"])
    started.listen_at("udp:127.0.0.1", "tcp:127.0.0.1")
    started.path.write_text(started.path.read_text().replace('["127.0.0.1", "::1"]', '["127.0.0.1", "127.0.0.3"]'))
    started.start()
    yield started
    started.end()
    resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))


def test_strangers_hold_more_connections_than_there_are_descriptors(
    running: RunningGateway, connect: Connect, tmp_path: Path
) -> None:
    agent = running.agent_pid()
    trunks_own = [connect(running.sip_port, "127.0.0.3") for _ in range(20)]
    callers = [f"+1415555{number}" for number in range(3000, 3080)]
    placed = [
        sipp.start(tmp_path, running.sip_port, [Call(caller=caller) for caller in half], ends, rate=10, transport=transport)
        for half, ends, transport in ((callers[:40], Ends(), "udp"), (callers[40:], Ends(cancel_after=0.2), "tcp"))
    ]
    held = [connect(running.sip_port, "127.0.0.9") for _ in range(HELD)]
    for number in range(HELD // 10):
        connect(running.sip_port, "127.0.0.9").sendall(INVITE.format(n=number).encode())
    assert [process.wait(60) for process in placed] == [0, 0]
    texts = running.wait_for("texts", len(callers), state="accepted")
    assert {text["to"] for text in texts} == set(callers)
    assert all(is_closed(link, 20) for link in held)
    assert not any(is_closed(link, 0.01) for link in trunks_own)
    assert running.agent_pid() == agent
    assert "connections_closed" in running.log
    running.wait_for_status(lambda status: status["agent"]["descriptors"] < 200)
    assert "+14155550666" not in running.log


def test_a_few_strangers_at_each_of_many_addresses(running: RunningGateway, connect: Connect, tmp_path: Path) -> None:
    agent = running.agent_pid()
    held = [connect(running.sip_port, f"127.0.{1 + number // 250}.{1 + number % 250}") for number in range(HELD)]
    ran = sipp.place(tmp_path, running.sip_port, [Call(caller="+14155550123")], Ends(cancel_after=0.2))
    assert ran.is_good, ran
    assert all(is_closed(link, 20) for link in held)
    assert running.agent_pid() == agent


def test_a_trunk_with_more_connections_than_descriptors_still_calls(
    running: RunningGateway, connect: Connect, tmp_path: Path
) -> None:
    """Those that no call is on are closed, the oldest first."""
    agent = running.agent_pid()
    held = [connect(running.sip_port, "127.0.0.3") for _ in range(HELD)]
    ran = sipp.place(tmp_path, running.sip_port, [Call(caller="+14155550123")], Ends(cancel_after=0.2))
    assert ran.is_good, ran
    assert is_closed(held[0], 20)
    assert not is_closed(held[-1], 0.01)
    assert running.agent_pid() == agent


def test_call_test_over_tcp_rings_longer_than_a_stranger_may_stay(tmp_path: Path) -> None:
    """This machine is of no trunk; the call with the right token is."""
    running = RunningGateway(tmp_path, ring=7)
    running.configure(listen=f'["tcp:127.0.0.1:{running.sip_port}"]', peers='["192.0.2.1"]', ring=7)
    try:
        running.start()
        tried = running.cli("call-test")
        assert tried.returncode == 0, tried
        assert "nobody answered (480)" in tried.stdout
    finally:
        running.end()


def test_more_calls_than_descriptors_are_heard_as_busy(tmp_path: Path) -> None:
    """The SIP stack would refuse them with 500 and not say so."""
    callers = [f"+1415555{number}" for number in range(4000, 4150)]
    running = RunningGateway(tmp_path, prefix=["prlimit", "--nofile=300:300"], max_calls=200, ring=4)
    try:
        running.start()
        many = [Call(caller=caller) for caller in callers]
        sipp.place(tmp_path, running.sip_port, many, Ends(rings=False), rate=300, within=20)
        calls = running.wait_for("calls", 22, outcome="no_answer")
        assert {call["caller"] for call in calls} == set(callers)
        running.wait_for("texts", len(callers), state="accepted")
        assert "fewer_calls_than_configured" in running.log
    finally:
        running.end()
