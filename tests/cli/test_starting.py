"""Where no gateway answers, the cure is the command by which this one is started: systemd's where it is a service."""

import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.peers.machine import Machine
from tests.peers.ports import free_port

ROOT = Path(__file__).parents[2]
ITS_OWN, ANOTHER = "/etc/textback/textback.toml", "/etc/textback/new one.toml"
CONFIG = """\
data_dir = "/run/office"
timezone = "America/Chicago"
region = "US"
[web]
listen = "127.0.0.1:{port}"
[trunk.pbx]
peers = ["192.0.2.10"]
[sms.primary]
kind = "spool"
[line.front-desk]
number = "+14155550100"
"""


@pytest.fixture(scope="module")
def machine(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Machine]:
    """Its service is installed, and does not run."""
    directory = tmp_path_factory.mktemp("machine")
    there = Machine(directory).start()
    (directory / "textback.toml").write_text(CONFIG.format(port=free_port()))
    for path in (ITS_OWN, ANOTHER):
        there.run("install", "-D", "-m", "644", str(directory / "textback.toml"), path)
    there.run("install", "-D", "-m", "644", str(ROOT / "systemd/textback.service"), "/etc/systemd/system/textback.service")
    yield there
    there.stop()


@pytest.mark.parametrize("command", ["status", "reload", "healthy", "calls"])
@pytest.mark.parametrize(
    ("named", "cure"),
    [
        ((), "systemctl start textback"),
        (("-c", ITS_OWN), "systemctl start textback"),
        (("-c", ANOTHER), f"textback -c '{ANOTHER}' run"),
    ],
)
def test_cure_is_how_this_gateway_is_started(machine: Machine, command: str, named: tuple[str, ...], cure: str) -> None:
    done = machine.run(sys.executable, "-m", "gateway", *named, command, PYTHONPATH=str(ROOT))
    assert (done.returncode, done.stdout) == (1, "")
    assert done.stderr.count(cure) == 1, done.stderr
    assert done.stderr.count("textback run") == 0


def test_without_systemd_it_is_no_service(machine: Machine) -> None:
    """As in a container that was made of an installed machine."""
    machine.run("rmdir", "/run/systemd/system")
    done = machine.run(sys.executable, "-m", "gateway", "status", PYTHONPATH=str(ROOT))
    machine.run("mkdir", "/run/systemd/system")
    assert done.stderr.endswith("(textback run)\n")
