"""`script/install` and what it leaves behind, on a machine whose package index is out of reach from the start."""

import os
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.peers.gateway import PATIENCE_S
from tests.peers.machine import Machine

ROOT = Path(__file__).parents[1]
ENVIRONMENT = Path(sys.prefix).resolve()
OPT = Path("/opt/textback")
NO_INDEX = {"PIP_CONFIG_FILE": "/dev/null", "PIP_INDEX_URL": "http://127.0.0.1:9/simple", "PIP_RETRIES": "0"}


@pytest.fixture(scope="module")
def machine(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Machine]:
    """With an environment in /opt/textback that has what Textback needs, as an installed one has."""
    there = Machine(tmp_path_factory.mktemp("machine")).start()
    donor = tmp_path_factory.mktemp("donor")
    packages = donor / "lib" / f"python{sys.version_info.major}.{sys.version_info.minor}" / "site-packages"
    packages.mkdir(parents=True)
    for entry in (ENVIRONMENT / packages.relative_to(donor)).iterdir():
        if not entry.name.startswith(("textback-", "__editable__")):
            (packages / entry.name).symlink_to(entry)
    shutil.copy(ENVIRONMENT / "dependencies.stamp", donor)
    (donor / "run.stamp").touch()
    there.run("mkdir", "-p", f"{OPT}/.venvs")
    there.run("cp", "-a", str(donor), f"{OPT}/.venvs/")
    yield there
    there.stop()


@pytest.fixture(scope="module")
def checkout(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """As an admin who is careful has it: nobody else may read it, its path has a space, and a configuration lies beside the code."""
    path = tmp_path_factory.mktemp("home") / "my textback"
    listed = subprocess.run(
        ["tar", "-C", str(ROOT), "--exclude=./.*", "--exclude=__pycache__", "--exclude=*.egg-info", "-cf", "-", "."],
        capture_output=True,
        check=True,
    )
    path.mkdir()
    subprocess.run(["tar", "-C", str(path), "--mode=go=", "-xf", "-"], input=listed.stdout, check=True)
    (path / "textback.toml").write_text("")
    (path / "smsc.password").write_text("secret")
    return path


def install(machine: Machine, checkout: Path) -> subprocess.CompletedProcess[str]:
    return machine.run("bash", "-c", 'umask 077; exec "$0"', str(checkout / "script" / "install"), **NO_INDEX)


def version(machine: Machine) -> str:
    """What the service would run, also where its source is gone."""
    return machine.run("/usr/local/bin/textback", "--version").stdout


def set_version(checkout: Path, number: str) -> str:
    project = checkout / "pyproject.toml"
    lines = project.read_text().splitlines(keepends=True)
    project.write_text("".join(f'version = "{number}"\n' if line.startswith("version = ") else line for line in lines))
    return f"textback {number}\n"


def environments(machine: Machine) -> set[str]:
    return set(machine.run("find", f"{OPT}/.venvs", "-mindepth", "1", "-maxdepth", "1", "-type", "d").stdout.split())


@pytest.fixture(scope="module")
def installed(machine: Machine, checkout: Path) -> Machine:
    """The first installation; updates of it follow."""
    expected = set_version(checkout, "0.1.1")
    done = install(machine, checkout)
    assert done.returncode == 0, done.stderr
    assert version(machine) == expected
    return machine


def test_what_is_installed(installed: Machine) -> None:
    machine = installed
    unit = machine.run("cat", "/etc/systemd/system/textback.service").stdout
    assert unit == (ROOT / "systemd" / "textback.service").read_text()
    wanted = machine.run("readlink", "/etc/systemd/system/multi-user.target.wants/textback.service").stdout
    assert wanted.endswith("/etc/systemd/system/textback.service\n")
    assert machine.run("stat", "-c", "%a %U", "/etc/textback/secrets").stdout == "700 root\n"
    closed = machine.run("find", str(OPT), "-not", "-type", "l", "-not", "-perm", "-o=r").stdout
    assert closed == "", "the service's user must be able to read it"
    found = set(machine.run("ls", "-A", str(OPT)).stdout.split())
    tracked = {path.name for path in ROOT.iterdir() if not path.name.startswith(".") and path.suffix != ".egg-info"}
    assert found == (tracked - {"build", "dist"}) | {".venv", ".venvs"}


def test_update_that_fails_leaves_what_runs(installed: Machine, checkout: Path) -> None:
    machine = installed
    before = version(machine)
    set_version(checkout, "0.1.2")
    requirements = checkout / "requirements.txt"
    good = requirements.read_text()
    requirements.write_text(good + "# another\n")
    done = install(machine, checkout)
    assert done.returncode == 1
    assert done.stderr.splitlines()[-1] == (
        "install: pip install failed: the network or the server at its other end cannot be reached; "
        "look at network and proxy and start again"
    )
    machine.run("rm", "-rf", f"{OPT}/gateway")  # as after an update that was cut off while it copied
    assert version(machine) == before
    requirements.write_text(good)


@pytest.mark.parametrize("moment", ["the environment is begun", "the code is put in"])
def test_update_that_is_killed_leaves_what_runs(installed: Machine, checkout: Path, moment: str) -> None:
    machine = installed
    before, were = version(machine), environments(machine)
    set_version(checkout, f"0.2.{len(moment)}")
    awaited = {"the environment is begun": "bin/python", "the code is put in": "dependencies.stamp"}[moment]
    update = subprocess.Popen(
        machine.command("bash", str(checkout / "script" / "install"), **NO_INDEX),
        start_new_session=True,
        stderr=subprocess.DEVNULL,
    )
    until = time.monotonic() + PATIENCE_S
    while not any(machine.run("bash", "-c", f"ls {new}/{awaited}").stdout for new in environments(machine) - were):
        assert update.poll() is None
        assert time.monotonic() < until
    os.killpg(update.pid, signal.SIGKILL)
    update.wait()
    assert version(machine) == before


def test_update_after_that_needs_no_index_and_clears_up(installed: Machine, checkout: Path) -> None:
    machine = installed
    expected = set_version(checkout, "0.3.0")
    done = install(machine, checkout)
    assert done.returncode == 0, done.stderr
    assert version(machine) == expected
    assert len(environments(machine)) == 2, "the one that runs until the restart, and the new one"


def test_update_restarts_nothing_where_the_configuration_has_errors(installed: Machine, checkout: Path) -> None:
    """Offline, systemctl says of every service that it is active."""
    machine = installed
    machine.run("sh", "-c", "mkdir -p /etc/textback; echo 'ring_secs = 20' >/etc/textback/textback.toml")
    done = install(machine, checkout)
    machine.run("rm", "/etc/textback/textback.toml")
    assert done.returncode == 1
    assert "/etc/textback/textback.toml:1: ring_secs: " in done.stderr
    assert "what runs goes on as it was, because the configuration has errors" in done.stderr.splitlines()[-1]
    assert "try-restart" not in done.stderr


def test_python_in_a_home_is_refused(machine: Machine, checkout: Path) -> None:
    """The unit hides homes from the service."""
    before = version(machine)
    machine.run("bash", "-c", "mkdir -p /run/user/7 && cp -a /usr/bin/python3 /usr/bin/python3.* /run/user/7")
    machine.run("bash", "-c", f"mkdir -p /run/user/7/lib && ln -s /usr/lib/python3.{sys.version_info.minor} /run/user/7/lib/")
    machine.run("bash", "-c", "mkdir /run/user/7/bin && mv /run/user/7/python* /run/user/7/bin")
    done = machine.run(str(checkout / "script" / "install"), TEXTBACK_PYTHON="/run/user/7/bin/python3", **NO_INDEX)
    assert "the service cannot see /run/user/7, where /run/user/7/bin/python3 lies" in done.stderr
    assert done.returncode == 1
    assert version(machine) == before


def test_data_dir_that_systemd_keeps_the_service_from(machine: Machine, tmp_path: Path) -> None:
    """As `ProtectSystem=strict` does it: everything but the state directory is mounted read-only."""
    config = tmp_path / "textback.toml"
    config.write_text(
        'data_dir = "/run/office"\ntimezone = "America/Chicago"\nregion = "US"\n[trunk.pbx]\npeers = ["192.0.2.10"]\n'
        '[sms.primary]\nkind = "spool"\n[line.front-desk]\nnumber = "+14155550100"\nbusiness = "ABC HVAC"\n'
    )
    machine.run("bash", "-c", "mkdir /run/office && mount -t tmpfs -o ro tmpfs /run/office")
    done = machine.run(sys.executable, "-m", "gateway", "-c", str(config), "run", PYTHONPATH=str(ROOT), INVOCATION_ID="1")
    assert done.returncode == 1
    assert done.stderr == (
        "textback: data_dir /run/office cannot be used: Read-only file system; the service may write into /var/lib/textback alone, "
        "so let that be data_dir, and mount another disk there (at /var/lib/private/textback) where it must be one\n"
    )


def test_configuration_that_only_root_can_read(machine: Machine, tmp_path: Path) -> None:
    """`check`, which root runs, warns that the service cannot."""
    source = tmp_path / "source.toml"
    source.write_text(
        'data_dir = "data"\ntimezone = "America/Chicago"\nregion = "US"\n[trunk.pbx]\npeers = ["192.0.2.10"]\n'
        '[sms.primary]\nkind = "spool"\n[line.front-desk]\nnumber = "+14155550100"\nbusiness = "ABC HVAC"\n'
    )
    path, contacts = "/run/textback.toml", "/run/contacts.csv"
    source.write_text(source.read_text() + f'[contacts]\nfile = "{contacts}"\n')
    (tmp_path / "contacts.csv").write_text("number,name,group\n+14155550123,Ann,staff\n")
    for mode, is_closed in (("600", True), ("644", False)):
        machine.run("install", "-m", mode, str(source), path)
        machine.run("install", "-m", mode, str(tmp_path / "contacts.csv"), contacts)
        checked = machine.run(sys.executable, "-m", "gateway", "-c", path, "check", PYTHONPATH=str(ROOT))
        for key, closed in (("", path), ("contacts.file: ", contacts)):
            warning = f"{key}only root can read {closed}, and the service is not root; it holds no secrets, so run: chmod 644 {closed}"
            assert (warning in checked.stdout) == is_closed, checked.stdout
        assert checked.returncode == 0


def test_database_that_root_put_in_its_place(machine: Machine) -> None:
    """As a backup is restored; the service's user may not write into what root owns."""
    there = "/run/data"
    machine.run("install", "-d", "-o", "65534", there)
    program = f"from pathlib import Path; from gateway.store.opening import _connect; _connect(Path('{there}/textback.db'))"
    as_service = ("setpriv", "--reuid=65534", "--regid=65534", "--clear-groups", sys.executable, "-c", program)
    machine.run("sh", "-c", f"printf x >{there}/textback.db; chmod 644 {there}/textback.db")
    done = machine.run(*as_service, PYTHONPATH=str(ROOT))
    cure = f"{there}/textback.db: belongs to another user; run as root: chown --reference={there} {there}/textback.db"
    assert done.stderr.endswith(f"StoreError: {cure}\n"), done.stderr
    assert machine.run("chown", f"--reference={there}", f"{there}/textback.db").returncode == 0
    assert machine.run(*as_service, PYTHONPATH=str(ROOT)).returncode == 0


def test_python_that_is_not_there_is_named(machine: Machine, checkout: Path) -> None:
    done = machine.run(str(checkout / "script" / "run"), TEXTBACK_PYTHON="/nonexistent/python3")
    expected = "run: there is no /nonexistent/python3; let TEXTBACK_PYTHON be the path of a Python 3.11 to 3.13\n"
    assert (done.returncode, done.stderr) == (1, expected)
