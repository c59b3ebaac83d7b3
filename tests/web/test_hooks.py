"""Webhooks towards strangers: who may call is asked before a body is read, and a body has its time and its size."""

import socket
import time
from pathlib import Path

from tests.web.wire import SECRET, Start, answer_of, ask, reply_of, request, with_hooks

PATH = f"/hooks/primary/inbound/{SECRET}"


def head(length: int) -> bytes:
    """The head of a POST that announces so many octets."""
    return f"POST {PATH} HTTP/1.1\r\nHost: x\r\nContent-Length: {length}\r\n\r\n".encode()


def test_address_that_may_not_call_is_refused_before_its_body(gateway: Start, tmp_path: Path) -> None:
    running = with_hooks(gateway, tmp_path, bridge='hook_from = "192.0.2.1"\n')
    answer = ask(running.web_port, head(60_000))
    assert (answer.status, answer.body) == (403, b"this address may not call\n")
    running.wait_for_log("event=hook_refused")


def test_stranger_who_is_refused_again_and_again_does_not_fill_the_log(gateway: Start, tmp_path: Path) -> None:
    running = with_hooks(gateway, tmp_path, bridge='hook_from = "192.0.2.1"\n')
    for _ in range(50):
        assert ask(running.web_port, head(60_000)).status == 403
    running.stop()
    assert running.log.count("event=hook_refused") == 1


def test_body_that_does_not_come_is_not_waited_for_longer_than_ten_seconds(gateway: Start, tmp_path: Path) -> None:
    running = with_hooks(gateway, tmp_path)
    began = time.monotonic()
    with socket.create_connection(("127.0.0.1", running.web_port), timeout=30) as link:
        answer = answer_of(link, head(100) + b"from=")
        assert answer.status == 408
        assert time.monotonic() - began > 5
        assert link.recv(1) == b""


def test_slow_body_is_cut_off(gateway: Start, tmp_path: Path) -> None:
    """An octet a second, each in time for a timeout that begins anew with each."""
    running = with_hooks(gateway, tmp_path)
    with socket.create_connection(("127.0.0.1", running.web_port), timeout=1) as link:
        link.sendall(head(1000))
        got = b""
        for _ in range(60):
            try:
                link.sendall(b"x")
                more = link.recv(1000)
            except TimeoutError:
                continue
            except ConnectionError:
                break
            got += more
            if not more:
                break
        else:
            raise AssertionError("the connection is still open")
    assert got.startswith(b"HTTP/1.1 408 ")


def test_body_that_is_too_large_is_refused_before_it_comes(gateway: Start, tmp_path: Path) -> None:
    running = with_hooks(gateway, tmp_path)
    assert ask(running.web_port, head(70_000)).status == 413
    chunk = b"1000\r\n" + b"x" * 0x1000 + b"\r\n"
    chunked = f"POST {PATH} HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n".encode()
    assert ask(running.web_port, chunked + chunk * 20).status == 413
    assert ask(running.web_port, request(reply_of("fine"))).status == 200


def test_caller_who_leaves_in_the_middle_is_no_fault(gateway: Start, tmp_path: Path) -> None:
    running = with_hooks(gateway, tmp_path)
    with socket.create_connection(("127.0.0.1", running.web_port), timeout=5) as link:
        link.sendall(head(100) + b"from=")
    assert ask(running.web_port, request(reply_of("fine"))).status == 200
    assert "Traceback" not in running.log
    assert "request_failed" not in running.log
