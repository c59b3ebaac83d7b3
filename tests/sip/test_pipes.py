"""The agent's events when the other end reads slowly, not at all, or is gone."""

import os
from collections.abc import Iterator

import pytest

from sip.pipe.lines import decode_event
from sip.pipe.pipes import EventWriter
from sip.protocol import AgentEvent, Busy


@pytest.fixture
def pipe() -> Iterator[tuple[int, int]]:
    ends = os.pipe()
    yield ends
    for end in ends:
        try:
            os.close(end)
        except OSError:
            continue


def events(count: int) -> list[AgentEvent]:
    return [Busy(key=f"k{number}", at=1.0) for number in range(count)]


def test_what_is_not_read_waits_in_order_and_says_that_it_is_too_much(pipe: tuple[int, int]) -> None:
    reading, writing = pipe
    writer = EventWriter(writing, unsent_at_most=100_000)
    written = events(5000)
    for event in written:
        writer.write(event)
        writer.flush()
    assert writer.is_full
    read = b""
    while read.count(b"\n") < len(written):
        read += os.read(reading, 1 << 20)
        writer.flush()
    assert [decode_event(line) for line in read.splitlines()] == written
    assert not writer.is_full


def test_a_reader_that_is_gone_is_told(pipe: tuple[int, int]) -> None:
    reading, writing = pipe
    writer = EventWriter(writing)
    os.close(reading)
    writer.write(Busy(key="k", at=1.0))
    with pytest.raises(BrokenPipeError):
        writer.flush()
    writer.flush_all(5)  # says nothing more


def test_nobody_reads_at_the_end_and_it_ends_all_the_same(pipe: tuple[int, int]) -> None:
    _, writing = pipe
    writer = EventWriter(writing, unsent_at_most=1000)
    for event in events(5000):
        writer.write(event)
    writer.flush_all(0.1)
    assert writer.is_full
