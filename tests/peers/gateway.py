"""The real gateway as a process, and its real command line."""

import json
import os
import signal
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

from gateway.cli.show import call_json, text_json
from gateway.store import calls, texts
from gateway.store.database import reading
from gateway.store.selection import Selection
from tests.peers.ports import free_port, free_sip_port
from tests.peers.settings import awake

PATIENCE_S = 90.0
"""Until something that must happen counts as not happening: long, for a machine that has much else to do."""

CONFIG = """\
data_dir = "data"
timezone = "America/Chicago"
region = "US"

[sip]
listen = {listen}
rtp_ports = "10000-18999"
max_calls = {max_calls}

[web]
listen = "127.0.0.1:{web_port}"
{web}

[trunk.pbx]
peers = {peers}
{trunk}

{sms}

[line.front-desk]
number = "+14155550100"
business = "ABC HVAC"
ring_seconds = {ring}
min_ring = "{min_ring}"
same_call_within = "{same_call_within}"

[line.front-desk.text]
once_per = "{once_per}"
expires = "{expires}"

{more}

[limits]
{limits}
"""
SPOOL = '[sms.spool]\nkind = "spool"\n'
DEFAULTS = {
    "max_calls": 100,
    "peers": '["127.0.0.1"]',
    "trunk": "",
    "web": "",
    "sms": SPOOL,
    "ring": 1,
    "min_ring": "0s",
    "same_call_within": "off",
    "once_per": "call",
    "expires": "15m",
    "more": "",
    "limits": "per_minute = 100000\nper_day = 1000000",
}


def children(pid: int) -> list[int]:
    """The processes that a process has started."""
    return [int(child) for task in Path(f"/proc/{pid}/task").iterdir() for child in (task / "children").read_text().split()]


def is_running(pid: int) -> bool:
    """Is there such a process, and not only its end that nobody has asked for?"""
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] not in "ZX"
    except (FileNotFoundError, ProcessLookupError):
        return False


class RunningGateway:
    """A gateway of its own in a directory of its own."""

    def __init__(self, directory: Path, *, prefix: Sequence[str] = (), **settings: Any) -> None:
        self.directory, self._prefix = directory, prefix
        self.sip_port, self.web_port = free_sip_port(), free_port()
        self.path = directory / "textback.toml"
        self.configure(**settings)
        self.process: subprocess.Popen[bytes] | None = None

    def listen_at(self, *places: str) -> None:
        """Before the start: `udp:127.0.0.1`, `tcp:[::1]`, all on its own SIP port."""
        listed = ", ".join(f'"{place}:{self.sip_port}"' for place in places)
        self.configure(listen=f"[{listed}]", peers='["127.0.0.1", "::1"]')

    def configure(self, **settings: Any) -> None:
        """Write the configuration."""
        values = {**DEFAULTS, "listen": f'["udp:127.0.0.1:{self.sip_port}"]', **settings}
        self.path.write_text(awake(CONFIG.format(web_port=self.web_port, **values)))

    @property
    def log(self) -> str:
        """What it has logged."""
        path = self.directory / "log"
        return path.read_text() if path.exists() else ""

    @property
    def database(self) -> Path:
        """Its database."""
        return self.directory / "data" / "textback.db"

    def start(self, *, wait: bool = True, environment: dict[str, str] | None = None, log_to: int | None = None) -> None:
        """Start it, and wait until it would take a call. `log_to`: a descriptor instead of the file that `log` shows."""
        with (self.directory / "log").open("ab") as log:
            self.process = subprocess.Popen(
                [*self._prefix, sys.executable, "-m", "gateway", "-c", str(self.path), "run"],
                stderr=log if log_to is None else log_to,
                stdout=log,
                env={**os.environ, **(environment or {})},
            )
        if wait:
            self.wait_until_ready()

    def wait_until_ready(self) -> None:
        """Until /readyz answers 200."""
        until = time.monotonic() + PATIENCE_S
        while time.monotonic() < until:
            assert self.process is not None
            assert self.process.poll() is None, self.log
            if self.get("/readyz")[0] == 200:
                return
            time.sleep(0.05)
        raise AssertionError(f"not ready: {self.log}")

    def wait_for_log(self, words: str, *, within: float = PATIENCE_S) -> None:
        """Until the log has these words."""
        until = time.monotonic() + within
        while words not in self.log:
            assert time.monotonic() < until, self.log
            time.sleep(0.02)

    def get(self, path: str) -> tuple[int, Any]:
        """What the gateway's own HTTP server answers; 0 while nobody listens."""
        try:
            with urllib.request.urlopen(f"http://127.0.0.1:{self.web_port}{path}", timeout=30) as answer:
                return answer.status, json.load(answer)
        except urllib.error.HTTPError as error:
            is_json = error.headers.get_content_type() == "application/json"
            return error.code, json.load(error) if is_json else None
        except OSError:
            return 0, None

    def cli(self, *arguments: str) -> subprocess.CompletedProcess[str]:
        """Run a command as an admin would."""
        command = [sys.executable, "-m", "gateway", "-c", str(self.path), *arguments]
        return subprocess.run(command, capture_output=True, text=True, timeout=PATIENCE_S, check=False)

    def post(self, path: str, body: dict[str, Any]) -> tuple[int, Any]:
        """A POST without the token."""
        request = urllib.request.Request(f"http://127.0.0.1:{self.web_port}{path}", json.dumps(body).encode(), method="POST")
        try:
            with urllib.request.urlopen(request, timeout=30) as answer:
                return answer.status, json.load(answer)
        except urllib.error.HTTPError as error:
            return error.code, json.load(error)

    def reload(self) -> None:
        """SIGHUP, and until the log says what came of it."""
        assert self.process is not None
        events = ("configuration_loaded", "reload_refused")
        before = sum(self.log.count(event) for event in events)
        self.process.send_signal(signal.SIGHUP)
        until = time.monotonic() + PATIENCE_S
        while sum(self.log.count(event) for event in events) == before:
            assert time.monotonic() < until, f"no reload: {self.log}"
            time.sleep(0.02)

    def calls(self) -> list[dict[str, Any]]:
        """What `textback calls --json` says, oldest first."""
        with reading(self.database) as db:
            return [call_json(row) for row in reversed(calls.selected(db, Selection()))]

    def texts(self) -> list[dict[str, Any]]:
        """What `textback texts --json` says, oldest first."""
        with reading(self.database) as db:
            return [text_json(row) for row in reversed(texts.selected(db, Selection()))]

    def wait_for(self, what: str, count: int, *, within: float = PATIENCE_S, **wanted: Any) -> list[dict[str, Any]]:
        """Until `calls` or `texts` shows so many rows with these values; then all rows."""
        until = time.monotonic() + within
        while True:
            rows = self.calls() if what == "calls" else self.texts()
            found = [row for row in rows if all(row[key] == value for key, value in wanted.items())]
            if len(found) >= count:
                return rows
            assert time.monotonic() < until, (
                f"wanted {count} {what} with {wanted}, the last are {rows[-5:]}\n{self.log[-5000:]}"
            )
            time.sleep(0.05)

    def wait_until_all_have_ended(self) -> None:
        """Until each call has its outcome."""
        until = time.monotonic() + PATIENCE_S
        while going := [call for call in self.calls() if call["outcome"] is None]:
            assert time.monotonic() < until, going
            time.sleep(0.05)

    def wait_until_no_text_is_under_way(self) -> None:
        """Until each text has gone, or is known not to."""
        until = time.monotonic() + PATIENCE_S
        while going := [text for text in self.texts() if text["state"] in ("queued", "sending")]:
            assert time.monotonic() < until, going
            time.sleep(0.05)

    def wait_for_status(self, is_so: Callable[[dict[str, Any]], bool], *, within: float = PATIENCE_S) -> dict[str, Any]:
        """Until /api/v1/status is as wanted; the status."""
        until = time.monotonic() + within
        while True:
            status: dict[str, Any] = self.get("/api/v1/status")[1]
            if status and is_so(status):
                return status
            assert time.monotonic() < until, f"{status}\n{self.log}"
            time.sleep(0.05)

    def agent_pid(self) -> int:
        """The SIP agent's process."""
        pid: int = self.get("/api/v1/status")[1]["agent"]["pid"]
        return pid

    def stop(self) -> int:
        """SIGTERM; its exit status."""
        assert self.process is not None
        self.process.send_signal(signal.SIGTERM)
        return self.process.wait(timeout=PATIENCE_S)

    def kill(self) -> None:
        """SIGKILL, and wait until the agent, which is on its own then, has left too."""
        assert self.process is not None
        agents = children(self.process.pid)
        self.process.kill()
        self.process.wait(timeout=PATIENCE_S)
        until = time.monotonic() + PATIENCE_S
        while any(is_running(agent) for agent in agents):
            assert time.monotonic() < until, f"the agent outlives its gateway: {agents}"
            time.sleep(0.02)

    def end(self) -> None:
        """Leave nothing running."""
        if self.process is not None and self.process.poll() is None:
            self.process.terminate()
            try:
                self.process.wait(timeout=15)
            except subprocess.TimeoutExpired:
                self.process.kill()
                self.process.wait(timeout=5)
