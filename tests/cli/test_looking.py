"""Commands that look, or ask the running gateway: without any secret, and while the configuration is broken."""

import re
import subprocess
import sys
from pathlib import Path

import pytest
from structlog.testing import capture_logs

from config.load import load
from config.problems import ConfigError
from gateway.cli.configuration import for_looking
from gateway.process import config_copy
from gateway.process.data_dir import LAST_GOOD, TOKEN_FILE
from tests.peers import sipp
from tests.peers.disk import SmallDisk
from tests.peers.gateway import SPOOL, RunningGateway
from tests.peers.sipp import Call, Ends
from tests.sms.provider_settings import SECTIONS
from tests.web.wire import KANNEL, SECRET, Start

LAST = "What follows goes by the last one that the gateway took"
GOOD = """\
timezone = "America/Chicago"
data_dir = "data"
region = "US"
[trunk.pbx]
peers = ["192.0.2.10"]
[sms.spool]
kind = "spool"
[line.front]
number = "+14155550100"
"""


@pytest.fixture
def taken(tmp_path: Path) -> Path:
    """A configuration that a gateway took."""
    path = tmp_path / "textback.toml"
    path.write_text(GOOD)
    config = load(path)
    config.data_dir.mkdir()
    config_copy.keep(config)
    return path


@pytest.mark.parametrize(
    ("broken", "said"),
    [
        (GOOD.replace('"US"', "5"), "textback.toml:3: region: 5 is no country"),
        (GOOD.replace("[line.front]", "[line.front"), "textback.toml:8: Expected"),
        (GOOD.replace('"data"', '"data'), "textback.toml:2: "),
        (GOOD.replace('"data"', "data  # here"), "textback.toml:2: "),
        (GOOD.replace("data_dir = ", "'data_dir'= ") + "=", "textback.toml:10: "),
        (GOOD + "data_dir = 'elsewhere'\n[[[\n", "textback.toml:11: "),
        (GOOD + "# Zürich\n", "textback.toml:10: is not UTF-8"),
    ],
    ids=["a wrong value", "half a table", "an open quote", "no quotes", "quoted key", "another below", "Latin-1"],
)
def test_broken_file_is_named_and_the_last_good_one_counts(
    taken: Path, capsys: pytest.CaptureFixture[str], broken: str, said: str
) -> None:
    good = for_looking(str(taken))
    assert capsys.readouterr().err == ""
    taken.write_bytes(broken.encode("latin-1" if "Zürich" in broken else "utf-8"))
    config = for_looking(str(taken))
    told = capsys.readouterr().err
    assert told.count("\n") == 1
    assert said in told
    assert re.search(rf"{LAST}, {taken.parent}/data/last-good\.toml, of \d{{4}}-\d\d-\d\d \d\d:\d\d C[DS]T;", told)
    assert (config.data_dir, config.hash, config.line) == (good.data_dir, good.hash, good.line)
    assert config.where("region") == "last-good.toml:3"


def test_without_a_copy_the_errors_are_all_there_is(taken: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (taken.parent / "data" / LAST_GOOD).unlink()
    taken.write_text(GOOD.replace('"US"', "5"))
    with pytest.raises(ConfigError, match="is no country"):
        for_looking(str(taken))
    assert capsys.readouterr().err == ""


def test_copy_of_another_version_is_said_to_be_one(taken: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (taken.parent / "data" / LAST_GOOD).write_text("from = 'the future'\n")
    taken.write_text(GOOD.replace('"US"', "5"))
    with pytest.raises(ConfigError, match="is no country"):
        for_looking(str(taken))
    assert "none for this version of the program: " in capsys.readouterr().err


def test_file_that_is_named_and_is_not_there_is_not_guessed(taken: Path) -> None:
    with pytest.raises(ConfigError, match="cannot be read: No such file"):
        for_looking(str(taken.with_name("typo.toml")))


def test_copy_is_whole_and_its_owners_alone(taken: Path) -> None:
    copy = taken.parent / "data" / LAST_GOOD
    assert copy.read_text() == GOOD
    assert copy.stat().st_mode & 0o777 == 0o600
    before = copy.stat().st_ino
    config_copy.keep(load(taken))
    assert copy.stat().st_ino == before
    taken.write_text(GOOD + "[limits]\nper_minute = 5\n")
    config_copy.keep(load(taken))
    assert copy.read_text() == taken.read_text()
    assert [path.name for path in copy.parent.iterdir()] == [LAST_GOOD]


def test_copy_that_finds_no_room(tmp_path: Path) -> None:
    """The older one stays whole."""
    path = tmp_path / "textback.toml"
    path.write_text(GOOD)
    disk = SmallDisk(tmp_path / "data", megabytes=1)
    try:
        config_copy.keep(load(path))
        disk.fill()
        path.write_text(GOOD + "# more\n" * 10_000)
        with capture_logs() as logs:
            config_copy.keep(load(path))
        assert [log["event"] for log in logs] == ["configuration_copy_not_kept"]
        assert "No space left on device" in logs[0]["error"]
        assert (disk.path / LAST_GOOD).read_text() == GOOD
        assert sorted(one.name for one in disk.path.iterdir()) == ["filler", LAST_GOOD]
    finally:
        disk.unmount()


@pytest.mark.parametrize("kind", SECTIONS)
def test_no_kind_of_bridge_needs_its_secrets_to_be_looked_at(tmp_path: Path, kind: str) -> None:
    path = tmp_path / "textback.toml"
    section = SECTIONS[kind].format(url="http://127.0.0.1:1")
    path.write_text(GOOD.replace("[line", f'[sms.primary]\nkind = "{kind}"\n{section}\n[line'))
    assert "primary" in load(path, has_secrets=False).sms


IGNORES_CHILDREN = (
    sys.executable,
    "-c",
    "import os, signal, sys; signal.signal(signal.SIGCHLD, signal.SIG_IGN); os.execv(sys.argv[1], sys.argv[1:])",
)
"""So does many a supervisor, and what it starts inherits it: nobody would hear how the SIP agent ended."""


def test_commands_beside_a_gateway_whose_file_is_broken_and_whose_secrets_are_gone(gateway: Start, tmp_path: Path) -> None:
    """The secrets go first; then the file breaks, as text."""
    for name in ("kannel.password", "hook.password", "web.password"):
        (tmp_path / name).write_text(SECRET)
    running = gateway(prefix=IGNORES_CHILDREN, sms=SPOOL + KANNEL, web='password_file = "web.password"')
    assert sipp.place(tmp_path, running.sip_port, [Call(caller="+14155550123")], Ends(cancel_after=0.2)).is_good
    running.wait_for("texts", 1, state="accepted")
    for secret in running.directory.glob("*.password"):
        secret.unlink()
    assert running.get("/api/v1/status")[0] == 401
    asked = looked_at(running)
    meant_for_others(running, tmp_path)
    unchanged = "textback: text 1 is accepted; only a text whose fate is unknown can be settled, so nothing was changed\n"
    nothing = {"No replies yet.\n", "No network has said of a number that it cannot be texted.\n"}
    assert {error for _, error, _ in asked.values()} == {"", unchanged, *nothing}
    running.path.write_text(running.path.read_text() + "\n[line.second\n")
    running.reload()
    assert "event=reload_refused" in running.log
    again = looked_at(running)
    for command, (output, error, status) in again.items():
        assert LAST in error.splitlines()[0], command
        assert "textback.toml:" in error.splitlines()[0], command
        assert status == asked[command][2], (command, error)
        if command != "status":
            assert output == asked[command][0].replace("textback.toml", LAST_GOOD), command
    assert "The configuration was not loaded again:" in again["status"][0]
    (running.directory / "web.password").write_text(SECRET)
    running.configure(web='password_file = "web.password"', more='[consent]\nquiet_hours = "21:00-08:00"')
    running.reload()
    assert (running.directory / "data" / LAST_GOOD).read_text() == running.path.read_text()
    assert running.stop() == 0
    assert "nknown child process" not in running.log
    assert "agent_lost" not in running.log


def meant_for_others(running: RunningGateway, directory: Path) -> None:
    """The same address, another data directory: what is said of this gateway would be false of that one."""
    other = directory / "other.toml"
    other.write_text(running.path.read_text().replace('data_dir = "data"', 'data_dir = "other"'))
    here = [sys.executable, "-m", "gateway", "-c", str(other), "status"]
    done = subprocess.run(here, capture_output=True, text=True, timeout=90, check=False)
    assert (done.returncode, done.stdout) == (1, "")
    assert done.stderr == f"textback: no gateway runs on {directory}/other; start it first (textback -c {other} run)\n"
    (directory / "other").mkdir()
    (directory / "other" / TOKEN_FILE).write_text("another's")
    done = subprocess.run(here, capture_output=True, text=True, timeout=90, check=False)
    assert (done.returncode, done.stdout) == (1, "")
    assert "does another gateway have that address?" in done.stderr


def looked_at(running: RunningGateway) -> dict[str, tuple[str, str, int]]:
    """What each command says: on both streams, and by its exit status."""
    commands = ("calls", "texts", "replies", "status", "explain last", "numbers list", "texts settle 1")
    done = {command: running.cli(*command.split()) for command in commands}
    return {command: (one.stdout, one.stderr, one.returncode) for command, one in done.items()}
