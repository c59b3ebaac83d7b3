"""Rows of the contacts file that break: nobody is texted of whom the last good copy says staff or blocked."""

from pathlib import Path

import pytest
from structlog.testing import capture_logs

from gateway.files.last_good import DIRECTORY
from gateway.office.directory import Directory
from gateway.office.knowledge import REST_COUNTS, STILL_COUNT, Knowledge
from tests.files.test_last_good import EVE, ROWS, SAM, after_a_restart, config, looked, office, write

__all__ = ["office"]
BROKEN = [
    ROWS.replace("Eve,", '"Eve,'),
    ROWS.replace("4155550125", "4.15556E+09"),
    ROWS.replace("4155550125", ""),
    ROWS.replace("blocked", "blokced"),
]


def copied(office: Path) -> str:
    (copy,) = (office / "data" / DIRECTORY).glob("*-contacts.csv")
    return copy.read_text()


def group(directory: Directory) -> str:
    contact = directory.contact(EVE)
    return contact.group if contact else ""


@pytest.mark.parametrize("broken", BROKEN)
@pytest.mark.parametrize("restarts", [False, True])
def test_whoever_was_blocked_is_so_while_the_row_cannot_be_read(office: Path, broken: str, restarts: bool) -> None:
    knowledge, loaded = Knowledge(keeps=True), config(office)
    looked(knowledge, loaded)
    for age in (200, 100):
        write(office / "contacts.csv", broken + "4155550126,Al,staff\n" * (age == 100), age)
        knowledge = Knowledge(keeps=True) if restarts else knowledge
        directory = looked(knowledge, loaded)
        assert (directory.contacts[SAM].group, group(directory), copied(office)) == ("staff", "blocked", ROWS)
        (fault,) = directory.faults
        assert (fault.key, fault.meanwhile) == ("contacts.file", STILL_COUNT)
        assert fault.detail.startswith("has 1 row that cannot be read (line 3: ")
    mended = "number,name,group\n4155550123,Sam,staff\n"
    write(office / "contacts.csv", mended)
    directory = looked(knowledge, loaded)
    assert (directory.faults, group(directory), copied(office)) == ((), "", mended)


def test_whoever_was_added_while_another_row_is_broken_counts_too(office: Path) -> None:
    knowledge, loaded = Knowledge(keeps=True), config(office)
    looked(knowledge, loaded)
    write(office / "contacts.csv", ROWS.replace("Sam,", '"Sam,') + "4155550126,Al,blocked\n", age=200)
    looked(knowledge, loaded)
    write(office / "contacts.csv", ROWS.replace("Sam,", '"Sam,') + '4155550126,"Al,blocked\n', age=100)
    assert [contact.group for contact in looked(knowledge, loaded).contacts.values()] == ["staff", "blocked", "blocked"]


def test_without_a_copy_they_are_told_and_the_rest_counts(office: Path) -> None:
    """Such as an extension that somebody wrote down there: it stays as it is, and later changes count."""
    rows = ROWS + "101,Reception,staff\n"
    write(office / "contacts.csv", rows)
    with capture_logs() as logs:
        directory = after_a_restart(office)
    assert [(fault.detail, fault.meanwhile) for fault in directory.faults] == [
        ("has 1 row that cannot be read (line 4: is no valid telephone number); textback check names each", REST_COUNTS)
    ]
    assert [log["log_level"] for log in logs if log["event"] == "contact_rows_unreadable"] == ["warning"]
    write(office / "contacts.csv", rows.replace("4155550125,Eve,blocked\n", ""))
    directory = after_a_restart(office)
    assert (group(directory), [fault.meanwhile for fault in directory.faults]) == ("", [REST_COUNTS])


@pytest.mark.parametrize("header", ['number,"name,group', 'number,name,"group'])
def test_a_header_that_cannot_be_read_spoils_the_file(office: Path, header: str) -> None:
    after_a_restart(office)
    write(office / "contacts.csv", ROWS.replace("number,name,group", header))
    directory = after_a_restart(office)
    assert group(directory) == "blocked"
    assert "has a quote that is not closed in its header (line 1)" in directory.faults[0].detail


@pytest.mark.parametrize("header", ["number,name,grup", "number,name"])
def test_a_file_that_lost_its_column_of_groups_does_not_count(office: Path, header: str) -> None:
    after_a_restart(office)
    write(office / "contacts.csv", ROWS.replace("number,name,group", header))
    for _ in range(2):
        directory = after_a_restart(office)
        assert (group(directory), copied(office)) == ("blocked", ROWS)
        assert directory.faults[0].detail.startswith("has no column called group any more")
    write(office / "contacts.csv", "number,name,group\n4155550125,Eve,\n")
    assert (after_a_restart(office).faults, copied(office)) == ((), "number,name,group\n4155550125,Eve,\n")
