"""`textback healthy`, which a container's health check calls every few seconds."""

import json
import re
import socket
import subprocess
import sys
import threading
from collections.abc import Callable
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path

import pytest

from gateway.cli.healthy import healthy
from gateway.cli.main import _parser
from tests.peers.gateway import RunningGateway

ROOT = Path(__file__).parents[2]


def ask(path: Path) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "gateway", "-c", str(path), "healthy"]
    return subprocess.run(command, capture_output=True, text=True, timeout=60, check=False, cwd=ROOT)


def test_running_gateway_is_healthy_whatever_becomes_of_the_file(
    gateway: Callable[..., RunningGateway], tmp_path: Path
) -> None:
    (tmp_path / "web.password").write_text("secret")
    running = gateway(web='password_file = "web.password"')
    (running.path.parent / "web.password").unlink()  # the health check's user needs no secret
    good = running.path.read_text()
    place = re.search(r'listen = "(127[^"]*)"', good)
    assert place is not None
    for content in (
        good,
        good.replace("ring_seconds", "ring_secs"),
        good.replace('region = "US"', 'region = "US'),
        good.replace("[web]", "[web] # where\nlisten_not = [1,"),
    ):
        running.path.write_text(content)
        done = ask(running.path)
        assert (done.returncode, done.stdout, done.stderr) == (0, f"the gateway at {place[1]} answers\n", "")
    running.end()
    done = ask(running.path)
    assert (done.returncode, done.stdout) == (1, "")
    assert re.fullmatch(
        rf"textback: no gateway answers at {place[1]} \(.*\); look at its log, or start it with textback -c {re.escape(str(running.path))} run\n",
        done.stderr,
    )


class Stranger(BaseHTTPRequestHandler):
    def do_GET(self) -> None:
        self.send_error(404)

    def log_message(self, *_: object) -> None:
        pass


@pytest.fixture
def stranger() -> HTTPServer:
    return HTTPServer(("127.0.0.1", 0), Stranger)


@pytest.mark.parametrize("listen", ["127.0.0.1:{}", "localhost:{}", "0.0.0.0:{}"])
def test_another_program_is_no_gateway(
    stranger: HTTPServer, tmp_path: Path, listen: str, capsys: pytest.CaptureFixture[str]
) -> None:
    answering = threading.Thread(target=stranger.handle_request)
    answering.start()
    path = tmp_path / "textback.toml"
    path.write_text(f"[web]\nlisten = {json.dumps(listen.format(stranger.server_port))}\n")
    assert healthy(str(path)) == 1
    answering.join()
    stranger.server_close()
    said = capsys.readouterr().err
    assert (
        said
        == f"textback: 127.0.0.1:{stranger.server_port} answers 404, as no gateway does; does another program listen there?\n"
    )


def test_who_accepts_and_says_nothing_is_not_waited_for_long(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path = tmp_path / "textback.toml"
    with socket.create_server(("127.0.0.1", 0)) as silent:
        path.write_text(f'[web]\nlisten = "127.0.0.1:{silent.getsockname()[1]}"\n')
        assert healthy(str(path)) == 1
    assert "timed out" in capsys.readouterr().err


def test_it_loads_none_of_the_other_commands() -> None:
    program = (
        "import sys; sys.argv = ['textback', '-c', '/nonexistent', 'healthy']; from gateway.__main__ import main; main();"
        "sys.exit(' '.join({'pydantic', 'aiohttp', 'structlog', 'asyncio'} & sys.modules.keys()) or None)"
    )
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, timeout=60, check=False, cwd=ROOT)
    assert "no gateway answers at 127.0.0.1:8080" in done.stderr or done.stdout
    assert done.returncode == 0, done.stderr


def test_image_asks_by_this_command() -> None:
    check = re.search(r"^HEALTHCHECK .*CMD (\[.*\])$", (ROOT / "Dockerfile").read_text(), flags=re.MULTILINE)
    assert check is not None
    program, *arguments = json.loads(check[1])
    assert program == "/opt/textback/bin/textback"
    assert _parser().parse_args(arguments).config is None
    assert arguments == ["healthy"]
