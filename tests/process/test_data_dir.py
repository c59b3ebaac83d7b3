"""A data directory that cannot be used is a sentence at the start."""

from pathlib import Path

import pytest

from gateway.process.data_dir import SYSTEMD, CannotStart, only_one_here, write_token
from gateway.store.alone import writing
from gateway.store.database import FILE, Database
from gateway.store.errors import StoreError
from tests.peers.disk import SmallDisk


def test_token_that_finds_no_room(tmp_path: Path) -> None:
    disk = SmallDisk(tmp_path / "data", megabytes=1)
    try:
        disk.fill()
        with pytest.raises(CannotStart, match=r"gateway\.token cannot be written: No space left on device; free some space"):
            write_token(disk.path / "gateway.token", "secret")
    finally:
        disk.unmount()


def test_disk_that_takes_no_writing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Systemd's own cure is told only to its services."""
    disk = SmallDisk(tmp_path / "data")
    try:
        Database(disk.path / FILE).close()
        disk.take_no_writing()
        monkeypatch.delenv(SYSTEMD, raising=False)
        with pytest.raises(CannotStart) as said, only_one_here(disk.path):
            pass
        assert str(said.value) == (
            f"data_dir {disk.path} cannot be used: Read-only file system; its disk is mounted read-only, so mount it for writing, or"
            " name another directory in the configuration"
        )
        with pytest.raises(CannotStart, match=r"Read-only file system; its disk is mounted read-only"):
            write_token(disk.path / "gateway.token", "secret")
        with pytest.raises(StoreError) as refused, writing(disk.path / FILE):
            pass
        assert str(refused.value) == (
            f"{disk.path / FILE}: the disk is mounted read-only; look why (dmesg), and mount it for writing"
        )
        monkeypatch.setenv(SYSTEMD, "0" * 32)
        with pytest.raises(CannotStart, match="the service may write into /var/lib/textback alone"), only_one_here(disk.path):
            pass
    finally:
        disk.unmount()


def test_directory_that_is_gone(tmp_path: Path) -> None:
    with pytest.raises(StoreError, match="the database cannot be opened: No such file or directory; make data_dir again"):
        Database(tmp_path / "gone" / FILE)
