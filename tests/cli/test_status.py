"""`textback status` of a gateway whose SIP stack is the ready-made one, as an HTTP server tells it."""

import json
import threading
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path

import pytest

from gateway.process.data_dir import TOKEN_FILE
from tests.peers.commands import CONFIG, configured, run

AGENT = {
    "up": True, "calls": 0, "max_calls": 3, "stack": "pjsua2 2.15.1", "pid": 2, "strangers_refused": 0, "malformed_refused": 0,
    "stack_refused": 0, "requests_refused": 0, "turned_away": 0, "last_malformed": "", "last_request_refused": "", "rings_every_offer": False, "descriptors": 9, "descriptor_limit": 1024,
}  # fmt: skip
STATUS = {
    "version": "0", "pid": 1, "config_hash": "x", "reload_error": "", "files_unusable": [], "agent": AGENT, "trunks": {},
    "bridges": {}, "database": {"writable": True, "detail": "", "calls_kept": 0}, "queued": 0, "held": 0, "held_for_a_person": 0,
    "unknown": 0,
}  # fmt: skip
HINT = "script/build-pjsua2 builds one that rings every call"


class Told(BaseHTTPRequestHandler):
    agent = AGENT

    def do_GET(self) -> None:
        self.send_response(200)
        self.send_header("Content-Type", "application/json")
        self.end_headers()
        self.wfile.write(json.dumps({**STATUS, "agent": self.agent}).encode())

    def log_message(self, *_: object) -> None:
        pass


@pytest.mark.parametrize(
    ("agent", "hints", "refused"),
    [
        ({}, 1, None),
        ({"rings_every_offer": True}, 0, None),
        ({"rings_every_offer": False, "up": False}, 0, None),
        ({"stack_refused": 2}, 1, "refused: 0 from strangers, 0 malformed, 2 by the SIP stack"),
        (
            {"malformed_refused": 1, "last_malformed": "pbx (192.0.2.1:5060): From cannot be read"},
            1,
            "refused: 0 from strangers, 1 malformed, 0 by the SIP stack; the last malformed: pbx (192.0.2.1:5060): From cannot be read",
        ),
        (
            {"requests_refused": 3, "last_request_refused": "MESSAGE of pbx (192.0.2.1:5060)"},
            1,
            "refused: 3 requests that nobody here takes; the last: MESSAGE of pbx (192.0.2.1:5060)",
        ),
    ],
)
def test_status_says_what_the_sip_stack_refuses(
    tmp_path: Path, agent: dict[str, object], hints: int, refused: str | None
) -> None:
    served = type("_Told", (Told,), {"agent": {**AGENT, **agent}})
    with HTTPServer(("127.0.0.1", 0), served) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        path = configured(tmp_path, text=f'{CONFIG}[web]\nlisten = "127.0.0.1:{server.server_port}"\n')
        (tmp_path / TOKEN_FILE).write_text("token")
        (done,) = run(path, ["status"])
        server.shutdown()
    assert done.status == (0 if {**AGENT, **agent}["up"] else 1), done.err
    assert done.out.count(HINT) == hints
    assert [line.strip() for line in done.out.splitlines() if "refused:" in line] == ([refused] if refused else [])
