"""What an agent left in its file: each call once, for whoever called last, and what cannot be read is told."""

from pathlib import Path

import pytest

from sip.call.untaken import Untaken
from sip.pipe.kept_events import KeptEvents
from tests.calls.test_journal import arrived
from tests.calls.test_mid_ring import FIRST, THEN, Office, changed, hung_up


def left_by_an_agent(directory: Path, *, damaged: str = "") -> None:
    """Three calls: one whose caller changed, one that ended, one that rings; a dead agent holds no lock."""
    file = KeptEvents(str(directory))
    untaken = Untaken(file)
    for key, caller in (("a", FIRST), ("b", "+14155550178"), ("c", "+14155550179")):
        untaken.arrived(arrived(key, caller))
        untaken.write(key)
    untaken.went_on("a", changed("a", THEN))
    untaken.went_on("b", hung_up("b"))
    untaken.write_all()
    file.close()
    (path,) = directory.glob("agent-*.calls")
    path.write_bytes(path.read_bytes().replace(damaged.encode(), b"X" * len(damaged)) if damaged else path.read_bytes())


async def test_each_call_is_taken_over_once_for_whoever_called_last(tmp_path: Path) -> None:
    left_by_an_agent(tmp_path)
    office = Office(tmp_path)
    await office.hear()
    assert office.texted == [THEN, "+14155550178", "+14155550179"]
    assert office.read("SELECT outcome FROM calls ORDER BY key") == [("interrupted",), ("abandoned",), ("interrupted",)]
    again = Office(tmp_path)
    await again.hear()
    assert again.texted == office.texted


async def test_a_line_that_cannot_be_read_is_told_and_the_others_count(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    left_by_an_agent(tmp_path, damaged="+14155550178")
    office = Office(tmp_path)
    await office.hear()
    assert office.texted == [THEN, "+14155550179"]
    said = capsys.readouterr().out
    assert "agents_file_damaged" in said
    assert "1 lines" not in said
    assert "lost=1" in said
