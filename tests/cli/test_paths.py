"""A data directory of any name that the file system takes."""

import json
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.peers.gateway import RunningGateway

Start = Callable[..., RunningGateway]


@pytest.mark.parametrize("name", ["data #1", "what?&mode=rw", "50%20off", 'file:Grüße à "Zürich"'])
def test_every_name_of_a_directory_is_read(tmp_path: Path, name: str) -> None:
    running = RunningGateway(tmp_path)
    running.path.write_text(running.path.read_text().replace('data_dir = "data"', f"data_dir = {json.dumps(name)}"))
    running.start()
    try:
        done = running.cli("send-test", "+14155550123", "--wait", "1")
        assert done.returncode == 0, done.stderr
        assert [text["to"] for text in json.loads(running.cli("texts", "--json").stdout)] == ["+14155550123"]
        assert "no calls to replay" in running.cli("simulate").stderr
        assert (tmp_path / name / "textback.db").exists()
    finally:
        running.end()
    before = {path.name for path in (tmp_path / name).iterdir()}
    assert {"textback.db", "spool.jsonl"} <= before
    assert {path.name for path in tmp_path.iterdir()} == {"textback.toml", "log", name}
