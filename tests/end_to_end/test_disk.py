"""A disk that is full, a database that is held, removed or replaced under the running gateway: no call is lost, none texted twice."""

import contextlib
import shutil
import sqlite3
import subprocess
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.peers import sipp
from tests.peers.disk import SmallDisk
from tests.peers.gateway import RunningGateway
from tests.peers.sipp import Call, Ends
from tests.peers.smsc import Smsc

Start = Callable[..., RunningGateway]
CALLERS = ("+14155550123", "+14155550124")
PATIENT_LINE = '[line.patient]\nnumber = "+14155550101"\nbusiness = "ABC HVAC"\nring_seconds = 40\n'
"""Without a plan a call would ring as long as on this line."""


@pytest.fixture
def disk(tmp_path: Path) -> Iterator[SmallDisk]:
    small = SmallDisk(tmp_path / "gateway" / "data")
    yield small
    small.unmount()


@pytest.fixture
def running(disk: SmallDisk, smsc: Smsc) -> Iterator[RunningGateway]:
    """A gateway whose data directory is on the small disk."""
    shutil.copy(disk.path.parent.parent / "smsc.password", disk.path.parent)
    one = RunningGateway(disk.path.parent, sms=smsc.config(), more=PATIENT_LINE, ring=1)
    one.start()
    yield one
    one.end()


def place(running: RunningGateway, caller: str) -> None:
    """A call that nobody answers, rung to its end."""
    began = time.monotonic()
    ran = sipp.place(running.directory, running.sip_port, [Call(caller=caller)], within=60)
    assert ran.is_good, ran
    assert time.monotonic() - began < 20  # not the 40 s of a call that got no plan


def wait_until_kept(running: RunningGateway, calls: int) -> dict[str, Any]:
    return running.wait_for_status(lambda status: status["database"]["calls_kept"] == calls)


def assert_each_texted_once(running: RunningGateway, smsc: Smsc, callers: tuple[str, ...] = CALLERS) -> None:
    texts = running.wait_for("texts", len(callers), state="accepted")
    assert [text["to"] for text in texts] == list(callers)  # in the order of the calls
    assert sorted("+" + entry["to"] for entry in smsc.submitted()) == sorted(callers)


def test_calls_on_a_full_disk_ring_in_time_and_are_texted_once_there_is_room(
    running: RunningGateway, disk: SmallDisk, smsc: Smsc
) -> None:
    disk.fill()
    running.wait_for_status(lambda status: not status["database"]["writable"])  # before there is a call
    for caller in CALLERS:
        place(running, caller)
    status = wait_until_kept(running, 2)
    assert "textback.db: the disk is full; free some space" in status["database"]["detail"]
    readiness, said = running.get("/readyz")
    assert (readiness, said["why_not"]) == (503, [status["database"]["detail"]])
    shown = running.cli("status")
    assert shown.returncode == 1
    assert "2 calls wait in the reserve until the database can be written" in shown.stdout
    disk.make_room()
    assert_each_texted_once(running, smsc)
    assert {round(call["rang_seconds"]) for call in running.calls()} <= {1, 2, 3}
    wait_until_kept(running, 0)
    assert running.get("/readyz")[0] == 200
    assert [running.log.count(event) for event in ("database_not_writable", "database_writable_again")] == [1, 1]
    running.stop()
    running.start()
    assert_each_texted_once(running, smsc)


@pytest.mark.parametrize("how", ["stopped", "killed"])
def test_gateway_that_ends_on_a_full_disk_texts_at_its_next_start(
    running: RunningGateway, disk: SmallDisk, smsc: Smsc, how: str
) -> None:
    disk.fill()
    place(running, CALLERS[0])
    ends = Ends(status=480)
    ringing = sipp.start(running.directory, running.sip_port, [Call(caller=CALLERS[1], dialled="+14155550101")], ends)
    wait_until_kept(running, 2)
    assert running.process is not None
    if how == "stopped":
        running.process.terminate()
        assert running.process.wait(timeout=10) == 0
        assert "calls_kept_for_the_next_start" in running.log
    else:
        running.kill()
    assert ringing.wait(timeout=20) == 0
    disk.make_room()
    for _ in range(2):  # the second start finds nothing more to do
        running.start()
        assert_each_texted_once(running, smsc)
        assert [call["outcome"] for call in running.calls()] == ["no_answer", "interrupted"]
        wait_until_kept(running, 0)
        running.stop()
    assert "Traceback" not in running.log


def test_many_calls_on_a_full_disk_and_a_stop(running: RunningGateway, disk: SmallDisk, smsc: Smsc) -> None:
    """A hundred callers, some of them still ringing when the gateway is stopped: all are kept, and texted in their order."""
    disk.fill()
    callers = tuple(f"+1415555{number}" for number in range(3000, 3100))
    calls = [Call(caller=caller, dialled="+14155550101") for caller in callers]
    ringing = sipp.start(running.directory, running.sip_port, calls, Ends(status=480), rate=50)
    wait_until_kept(running, len(callers))
    assert running.process is not None
    running.process.terminate()
    assert running.process.wait(timeout=10) == 0
    assert ringing.wait(timeout=20) == 0
    disk.make_room()
    running.start()
    assert_each_texted_once(running, smsc, callers)


def test_gateway_that_was_killed_starts_on_a_full_disk_and_takes_calls(
    running: RunningGateway, disk: SmallDisk, smsc: Smsc
) -> None:
    place(running, CALLERS[0])
    running.wait_for("texts", 1, state="accepted")
    running.kill()
    disk.fill()
    ready_before = running.log.count("gateway_ready")
    running.start(wait=False)
    while running.log.count("gateway_ready") == ready_before:
        assert running.process is not None
        assert running.process.poll() is None, running.log
        time.sleep(0.05)
    disk.fill()  # the start itself may have freed some
    place(running, CALLERS[1])
    wait_until_kept(running, 1)
    disk.make_room()
    assert_each_texted_once(running, smsc)


@pytest.mark.parametrize("is_new", [True, False])
def test_start_on_a_full_disk_says_so_in_one_sentence(disk: SmallDisk, is_new: bool) -> None:
    running = RunningGateway(disk.path.parent)
    if not is_new:
        running.start()
        running.stop()
    disk.fill()
    log_before = len(running.log)
    running.start(wait=False)
    assert running.process is not None
    assert running.process.wait(timeout=20) == 1
    said = running.log[log_before:].strip().splitlines()
    assert said[-1].startswith(f"textback: {disk.path}/")
    assert "free" in said[-1]
    assert "Traceback" not in running.log
    disk.make_room()
    running.start()
    running.stop()


def test_calls_while_another_program_holds_the_database(gateway: Start, smsc: Smsc) -> None:
    running = gateway(sms=smsc.config(), more=PATIENT_LINE)
    other = sqlite3.connect(running.database, isolation_level=None)
    other.execute("BEGIN IMMEDIATE")
    for caller in CALLERS:
        place(running, caller)
    wait_until_kept(running, 2)
    running.wait_for_status(lambda status: "another program holds the database" in status["database"]["detail"])
    other.execute("ROLLBACK")
    other.close()
    assert_each_texted_once(running, smsc)
    wait_until_kept(running, 0)


def test_start_while_another_program_holds_the_database(gateway: Start, smsc: Smsc) -> None:
    """A call that was cut off, one that comes meanwhile: both are texted."""
    running = gateway(sms=smsc.config(), more=PATIENT_LINE)
    ringing = sipp.start(running.directory, running.sip_port, [Call(caller=CALLERS[0], dialled="+14155550101")], Ends())
    running.wait_for("calls", 1, outcome=None)
    running.kill()
    assert ringing.wait(timeout=20) == 0
    other = sqlite3.connect(running.database, isolation_level=None)
    other.execute("BEGIN IMMEDIATE")
    running.start(wait=False)
    running.wait_for_status(lambda status: status["agent"]["up"])
    place(running, CALLERS[1])
    running.wait_for_status(lambda status: "another program holds the database" in status["database"]["detail"])
    other.execute("ROLLBACK")
    other.close()
    running.wait_for("texts", 2, state="accepted")
    assert sorted("+" + entry["to"] for entry in smsc.submitted()) == sorted(CALLERS)
    assert {call["caller"]: call["outcome"] for call in running.calls()} == dict(
        zip(CALLERS, ("interrupted", "no_answer"), strict=True)
    )


def test_stop_while_another_program_holds_the_database(gateway: Start, smsc: Smsc) -> None:
    running = gateway(sms=smsc.config(), more=PATIENT_LINE)
    other = sqlite3.connect(running.database, isolation_level=None)
    other.execute("BEGIN IMMEDIATE")
    place(running, CALLERS[0])
    wait_until_kept(running, 1)
    assert running.process is not None
    running.process.terminate()
    assert running.process.wait(timeout=10) == 0
    other.close()
    running.start()
    assert_each_texted_once(running, smsc, CALLERS[:1])


def first_call(running: RunningGateway) -> None:
    place(running, CALLERS[0])
    running.wait_for("texts", 1, state="accepted")


@pytest.mark.parametrize("removed", [("", "-wal", "-shm"), ("",), ("-wal", "-shm"), ("-shm",)], ids=str)
def test_removed_files_are_written_back(gateway: Start, smsc: Smsc, removed: tuple[str, ...]) -> None:
    running = gateway(sms=smsc.config())
    first_call(running)
    for name in removed:
        Path(f"{running.database}{name}").unlink()
    place(running, CALLERS[1])
    running.wait_for_log("database_written_back" if "" in removed else "database_log_was_removed")
    assert_each_texted_once(running, smsc)
    assert running.get("/readyz")[0] == 200
    running.kill()
    running.start()
    assert_each_texted_once(running, smsc)
    with contextlib.closing(sqlite3.connect(running.database)) as db:
        assert db.execute("PRAGMA integrity_check").fetchone() == ("ok",)
    assert sorted(path.name for path in running.database.parent.glob("textback.db*saved*")) == []


def test_data_directory_that_was_removed_and_made_again(gateway: Start, smsc: Smsc) -> None:
    running = gateway(sms=smsc.config())
    first_call(running)
    shutil.rmtree(running.database.parent)
    place(running, CALLERS[1])
    running.wait_for_status(lambda status: "the directory is gone; make it again" in status["database"]["detail"])
    running.database.parent.mkdir(mode=0o700)
    running.wait_for_log("database_written_back")
    assert_each_texted_once(running, smsc)
    wait_until_kept(running, 0)


def put_foreign(path: Path, *, in_place: bool) -> bytes:
    """Another program's database where ours was; its bytes."""
    foreign = path.with_name("foreign.db")
    db = sqlite3.connect(foreign)
    with db:
        db.execute("CREATE TABLE theirs (x)")
        db.execute("INSERT INTO theirs VALUES ('theirs')")
    db.close()
    content = foreign.read_bytes()
    shutil.copyfile(foreign, path) if in_place else foreign.rename(path)
    return content


@pytest.mark.parametrize("in_place", [True, False])
def test_foreign_database_in_its_place_is_left_alone_until_a_person_decides(gateway: Start, smsc: Smsc, in_place: bool) -> None:
    running = gateway(sms=smsc.config())
    first_call(running)
    foreign = put_foreign(running.database, in_place=in_place)
    place(running, CALLERS[1])
    status = wait_until_kept(running, 1)
    assert "the file was replaced by another while the gateway ran" in status["database"]["detail"]
    assert running.get("/readyz")[0] == 503
    assert running.database.read_bytes() == foreign
    running.database.rename(running.database.with_name("moved-away.db"))
    running.wait_for_log("database_written_back")
    assert_each_texted_once(running, smsc)
    assert running.database.with_name("moved-away.db").read_bytes() == foreign
    assert running.get("/readyz")[0] == 200


@pytest.mark.parametrize("how", ["foreign", "empty"])
def test_start_in_place_of_what_was_overwritten(gateway: Start, smsc: Smsc, how: str) -> None:
    """Stopped with the wrong file there: it is refused in a sentence that names the copy, and with the copy there all is well."""
    running = gateway(sms=smsc.config())
    first_call(running)
    if how == "foreign":
        content = put_foreign(running.database, in_place=True)
    else:
        content = b""
        subprocess.run(["cp", "/dev/null", str(running.database)], check=True)
    place(running, CALLERS[1])
    wait_until_kept(running, 1)
    assert running.stop() == 0
    assert running.database.read_bytes() == content
    running.start(wait=False)
    assert running.process is not None
    assert running.process.wait(timeout=20) == 1
    (saved,) = running.database.parent.glob("textback.db.saved-*")
    assert f"{saved.name}, which the gateway saved, in its place" in running.log.splitlines()[-1]
    running.database.unlink()
    running.start()
    assert_each_texted_once(running, smsc)
    assert [call["caller"] for call in running.calls()] == list(CALLERS)
