"""A fault of ours in a handler: one line in the log with its traceback, and nothing of it to the caller."""

import asyncio
import json
import sqlite3
from pathlib import Path

import pytest
from aiohttp import web
from structlog.testing import capture_logs

from config.values import Place
from gateway.web import faults, server
from gateway.web.door import in_turns
from tests.peers.gateway import RunningGateway
from tests.web.wire import SECRET, Start, ask, reply_of, request, with_hooks


def broken(running: RunningGateway, table: str) -> sqlite3.Connection:
    """From now on the database refuses rows of a table with an error that no part of the program expects."""
    db = sqlite3.connect(running.database, isolation_level=None)
    db.execute(f"CREATE TRIGGER broken BEFORE INSERT ON {table} BEGIN SELECT RAISE(ABORT, 'the trigger speaks'); END")
    return db


def test_fault_is_one_line_with_its_traceback_and_tells_the_caller_nothing(gateway: Start, tmp_path: Path) -> None:
    running = with_hooks(gateway, tmp_path)
    assert "Traceback" not in running.log
    db = broken(running, "replies")
    answer = ask(running.web_port, request(reply_of("hello")))
    assert answer.status == 500
    assert json.loads(answer.body) == {"error": "a fault of the gateway's own; its log has it"}
    running.wait_for_log("event=request_failed")
    (line,) = [line for line in running.log.splitlines() if "event=request_failed" in line]
    assert "Traceback" in line
    assert "the trigger speaks" in line
    assert "path=/hooks/primary/inbound/…" in line
    assert "method=GET" in line
    assert SECRET not in running.log
    assert "hello" not in running.log
    db.execute("DROP TRIGGER broken")
    db.close()
    assert ask(running.web_port, request(reply_of("hello"))).status == 200


def test_fault_of_an_action_is_told_too(gateway: Start) -> None:
    running = gateway()
    db = broken(running, "texts")
    done = running.cli("send-test", "+14155550123")
    assert done.returncode == 1
    assert "a fault of the gateway's own; its log has it" in done.stderr
    running.wait_for_log("path=/api/v1/send-test")
    assert "Traceback" in running.log
    db.close()


def test_database_that_cannot_be_written_is_said_to_who_asks(gateway: Start) -> None:
    running = gateway()
    other = sqlite3.connect(running.database, isolation_level=None)
    other.execute("BEGIN IMMEDIATE")
    done = running.cli("texts", "drop", "1")
    assert done.returncode == 1
    assert "another program holds the database" in done.stderr
    assert "Traceback" not in running.log
    other.execute("ROLLBACK")
    other.close()


@pytest.mark.parametrize(
    "octets",
    [b"\x16\x03\x01\x00\xa5\x01\x00\x00\xa1\x03\x03", b"GET / HTTP/9.9\r\n\r\n", b"GET / HTTP/1.1\r\nA b\r\n\r\n", b"\0" * 100],
)
def test_bad_http_is_answered_and_not_logged(gateway: Start, octets: bytes) -> None:
    running = gateway()
    running.wait_for_log("gateway_ready")
    before = running.log
    assert ask(running.web_port, octets + b"\r\n\r\n").status == 400
    assert running.log == before


async def test_fault_beyond_the_handlers_is_told_too() -> None:
    """A handler that returns nothing, and one that fails when half of its answer is out: aiohttp's own words."""

    async def nothing(_: web.Request) -> web.StreamResponse:
        return None  # type: ignore[return-value]

    async def half(request: web.Request) -> web.StreamResponse:
        answer = web.StreamResponse()
        await answer.prepare(request)
        await answer.write(b"half")
        raise LookupError("the other half is missing")

    app = web.Application(middlewares=[faults.told, in_turns])
    app.add_routes([web.get("/nothing", nothing), web.get("/half", half)])
    with capture_logs() as log, server.listening(Place(host="127.0.0.1", port=0)) as listener:
        port = listener.getsockname()[1]
        async with server.serving(app, listener):
            answer = await asyncio.to_thread(ask, port, request("/nothing"))
            assert answer.status == 500
            await asyncio.to_thread(ask, port, request("/half"))
    assert [(line["event"], line["log_level"]) for line in log].count(("request_failed", "error")) >= 2
    assert any("Missing return statement" in line.get("why", "") for line in log)
    assert any(line.get("path") == "/half" and line["exc_info"] for line in log)
