"""Many held texts at once: a flood is dropped, or let go, by one command."""

import sqlite3
from pathlib import Path

import pytest

from tests.peers import sipp
from tests.peers.gateway import RunningGateway
from tests.peers.sipp import Call, Ends
from tests.web.wire import Start

CALLERS = tuple(f"+141555501{n}" for n in range(30, 36))
SECOND = """
[line.second]
number = "+14155550101"
business = "ABC"
ring_seconds = 1
min_ring = "0s"
[line.second.text]
once_per = "call"
"""


@pytest.fixture
def flooded(gateway: Start, tmp_path: Path) -> RunningGateway:
    """One text has gone out; five of the first line and two of the second are held for a person."""
    running = gateway(limits="per_minute = 1", more=SECOND)
    first = [Call(caller=caller) for caller in CALLERS]
    assert sipp.place(tmp_path, running.sip_port, first, Ends(cancel_after=0.2)).is_good
    running.wait_for("texts", 5, state="held")
    running.wait_for("texts", 1, state="accepted")
    second = [Call(caller=caller, dialled="+14155550101") for caller in CALLERS[:2]]
    assert sipp.place(tmp_path, running.sip_port, second, Ends(cancel_after=0.2)).is_good
    running.wait_for("texts", 7, state="held")
    return running


def states(running: RunningGateway) -> dict[str, int]:
    found = [text["state"] for text in running.texts()]
    return {state: found.count(state) for state in set(found)}


def test_drop_the_held_ones_of_a_line(flooded: RunningGateway) -> None:
    done = flooded.cli("texts", "drop", "--held", "--line", "front-desk")
    assert (done.returncode, done.stdout) == (0, "5 texts are dropped\n")
    assert states(flooded) == {"accepted": 1, "cancelled": 5, "held": 2}
    assert flooded.get("/api/v1/status")[1]["held"] == 2  # now, not at the last look
    listed = flooded.cli("calls", "--line", "front-desk").stdout
    assert listed.count(" cancelled\n") == 5, listed  # and no word of the limit that had held them
    assert flooded.log.count("event=text_dropped") == 5
    again = flooded.cli("texts", "drop", "--held", "--line", "front-desk")
    assert again.returncode == 1
    assert again.stderr == "textback: no text is held for line front-desk\n"
    unknown = flooded.cli("texts", "release", "--held", "--line", "nobody")
    assert unknown.returncode == 2
    assert "there is no line nobody; the lines are front-desk, second" in unknown.stderr


def test_only_those_since(flooded: RunningGateway) -> None:
    db = sqlite3.connect(flooded.database, isolation_level=None)
    db.execute("UPDATE calls SET arrived_at = '2026-01-01T00:00:00.000Z' WHERE line = 'front-desk'")
    db.close()
    done = flooded.cli("texts", "drop", "--held", "--since", "2h")
    assert (done.returncode, done.stdout) == (0, "2 texts are dropped\n")
    assert flooded.cli("texts", "drop", "--held", "--since", "2h").stderr == "textback: no text is held since then\n"
    assert states(flooded)["held"] == 5


def test_release_past_the_limits_but_past_nothing_else(flooded: RunningGateway) -> None:
    """Whoever has said STOP meanwhile gets nothing."""
    db = sqlite3.connect(flooded.database, isolation_level=None)
    held = [text["to"] for text in flooded.texts() if text["state"] == "held" and text["line"] == "front-desk"]
    db.execute(
        "INSERT INTO consent (number, wish, at, source) VALUES (?, 'opt_out', '2026-01-01T00:00:00.000Z', 'test')", (held[0],)
    )
    db.close()
    done = flooded.cli("texts", "release", "--held", "--line", "front-desk")
    assert (done.returncode, done.stdout) == (1, "4 texts go out\n")
    assert done.stderr == "textback: 1 text does not go and is cancelled, because the caller wants no texts (opted_out)\n"
    flooded.wait_for("texts", 5, state="accepted")
    assert flooded.log.count("event=text_released") == 5


def test_wrong_use_asks_nothing_of_the_gateway(flooded: RunningGateway) -> None:
    for wrong in (["drop"], ["drop", "--held", "1"], ["drop", "--line", "second", "1"], ["release", "--since", "2h"]):
        done = flooded.cli("texts", *wrong)
        assert done.returncode == 2, wrong
        assert "--held" in done.stderr
    assert flooded.cli("texts", "drop", "--held", "--since", "soon").returncode == 2
    assert states(flooded)["held"] == 7
