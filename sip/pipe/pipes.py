"""The agent's two pipes: commands come in on a thread of their own, events go out without ever blocking the phone line."""

import contextlib
import os
import threading
import time
from collections import deque

from sip.faults import say
from sip.pipe.lines import ProtocolError, decode_command, encode
from sip.protocol import AgentEvent, Command

GRACE_AFTER_EOF_S = 5.0
"""The gateway is gone: an agent that has not left by then is stuck and is ended."""

UNSENT_AT_MOST = 64 * 1024 * 1024
"""Bytes of events that nobody reads; with more than these, further INVITEs are rejected with 503."""


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
        try:
            with os.fdopen(self._descriptor, "rb") as pipe:
                for line in pipe:
                    self._take(line)
        finally:  # whatever it was, nobody commands any more
            self.is_closed = True
            time.sleep(GRACE_AFTER_EOF_S)
            os._exit(3)

    def _take(self, line: bytes) -> None:
        try:
            self.commands.append(decode_command(line))
        except ProtocolError as error:
            say(f"command ignored: {error}")


class EventWriter:
    """Events to a pipe. What the pipe does not take now waits in memory, in order."""

    def __init__(self, descriptor: int, *, unsent_at_most: int = UNSENT_AT_MOST) -> None:
        self._descriptor = descriptor
        self._unsent_at_most = unsent_at_most
        self._unsent = bytearray()
        os.set_blocking(descriptor, False)

    @property
    def is_full(self) -> bool:
        """So much waits that no more should be begun."""
        return len(self._unsent) > self._unsent_at_most

    def write(self, event: AgentEvent) -> None:
        """Queue an event; `flush` sends it."""
        self._unsent += encode(event)

    def flush(self) -> None:
        """Send what the pipe takes. `BrokenPipeError` when there is nobody who could read."""
        if not self._unsent:
            return
        try:
            sent = os.write(self._descriptor, self._unsent)
        except BlockingIOError:
            return
        del self._unsent[:sent]

    def flush_all(self, seconds: float) -> None:
        """Send everything, waiting so long at the most, and no longer than there is somebody to read it."""
        until = time.monotonic() + seconds
        with contextlib.suppress(BrokenPipeError):
            while self._unsent and time.monotonic() < until:
                self.flush()
                time.sleep(0.005)
