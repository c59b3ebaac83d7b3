"""`python -m sip` prints what happens on the phone line; `python -m sip --agent` is the gateway's agent process.

As an agent it reads its set-up and commands from standard input and writes events to standard output, one JSON object a line
(`sip/protocol.py`). Without `--agent` it listens by its command line, rings every call, and prints the same events to read.
"""

import argparse
import os
import signal
import sys
import time
from collections.abc import Sequence

from sip.faults import never_wait
from sip.pipe.lines import encode
from sip.pipe.pipes import CommandReader, EventWriter
from sip.protocol import AgentEvent, Failed, Pulse, Start, Stop, Trunk

START_WITHIN_S = 10.0


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the agent; 0 after an orderly end, 1 when it could not start."""
    options = _parser().parse_args(arguments)
    return _run_for_gateway() if options.agent else _run_for_person(options)


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m sip", description="Print what happens on the phone line.")
    parser.add_argument("--agent", action="store_true", help="be the gateway's agent: commands on stdin, events on stdout")
    parser.add_argument("--listen", default="udp:127.0.0.1:5060", help="default %(default)s")
    parser.add_argument("--peer", action="append", help="address or network that may call (repeatable; default 127.0.0.1)")
    parser.add_argument("--ring", type=float, default=20.0, metavar="SECONDS", help="default %(default)s")
    parser.add_argument("--max-calls", type=int, default=100, help="default %(default)s")
    return parser


def _run_for_gateway() -> int:
    events = EventWriter(os.dup(1))
    os.dup2(os.open(os.devnull, os.O_WRONLY), 1)  # what the stack prints must not stand among the events
    never_wait()
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # the gateway decides when to stop
    signal.signal(signal.SIGTERM, signal.SIG_IGN)
    reader = CommandReader(os.dup(0))
    reader.start()
    start = _first_command(reader)
    if start is None:
        return _fail(events, "the first command must be Start, within ten seconds")
    status = _run(start, reader, events)
    sys.stdout.flush()
    os._exit(status)  # pjsua2 would answer, on its way out, calls that are left to the next gateway


def _first_command(reader: CommandReader) -> Start | None:
    until = time.monotonic() + START_WITHIN_S
    while time.monotonic() < until:
        is_last_look = reader.is_closed
        if reader.commands:
            first = reader.commands.popleft()
            return first if isinstance(first, Start) else None
        if is_last_look:
            return None
        time.sleep(0.002)
    return None


def _run_for_person(options: argparse.Namespace) -> int:
    peers = tuple(options.peer or ["127.0.0.1"])
    start = Start(
        listen=(options.listen,),
        rtp_first=10000,
        rtp_last=10000 + 2 * options.max_calls + 63,
        max_calls=options.max_calls,
        trunks=(Trunk(name="peer", peers=peers, ring_seconds=options.ring),),
    )
    reader = CommandReader(os.dup(0))  # not started: nobody commands
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, lambda *_: reader.commands.append(Stop()))
    return _run(start, reader, _Printer())


class _Printer(EventWriter):
    """Events for a person: as they happen, without the pulse."""

    is_full = False

    def __init__(self) -> None:
        pass

    def write(self, event: AgentEvent) -> None:
        if not isinstance(event, Pulse):
            print(encode(event).decode().rstrip(), flush=True)

    def flush(self) -> None:
        pass

    def flush_all(self, seconds: float) -> None:
        pass


def _run(start: Start, reader: CommandReader, events: EventWriter) -> int:
    from sip.call.agent import Agent  # noqa: PLC0415 — loads pjsua2, which may be missing
    from sip.stack.endpoint import StackError  # noqa: PLC0415

    try:
        Agent(start, reader, events).run()
    except StackError as error:
        return _fail(events, str(error), is_port_taken=error.is_port_taken)
    return 0


def _fail(events: EventWriter, reason: str, *, is_port_taken: bool = False) -> int:
    events.write(Failed(reason=reason, is_port_taken=is_port_taken))
    events.flush_all(1.0)
    sys.stdout.flush()
    os._exit(1)  # pjsua2 half open has no orderly end


if __name__ == "__main__":
    sys.exit(main())
