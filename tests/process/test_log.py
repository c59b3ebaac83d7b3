"""The log never blocks and never raises; what could not be written is counted and told."""

import contextlib
import logging
import os
import re
import subprocess
import sys
import time
from collections.abc import Iterator

import pytest
import structlog

from gateway.process import log
from gateway.process.log import Writer


@pytest.fixture
def pipe() -> Iterator[tuple[int, int]]:
    reader, writer = os.pipe()
    yield reader, writer
    for end in (reader, writer):
        with contextlib.suppress(OSError):
            os.close(end)


def test_lines_come_in_order(pipe: tuple[int, int]) -> None:
    reader, descriptor = pipe
    writer = Writer(descriptor)
    for number in range(100):
        writer.info(f"line {number} \udcff")
    writer.flush()
    assert os.read(reader, 65536).decode() == "".join(f"line {number} \\udcff\n" for number in range(100))


def test_nobody_reads(pipe: tuple[int, int]) -> None:
    """20,000 lines into a pipe that holds 64 kB: at once, and the number of those that were lost is told."""
    reader, descriptor = pipe
    writer = Writer(descriptor, at_most=100)
    began = time.monotonic()
    for _ in range(20_000):
        writer.info("x" * 100)
    assert time.monotonic() - began < 5
    writer.flush(0.1)
    taken, dropped = b"", 0
    while taken.count(b"xxx\n") + dropped < 20_000:  # every line is read or counted
        taken += os.read(reader, 65536)
        dropped = sum(int(count) for count in re.findall(rb"count=(\d+)", taken))
    assert taken.count(b"xxx\n") + dropped == 20_000
    assert dropped > 10_000


@pytest.mark.parametrize("is_closed", [True, False])
def test_closed_pipe_or_full_disk(is_closed: bool, pipe: tuple[int, int]) -> None:
    reader, descriptor = pipe
    if is_closed:
        os.close(reader)
    full = os.open("/dev/full", os.O_WRONLY)
    writer = Writer(descriptor if is_closed else full)
    writer.error("lost")
    writer.flush()
    os.close(full)


def test_non_blocking_standard_error(pipe: tuple[int, int]) -> None:
    """A shell or a sibling has made it non-blocking: lines wait, none is cut."""
    reader, descriptor = pipe
    os.set_blocking(descriptor, False)
    writer = Writer(descriptor)
    for _ in range(200):
        writer.info("y" * 1000)
    taken = b""
    while taken.count(b"\n") < 200:
        taken += os.read(reader, 65536)
    assert set(taken.split(b"\n")) == {b"y" * 1000, b""}


def test_the_last_lines_of_a_process_are_written() -> None:
    """Whatever ends it in order: what was said just before is in the log."""
    program = "from gateway.process import log; import structlog; log.set_up(); [structlog.get_logger().info(str(n)) for n in range(3000)]"
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True, timeout=60)
    assert done.stderr.count("\n") == 3000
    assert done.stderr.endswith("event=2999\n")


def test_libraries_warnings_go_the_same_way(capfd: pytest.CaptureFixture[str]) -> None:
    before = structlog.get_config(), logging.root.handlers[:]
    try:
        writer = log.set_up()
        logging.getLogger("asyncio").error("Task exception was never retrieved", exc_info=ValueError("inner"))
        structlog.get_logger().warning("ours", detail="no +1 (415) 555-0123 \x1b[2J", number="+14155550100")
        writer.flush()
    finally:
        structlog.configure(**before[0])
        logging.root.handlers[:] = before[1]
    first, second = capfd.readouterr().err.strip().split("\n")
    assert "level=error event=library_said" in first
    assert "Task exception was never retrieved" in first
    assert "ValueError: inner" in first
    assert second.endswith(r'level=warning event=ours detail="no •••23 \x1b[2J" number=+14155550100')


PROGRAM = """
import logging, sys, structlog
from gateway.process import log
from gateway.cli.say import complain
log.set_up(is_verbose=True)
told = structlog.get_logger()
for level in ("debug", "info", "warning", "error", "critical"):
    getattr(told, level)("happened", how=level)
try:
    raise ValueError("first\\nsecond")
except ValueError:
    told.exception("failed")
logging.getLogger("a.library").warning("mind\\nthis")
told.info("text\\n<2>forged")
sys.stderr.flush()
structlog.get_config()["logger_factory"]().flush()
complain("textback.toml:1: is wrong", "two\\nlines")
"""


@pytest.mark.parametrize("is_journal", [True, False])
def test_journal_is_told_how_much_each_line_matters(is_journal: bool, pipe: tuple[int, int]) -> None:
    """Where standard error leads to the journal; a pipe to somebody else gets no priorities and the time."""
    reader, descriptor = pipe
    found = os.fstat(descriptor)
    environment = {**os.environ, "JOURNAL_STREAM": f"{found.st_dev}:{found.st_ino + (not is_journal)}"}
    subprocess.run([sys.executable, "-c", PROGRAM], stderr=descriptor, env=environment, timeout=60, check=True)
    lines = os.read(reader, 65536).decode().splitlines()
    expected = [
        "<7>level=debug event=happened",
        "<6>level=info event=happened",
        "<4>level=warning event=happened",
        "<3>level=error event=happened",
        "<2>level=critical event=happened",
        "<3>level=error event=failed ex",
        "<4>level=warning event=library",
        "<6>level=info event=text\\n<2>forged",
        "<3>textback.toml:1: is wrong",
        "<3>two\\nlines",
    ]
    if is_journal:
        assert [line for line, start in zip(lines, expected, strict=True) if not line.startswith(start)] == []
        assert "timestamp" not in "".join(lines)
        assert r"Traceback (most recent call last):\n" in lines[5]
    else:
        assert all(line.startswith("timestamp=") for line in lines[:8])
        assert not [line for line in lines if line.startswith("<")]
