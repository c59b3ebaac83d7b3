"""Whose name a request calls us by: a page in an admin's browser that points its own name at us gets nothing."""

import json
from pathlib import Path

import pytest

from gateway.web.hosts import Hosts
from tests.web.wire import Start, ask, reply_of, request, with_hooks

GUARDED = ("/api/v1/status", "/metrics", "/api/v1/texts/1/drop", "/nowhere")


def test_strange_names_get_no_answer(gateway: Start, tmp_path: Path) -> None:
    running = with_hooks(gateway, tmp_path, web='public_url = "https://office.example"')
    for path in GUARDED:
        method = "POST" if path.endswith("drop") else "GET"
        answer = ask(running.web_port, request(path, method=method, host="evil.example"))
        assert answer.status == 421, path
        assert "web.public_url" in json.loads(answer.body)["error"]
    for host in ("127.0.0.1", f"localhost:{running.web_port}", "[::1]:8080", "office.example", "OFFICE.example.:443"):
        assert ask(running.web_port, request("/api/v1/status", host=host)).status == 200, host
    for path in ("/healthz", "/readyz"):
        assert ask(running.web_port, request(path, host="evil.example")).status == 200
    assert ask(running.web_port, request(reply_of("hello"), host="evil.example")).status == 200
    assert running.cli("status").returncode == 0
    twice = request("/api/v1/status", more="Host: evil.example\r\n")
    assert ask(running.web_port, twice).status in (400, 421)
    assert ask(running.web_port, b"GET /api/v1/status HTTP/1.0\r\n\r\n").status == 421


@pytest.mark.parametrize(
    ("listen", "header", "is_known"),
    [
        ("127.0.0.1", "localhost", True),
        ("127.0.0.1", "LocalHost:8080", True),
        ("127.0.0.1", "127.8.9.1:80", True),
        ("127.0.0.1", "[::1]", True),
        ("127.0.0.1", "[::ffff:127.0.0.1]:8080", True),
        ("127.0.0.1", "192.0.2.7", False),
        ("127.0.0.1", "localhost.evil.example", False),
        ("127.0.0.1", "127.0.0.1.evil.example", False),
        ("127.0.0.1", "", False),
        ("127.0.0.1", "[::1", False),
        ("127.0.0.1", "::1", False),
        ("127.0.0.1", "localhost:80:80", False),
        ("127.0.0.1", "user@localhost", False),
        ("127.0.0.1", "2130706433", False),
        ("192.0.2.7", "192.0.2.7:8080", True),
        ("192.0.2.7", "192.0.2.8:8080", False),
        ("192.0.2.7", "gateway.lan", False),
        ("192.0.2.7", "localhost", True),
        ("0.0.0.0", "192.0.2.8", True),
        ("0.0.0.0", "[2001:db8::1]:8080", True),
        ("::", "192.0.2.8", True),
        ("0.0.0.0", "gateway.lan", False),
        ("2001:db8::1", "[2001:DB8:0::1]:8080", True),
        ("127.0.0.1", "office.example", True),
        ("127.0.0.1", "office.example.:8443", True),
        ("127.0.0.1", "xoffice.example", False),
    ],
)
def test_names(listen: str, header: str, is_known: bool) -> None:
    assert Hosts.of(listen, "https://Office.example:8443/textback").knows(header) == is_known


def test_no_public_name_is_no_name() -> None:
    assert not Hosts.of("127.0.0.1", None).knows("")
    assert not Hosts.of("127.0.0.1", "").knows("")
