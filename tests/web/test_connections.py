"""Strangers who connect and send nothing, or an octet at a time, keep nobody out and no descriptor for ever."""

import resource
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest

from tests.peers.gateway import SPOOL, RunningGateway
from tests.web.wire import KANNEL, SECRET, answer_of, ask, reply_of, request

LIMITED = (
    sys.executable,
    "-c",
    "import os, resource, sys; n = int(sys.argv[1]); resource.setrlimit(resource.RLIMIT_NOFILE, (min(n, 256), n));"
    " os.execv(sys.argv[2], sys.argv[2:])",
    "1024",
)
"""Runs the rest of its arguments with at most 1,024 descriptors, of which 256 without asking for more."""


@pytest.fixture
def limited(tmp_path: Path) -> Iterator[RunningGateway]:
    """A gateway that can have no more than 1,024 descriptors."""
    (tmp_path / "kannel.password").write_text("foobar")
    (tmp_path / "hook.password").write_text(SECRET)
    running = RunningGateway(tmp_path, prefix=LIMITED, sms=SPOOL + KANNEL)
    running.start()
    yield running
    running.end()


@pytest.fixture
def links() -> Iterator[ExitStack]:
    """Holds open connections; this process may have enough of them."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (min(hard, 4096), hard))
    with ExitStack() as stack:
        yield stack
    resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))


def connect(running: RunningGateway, links: ExitStack, octets: bytes = b"") -> socket.socket:
    """One more connection that is kept."""
    link = links.enter_context(socket.create_connection(("127.0.0.1", running.web_port), timeout=5))
    link.sendall(octets)
    return link


def everything_works(running: RunningGateway) -> None:
    """The open pages, a webhook, the command line, and a text that is written to a file."""
    assert ask(running.web_port, request("/healthz")).status == 200
    assert ask(running.web_port, request(reply_of("hello", number=str(time.monotonic_ns())))).status == 200
    done = running.cli("send-test", "+14155550123", "--wait", "1")
    assert done.returncode == 0, done.stderr + running.log[-2000:]


def sent(link: socket.socket, octets: bytes) -> bool:
    """Is the connection still open?"""
    try:
        link.sendall(octets)
    except TimeoutError:
        return True
    except ConnectionError:
        return False
    return True


@pytest.mark.parametrize("octets", [b"", b"GET /healthz HTTP/1.1\r\nHost: 127.0.0.1\r\nX-Sl", b"POST /hooks/primary/inbound"])
def test_twelve_hundred_idle_connections(limited: RunningGateway, links: ExitStack, octets: bytes) -> None:
    for _ in range(1200):
        connect(limited, links, octets)
    everything_works(limited)
    assert "Traceback" not in limited.log
    assert "out of system resource" not in limited.log


def test_half_sent_bodies_keep_nobody_out_either(limited: RunningGateway, links: ExitStack) -> None:
    head = f"POST /hooks/primary/inbound/{SECRET} HTTP/1.1\r\nHost: x\r\nContent-Length: 1000\r\n\r\nfrom="
    for _ in range(1200):
        connect(limited, links, head.encode())
    everything_works(limited)


def test_connection_that_sends_nothing_is_closed(limited: RunningGateway, links: ExitStack) -> None:
    link = connect(limited, links)
    link.settimeout(30)
    assert link.recv(1) == b""


@pytest.mark.parametrize("is_first", [True, False])
def test_slow_head_is_cut_off(limited: RunningGateway, links: ExitStack, is_first: bool) -> None:
    """A header an octet a second, of the first request on a connection or of a further one."""
    link = connect(limited, links)
    if not is_first:
        link.sendall(b"GET /healthz HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n")
        assert answer_of(link).status == 200
    link.sendall(b"GET /healthz HTTP/1.1\r\nX-Slow: ")
    link.settimeout(1)
    for _ in range(60):
        try:
            link.sendall(b"x")
            assert link.recv(1) == b""
            break
        except TimeoutError:
            continue
        except ConnectionError:
            break
    else:
        raise AssertionError("the connection is still open")


def test_one_who_reads_no_answers_is_closed(limited: RunningGateway, links: ExitStack) -> None:
    """Thousands of questions, none of whose answers is taken: the gateway gives up, and reads no further meanwhile."""
    link = connect(limited, links)
    link.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
    link.settimeout(1)
    question = b"GET /metrics HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n" * 100
    until = time.monotonic() + 60
    while sent(link, question):
        assert time.monotonic() < until, "the connection is still open"
    everything_works(limited)


def test_connection_is_kept_for_the_next_request(limited: RunningGateway, links: ExitStack) -> None:
    """As a reverse proxy does."""
    link = connect(limited, links)
    for _ in range(50):
        link.sendall(b"GET /healthz HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n")
        got = b""
        while not got.endswith(b'{"alive": true}'):
            got += link.recv(1000)
    assert got.startswith(b"HTTP/1.1 200 ")


def test_soft_limit_is_raised_to_what_may_be_had(limited: RunningGateway) -> None:
    assert limited.process is not None
    assert resource.prlimit(limited.process.pid, resource.RLIMIT_NOFILE) == (1024, 1024)


def test_check_warns_of_a_low_limit(tmp_path: Path) -> None:
    running = RunningGateway(tmp_path)

    def said(limit: str) -> str:
        command = [*LIMITED[:-1], limit, sys.executable, "-m", "gateway", "-c", str(running.path), "check"]
        return subprocess.run(command, capture_output=True, text=True, timeout=30, check=True).stdout

    assert "no more than 512 files and connections" in said("512")
    assert "files and connections" not in said("4096")
