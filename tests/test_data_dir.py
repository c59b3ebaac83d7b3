"""A data directory that cannot be used is a sentence at the start."""

from pathlib import Path

import pytest

from gateway.data_dir import CannotStart, write_token
from tests.peers.disk import SmallDisk


def test_token_that_finds_no_room(tmp_path: Path) -> None:
    disk = SmallDisk(tmp_path / "data", megabytes=1)
    try:
        disk.fill()
        with pytest.raises(CannotStart, match=r"gateway\.token cannot be written: No space left on device; free some space"):
            write_token(disk.path / "gateway.token", "secret")
    finally:
        disk.unmount()
