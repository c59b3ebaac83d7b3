"""When a file that somebody may still be writing is believed: one rule for the configuration, contacts and calendars."""

from pathlib import Path

import pytest

from gateway.files.file_age import BELIEVED_AFTER_S, FileAge
from gateway.files.whole_file import Stamp
from gateway.office.knowledge import Knowledge
from tests.files.test_last_good import EVE, config, looked, office, write

__all__ = ["office"]
NOON = 1_800_000_000.0


class Clocks:
    """The machine's, which somebody may set, and the one that only runs on."""

    def __init__(self) -> None:
        self.wall, self.monotonic = NOON, 50.0

    def run(self, seconds: float, *, is_set: float = 0) -> None:
        self.monotonic += seconds
        self.wall += seconds + is_set


def stamp(written: float, inode: int = 1) -> Stamp:
    return Stamp(written_ns=int(written * 1e9), size=1, changed_ns=0, inode=inode)


@pytest.mark.parametrize(
    ("written", "is_set", "waits"),
    [
        (-1000, 0, 0),  # long ago: it was put there whole
        (-1, 0, 2),
        (0, 0, 3),
        (0, +3600, 3),  # the clock is set while it is looked at
        (0, -3600, 3),
        (+3600, 0, 3),  # written by a machine whose clock is ahead
        (+3600, -3600, 3),
    ],
)
def test_it_is_believed_when_it_has_stayed_as_it_is(written: float, is_set: float, waits: int) -> None:
    clocks = Clocks()
    file_age = FileAge(wall=lambda: clocks.wall, monotonic=lambda: clocks.monotonic)
    seen = stamp(NOON + written)
    ages = []
    for _ in range(5):
        ages.append(file_age.of(seen))
        clocks.run(1, is_set=is_set)
        is_set = 0
    assert [age >= BELIEVED_AFTER_S for age in ages].index(True) == waits


def test_each_change_begins_anew() -> None:
    clocks = Clocks()
    file_age = FileAge(wall=lambda: clocks.wall, monotonic=lambda: clocks.monotonic)
    for inode in range(10):
        assert file_age.of(stamp(clocks.wall, inode)) == 0
        clocks.run(2)
    assert file_age.of(stamp(clocks.wall - 2, 9)) == 2


def test_contacts_whose_writer_has_a_clock_that_is_ahead_are_not_read_half_written(office: Path) -> None:
    knowledge, loaded = Knowledge(keeps=True), config(office)
    good = looked(knowledge, loaded)
    write(office / "contacts.csv", "4155550125,Eve,vip\n", age=-3600)
    assert looked(knowledge, loaded).contacts[EVE] == good.contacts[EVE]
    assert knowledge.is_changing
