"""Replaying calls through a configuration, from the journal and from other systems' records."""

import json
import resource
import sqlite3
import subprocess
import sys
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from config.model import E164
from gateway.core.call import Outcome
from gateway.store import calls
from gateway.store.calls import Arrival, Ending
from gateway.store.database import migrate

CONFIG = """\
data_dir = "data"
timezone = "America/Chicago"
region = "US"
[trunk.pbx]
peers = ["192.0.2.10"]
[sms.spool]
kind = "spool"
cost_per_segment = 0.01
[line.front]
number = "+14155550100"
business = "ABC"
[line.front.text]
once_per = "{once_per}"
[limits]
per_minute = 100000
per_day = {per_day}
"""
NOW = datetime.now(UTC).replace(microsecond=0)


def configured(tmp_path: Path, once_per: str = "day", per_day: int = 100_000) -> Path:
    path = tmp_path / "textback.toml"
    path.write_text(CONFIG.format(once_per=once_per, per_day=per_day))
    return path


def simulate(path: Path, *arguments: str) -> dict[str, Any]:
    """`textback simulate --json`."""
    command = [sys.executable, "-m", "gateway", "-c", str(path), "simulate", "--json", *arguments]
    done = subprocess.run(command, capture_output=True, text=True, timeout=120, check=False)
    assert done.returncode == 0, done.stderr
    found: dict[str, Any] = json.loads(done.stdout)
    return found


def journal(tmp_path: Path, rows: list[tuple[timedelta, str, str]]) -> None:
    """Calls so long ago, as decided then."""
    (tmp_path / "data").mkdir()
    path = tmp_path / "data" / "textback.db"
    db = sqlite3.connect(path)
    db.row_factory = sqlite3.Row
    migrate(db, path)
    db.execute("BEGIN")
    for number, (ago, caller, decision) in enumerate(rows):
        at = NOW - ago
        arrival = Arrival(
            key=str(number), call_id=str(number), trunk="pbx", source="192.0.2.10:5060", line="front", caller=E164(caller),
            caller_as_sent=caller, caller_name="", caller_header="From", dialled=("+14155550100",), diversions=(), verstat="",
            arrived_at=at,
        )  # fmt: skip
        call = calls.arrive(db, arrival)
        calls.end(db, call, Ending(outcome=Outcome.NO_ANSWER, at=at + timedelta(seconds=20), rang=timedelta(seconds=20)))
        word, reason = decision.split()
        db.execute("UPDATE calls SET decision = ?, reason = ? WHERE id = ?", (word, reason, call))
    db.execute("COMMIT")
    db.close()


def test_what_would_change(tmp_path: Path) -> None:
    rows = [
        (timedelta(hours=30), "+14155550123", "send missed_call"),
        (timedelta(hours=30) - timedelta(minutes=1), "+14155550123", "skip already_texted"),
        (timedelta(minutes=5), "+14155550124", "send missed_call"),
    ]
    journal(tmp_path, rows)
    as_it_was = simulate(configured(tmp_path))
    assert (as_it_was["calls"], as_it_was["texts"], as_it_was["texts_logged"], as_it_was["changed"]) == (3, 2, 2, [])
    changed = simulate(configured(tmp_path, once_per="call"))
    assert changed["texts"] == 3
    assert changed["changed"] == [{"call": "2", "was": "skip already_texted", "would_be": "send missed_call"}]
    assert (changed["segments"], changed["cost"]) == (3, 0.03)
    assert simulate(configured(tmp_path), "--since", "1h")["calls"] == 1


def test_limits_hold(tmp_path: Path) -> None:
    journal(tmp_path, [(timedelta(seconds=30 * n), f"+1415556{n:04d}", "send missed_call") for n in range(10, 0, -1)])
    held = simulate(configured(tmp_path, per_day=4))
    assert held["held"] >= 4
    assert held["texts"] + held["held"] == 10


def test_asterisks_records(tmp_path: Path) -> None:
    (tmp_path / "Master.csv").write_text(
        '"","4155550123","+14155550100","from-trunk","""X"" <4155550123>","SIP/t-1","","Dial","SIP/1","2026-11-20 10:00:00",,'
        '"2026-11-20 10:00:20","20","0","NO ANSWER","DOCUMENTATION","1.1",""\n'
        '"","4155550124","14155550100","from-trunk","x","SIP/t-2","SIP/1","Dial","SIP/1","2026-11-20 11:00:00",'
        '"2026-11-20 11:00:05","2026-11-20 11:01:00","60","55","ANSWERED","DOCUMENTATION","1.2",""\n'
    )
    found = simulate(configured(tmp_path), "--csv", str(tmp_path / "Master.csv"), "--format", "asterisk")
    assert (found["calls"], found["texts"]) == (2, 1)
    assert found["reasons"] == {"missed_call": 1, "not_missed": 1}


def test_freepbxs_records_and_bad_rows(tmp_path: Path) -> None:
    (tmp_path / "cdr.csv").write_text(
        "calldate,clid,src,dst,dcontext,duration,billsec,disposition\n"
        "2026-11-20 10:00:00,x,4155550123,4155550100,ext,20,0,NO ANSWER\n"
        "yesterday,x,4155550123,4155550100,ext,20,0,NO ANSWER\n"
        "2026-11-20 10:00:00,x,4155550125,600,ext,20,0,BUSY\n"
    )
    path = configured(tmp_path)
    command = [
        sys.executable,
        "-m",
        "gateway",
        "-c",
        str(path),
        "simulate",
        "--csv",
        str(tmp_path / "cdr.csv"),
        "--format",
        "freepbx",
    ]
    done = subprocess.run([*command, "--line", "front"], capture_output=True, text=True, timeout=60, check=False)
    assert done.returncode == 0
    assert "cdr.csv:3: 'yesterday' is no time that can be read" in done.stderr
    assert "2 texts, 2 segments, 0.02 by cost_per_segment" in done.stdout
    assert subprocess.run([*command, "--since", "soon"], capture_output=True, check=False).returncode == 2


def test_columns_named_on_the_command_line(tmp_path: Path) -> None:
    (tmp_path / "x.csv").write_text("When,Who,To,What\n2026-11-20T10:00:00Z,4155550123,4155550100,missed\n")
    names = ["--at", "When", "--caller", "Who", "--dialled", "To", "--outcome", "What"]
    assert simulate(configured(tmp_path), "--csv", str(tmp_path / "x.csv"), *names)["texts"] == 1


@pytest.mark.parametrize("callers", [40, 10_000])
def test_ten_thousand_calls_cost_little(tmp_path: Path, callers: int) -> None:
    """Seen: about 2 s of the processor's time, whatever else the machine does; were it quadratic, it would be minutes."""
    rows = [(timedelta(minutes=4 * (10_000 - n)), f"+1415{5560000 + n % callers}", "send missed_call") for n in range(10_000)]
    journal(tmp_path, rows)
    before = resource.getrusage(resource.RUSAGE_CHILDREN).ru_utime
    assert simulate(configured(tmp_path), "--since", "60d")["calls"] == 10_000
    assert resource.getrusage(resource.RUSAGE_CHILDREN).ru_utime - before < 30
