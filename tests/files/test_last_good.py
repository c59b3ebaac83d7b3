"""The last good copies of contacts and calendars: kept over a restart, replaced by good ones only, given to no other file."""

import os
import stat
from datetime import UTC, datetime
from pathlib import Path

import pytest
from structlog.testing import capture_logs

from config.load import load
from config.model import E164, Config
from gateway.core.rules import variant_sends
from gateway.files.last_good import DIRECTORY
from gateway.office import contacts
from gateway.office.directory import Directory
from gateway.office.knowledge import COPY_COUNTS, HOURS_KEPT, TEXTS_HELD, Knowledge
from gateway.preview.timetable import first_call

NOW = datetime(2026, 11, 23, 18, tzinfo=UTC)
SAM, EVE = E164("+14155550123"), E164("+14155550125")
ROWS = "number,name,group\n4155550123,Sam,staff\n4155550125,Eve,blocked\n"
ICS = (
    "BEGIN:VCALENDAR\nVERSION:2.0\nPRODID:x\nBEGIN:VEVENT\nUID:1\nSUMMARY:Bridge day\nDTSTART;VALUE=DATE:20261127\n"
    "END:VEVENT\nEND:VCALENDAR\n"
)
CONFIG = """\
data_dir = "data"
timezone = "America/Chicago"
region = "US"
[trunk.pbx]
peers = ["192.0.2.10"]
[sms.spool]
kind = "spool"
[hours.office]
mon-fri = "08:00-17:00"
holidays = "{calendar}"
[line.front]
number = "+14155550100"
hours = "office"
[contacts]
file = "{contacts}"
"""


@pytest.fixture
def office(tmp_path: Path) -> Path:
    """Where the files lie, all good, and written long ago."""
    (tmp_path / "data").mkdir()
    for name, text in (("contacts.csv", ROWS), ("closures.ics", ICS)):
        write(tmp_path / name, text)
    return tmp_path


def write(path: Path, content: str | bytes, age: float = 1000) -> None:
    """A file that has stayed as it is for so long."""
    path.write_bytes(content.encode() if isinstance(content, str) else content)
    then = datetime.now(UTC).timestamp() - age
    os.utime(path, (then, then))


def config(office: Path, contacts: str = "contacts.csv", calendar: str = "closures.ics") -> Config:
    path = office / "textback.toml"
    path.write_text(CONFIG.format(contacts=contacts, calendar=calendar))
    return load(path)


def looked(knowledge: Knowledge, loaded: Config) -> Directory:
    return knowledge.directory(loaded, NOW)


def after_a_restart(office: Path, **named: str) -> Directory:
    return looked(Knowledge(keeps=True), config(office, **named))


def test_copies_outlive_a_restart_and_the_files(office: Path) -> None:
    first = after_a_restart(office)
    for name in ("contacts.csv", "closures.ics"):
        (office / name).unlink()
    second = after_a_restart(office)
    assert (second.contacts, second.hours) == (first.contacts, first.hours)
    assert second.contacts_unknown == ""
    assert {fault.meanwhile for fault in second.faults} == {COPY_COUNTS}
    kept = sorted((office / "data" / DIRECTORY).iterdir())
    assert {path.name.partition("-")[2] for path in kept} == {"contacts.csv", "closures.ics"}
    assert {stat.S_IMODE(path.stat().st_mode) for path in kept} == {0o600}
    assert stat.S_IMODE(kept[0].parent.stat().st_mode) == 0o700


def test_without_a_copy_nothing_is_claimed(office: Path) -> None:
    (office / "contacts.csv").unlink()
    (office / "closures.ics").unlink()
    with capture_logs() as logs:
        directory = after_a_restart(office)
    assert directory.contacts_unknown == "the contacts file is not there; put it there, or name another"
    assert directory.hours["office"].unknown == ("closures.ics",)
    assert {(log["event"], log["log_level"], log["meanwhile"]) for log in logs} == {
        ("contacts_unreadable", "error", TEXTS_HELD),
        ("calendar_unusable", "error", HOURS_KEPT),
    }


@pytest.mark.parametrize("content", [b"", b"\xef\xbb\xbf\r\n", b"\xff\xfe", b",,\n;;\n"])
def test_an_empty_file_of_contacts_does_not_say_that_there_are_none(office: Path, content: bytes) -> None:
    write(office / "contacts.csv", content)
    for _ in range(2):
        directory = after_a_restart(office)
        assert directory.contacts_unknown == (
            "the contacts file is empty; to have no contacts, write the line number,name,group"
        )
        assert [fault.meanwhile for fault in directory.faults] == [TEXTS_HELD]
    write(office / "contacts.csv", "number,name,group\n")
    assert after_a_restart(office).contacts_unknown == ""


BROKEN_CONTACTS = [
    ("", "is empty"),
    ("number,name,group\n4155550123,Sam,st", "stops in the middle of a row"),
    ("<html>\n", "no telephone number"),
    ("name;group\nSam;staff\n", "no column called number"),
    (b"\0\0\0", "is no text"),
]


@pytest.mark.parametrize(("content", "says"), BROKEN_CONTACTS)
@pytest.mark.parametrize("restarts", [False, True])
def test_contacts_that_break_are_kept_and_mended_ones_taken(
    office: Path, content: str | bytes, says: str, restarts: bool
) -> None:
    knowledge, loaded = Knowledge(keeps=True), config(office)
    good = looked(knowledge, loaded)
    write(office / "contacts.csv", content)
    for _ in range(2):
        knowledge = Knowledge(keeps=True) if restarts else knowledge
        directory = looked(knowledge, loaded)
        assert directory.contacts == good.contacts
        (fault,) = directory.faults
        assert (fault.key, says in fault.detail, fault.meanwhile) == ("contacts.file", True, COPY_COUNTS)
    write(office / "contacts.csv", "4155550125,Eve,vip\n")
    mended = looked(knowledge, loaded)
    assert (mended.faults, [contact.group for contact in mended.contacts.values()]) == ((), ["vip"])
    (office / "contacts.csv").unlink()
    assert after_a_restart(office).contacts == mended.contacts


def test_what_lies_where_the_contacts_should(office: Path) -> None:
    """A directory, a pipe that nobody writes to, a link to itself, a name that is none."""
    loaded = config(office)
    good, path, knowledge = looked(Knowledge(keeps=True), loaded), office / "contacts.csv", Knowledge()
    path.unlink()
    path.mkdir()
    assert looked(knowledge, loaded).faults[0].detail == "is a directory; name a file"
    path.rmdir()
    os.mkfifo(path)
    assert looked(knowledge, loaded).faults[0].detail == "is no file; name a file"
    path.unlink()
    path.symlink_to(path)
    assert looked(knowledge, loaded).faults[0].detail == "cannot be read: Too many levels of symbolic links"
    assert looked(knowledge, loaded).contacts == good.contacts


def test_files_larger_than_they_can_be(office: Path) -> None:
    good = after_a_restart(office)
    for name, size in (("contacts.csv", 20_000_001), ("closures.ics", 50_000_000)):
        with (office / name).open("r+b") as file:
            file.truncate(size)
        write_old(office / name)
    directory = after_a_restart(office)
    assert [fault.detail.partition(";")[0] for fault in directory.faults] == ["is larger than 20 MB", "is larger than 5 MB"]
    assert (directory.contacts, directory.hours) == (good.contacts, good.hours)


def write_old(path: Path) -> None:
    os.utime(path, (1, 1))


def test_a_replaced_file_of_the_same_age_and_size_is_noticed(office: Path) -> None:
    knowledge, loaded = Knowledge(keeps=True), config(office)
    looked(knowledge, loaded)
    before = (office / "contacts.csv").stat()
    fresh = office / "fresh"
    fresh.write_text(ROWS.replace("blocked", "staff  "))
    os.utime(fresh, ns=(before.st_atime_ns, before.st_mtime_ns))
    fresh.replace(office / "contacts.csv")
    assert (office / "contacts.csv").stat().st_size == before.st_size
    assert looked(knowledge, loaded).contacts[EVE].group == "staff"


def test_a_file_that_has_just_changed_is_waited_for(office: Path) -> None:
    knowledge, loaded = Knowledge(keeps=True), config(office)
    good = looked(knowledge, loaded)
    write(office / "contacts.csv", "4155550125,Eve,vip\n", age=0)
    with capture_logs() as logs:
        directory = looked(knowledge, loaded)
    assert (directory.contacts, directory.faults, knowledge.is_changing, logs) == (good.contacts, (), True, [])
    write(office / "contacts.csv", "4155550125,Eve,vip\n", age=4)
    assert looked(knowledge, loaded).contacts[EVE].group == "vip"
    assert not knowledge.is_changing


def test_a_file_that_texts_wait_for_is_not_read_while_it_is_written(office: Path) -> None:
    """At the start a file counts as it is; one that comes later may be half of itself."""
    path, loaded, knowledge = office / "contacts.csv", config(office), Knowledge(keeps=True)
    path.unlink()
    assert looked(knowledge, loaded).contacts_unknown != ""
    assert knowledge.is_changing
    write(path, ROWS, age=0)
    assert "has changed just now" in looked(knowledge, loaded).contacts_unknown
    write(path, ROWS, age=4)
    assert looked(knowledge, loaded).contacts[EVE].group == "blocked"
    path.unlink()
    write(office / "people.csv", ROWS, age=0)
    assert after_a_restart(office, contacts="people.csv").contacts_unknown == ""


def test_lost_rows_are_believed_after_a_while(office: Path) -> None:
    knowledge, loaded = Knowledge(keeps=True), config(office)
    looked(knowledge, loaded)
    shorter = "number,name,group\n4155550123,Sam,staff\n"
    write(office / "contacts.csv", shorter, age=5)
    directory = looked(knowledge, loaded)
    assert directory.contacts[EVE].group == "blocked"
    assert "only the beginning of what it was" in directory.faults[0].detail
    write(office / "contacts.csv", shorter, age=contacts.DOUBTED_FOR_S + 5)
    assert EVE not in looked(knowledge, loaded).contacts


def test_another_file_is_not_given_the_copy_of_this_one(office: Path) -> None:
    after_a_restart(office)
    other = after_a_restart(office, contacts="people.csv", calendar="other.ics")
    assert (other.contacts, other.contacts_unknown) == ({}, "the contacts file is not there; put it there, or name another")
    assert other.hours["office"].days_off == frozenset()
    assert list((office / "data" / DIRECTORY).iterdir()) == []  # people's numbers of a file that nobody names


def test_a_copy_is_replaced_whole_or_not_at_all(office: Path) -> None:
    good = after_a_restart(office)
    directory = office / "data" / DIRECTORY
    (copy,) = directory.glob("*-contacts.csv")
    copy.with_name(f"{copy.name}.new").write_text("left by a power cut")
    write(office / "contacts.csv", ROWS + "4155550126,Al,\n")
    assert len(after_a_restart(office).contacts) == len(good.contacts) + 1
    assert copy.read_text().endswith("Al,\n")
    assert len(list(directory.iterdir())) == 2


def test_a_damaged_copy_is_as_good_as_none(office: Path) -> None:
    after_a_restart(office)
    for copy in (office / "data" / DIRECTORY).iterdir():
        copy.write_bytes(b"\0")
    (office / "contacts.csv").unlink()
    assert after_a_restart(office).contacts_unknown != ""


def test_a_copy_that_cannot_be_kept_is_told(office: Path) -> None:
    (office / "data" / DIRECTORY).write_text("in the way")
    with capture_logs() as logs:
        assert after_a_restart(office).contacts[SAM].group == "staff"
    told = [log for log in logs if log["event"] == "last_good_copy_not_kept"]
    assert len(told) == 2
    assert told[0]["detail"] == "File exists"


def test_commands_read_the_copies_and_write_none(office: Path) -> None:
    loaded = config(office)
    looked(Knowledge(), loaded)
    assert not (office / "data" / DIRECTORY).exists()
    looked(Knowledge(keeps=True), loaded)
    (office / "contacts.csv").unlink()
    assert looked(Knowledge(), loaded).contacts[EVE].group == "blocked"


def test_no_whole_number_in_the_log(office: Path) -> None:
    write(office / "contacts.csv", "4155550123,Sam,staff\n4155550123,Sam,vip\n41555501234567,Al,\n" + "x,,\n" * 100)
    with capture_logs() as logs:
        after_a_restart(office)
    assert "4155550" not in str([{**log, "file": ""} for log in logs])
    assert sum(log["event"] == "contact_unusable" for log in logs) == 20
    assert next(log["more_unusable"] for log in logs if log["event"] == "contacts_read") == 82


def test_the_trace_of_a_decision_says_that_days_off_are_not_known(office: Path) -> None:
    (office / "closures.ics").unlink()
    directory = after_a_restart(office)
    case = first_call(directory.config.line["front"], directory, NOW)
    assert variant_sends(case).saw == "the line's own message; days off of closures.ics are not known"


def test_a_year_without_dates(office: Path) -> None:
    for year in (1, 9999):
        Knowledge().directory(config(office), datetime(year, 6, 1, tzinfo=UTC))
