"""One process of the SIP agent, as its supervisor holds it: its pipes are read whenever they hold something, to their end.

Its silence is counted in time in which this process ran and could have heard it: after a stall of ours, what lies in the
pipe is read before anybody is blamed.
"""

import asyncio
import contextlib
import os
import signal
from collections.abc import Callable, Sequence

from sip.pipe.lines import MAX_LINE

TICK_S = 0.5
TICK_AT_MOST_S = 1.0
"""What one tick may add to the silence, however late it comes."""
GONE_AFTER_KILL_S = 5.0
"""A process that the kernel does not let go is no longer waited for."""
_STDERR = 2


class AgentProcess(asyncio.SubprocessProtocol):
    """`on_line` gets each whole line of standard output, `on_stderr` what comes from standard error; then `gone` is set."""

    def __init__(self, *, on_line: Callable[[bytes], None], on_stderr: Callable[[bytes], None]) -> None:
        self._on_line, self._on_stderr = on_line, on_stderr
        self._begun = b""
        self._silent_s = 0.0
        self._transport: asyncio.SubprocessTransport | None = None
        self.gone = asyncio.Event()
        """It has ended, and all that it wrote has been taken."""
        self.killed_because = ""
        """Why it was killed; empty where it was not."""

    @classmethod
    async def start(
        cls, command: Sequence[str], *, on_line: Callable[[bytes], None], on_stderr: Callable[[bytes], None]
    ) -> "AgentProcess":
        """Start it; `OSError` where there is no such program, or no room for one more process."""
        _, process = await asyncio.get_running_loop().subprocess_exec(
            lambda: cls(on_line=on_line, on_stderr=on_stderr),
            *command,
            start_new_session=True,  # Ctrl-C is for the gateway, which then ends the calls in order
        )
        return process

    @property
    def pid(self) -> int | None:
        """Its process id."""
        return self._transport.get_pid() if self._transport else None

    @property
    def status(self) -> int | None:
        """Its exit status; None while it runs, negative after a signal."""
        return self._transport.get_returncode() if self._transport else None

    def write(self, line: bytes) -> None:
        """To its standard input; nothing where that is closed."""
        pipe = self._transport.get_pipe_transport(0) if self._transport else None
        if isinstance(pipe, asyncio.WriteTransport) and not pipe.is_closing():
            pipe.write(line)

    def heard(self) -> None:
        """It gave a sign of life."""
        self._silent_s = 0.0

    async def watch_silence(self, at_most: Callable[[], float]) -> None:
        """Kill it when it has been silent for more than so many seconds."""
        loop = asyncio.get_running_loop()
        while self._silent_s <= at_most():
            before = loop.time()
            await asyncio.sleep(TICK_S)
            self._silent_s += min(loop.time() - before, TICK_AT_MOST_S)
        self.kill(f"gave no sign of life for {at_most():g} s")

    def kill(self, because: str) -> None:
        """End it and its children at once. What it wrote before is still taken."""
        if self.pid is None or self.killed_because or self.gone.is_set():
            return
        self.killed_because = because
        with contextlib.suppress(ProcessLookupError, PermissionError):
            os.killpg(self.pid, signal.SIGKILL)
        asyncio.get_running_loop().call_later(GONE_AFTER_KILL_S, self.gone.set)

    async def close(self) -> None:
        """Nothing of it is left when this returns."""
        if not self.gone.is_set():
            self.kill("was no longer wanted")
            await self.gone.wait()
        if self._transport:
            self._transport.close()

    # --- asyncio's callbacks ---

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """It runs."""
        assert isinstance(transport, asyncio.SubprocessTransport)
        self._transport = transport

    def pipe_data_received(self, fd: int, data: bytes) -> None:
        """It wrote."""
        if fd == _STDERR:
            self._on_stderr(data)
            return
        *lines, self._begun = (self._begun + data).split(b"\n")
        for line in lines:
            self._on_line(line)
        if len(self._begun) > MAX_LINE:
            self._begun = b""
            self.kill("wrote a line without end")

    def connection_lost(self, exc: Exception | None) -> None:
        """It has ended and its pipes are empty."""
        self.gone.set()
