"""What strangers wrote is shown as text: no terminal obeys it, and it forges no line."""

import json
import os
import re
import sqlite3
import subprocess
import sys
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.core.shown import shown
from tests.peers import sipp
from tests.peers.gateway import RunningGateway
from tests.peers.sipp import Call, Ends
from tests.web.wire import Start, ask, reply_of, request, with_hooks

OBEYED = re.compile("[\x00-\x09\x0b-\x1f\x7f-\x9f\u2028\u2029\u202a-\u202e\u2066-\u2069]")
HOSTILE = "\x1b[2J\x1b]0;owned\x07\nText 9 to +14155550199: delivered\r\x9b31m\x7f\u202egnp.exe\u2066\u2028\x85ü🙂"


@pytest.mark.parametrize(
    ("text", "wanted"),
    [
        ("plain ü 🙂 👩‍👩‍👧 עברית", "plain ü 🙂 👩‍👩‍👧 עברית"),
        ("\x1b[31m", r"\x1b[31m"),
        ("a\nb\r\tc", r"a\nb\r\tc"),
        ("\x00\x07\x7f\x80\x9b\xa0", "\\x00\\x07\\x7f\\x80\\x9b\xa0"),
        ("\u202a\u202e\u2066\u2069\u2028\u2029", r"\u202a\u202e\u2066\u2069\u2028\u2029"),
        ("\ud800x", r"\ud800x"),
        (r"a \x1b that was written so", r"a \x1b that was written so"),
    ],
)
def test_what_is_shown(text: str, wanted: str) -> None:
    assert shown(text) == wanted


@given(st.text())
def test_nothing_that_is_obeyed_is_ever_left(text: str) -> None:
    assert not OBEYED.search(shown(text))
    assert "\n" not in shown(text)
    assert shown(shown(text)) == shown(text)
    shown(text).encode()


def hostile(running: RunningGateway) -> None:
    """Everything in the database that somebody else may have written."""
    db = sqlite3.connect(running.database, isolation_level=None)
    for table, columns in (
        ("calls", ("call_id", "caller_as_sent", "caller_header", "sip_reason", "source")),
        ("texts", ("detail", "body", "bridge")),
        ("replies", ("body", "sender", "recipient")),
    ):
        for column in columns:
            db.execute(f"UPDATE {table} SET {column} = ?", (HOSTILE,))
    db.execute("UPDATE calls SET caller = NULL")
    db.close()


def test_no_command_prints_what_a_terminal_obeys(gateway: Start, tmp_path: Path) -> None:
    running = with_hooks(gateway, tmp_path)
    assert sipp.place(tmp_path, running.sip_port, [Call(caller="+14155550123")], Ends()).is_good
    running.wait_for("texts", 1, state="accepted")
    assert ask(running.web_port, request(reply_of("%1B%5B2JHi%0Athere"))).status == 200
    told = running.cli("replies").stdout
    assert r"\x1b[2JHi\nthere" in told
    hostile(running)
    lines = {}
    for command in (["calls"], ["texts"], ["replies"], ["explain", "1"], ["explain", "last"], ["status"], ["check"]):
        done = running.cli(*command)
        assert done.returncode == 0, done.stderr
        assert not OBEYED.search(done.stdout), command
        assert not any(line.startswith("Text 9") for line in done.stdout.splitlines()), command
        lines[command[0]] = len(done.stdout.split("\n")) - 1
    assert (lines["calls"], lines["texts"], lines["replies"]) == (2, 4, 3)
    wrong = running.cli("explain", HOSTILE)
    assert wrong.returncode == 0
    assert not OBEYED.search(running.cli("explain", "\x1b[2Jnobody").stderr)
    for command in ("calls", "texts", "replies"):
        found = running.cli(command, "--json").stdout
        assert not OBEYED.search(found)
        assert json.loads(found)
    assert json.loads(running.cli("replies", "--json").stdout)[0]["body"] == HOSTILE


def test_a_terminal_without_umlauts_ends_no_command(tmp_path: Path) -> None:
    running = RunningGateway(tmp_path, more='[line.zuerich]\nnumber = "+41446681800"\nbusiness = "Zürich 🙂"\n')
    command = [sys.executable, "-m", "gateway", "-c", str(running.path), "check"]
    ascii_only = {**os.environ, "PYTHONIOENCODING": "ascii"}
    done = subprocess.run(command, capture_output=True, text=True, timeout=30, check=False, env=ascii_only)
    assert done.returncode == 0, done.stderr
    assert r"Z\xfcrich" in done.stdout
