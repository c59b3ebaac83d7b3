"""Replaying calls through a configuration, from the journal and from other systems' records."""

import json
import re
import resource
import sqlite3
import subprocess
import sys
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from config.load import load
from config.model import E164
from gateway.core.call import Outcome
from gateway.core.kind import TextKind
from gateway.core.schedule import local
from gateway.office.directory import Directory
from gateway.preview.records import Columns, from_csv
from gateway.store import calls, texts
from gateway.store.calls import Arrival, Ending
from gateway.store.database import migrate
from gateway.store.instants import read
from gateway.store.selection import Selection
from gateway.store.texts import NewText

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
    assert changed["changed"] == [{"call": 2, "was": "skip already_texted", "would_be": "send missed_call"}]
    assert (changed["segments"], changed["cost"]) == (3, 0.03)
    assert simulate(configured(tmp_path), "--since", "1h")["calls"] == 1


def answered_soon(tmp_path: Path, callers: int) -> None:
    """A journal of texts that went as their call was missed; every fourth caller was answered 40 s later."""
    journal(tmp_path, [(timedelta(hours=n + 1), f"+1415556{n:04d}", "send missed_call") for n in range(callers)])
    db = sqlite3.connect(tmp_path / "data" / "textback.db", isolation_level=None)
    db.row_factory = sqlite3.Row
    for call in calls.selected(db, Selection(limit=callers)):
        missed_at = read(call["outcome_at"])
        text = NewText(
            call=call["id"], kind=TextKind.MISSED_CALL,
            line="front", recipient=E164(call["caller"]), region="US", sender="+14155550100", body="x", segments=1,
            queued_at=missed_at, due_at=missed_at, expires_at=missed_at + timedelta(minutes=15),
        )  # fmt: skip
        number = texts.add(db, text)
        db.execute("UPDATE texts SET state = 'accepted', claimed_at = queued_at WHERE id = ?", (number,))
        if call["id"] % 4 == 0:
            arrival = calls.ended_from(call).arrival
            again = replace(arrival, key=f"again {number}", call_id="again", arrived_at=missed_at + timedelta(seconds=30))
            answered = Ending(
                outcome=Outcome.ANSWERED_ELSEWHERE, at=missed_at + timedelta(seconds=40), rang=timedelta(seconds=10)
            )
            calls.end(db, calls.arrive(db, again), answered)
    db.close()


SPARED = '7 of 28 texts went to callers who were answered within 60 s after them; wait = "45s" would have spared them'


def test_check_and_simulate_say_what_a_wait_would_have_spared(tmp_path: Path) -> None:
    answered_soon(tmp_path, 28)
    path = configured(tmp_path)
    path.write_text(path.read_text() + '[consent]\nquiet_hours = "off"\n')
    assert simulate(path)["advice"] == [f"line.front.text.wait: {SPARED}"]
    check = [sys.executable, "-m", "gateway", "-c", str(path), "check"]
    in_words = subprocess.run(check, capture_output=True, text=True, timeout=120, check=True)
    assert f"By past calls:\n  {path}:12: line.front.text.wait: {SPARED}\n" in in_words.stdout
    as_json = json.loads(subprocess.run([*check, "--json"], capture_output=True, timeout=120, check=True).stdout)
    assert [one["key"] for one in as_json["by_past_calls"]] == ["line.front.text.wait"]
    path.write_text(path.read_text().replace("[line.front.text]", '[line.front.text]\nwait = "45s"'))
    assert simulate(path)["advice"] == []
    assert sorted(file.name for file in (tmp_path / "data").iterdir()) == ["textback.db"]


@pytest.mark.parametrize("database", ["none", "empty", "no database"])
def test_check_says_nothing_of_the_past_where_there_is_none(tmp_path: Path, database: str) -> None:
    if database == "empty":
        journal(tmp_path, [])
    elif database == "no database":
        (tmp_path / "data").mkdir()
        (tmp_path / "data" / "textback.db").write_text("something else, long enough to be no header of a database" * 20)
    check = [sys.executable, "-m", "gateway", "-c", str(configured(tmp_path)), "check", "--json"]
    done = subprocess.run(check, capture_output=True, timeout=120, check=True)
    assert (json.loads(done.stdout)["by_past_calls"], done.stderr) == ([], b"")


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


FREEPBX = (
    "calldate,clid,src,dst,dcontext,channel,dstchannel,lastapp,lastdata,duration,billsec,disposition,amaflags,accountcode,"
    "uniqueid,userfield,did,recordingfile,cnum,cnam,outbound_cnum,outbound_cnam,dst_cnam,linkedid,peeraccount,sequence\n"
)


def leg(
    at: str,
    src: str,
    dst: str,
    how: str,
    linked: str,
    *,
    app: str = "Dial",
    did: str = "4155550100",
    seconds: int = 20,
    talk: int = 0,
) -> str:
    """A row of the table cdr as FreePBX 16 writes it."""
    return (
        f'2026-11-20 {at},"""X"" <{src}>",{src},{dst},ext-group,PJSIP/t-1,PJSIP/101-2,{app},x,{seconds},{talk},{how},3,,'
        f"{linked}.{dst},,{did},,{src},X,,,,{linked},,7\n"
    )


def test_freepbxs_calls_and_their_legs(tmp_path: Path) -> None:
    """A ring group of three phones is three rows and one call, to the number that was dialled from outside."""
    rows = [
        *(leg("10:00:00", "4155550123", ext, "NO ANSWER", "1.1") for ext in ("101", "102", "103")),
        *(leg("11:00:00", "4155550124", ext, "NO ANSWER", "1.2") for ext in ("101", "102")),
        leg("11:00:00", "4155550124", "103", "ANSWERED", "1.2", seconds=90, talk=80),
        leg("12:00:00", "4155550125", "600", "NO ANSWER", "1.3"),
        leg("12:00:20", "4155550125", "vmu101", "ANSWERED", "1.3", app="VoiceMail", seconds=30, talk=30),
        leg("13:00:00", "101", "14155550177", "ANSWERED", "1.4", did="", seconds=60, talk=50),  # the office calls out
        leg("14:00:00", "anonymous", "101", "NO ANSWER", "1.5"),
        leg("15:00:00", "4155550126", "101", "BUSY", "1.6"),
        leg("15:00:00", "4155550126", "102", "FAILED", "1.6"),
    ]
    (tmp_path / "cdr.csv").write_text(FREEPBX + "".join(rows))
    found = simulate(configured(tmp_path), "--csv", str(tmp_path / "cdr.csv"), "--format", "freepbx")
    assert (found["calls"], found["texts"], found["unread"]) == (5, 3, [])
    assert found["reasons"] == {"missed_call": 3, "not_missed": 1, "withheld": 1}


def test_rows_that_cannot_be_read_are_told_and_the_rest_is_replayed(tmp_path: Path) -> None:
    (tmp_path / "cdr.csv").write_text(
        "calldate,clid,src,dst,dcontext,duration,billsec,disposition\n"
        "2026-11-20 10:00:00,x,4155550123,4155550100,ext,20,0,NO ANSWER\n"
        "yesterday,x,4155550123,4155550100,ext,20,0,NO ANSWER\n"
        '2026-11-20 10:00:00,"x\ny",4155550125,600,ext,long,0,BUSY\n'
        "2026-11-20 10:00:00,x,4155550125,600,ext,20,0,PERHAPS\n"
        "9999-12-31 23:00:00,x,4155550125,600,ext,20,0,BUSY\n"
        "2026-11-20 10:00:00,x,4155550125\n"
        "2026-11-20 10:00:00,x,4155550126,600,ext,20,0,BUSY\n"
    )
    done = run(configured(tmp_path), "--csv", str(tmp_path / "cdr.csv"), "--format", "freepbx", "--line", "front")
    assert done.returncode == 1
    assert [line.partition(": ")[::2] for line in done.stderr.splitlines()] == [
        ("cdr.csv:3", "'yesterday' is no time that can be read"),
        ("cdr.csv:4", "'long' in the column duration is no number of seconds"),
        ("cdr.csv:6", "'PERHAPS' is no outcome; known are " + KNOWN_OUTCOMES),
        ("cdr.csv:7", "'9999-12-31 23:00:00' is no time that can be read"),
        ("cdr.csv:8", "the row ends before the column disposition"),
    ]
    assert "2 texts, 2 segments, 0.02 by cost_per_segment" in done.stdout


KNOWN_OUTCOMES = (
    "abandoned, answered, answered_elsewhere, answered_here, busy, cancel, cancelled, congestion, failed, interrupted, missed,"
    " no answer, no_answer, noanswer, refused"
)


def run(path: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    """`textback simulate`."""
    command = [sys.executable, "-m", "gateway", "-c", str(path), "simulate", *arguments]
    return subprocess.run(command, capture_output=True, text=True, timeout=120, check=False)


@pytest.mark.parametrize(
    ("arguments", "status", "says"),
    [
        (["--since", "soon"], 2, "--since 'soon' must be a length of time"),
        (["--csv", "none.csv", "--format", "freepbx"], 2, "none.csv cannot be read: No such file"),
        (
            ["--csv", "textback.toml", "--format", "freepbx"],
            1,
            "textback.toml: there is no column calldate; there are data_dir",
        ),
        (["--since", "999999d"], 1, "there are no calls to replay"),
        (["--since", "9" * 30 + "d"], 1, "there are no calls to replay"),
    ],
)
def test_wrong_use_is_a_sentence(tmp_path: Path, arguments: list[str], status: int, says: str) -> None:
    journal(tmp_path, [])
    path = configured(tmp_path)
    done = run(path, *(str(tmp_path / word) if word.endswith((".csv", ".toml")) else word for word in arguments))
    assert (done.returncode, says in done.stderr, "Traceback" in done.stderr) == (status, True, False), done.stderr


def test_days_are_those_of_the_offices_clock(tmp_path: Path) -> None:
    """A call of an evening in Chicago is no call of the next day, and the holidays are those of its year."""
    (tmp_path / "x.csv").write_text("at,who,to,what\n2023-11-23 19:30:00,4155550123,4155550100,missed\n")
    path = configured(tmp_path)
    path.write_text(
        path.read_text().replace(
            "[line.front]", '[hours.o]\nmon-fri = "08:00-23:00"\nholidays = "US"\n[line.front]\nhours = "o"'
        )
        + '[[line.front.text.variant]]\nhours = "holiday"\nsend = false\n'
    )
    done = run(path, "--csv", str(tmp_path / "x.csv"), "--at", "at", "--caller", "who", "--dialled", "to", "--outcome", "what")
    assert "1 call from 2023-11-23 to 2023-11-23 through" in done.stdout
    assert "variant_off" in done.stdout


@pytest.mark.parametrize(
    ("region", "written", "day"),
    [
        ("US", "11/03/2026 10:00:00", "2026-11-03"),
        ("GB", "11/03/2026 10:00", "2026-03-11"),
        ("DE", "11.03.2026 10:00", "2026-03-11"),
        ("US", "2026-11-03T23:30:00-06:00", "2026-11-03"),
        ("US", "1793770200", "2026-11-03"),
    ],
)
def test_days_as_they_are_written_there(tmp_path: Path, region: str, written: str, day: str) -> None:
    (tmp_path / "x.csv").write_text(f"at,who,to,what\n{written},4155550123,+14155550100,missed\n")
    path = configured(tmp_path)
    path.write_text(path.read_text().replace('region = "US"', f'region = "{region}"'))
    columns = Columns(at="at", caller="who", dialled=("to",), outcome="what")
    (one,), problems = from_csv(tmp_path / "x.csv", columns, Directory(load(path)), None)
    assert (f"{local(one.call.arrived_at, 'America/Chicago'):%Y-%m-%d}", problems) == (day, [])


def test_rows_of_one_call_named_on_the_command_line(tmp_path: Path) -> None:
    rows = "".join(
        f"2026-11-2{n}T10:00:00Z,4155550123,4155550100,{how},{n // 2}\n" for n, how in enumerate(["missed", "busy"] * 2)
    )
    (tmp_path / "x.csv").write_text(f"At,Who,To,What,Id\n{rows}")
    names = ["--at", "At", "--caller", "Who", "--dialled", "To", "--outcome", "What", "--call", "Id"]
    assert simulate(configured(tmp_path), "--csv", str(tmp_path / "x.csv"), *names)["calls"] == 2


def test_without_contacts(tmp_path: Path) -> None:
    """The gateway would hold these texts; a simulation neither waits nor turns in circles."""
    journal(tmp_path, [(timedelta(minutes=5), "+14155550123", "send missed_call")])
    path = configured(tmp_path)
    path.write_text(path.read_text() + '[contacts]\nfile = "none.csv"\n')
    done = run(path)
    assert (done.returncode, re.findall(r"\b1 (calls?|texts?|segments?)\b", done.stdout)) == (0, ["call", "text", "segment"]), (
        done.stderr
    )
    assert f"textback: {tmp_path / 'none.csv'} is not there" in done.stderr


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
