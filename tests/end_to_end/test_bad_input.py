"""What an admin gets wrong, and what a hostile network sends: one plain sentence, and the gateway lives."""

import os
import random
import re
import socket
import sqlite3
import subprocess
import sys
import time
from collections.abc import Callable
from contextlib import closing
from pathlib import Path

from tests.peers import sipp
from tests.peers.gateway import PATIENCE_S, RunningGateway
from tests.peers.sipp import Call, Ends

Start = Callable[..., RunningGateway]


def run_once(path: Path, *, user: int | None = None) -> tuple[int, str]:
    """`textback run` that is expected to end by itself: status and what it said, without the log's lines."""
    command = [sys.executable, "-m", "gateway", "-c", str(path), "run"]
    done = subprocess.run(command, capture_output=True, text=True, timeout=PATIENCE_S, check=False, user=user)
    assert "Traceback" not in done.stderr, done.stderr
    said = [line for line in done.stderr.splitlines() if not line.startswith("timestamp=")]
    return done.returncode, "\n".join(said)


def prepared(tmp_path: Path, **settings: object) -> RunningGateway:
    """A configuration, not started."""
    return RunningGateway(tmp_path, **settings)


def test_sip_port_taken(tmp_path: Path) -> None:
    running = prepared(tmp_path)
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as taken:
        taken.bind(("127.0.0.1", running.sip_port))
        status, said = run_once(running.path)
    assert status == 1
    assert said.startswith(f"textback: cannot listen on udp:127.0.0.1:{running.sip_port}: Address already in use")
    assert said.count("\n") == 0


def test_web_port_taken(tmp_path: Path) -> None:
    running = prepared(tmp_path)
    with socket.create_server(("127.0.0.1", running.web_port)):
        status, said = run_once(running.path)
    assert status == 1
    assert f"cannot listen on 127.0.0.1:{running.web_port} for the pages: Address already in use" in said
    assert said.count("\n") == 0


def test_data_directory_cannot_be_written(tmp_path: Path) -> None:
    running = prepared(tmp_path)
    (tmp_path / "data" / "gateway.lock").mkdir(parents=True)
    status, said = run_once(running.path)
    assert status == 1
    assert said.startswith(f"textback: data_dir {tmp_path}/data cannot be used: Is a directory")
    assert said.count("\n") == 0


def test_second_gateway_on_the_same_data(gateway: Start) -> None:
    running = gateway()
    status, said = run_once(running.path)
    assert status == 1
    assert "another gateway already runs on data_dir" in said
    assert said.count("\n") == 0


def test_database_of_a_newer_version(tmp_path: Path) -> None:
    running = prepared(tmp_path)
    (tmp_path / "data").mkdir()
    with closing(sqlite3.connect(running.database)) as db:
        db.execute("PRAGMA user_version = 99")
    status, said = run_once(running.path)
    assert status == 1
    assert "written by a newer Textback (schema 99" in said
    assert said.count("\n") == 0


def test_database_that_is_none(tmp_path: Path) -> None:
    running = prepared(tmp_path)
    (tmp_path / "data").mkdir()
    running.database.write_bytes(b"hello" * 1000)
    status, said = run_once(running.path)
    assert (status, said.count("\n")) == (1, 0)
    assert "this is not a Textback database" in said


def test_secret_that_cannot_be_read(tmp_path: Path) -> None:
    section = '[sms.p]\nkind = "smpp"\nhost = "h"\nsystem_id = "x"\npassword_file = "p.password"\n'
    running = prepared(tmp_path, sms=section)
    status, said = run_once(running.path)
    assert (status, said.count("\n")) == (1, 0)
    assert "sms.p.password_file: there is no file" in said


def test_commands_before_the_first_start(tmp_path: Path) -> None:
    running = prepared(tmp_path)
    for command in (["calls"], ["texts"], ["explain", "1"], ["status"], ["call-test"]):
        done = running.cli(*command)
        assert done.returncode == 1
        assert "Traceback" not in done.stderr
        assert re.search(r"textback (-c \S+ )?run", done.stderr)


def test_check_says_good_and_lists_what_is_not_in_effect(tmp_path: Path) -> None:
    running = prepared(tmp_path, more='[alert.owner]\nkind = "email"\nto = "mike@abchvac.example"\n')
    done = running.cli("check")
    assert done.returncode == 0
    assert "alert: read and checked, not in effect yet" in done.stdout
    assert "good" in done.stdout


def test_disk_that_cannot_be_written_loses_no_call_that_ends_later(gateway: Start, tmp_path: Path) -> None:
    """The database locked by somebody else: calls wait in memory and are journalled when it is free again."""
    running = gateway()
    other = sqlite3.connect(running.database, isolation_level=None)
    other.execute("BEGIN IMMEDIATE")
    assert sipp.place(tmp_path, running.sip_port, [Call(caller="+14155550123")]).is_good
    wait_until_readyz_says(running, 503)
    other.execute("ROLLBACK")
    other.close()
    running.wait_for("texts", 1, state="accepted")
    wait_until_readyz_says(running, 200)


def wait_until_readyz_says(running: RunningGateway, status: int) -> None:
    """200 or 503."""
    until = time.monotonic() + PATIENCE_S
    while running.get("/readyz")[0] != status:
        assert time.monotonic() < until, running.log
        time.sleep(0.05)


INVITE = (
    "INVITE sip:+14155550100@127.0.0.1 SIP/2.0\r\nVia: SIP/2.0/UDP 127.0.0.1:{port};branch=z9hG4bK{n}\r\n"
    "From: <sip:+14155550123@127.0.0.1>;tag={n}\r\nTo: <sip:+14155550100@127.0.0.1>\r\nCall-ID: hostile-{n}\r\n"
    "CSeq: 1 INVITE\r\nContact: <sip:x@127.0.0.1:{port}>\r\nMax-Forwards: 70\r\nContent-Length: 0\r\n\r\n"
)


def test_hostile_sip_ends_nothing(gateway: Start, tmp_path: Path) -> None:
    """Mutated INVITEs from a trunk's own address, ten thousand octets of noise, names with bytes that are no text."""
    running = gateway(ring=1, max_calls=300)
    agent = running.agent_pid()
    dice = random.Random(7)
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as peer:
        peer.bind(("127.0.0.1", 0))
        port = peer.getsockname()[1]
        for n in range(1500):
            octets = bytearray(INVITE.format(port=port, n=n).encode())
            for _ in range(dice.randint(1, 12)):
                octets[dice.randrange(len(octets))] = dice.randrange(256)
            peer.sendto(bytes(octets), ("127.0.0.1", running.sip_port))
            if n % 25 == 0:
                time.sleep(0.02)
        named = (
            INVITE.format(port=port, n="odd").replace("From: <", 'From: "a\x00\udcff\ud800b" <').encode(errors="surrogatepass")
        )
        peer.sendto(named, ("127.0.0.1", running.sip_port))
        peer.sendto(os.urandom(10_000), ("127.0.0.1", running.sip_port))
        peer.sendto(b"", ("127.0.0.1", running.sip_port))
    running.wait_for("calls", 20)  # some are proper calls all the same
    assert sipp.place(tmp_path, running.sip_port, [Call(caller="+14155550199")], Ends(cancel_after=0.3)).is_good
    running.wait_for("texts", 1, to="+14155550199", state="accepted")
    running.wait_until_all_have_ended()
    assert running.agent_pid() == agent
    assert "Traceback" not in running.log


def test_hostile_http_ends_nothing(gateway: Start) -> None:
    running = gateway()
    for octets in (
        b"\0" * 100,
        b"GET / HTTP/1.1\r\n" + b"a: b\r\n" * 5000 + b"\r\n",
        b"POST /healthz HTTP/1.1\r\nContent-Length: -1\r\n\r\n",
    ):
        with socket.create_connection(("127.0.0.1", running.web_port), timeout=30) as link:
            link.sendall(octets)
            assert link.recv(1000).startswith((b"HTTP/1.0 400 ", b"HTTP/1.1 400 "))
    assert running.get("/healthz") == (200, {"alive": True})
    assert "Traceback" not in running.log


def test_a_traceback_is_in_the_log_of_a_running_gateway(gateway: Start, tmp_path: Path) -> None:
    """What the tests above look for does get there; for a fault while a request is answered see tests/web/test_faults.py."""
    running = gateway()
    db = sqlite3.connect(running.database, isolation_level=None)
    db.execute("CREATE TRIGGER broken BEFORE INSERT ON calls BEGIN SELECT RAISE(ABORT, 'the trigger speaks'); END")
    db.close()
    sipp.place(tmp_path, running.sip_port, [Call(caller="+14155550123")])
    running.wait_for_log("Traceback")
    assert "the trigger speaks" in running.log
