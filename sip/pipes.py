"""The agent's two pipes: commands come in on a thread of their own, events go out without ever blocking the phone line."""

import os
import sys
import threading
import time
from collections import deque

from sip.protocol import MAX_LINE, Command, Event, ProtocolError, decode_command, encode

GRACE_AFTER_EOF_S = 5.0
"""The gateway is gone: an agent that has not left by then is stuck and is ended."""

UNSENT_AT_MOST = 64 * 1024 * 1024
"""Bytes of events that nobody reads before the agent gives up."""


class CommandReader:
    """Commands from a pipe, as plain values in a deque. `is_closed` once the other end is gone."""

    def __init__(self, descriptor: int) -> None:
        self._descriptor = descriptor
        self.commands: deque[Command] = deque()
        self.is_closed = False

    def start(self) -> None:
        """Read in a daemon thread; it only builds values and hands them over."""
        threading.Thread(target=self._read, name="commands", daemon=True).start()

    def _read(self) -> None:
        with os.fdopen(self._descriptor, "rb") as pipe:
            for line in iter(lambda: pipe.readline(MAX_LINE), b""):
                try:
                    self.commands.append(decode_command(line))
                except ProtocolError as error:
                    print(f"command ignored: {error}", file=sys.stderr)  # noqa: T201 — standard error is the agent's log
        self.is_closed = True
        time.sleep(GRACE_AFTER_EOF_S)
        os._exit(3)


class EventWriter:
    """Events to a pipe. What the pipe does not take now waits in memory, in order."""

    def __init__(self, descriptor: int) -> None:
        self._descriptor = descriptor
        self._unsent = bytearray()
        os.set_blocking(descriptor, False)

    def write(self, event: Event) -> None:
        """Queue an event; `flush` sends it."""
        self._unsent += encode(event)

    def flush(self) -> None:
        """Send what the pipe takes. `BrokenPipeError` when nobody reads any more."""
        if not self._unsent:
            return
        try:
            sent = os.write(self._descriptor, self._unsent)
        except BlockingIOError:
            if len(self._unsent) > UNSENT_AT_MOST:
                raise BrokenPipeError("nobody reads the events") from None
            return
        del self._unsent[:sent]

    def flush_all(self, seconds: float) -> None:
        """Send everything, waiting so long at the most."""
        until = time.monotonic() + seconds
        while self._unsent and time.monotonic() < until:
            self.flush()
            time.sleep(0.005)
