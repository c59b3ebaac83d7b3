"""Files that are read while others write them."""

import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from gateway.files.whole_file import NotYet, Unusable, read_whole, stamp_of


@contextmanager
def meanwhile(write: Callable[[], None]) -> Iterator[None]:
    """Somebody writes again and again."""
    stop = threading.Event()

    def work() -> None:
        while not stop.is_set():
            write()

    thread = threading.Thread(target=work)
    thread.start()
    try:
        yield
    finally:
        stop.set()
        thread.join()


def test_a_file_that_is_replaced_is_the_old_or_the_new_one(tmp_path: Path) -> None:
    path, fresh = tmp_path / "x", tmp_path / "fresh"
    contents = [letter * 300_000 for letter in (b"a", b"b")]
    path.write_bytes(contents[0])
    turn = 0

    def replace() -> None:
        nonlocal turn
        turn += 1
        fresh.write_bytes(contents[turn % 2])
        fresh.replace(path)

    seen = set()
    with meanwhile(replace):
        while len(seen) < 2:
            whole = read_whole(path, 1_000_000)
            assert whole.content in contents
            seen.add(whole.content)
    assert read_whole(path, 1_000_000).stamp == stamp_of(path)


def test_a_file_that_is_written_to_is_noticed(tmp_path: Path) -> None:
    path = tmp_path / "x"
    path.write_bytes(b"a" * 4_000_000)

    def touch() -> None:
        with path.open("r+b") as file:
            file.write(b"b")

    with meanwhile(touch):
        said = next(filter(None, (why_not(path) for _ in iter(int, 1))))
    assert said == "was written to while it was read"
    assert why_not(path) == ""


def why_not(path: Path) -> str:
    """What is said of a file that cannot be read whole."""
    try:
        read_whole(path, 5_000_000)
    except NotYet as error:
        return str(error)
    return ""


@pytest.mark.parametrize("name", ["none", "x\0y", "y" * 300])
def test_names_of_no_file(tmp_path: Path, name: str) -> None:
    for look in (stamp_of, lambda path: read_whole(path, 10)):
        with pytest.raises(Unusable):
            look(tmp_path / name)
