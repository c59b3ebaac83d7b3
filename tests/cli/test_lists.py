"""`calls`, `texts` and `replies`: chosen, in columns that fit the terminal, whole through a pipe, and followed."""

import fcntl
import json
import os
import pty
import re
import signal
import sqlite3
import struct
import subprocess
import sys
import termios
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta
from pathlib import Path
from typing import IO

import pytest

from gateway.core.call import Outcome
from gateway.store import calls
from gateway.store.calls import Ending
from tests.cli import histories
from tests.cli.histories import BEGIN, CALLER, add_call, add_text
from tests.peers import commands

SECOND = """
[line.second]
number = "+14155550101"
business = "ABC"
timezone = "Europe/London"
"""
LONG = "Sorry we missed your call " * 6


@pytest.fixture
def path(db: sqlite3.Connection, tmp_path: Path) -> Path:
    """A full database with two calls of another line, and its configuration."""
    histories.full(db)
    for number in (101, 102):
        add_call(db, number, who="+14155559999", line="second", at=BEGIN - timedelta(days=number))
    add_text(db, 24, CALLER, BEGIN, due_at=BEGIN, line="removed", body=LONG)
    return commands.configured(tmp_path, SECOND)


CHOSEN = [
    (("calls", "--caller", "(415) 555-9999"), [25, 24]),
    (("calls", "--caller", "anonymous"), [22]),
    (("calls", "--caller", "101"), [23]),
    (("calls", "--caller", "+14155551003"), [4]),
    (("calls", "--line", "second"), [25, 24]),
    (("calls", "--state", "ringing"), [25, 24, 23, 22]),
    (("calls", "--state", "busy", "--line", "front"), [19, 12, 5]),
    (("calls", "--state", "missed", "--until", "2026-10-31T14:00"), [7, 5, 4, 3]),
    (("calls", "--caller", "101", "--line", "front"), []),
    (("calls", "--caller", "+14155557777"), []),
    (("calls", "--since", "2026-10-31T08:30", "--until", "2026-10-31T10:00:01-05:00"), [4, 3]),
    (("calls", "--since", "2026-10-31", "--until", "2026-10-31", "--state", "no_answer"), [11, 4]),
    (("calls", "--until", "2026-07-21"), [25]),
    (("calls", "--until", "1990-01-01"), []),
    (("calls", "-n", "1", "--line", "front"), [22]),
    (("texts", "--state", "delivered"), [5]),
    (("texts", "--caller", "+14155550123"), [13, 12, 11]),
    (("texts", "--line", "removed"), [13]),
    (("replies", "--caller", "415-555-0123", "-n", "2"), [4, 3]),
    (("replies", "--since", "2026-11-01"), []),
]


def test_what_is_asked_is_chosen(path: Path) -> None:
    asked = [command for command, _ in CHOSEN]
    as_json = commands.run(path, *((*command, "--json") for command in asked))
    for (command, wanted), done in zip(CHOSEN, as_json, strict=True):
        assert done.status == 0, (command, done.err)
        assert isinstance(done.json, list)
        assert [one["id"] for one in done.json] == wanted, command
    for (command, wanted), done in zip(CHOSEN, commands.run(path, *asked), strict=True):
        assert re.findall(r"^ +(\d+)  \w{3} \d{4}-", done.out, re.MULTILINE) == [str(one) for one in wanted], command
        assert (done.status, done.err) == (0, "" if wanted else f"No {command[0]} like that.\n")


WRONG = [
    (("calls", "--since", "soon"), "'soon' must be a length of time"),
    (("calls", "--since", "9999999999d"), "out of reach"),
    (("calls", "--until", "0001-01-01"), "out of reach"),
    (("texts", "--state", "lost"), "there is no state lost; there are held, "),
    (("calls", "--state", "no-answer"), 'there is no state no-answer; did you mean "no_answer"? There are ringing, '),
    (("explain", "--line", "front", "--outcome", "missed"), "there is no outcome missed; there are answered_here, "),
    (("simulate", "--format", "freepbx2"), 'there is no format freepbx2; did you mean "freepbx"? There are asterisk, freepbx'),
    (("calls", "--caller", "5550145"), "'5550145' is no valid telephone number"),
    (("texts", "--caller", "garbage"), "or as it is written in US, or as textback texts shows it"),
    (("texts", "--caller", "101"), "'101' is no valid telephone number"),
    (("replies", "--caller", ""), "'' is no valid telephone number"),
    (("calls", "--since", "1h", "--until", "2h"), "--since 1h is no earlier than --until 2h; turn them round"),
    (("texts", "-n", "0"), "must be a whole number above 0"),
    (("calls", "--until", "2026-10-31", "--follow"), "--until makes no sense"),
    (("texts", "drop", "--held", "--since", "9999999999d"), "out of reach"),
    (("texts", "drop", "12x"), "is no number of a call or text"),
    (("calls", "done", "1" * 19), "is no number of a call or text"),
    (("explain", "12", "--from", "+14155550123"), "either a CALL, or --from"),
    (("explain",), "either a CALL, or --from"),
    (("explain", "--from", "+14155550123"), "wants --line NAME, because there are several: front, second"),
    (("explain", "--line", "front", "--rang", "long"), "must be a length of time"),
    (("send-test", "hello"), "is no valid telephone number"),
    (("call-test", "--from", "hello"), "is no valid telephone number"),
    (("numbers", "forget", "1"), "is no valid telephone number"),
    *(
        ((*command, "--line", "nobody"), "there is no line nobody; the lines are front, second")
        for command in (("calls",), ("texts",), ("explain",), ("call-test",), ("calls", "--follow"), ("simulate",))
    ),
]


def test_wrong_use_is_one_sentence_and_status_2(path: Path) -> None:
    for (command, sentence), done in zip(WRONG, commands.run(path, *(command for command, _ in WRONG)), strict=True):
        assert (done.status, done.out) == (2, ""), (command, done)
        assert sentence in done.err, command
        assert "Traceback" not in done.err
        assert done.err.count("\n") == 1 or "usage:" in done.err


def test_columns_have_titles_and_times_their_zone(path: Path) -> None:
    some, theirs, texts_of_old, few, replies, numbers = commands.run(
        path,
        ("calls", "--since", "2026-10-31", "--line", "front"),
        ("calls", "--line", "second"),
        ("texts", "--line", "removed"),
        ("calls",),
        ("replies",),
        ("numbers", "list"),
    )
    titles, *rows = some.out.splitlines()
    assert titles.split() == ["CALL", "TIME", "LINE", "CALLER", "OUTCOME", "RANG", "TEXT"]
    assert rows[-1].split()[:6] == ["1", "Sat", "2026-10-31", "07:00:00", "CDT", "front"]
    assert rows[-1].endswith("text 1 held")
    assert len({row.index("front") for row in rows} | {titles.index("LINE")}) == 1
    assert "2026-07-22 13:00:00 BST  second      +14155559999  ringing" in theirs.out
    assert f"\n        {LONG}\n" in texts_of_old.out
    assert (few.out.count("\n"), few.err) == (21, "The newest 20; -n COUNT or --since TIME shows more.\n")
    assert replies.out.splitlines()[0].split() == ["REPLY", "TIME", "FROM", "TO", "WISH"]
    assert numbers.out.splitlines()[0].split() == ["NUMBER", "NOW", "REFUSALS", "LAST", "SAID", "BY"]
    assert "Sat 2026-10-31 07:00:00 CDT" in numbers.out


@pytest.mark.parametrize("columns", [30, 80])
def test_nothing_is_wider_than_the_terminal_and_nothing_is_lost(path: Path, columns: int) -> None:
    for command in (("calls", "--line", "front", "-n", "30"), ("texts", "-n", "30"), ("numbers", "list")):
        shown = on_a_terminal(path, columns, command)
        assert max(map(len, shown.splitlines())) <= columns, shown
        (piped,) = commands.run(path, command)  # titles may give way, rows may not
        lost = set(piped.out.partition("\n")[2].split()) - set(shown.split())
        assert {word for word in lost if len(word) <= columns - 8} == set()


def on_a_terminal(path: Path, columns: int, command: tuple[str, ...]) -> str:
    """What a terminal of this width shows."""
    ours, theirs = pty.openpty()
    fcntl.ioctl(theirs, termios.TIOCSWINSZ, struct.pack("HHHH", 50, columns, 0, 0))
    environment = {name: value for name, value in os.environ.items() if name not in ("COLUMNS", "LINES")}
    arguments = [sys.executable, "-m", "gateway", "-c", str(path), *command]
    with subprocess.Popen(arguments, stdout=theirs, stdin=subprocess.DEVNULL, env=environment) as process:
        os.close(theirs)
        shown = b"".join(iter(lambda: _read(ours), b""))
        assert process.wait(timeout=90) == 0
    os.close(ours)
    return shown.decode().replace("\r\n", "\n")


def _read(descriptor: int) -> bytes:
    try:
        return os.read(descriptor, 65536)
    except OSError:  # the other end is closed
        return b""


@contextmanager
def following(path: Path, *command: str) -> Iterator[IO[str]]:
    """A command that goes on, until Ctrl-C."""
    heard = ["env", "--default-signal=INT"]  # who runs tests in the background has it ignored, and so would the command
    arguments = [*heard, sys.executable, "-m", "gateway", "-c", str(path), *command, "--follow"]
    with subprocess.Popen(arguments, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        assert process.stderr is not None
        try:
            yield process.stdout
            process.send_signal(signal.SIGINT)
            assert (process.wait(timeout=90), process.stderr.read()) == (130, "")
        finally:
            process.kill()


def test_what_comes_and_changes_is_shown_as_it_does(path: Path, db: sqlite3.Connection) -> None:
    with following(path, "calls", "--line", "front", "-n", "1") as shown:
        assert shown.readline().split()[0] == "CALL"
        assert shown.readline().split()[0] == "22"
        call = add_call(db, 200, who=CALLER)
        assert shown.readline().split()[-3:] == ["front", CALLER, "ringing"]
        add_call(db, 201, who=CALLER, line="second")
        calls.end(db, call, Ending(outcome=Outcome.BUSY, at=BEGIN, rang=timedelta(seconds=3)))
        assert shown.readline().split()[-4:] == [CALLER, "busy", "3.0", "s"]


def test_following_for_programs_is_one_value_a_line(path: Path, db: sqlite3.Connection) -> None:
    with following(path, "texts", "--json", "-n", "2", "--state", "accepted") as shown:
        assert json.loads(shown.readline())["id"] == 4
        db.execute("UPDATE texts SET state = 'accepted' WHERE id = 3")
        assert json.loads(shown.readline()) == next(one for one in _texts(path) if one["id"] == 3)


def _texts(path: Path) -> list[dict[str, object]]:
    (done,) = commands.run(path, ("texts", "--json"))
    assert isinstance(done.json, list)
    return done.json


def test_reason_of_a_cancelled_text_is_said_in_words(path: Path, db: sqlite3.Connection) -> None:
    db.execute("UPDATE texts SET state = 'cancelled', detail = 'resolved' WHERE id = 5")
    db.execute("UPDATE texts SET state = 'undelivered', detail = 'expired' WHERE id = 6")  # a network's word
    listed, told = commands.run(path, ("texts",), ("explain", "5"))
    assert "(the caller has got through since, or was called back)" in listed.out
    assert "(resolved)" not in listed.out
    assert "(expired)" in listed.out
    assert "cancelled by spool (the caller has got through since, or was called back)" in told.out
