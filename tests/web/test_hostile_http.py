"""A table of what nobody should send: each gets an answer that tells nothing, and none is a fault of ours."""

import gzip
import json
from pathlib import Path

import pytest

from tests.peers.gateway import RunningGateway
from tests.web.wire import SECRET, Start, ask, reply_of, request, with_hooks

HOOK = f"/hooks/primary/inbound/{SECRET}"
FINE = b"from=%2B14155550123&to=%2B14155550100&text=hi&id=7"


def chunked(*chunks: bytes, method: str = "POST", path: str = HOOK) -> bytes:
    """A body in pieces, without its end."""
    head = f"{method} {path} HTTP/1.1\r\nHost: 127.0.0.1\r\nTransfer-Encoding: chunked\r\nConnection: close\r\n\r\n"
    return head.encode() + b"".join(b"%x\r\n%s\r\n" % (len(chunk), chunk) for chunk in chunks)


def post(path: str, body: bytes, more: str = "") -> bytes:
    return request(path, method="POST", body=body, more=more)


def hook(query: str) -> bytes:
    return request(f"{HOOK}?{query}")


STRANGE: dict[str, tuple[bytes, set[int]]] = {
    "HEAD of a page": (request("/healthz", method="HEAD"), {200}),
    "HEAD of metrics": (request("/metrics", method="HEAD"), {200}),
    "HEAD of a webhook": (request(HOOK, method="HEAD"), {405}),
    "OPTIONS": (request("/api/v1/status", method="OPTIONS"), {405}),
    "OPTIONS of everything": (request("*", method="OPTIONS"), {400, 404, 405}),
    "unknown method": (request("/healthz", method="BREW"), {400, 405}),
    "DELETE": (request("/api/v1/texts/1/drop", method="DELETE"), {405}),
    "CONNECT": (request("127.0.0.1:80", method="CONNECT"), {400, 404, 405, 421}),
    "TRACE": (request("/healthz", method="TRACE"), {400, 405}),
    "no path": (request("nothing"), {400, 404}),
    "another server": (request("http://evil.example/healthz"), {200, 400, 404}),
    "100 kB URL": (request("/" + "a" * 100_000), {400, 414}),
    "100 kB query": (hook("text=" + "a" * 100_000), {400, 414}),
    "100 kB header": (request("/healthz", more=f"X-Long: {'a' * 100_000}\r\n"), {400, 431}),
    "1000 headers": (request("/healthz", more="X-Many: a\r\n" * 1000), {400, 431}),
    "bad percent": (request("/hooks/%zz/inbound"), {404}),
    "bad percent at the end": (request("/hooks/primary/inbound/%"), {403}),
    "bad percent in the query": (hook("from=%zz&to=%&text=%f"), {200, 400}),
    "NUL in the path": (request("/hooks/primary%00/inbound"), {400, 404}),
    "raw NUL in the path": (request("/hooks/primary\0/inbound"), {400, 404}),
    "NUL in the query": (hook("from=%2B14155550123&to=%2B14155550100&text=a%00b&id=%00"), {200, 400}),
    "invalid UTF-8 in the path": (request("/hooks/%ff%fe/inbound"), {404}),
    "invalid UTF-8 as the secret": (request("/hooks/primary/inbound/%ff%fe"), {403}),
    "umlaut as the secret": (request("/hooks/primary/inbound/%C3%BC"), {403}),
    "raw octets in the path": (b"GET /hooks/\xff\xfe/inbound HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n", {400, 404}),
    "raw octets as the secret": (b"GET /hooks/primary/inbound/\xff\xfe HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n", {400, 403}),
    "raw octets in a header": (b"GET /healthz HTTP/1.1\r\nHost: 127.0.0.1\r\nX: \xff\xfe\r\n\r\n", {200, 400}),
    "raw octets as the host": (b"GET /metrics HTTP/1.1\r\nHost: \xff\xfe\r\n\r\n", {400, 421}),
    "raw octets as the token": (
        b"POST /api/v1/texts/1/drop HTTP/1.1\r\nHost: 127.0.0.1\r\nX-Textback-Token: \xff\r\n\r\n",
        {400, 403},
    ),
    "invalid UTF-8 in the query": (hook("from=%ff&to=%fe&text=%ff%fe&id=%ff"), {200, 400}),
    "half a surrogate pair in the query": (hook("from=%2B14155550123&to=%2B14155550100&text=%ed%a0%80&id=9"), {200}),
    "invalid UTF-8 in the body": (post(HOOK, b"from=\xff&to=\xfe&text=\xff\xfe&id=\xff"), {200, 400}),
    "NUL in the body": (post(HOOK, b"from=%00&to=\0&text=%00&id=%00"), {200, 400}),
    "no field": (post(HOOK, b"{}"), {400}),
    "multipart without an end": (post(HOOK, b"--x\r\n", "Content-Type: multipart/form-data; boundary=x\r\n"), {400}),
    "unknown charset": (post(HOOK, FINE, "Content-Type: application/x-www-form-urlencoded; charset=klingon\r\n"), {200}),
    "gzip": (post(HOOK, gzip.compress(FINE), "Content-Encoding: gzip\r\n"), {200}),
    "gzip that is none": (post(HOOK, b"hello", "Content-Encoding: gzip\r\n"), {400}),
    "gzip bomb": (post(HOOK, gzip.compress(b"a" * 50_000_000), "Content-Encoding: gzip\r\n"), {413}),
    "brotli that is none": (post(HOOK, b"hello", "Content-Encoding: br\r\n"), {200, 400}),
    "Content-Length is a word": (request("/healthz", more="Content-Length: many\r\n"), {400}),
    "Content-Length below zero": (request("/healthz", method="POST", more="Content-Length: -1\r\n"), {400}),
    "Content-Length twice": (request(HOOK, method="POST", more="Content-Length: 5\r\nContent-Length: 6\r\n"), {400}),
    "Content-Length without end": (request(HOOK, method="POST", more=f"Content-Length: {'9' * 400}\r\n"), {400, 413}),
    "Content-Length too short": (post(HOOK, FINE)[:-3].replace(b"Content-Length: 50", b"Content-Length: 10"), {200, 400}),
    "length and chunks": (chunked(b"hi").replace(b"Transfer-", b"Content-Length: 3\r\nTransfer-"), {400}),
    "chunk of no length": (chunked()[:-2] + b"\r\nzz\r\nhi\r\n", {400}),
    "chunks with a lie": (chunked() + b"5\r\nhi\r\n0\r\n\r\n", {400}),
    "chunks without end, but too many": (chunked(*[b"x" * 5000] * 20), {413}),
    "unknown expectation": (request(HOOK, method="POST", more="Expect: a miracle\r\n"), {417}),
    "expectation that is no text": (request("/healthz").replace(b"\r\n\r\n", b"\r\nExpect: a\xb5miracle\r\n\r\n"), {400, 417}),
    "expectation that is no text, of nothing": (request("/").replace(b"\r\n\r\n", b"\r\nExpect: \xb5\r\n\r\n"), {400, 417}),
    "to be told to go on": (post(HOOK, FINE, "Expect: 100-continue\r\n"), {100, 200}),
    "upgrade": (request("/healthz", more="Upgrade: websocket\r\nConnection: upgrade\r\n"), {200, 400}),
    "HTTP/2 without asking": (b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n", {400}),
    "climbing by dots": (request("/hooks/../api/v1/status"), {404}),
    "climbing by escaped dots": (request("/hooks/%2e%2e/api/v1/status"), {404}),
    "climbing by escaped slashes": (request("/hooks/..%2f..%2fapi%2fv1%2fstatus"), {404}),
    "two slashes": (request("//api/v1/status"), {404}),
    "no such webhook": (request("/hooks/primary/outbound"), {404}),
    "no such bridge": (post("/hooks/nobody/inbound", FINE), {404}),
    "a bridge without webhooks": (post("/hooks/spool/inbound", FINE), {404}),
    "id above all numbers": (request("/api/v1/texts/9999999999999999999999/drop", method="POST"), {404}),
    "id below all numbers": (request("/api/v1/texts/-1/drop", method="POST"), {404}),
    "id in other digits": (request("/api/v1/texts/%D9%A1/drop", method="POST"), {404}),
    "no token": (request("/api/v1/texts/1/drop", method="POST"), {403}),
    "no token, and a body without end": (chunked(b"{", path="/api/v1/send-test"), {403}),
    "headers twice": (request("/healthz", more="Accept: a\r\nAccept: b\r\nCookie: a\r\nCookie: b\r\n"), {200}),
    "empty line first": (b"\r\n\r\n" + request("/healthz"), {200}),
    "HTTP/0.9": (b"GET /metrics\r\n\r\n", {400, 421}),
    "a header that goes on": (request("/healthz", more="X: a\r\n b\r\n"), {200, 400}),
}

DEEP = b"[" * 20_000
TALKS: dict[str, tuple[str, bytes, set[int]]] = {
    "no JSON": ("send-test", b"line=front-desk", {400}),
    "no object": ("send-test", b"[]", {400}),
    "a word": ("send-test", b'"hello"', {400}),
    "null": ("send-test", b"null", {400}),
    "nothing": ("send-test", b"", {400}),
    "deeper than anybody reads": ("send-test", DEEP, {400}),
    "invalid UTF-8": ("send-test", b'{"line": "\xff"}', {400}),
    "half a surrogate pair": ("send-test", b'{"line": "\\ud800", "to": "+14155550123"}', {400}),
    "NUL": ("send-test", b'{"line": "a\\u0000b", "to": "+14155550123"}', {400}),
    "field of another kind": ("send-test", b'{"line": [], "to": {}}', {400}),
    "number of another kind": ("send-test", b'{"line": "front-desk", "to": 14155550123}', {400}),
    "variant above all numbers": ("send-test", b'{"line": "front-desk", "to": "+14155550123", "variant": 1e999}', {400}),
    "variant that is none": ("send-test", b'{"line": "front-desk", "to": "+14155550123", "variant": "x"}', {400}),
    "variant far away": (
        "send-test",
        b'{"line": "front-desk", "to": "+14155550123", "variant": 1000000000000000000000}',
        {400},
    ),
    "too large": ("send-test", b'"' + b"x" * 70_000 + b'"', {413}),
    "since what": ("texts/drop", b'{"since": "yesterday"}', {400}),
    "since when there is no zone": ("texts/drop", b'{"since": "2026-11-23T10:00:00"}', {400}),
    "since a number": ("texts/drop", b'{"since": 5}', {400}),
    "line of another kind": ("texts/release", b'{"line": 5}', {400}),
    "number that is none": ("numbers/forget", b'{"number": "hello"}', {400}),
    "number is missing": ("numbers/forget", b"{}", {400}),
    "text above all numbers": ("texts/999999999999999999/drop", b"", {409}),
}


@pytest.fixture(scope="module")
def running(tmp_path_factory: pytest.TempPathFactory) -> object:
    directory = tmp_path_factory.mktemp("hostile")

    def start(**settings: object) -> RunningGateway:
        gateway = RunningGateway(directory, **settings)
        gateway.start()
        return gateway

    gateway = with_hooks(start, directory)
    yield gateway
    gateway.end()


def check(running: RunningGateway, octets: bytes, wanted: set[int]) -> None:
    """One of the answers that are wanted, without a word of Python's, and no fault in the log."""
    before = len(running.log)
    answer = ask(running.web_port, octets, within=15)
    assert answer.status in wanted, (answer, running.log[before:])
    assert b"Traceback" not in answer.body
    assert b".py" not in answer.body
    said = running.log[before:]
    assert "Traceback" not in said
    assert "request_failed" not in said
    assert SECRET not in said
    assert "out of system" not in said
    assert ask(running.web_port, request("/healthz")).status == 200


@pytest.mark.parametrize("name", STRANGE)
def test_strange_requests(running: RunningGateway, name: str) -> None:
    check(running, *STRANGE[name])


@pytest.mark.parametrize("name", TALKS)
def test_strange_words_of_somebody_who_has_the_token(running: RunningGateway, name: str) -> None:
    path, body, wanted = TALKS[name]
    token = (running.database.parent / "call-test.token").read_text()
    check(running, post(f"/api/v1/{path}", body, f"X-Textback-Token: {token}\r\n"), wanted)


def test_password_is_not_walked_around(gateway: Start, tmp_path: Path) -> None:
    (tmp_path / "web.password").write_text("open sesame")
    running = with_hooks(gateway, tmp_path, web='password_file = "web.password"')
    for path in (
        "/api/v1/status", "/hooks/../api/v1/status", "/hooks/%2e%2e/api/v1/status", "/healthz/../metrics", "/metrics?/hooks/",
        "/hooks/%2e%2e%2fmetrics", "//metrics", "/%6detrics", "/metrics;/healthz", "/./metrics",
    ):  # fmt: skip
        answer = ask(running.web_port, request(path))
        assert answer.status in (401, 404), path
        assert b"textback_" not in answer.body
        assert b"agent" not in answer.body
    assert ask(running.web_port, request("/healthz")).status == 200
    assert ask(running.web_port, request(reply_of("hello"))).status == 200
    assert json.loads(running.cli("status", "--json").stdout)["agent"]["up"]
