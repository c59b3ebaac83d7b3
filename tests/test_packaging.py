"""What surrounds the program: the systemd unit, the scripts, the documents."""

import re
import shlex
import subprocess
import sys
import textwrap
from collections.abc import Callable
from pathlib import Path

import pytest

from config import secrets
from config.load import load, not_in_effect
from gateway.cli.main import _parser
from gateway.core.reason import Reason
from tests.peers.gateway import RunningGateway

ROOT = Path(__file__).parents[1]
UNIT = ROOT / "systemd" / "textback.service"
EXPOSURE_AT_MOST = 20
"""Tenths, as `systemd-analyze security --threshold` wants them: 2.0 is "OK"."""


def run(*command: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(command, capture_output=True, text=True, timeout=60, check=False)


def test_systemd_accepts_the_unit(tmp_path: Path) -> None:
    """Verified with a program that exists here in place of the installed one."""
    unit = tmp_path / "textback.service"
    unit.write_text(re.sub(r"^(Exec\w+)=\S+", r"\1=/bin/true", UNIT.read_text(), flags=re.MULTILINE))
    done = run("systemd-analyze", "verify", "--man=no", str(unit))
    complaints = [line for line in done.stderr.splitlines() if "textback.service" in line]
    assert complaints == []
    assert done.returncode == 0, done.stderr


def test_unit_is_well_shut_in() -> None:
    done = run("systemd-analyze", "security", "--offline=true", f"--threshold={EXPOSURE_AT_MOST}", str(UNIT))
    assert done.returncode == 0, done.stdout[-600:]


def test_unit_starts_no_program_that_a_minimal_debian_lacks() -> None:
    programs = re.findall(r"^Exec\w+=[+!@:-]*(\S+)", UNIT.read_text(), flags=re.MULTILINE)
    assert set(programs) == {"/opt/textback/.venv/bin/textback"}


def test_unit_gives_the_secrets_under_the_name_that_they_are_looked_for() -> None:
    assert f"\nLoadCredential={secrets.DIRECTORY}:/etc/textback/{secrets.DIRECTORY}\n" in UNIT.read_text()


def reload_as_the_unit_does(running: RunningGateway) -> subprocess.CompletedProcess[str]:
    """The unit's own line, without a shell as systemd runs it, for a gateway that systemd did not start."""
    (line,) = re.findall(r"^ExecReload=(.*)$", UNIT.read_text(), flags=re.MULTILINE)
    installed, *words = shlex.split(line.replace("/etc/textback/textback.toml", str(running.path)))
    assert installed == "/opt/textback/.venv/bin/textback"
    environment = {"PATH": "/nonexistent", "PYTHONPATH": str(ROOT)}
    command = [sys.executable, "-m", "gateway", *words]
    return subprocess.run(command, capture_output=True, text=True, timeout=90, check=False, env=environment)


def test_reload_tells_whether_the_gateway_took_the_configuration(gateway: Callable[..., RunningGateway]) -> None:
    running = gateway(ring=1)
    running.configure(ring=2)
    taken = reload_as_the_unit_does(running)
    assert (taken.returncode, taken.stdout, taken.stderr) == (0, f"{running.path} is in force\n", "")
    running.configure(ring=2, max_calls=7)
    refused = reload_as_the_unit_does(running)
    assert refused.returncode == 1
    assert ": sip.max_calls: cannot be changed while the gateway runs; restart it" in refused.stderr
    running.end()
    assert reload_as_the_unit_does(running).returncode == 1


@pytest.mark.parametrize("document", ["README.md", *(str(path.relative_to(ROOT)) for path in (ROOT / "docs").glob("*.md"))])
def test_commands_in_documents_are_taken(document: str) -> None:
    """By the parser. A line of a block ends where its explanation begins; in a sentence a command may be named without its arguments."""
    text = (ROOT / document).read_text()
    named = re.findall(r"`textback ([a-z][^`]*)`", text)
    shown = re.findall(r"^textback ([a-z].*?)(?:   .*)?$", text, flags=re.MULTILINE)
    for command in named + shown:
        words = shlex.split(re.sub(r"\b(CALL|ID)\b", "7", command))
        is_without = command in named and words in (["explain"], ["calls", "done"], ["texts", "release"])
        assert _parser().parse_args([*words, "7"] if is_without else words), command


def test_every_reason_is_documented() -> None:
    table = (ROOT / "docs" / "reasons.md").read_text()
    documented = re.findall(r"^\| `(\w+)` \|", table, flags=re.MULTILINE)
    assert documented == [reason.value for reason in Reason]


def test_configuration_in_the_readme_is_good(tmp_path: Path) -> None:
    toml = re.search(r"```toml\n(.*?)```", (ROOT / "README.md").read_text(), flags=re.DOTALL)
    assert toml is not None
    path = tmp_path / "textback.toml"
    path.write_text(textwrap.dedent(toml[1]))
    (tmp_path / "smsc.password").write_text("secret")
    assert load(path).line["front-desk"].sms == ("primary",)
    assert not_in_effect(path) == []


def test_links_in_documents_lead_somewhere() -> None:
    for document in [ROOT / "README.md", *sorted((ROOT / "docs").glob("*.md"))]:
        for target in re.findall(r"\]\(([^)#]+)(?:#[^)]*)?\)", document.read_text()):
            assert (document.parent / target).exists(), f"{document.name}: {target}"


def test_no_file_is_two_things() -> None:
    """Files stay below 300 lines, so that each is one thing."""
    for package in ("gateway", "sip", "sms", "config"):
        for path in (ROOT / package).rglob("*.py"):
            assert len(path.read_text().splitlines()) <= 300, path
