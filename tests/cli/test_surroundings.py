"""A command in whatever surroundings: pipes that close, no terminal, plain C, and a database that is not as it should be."""

import os
import sqlite3
import subprocess
import sys
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path

import pytest

from config.load import load
from gateway.cli.main import _overview, _parser
from gateway.core.consent import Wish
from gateway.store import consent
from gateway.store.database import FILE, StoreError, migrate, reading
from gateway.store.schema import VERSION
from sms.text import Reply
from tests.config.test_load import WITHOUT_ROOTS_RIGHTS
from tests.peers.gateway import free_port
from tests.peers.sending import CONFIG, SPOOL, sending

GATEWAY = f"{sys.executable} -m gateway"
FOR_SOME = ("cryptography", "holidays", "icalendar", "recurring_ical_events")
"""What only some configurations need: Telnyx, countries' holidays, calendar files."""
HEAVY = (
    "aiohttp", "cryptography", "dateutil", "gateway.daemon", "holidays", "icalendar", "pjsua2", "prometheus_client",
    "recurring_ical_events", "smpplib", "structlog",
)  # fmt: skip


@pytest.fixture
async def office(tmp_path: Path) -> Path:
    """A data directory with replies in it, whose gateway has stopped; its configuration."""
    async with sending(tmp_path) as it:
        for number in range(5):
            words = Reply(
                bridge="spool", sender="+14155550123", to="+14155550100", body=f"Grüße {number}", at=datetime.now(UTC)
            )
            await it.inbox.reply(words)
    path = tmp_path / "textback.toml"
    path.write_text(f'{path.read_text()}\n[web]\nlisten = "127.0.0.1:{free_port()}"\n')
    return path


def shell(line: str, config: Path, **environment: str) -> subprocess.CompletedProcess[str]:
    """A line of bash; `textback` is the command."""
    told = f'set -o pipefail; textback() {{ {GATEWAY} -c "{config}" "$@"; }}; {line}'
    return subprocess.run(
        ["bash", "-c", told], capture_output=True, text=True, timeout=90, check=False, stdin=subprocess.DEVNULL,
        env={**os.environ, **environment},
    )  # fmt: skip


@pytest.mark.parametrize(
    ("line", "status", "output", "error"),
    [
        ("textback replies -n 1 | cat", 0, "Grüße 4", ""),
        ("textback replies | head -c 1", 0, "", ""),
        ("textback --help | true", 0, "", ""),
        ("textback replies | true", 0, "", ""),
        ("textback replies >/dev/full", 1, "", "textback: the output cannot be written: No space left on device\n"),
        ("textback replies >&-", 0, "", ""),
        ("textback replies 2>&-", 0, "Grüße 4", ""),
        ("textback explain x 2>&- | wc -c", 1, "0\n", ""),
        ("textback nonsense", 2, "", "invalid choice: 'nonsense' (choose from"),
        ("textback --version", 0, "textback 0", ""),
        ("textback --version calls", 0, "textback 0", ""),
        ("textback", 2, "", "the following arguments are required: COMMAND"),
        ("textback -c calls replies -c " + '"$HOME/no.toml"', 1, "", "no.toml: cannot be read"),
    ],
)
def test_pipes(office: Path, line: str, status: int, output: str, error: str) -> None:
    done = shell(line, office, HOME="/nonexistent")
    assert (done.returncode, output in done.stdout, error in done.stderr) == (status, True, True), done
    assert bool(done.stderr) == bool(error), done.stderr


def test_plain_c(office: Path) -> None:
    plain = {"LANG": "C", "LC_ALL": "C", "PYTHONUTF8": "0", "PYTHONCOERCECLOCALE": "0"}
    done = shell("textback replies -n 1; textback calls --help >/dev/null; textback explain x", office, **plain)
    assert r"Gr\xfc\xdfe 4" in done.stdout
    assert done.stderr == "textback: there is no call x; textback calls lists them\n"


def test_what_looks_loads_nothing_that_it_does_not_need(office: Path) -> None:
    """The gateway's own libraries take a second to load."""
    script = (
        "import sys\nfrom gateway.cli.main import main\n"
        "for command in ('calls', 'texts', 'replies', 'status', 'numbers list', 'explain 1', 'texts resend 1'):\n"
        f"    main(['-c', {str(office)!r}, *command.split()])\n"
        f"print([name for name in {HEAVY} if name in sys.modules])"
    )
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, timeout=90, check=False)
    assert done.stdout.splitlines()[-1:] == ["[]"], done


def test_gateway_without_calendars_loads_no_library_for_them(tmp_path: Path) -> None:
    """Until it is ready calls are missed: what is needed for some configurations alone is loaded for these alone."""
    path = tmp_path / "textback.toml"
    path.write_text(CONFIG.format(sms=SPOOL, line=""))
    script = (
        "import sys\nfrom datetime import UTC, datetime\nfrom pathlib import Path\nimport gateway.cli.run\n"
        "from config.load import load\nfrom gateway.office.knowledge import Knowledge\nfrom sms.build import build_bridge\n"
        f"config = load(Path({str(path)!r}))\nKnowledge().directory(config, datetime.now(UTC))\n"
        "for name, one in config.sms.items():\n    build_bridge(name, one, config.data_dir, '')\n"
        f"print([name for name in {FOR_SOME} if name in sys.modules])"
    )
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, timeout=90, check=False)
    assert done.stdout.splitlines()[-1:] == ["[]"], done


def test_overview_says_of_each_command_what_its_own_module_does() -> None:
    overview, own = (parser.format_help().partition("options:")[0].splitlines()[1:] for parser in (_overview(), _parser()))
    assert overview == own


# --- the database ---


def emptied(path: Path) -> None:
    path.write_bytes(b"")


def newer(path: Path) -> None:
    version_is(path, VERSION + 1)


def older(path: Path) -> None:
    version_is(path, VERSION - 1)


def version_is(path: Path, version: int) -> None:
    db = sqlite3.connect(path)
    db.execute(f"PRAGMA user_version = {version}")
    db.close()


def removed(path: Path) -> None:
    path.unlink()


def foreign(path: Path) -> None:
    path.write_bytes(b"something else" * 100)


def a_directory(path: Path) -> None:
    path.unlink()
    path.mkdir()


@pytest.mark.parametrize(
    ("spoil", "said"),
    [
        (removed, "no database here yet; it is made when the gateway first starts"),
        (emptied, "the file is empty; put the newest backup in its place, or remove it to begin anew"),
        (newer, "written by a newer Textback"),
        (older, "written by an older Textback (schema {have}, this program knows {version}); the gateway brings it up to date"),
        (foreign, "this is not a Textback database"),
        (a_directory, "is no file"),
    ],
)
def test_database_that_cannot_be_read(tmp_path: Path, spoil: Callable[[Path], None], said: str) -> None:
    path = tmp_path / FILE
    db = sqlite3.connect(path)
    migrate(db, path)
    db.close()
    spoil(path)
    with pytest.raises(StoreError) as raised, reading(path):
        pass
    assert str(raised.value).startswith(f"{path}: ")
    assert said.format(have=VERSION - 1, version=VERSION) in str(raised.value)


def test_database_that_another_program_holds(db: sqlite3.Connection, tmp_path: Path) -> None:
    db.execute("PRAGMA journal_mode = DELETE")
    db.execute("BEGIN EXCLUSIVE")
    with pytest.raises(StoreError, match="another program holds the database"), reading(tmp_path / FILE):
        pass


@pytest.mark.parametrize("log", ["none", "empty", "readable", "alone"])
def test_disk_that_takes_no_writing(tmp_path: Path, log: str) -> None:
    """As a backup is looked at; a log beside it counts, or is said not to be readable."""
    path = tmp_path / "data" / FILE
    path.parent.mkdir()
    (tmp_path / "textback.toml").write_text(CONFIG.format(sms=SPOOL, line=""))
    db = sqlite3.connect(path, isolation_level=None)
    migrate(db, path)
    db.execute("PRAGMA journal_mode = WAL")
    consent.add(
        db, number=load(tmp_path / "textback.toml").line["front"].number, wish=Wish.OPT_OUT, at=datetime.now(UTC), source="x"
    )
    if log in ("none", "empty"):
        db.close()
    if log == "empty":
        Path(f"{path}-wal").touch()
    if log == "alone":
        Path(f"{path}-wal").rename(tmp_path / "kept")
        db.close()
        (tmp_path / "kept").rename(f"{path}-wal")
    path.parent.chmod(0o555)
    done = subprocess.run(
        [*WITHOUT_ROOTS_RIGHTS, sys.executable, "-m", "gateway", "-c", str(tmp_path / "textback.toml"), "numbers", "list"],
        capture_output=True, text=True, timeout=90, check=False,
    )  # fmt: skip
    path.parent.chmod(0o755)
    db.close()
    if log == "alone":
        assert (done.returncode, done.stdout) == (1, "")
        assert "its log cannot be read on a disk that takes no writing" in done.stderr
    else:
        assert (done.returncode, "textback:" in done.stderr) == (0, False), done.stderr


@pytest.mark.parametrize("closed", ["data", f"data/{FILE}"])
def test_user_who_may_not_read(office: Path, closed: str) -> None:
    path = office.parent / closed
    path.chmod(0)
    for command in ("calls", "status", "numbers list", "texts resend 1", "explain --line front --from +14155550123"):
        done = subprocess.run(
            [*WITHOUT_ROOTS_RIGHTS, sys.executable, "-m", "gateway", "-c", str(office), *command.split()],
            capture_output=True, text=True, timeout=90, check=False,
        )  # fmt: skip
        assert (done.returncode, done.stdout) == (1, "")
        assert done.stderr.count("\n") == 1, done.stderr
        if command not in ("status", "texts resend 1"):
            assert f"{FILE}: may not be read by this user; run this as root, or as the gateway's user\n" in done.stderr
    path.chmod(0o700)
