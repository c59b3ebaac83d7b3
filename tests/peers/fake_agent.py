"""An agent that misbehaves: `python -m tests.peers.fake_agent KIND`. All but one do no SIP."""

import os
import subprocess
import sys
import time
from collections.abc import Callable

from sip.call.agent import Agent
from sip.pipe.lines import encode
from sip.pipe.pipes import CommandReader, EventWriter
from sip.protocol import (
    AgentEvent,
    CallArrived,
    CallEnded,
    CallerHungUp,
    Pulse,
    Ready,
    Start,
)

CALLS = 3000
"""Far more than a pipe holds."""


def command(kind: str) -> tuple[str, ...]:
    """What starts one."""
    return (sys.executable, "-m", "tests.peers.fake_agent", kind)


def _tell(*events: AgentEvent) -> None:
    os.write(1, b"".join(map(encode, events)))


def _ready() -> None:
    _tell(Ready(stack="fake", capacity=1, max_calls=1, listen=()), _pulse())


def _pulse() -> Pulse:
    return Pulse(
        calls=0, strangers=0, malformed=0, disconnected=0, descriptors=9, descriptor_limit=1024, last_stranger="",
        last_malformed="", last_disconnected="",
    )  # fmt: skip


def _live() -> None:
    while True:
        _tell(_pulse())
        time.sleep(0.1)


def _call(number: int) -> tuple[CallArrived, CallerHungUp, CallEnded]:
    key = f"k{number}"
    arrived = CallArrived(
        key=key, call_id=key, trunk="pbx", source="127.0.0.1:5060", caller="+14155550123", caller_name="", caller_header="From",
        dialled=("+14155550100",), diversions=(), verstat="", at=1.0,
    )  # fmt: skip
    return arrived, CallerHungUp(key=key, at=2.0, rang=1.0, reason=""), CallEnded(key=key, at=2.0, status=487)


def _tell_many() -> None:
    _ready()
    for number in range(CALLS):
        os.write(1, b"".join(map(encode, _call(number))))


def good() -> None:
    """Ready and alive until anything is commanded after Start."""
    _ready()
    os.set_blocking(0, False)
    begun = b""
    while begun.count(b"\n") < 2:
        _tell(_pulse())
        time.sleep(0.02)
        try:
            begun += os.read(0, 65536)
        except BlockingIOError:
            continue


def silent() -> None:
    """Never says anything, never reads, never leaves."""
    time.sleep(1000)


def falls_silent() -> None:
    """Ready, tells of many calls, and hangs."""
    _tell_many()
    time.sleep(1000)


def dies() -> None:
    """Ready, tells of many calls, and is gone."""
    _tell_many()
    os._exit(7)


def deaf() -> None:
    """Alive, and obeys nothing."""
    _ready()
    _live()


def exits() -> None:
    """Gone at once, with a word."""
    os.write(2, b"no luck today")
    os._exit(3)


def garbage() -> None:
    """Lines that are no events."""
    while True:
        os.write(1, b"\x00\xff what?\n")


def endless() -> None:
    """One line that never ends."""
    while True:
        os.write(1, b"x" * 65536)


def talks() -> None:
    """Alive; first a line of 300,000 bytes on standard error, then many short ones, then one without an end."""
    _ready()
    os.write(2, b"L" * 300_000 + b"\n")
    for number in range(20_000):
        os.write(2, b"line %d\n" % number)
    os.write(2, b"the end, without a newline")
    _tell(*_call(1))
    _live()


def leaves_a_child() -> None:
    """Gone, while a child of its own holds its pipes open."""
    _ready()
    subprocess.Popen(["sleep", "1000"])
    os._exit(5)


def unread() -> None:
    """The real agent, with room for no event that waits."""
    events = EventWriter(os.dup(1), unsent_at_most=-1)
    os.dup2(os.open(os.devnull, os.O_WRONLY), 1)
    reader = CommandReader(os.dup(0))
    reader.start()
    while not reader.commands:
        time.sleep(0.01)
    start = reader.commands.popleft()
    assert isinstance(start, Start)
    Agent(start, reader, events).run()


KINDS: dict[str, Callable[[], None]] = {
    kind.__name__: kind
    for kind in (good, silent, falls_silent, dies, deaf, exits, garbage, endless, talks, leaves_a_child, unread)
}

if __name__ == "__main__":
    KINDS[sys.argv[1]]()
