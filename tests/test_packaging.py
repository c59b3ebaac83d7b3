"""What surrounds the program: the systemd unit, the scripts, the documents."""

import re
import subprocess
import textwrap
from pathlib import Path

from config.load import load, not_in_effect
from gateway.core.reason import Reason

ROOT = Path(__file__).parents[1]
UNIT = ROOT / "systemd" / "textback.service"
EXPOSURE_AT_MOST = 20
"""Tenths, as `systemd-analyze security --threshold` wants them: 2.0 is "OK"."""


def run(*command: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(command, capture_output=True, text=True, timeout=60, check=False)


def test_systemd_accepts_the_unit(tmp_path: Path) -> None:
    """Verified with a program that exists here in place of the installed one."""
    unit = tmp_path / "textback.service"
    unit.write_text(re.sub(r"^ExecStart=\S+", "ExecStart=/bin/true", UNIT.read_text(), flags=re.MULTILINE))
    done = run("systemd-analyze", "verify", "--man=no", str(unit))
    complaints = [line for line in done.stderr.splitlines() if "textback.service" in line]
    assert complaints == []
    assert done.returncode == 0, done.stderr


def test_unit_is_well_shut_in() -> None:
    done = run("systemd-analyze", "security", "--offline=true", f"--threshold={EXPOSURE_AT_MOST}", str(UNIT))
    assert done.returncode == 0, done.stdout[-600:]


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
