"""How many connections one address may have: from elsewhere a quarter of all, so that no single stranger fills the rest."""

import socket
import sqlite3
import subprocess
import sys
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest

from tests.peers.gateway import SPOOL, RunningGateway
from tests.peers.netns import TwoMachines
from tests.web.test_connections import LIMITED, connect
from tests.web.test_connections import limited as limited  # noqa: PLC0414 — a fixture
from tests.web.test_connections import links as links  # noqa: PLC0414 — a fixture
from tests.web.wire import ask, reply_of, request

HOLDER = """
import socket, sys
host, port, count = sys.argv[1], int(sys.argv[2]), int(sys.argv[3])
links = [socket.create_connection((host, port), timeout=5) for _ in range(count)]
print("open", flush=True)
open_still = 0
for line in sys.stdin:
    for link in links:
        link.setblocking(False)
        try:
            open_still += link.recv(100) != b""
        except BlockingIOError:
            open_still += 1
        except OSError:
            pass
    print(open_still, flush=True)
"""
ASKER = """
import sys, urllib.request
with urllib.request.urlopen(f"http://{sys.argv[1]}:{sys.argv[2]}/healthz", timeout=5) as answer:
    print(answer.status)
"""


@pytest.fixture
def machines() -> Iterator[TwoMachines]:
    two = TwoMachines()
    try:
        yield two.start()
    finally:
        two.stop()


def test_a_stranger_has_no_more_than_a_quarter(tmp_path: Path, machines: TwoMachines) -> None:
    """300 idle ones from one machine: 128 of 512 are kept; that machine and others are answered all the same."""
    (tmp_path / "web.password").write_text("open sesame")
    running = RunningGateway(
        tmp_path, prefix=[*machines.on("office"), *LIMITED], web='password_file = "web.password"', sms=SPOOL
    )
    running.path.write_text(
        running.path.read_text().replace(f'"127.0.0.1:{running.web_port}"', f'"0.0.0.0:{running.web_port}"')
    )
    where = (machines.office_address, str(running.web_port))
    running.start(wait=False)
    try:
        running.wait_for_log("gateway_ready")
        command = [*machines.on("carrier"), sys.executable, "-c", HOLDER, *where, "300"]
        with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as holder:
            assert holder.stdin is not None
            assert holder.stdout is not None
            assert holder.stdout.readline() == "open\n"
            for machine in ("carrier", "office"):
                asker = [*machines.on(machine), sys.executable, "-c", ASKER, *where]
                assert subprocess.run(asker, capture_output=True, text=True, timeout=20, check=True).stdout == "200\n"
            holder.stdin.write("how many?\n")
            holder.stdin.flush()
            assert 64 <= int(holder.stdout.readline()) <= 128
            holder.stdin.close()
    finally:
        running.end()


def test_where_all_are_at_work_the_next_is_told_so(limited: RunningGateway, links: ExitStack) -> None:
    """384 whole requests that wait for a locked database: none of them is cut off for the next, which hears 503."""
    db = sqlite3.connect(limited.database, isolation_level=None)
    db.execute("BEGIN IMMEDIATE")
    at_work = [connect(limited, links, request(reply_of("hello", number=str(n)))) for n in range(384)]
    while (refused := ask(limited.web_port, request("/healthz"))).status == 200:
        at_work.append(connect(limited, links, request(reply_of("hello", number=str(len(at_work))))))
        assert len(at_work) < 1000
    assert (refused.status, refused.body) == (503, b'{"error": "too many connections"}\r\n')
    assert "Retry-After: 5" in refused.head
    db.execute("ROLLBACK")
    db.close()
    answered = [status(link) for link in at_work]
    assert set(answered) <= {200, 503, 0}
    assert answered.count(0) <= len(at_work) - 384  # whose request had not been read yet
    assert ask(limited.web_port, request("/healthz")).status == 200


def status(link: socket.socket) -> int:
    """Of an answer; 0 where there is none."""
    link.settimeout(20)
    try:
        said = link.recv(1000)
    except ConnectionError:
        return 0
    return int(said.split()[1]) if said else 0
