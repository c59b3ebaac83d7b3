"""The gateway's side of the SIP agent: starts its process, hears its events, gives it commands, and starts it again.

An agent that ends, or that gives no sign of life for `SILENT_AT_MOST_S`, is replaced; whoever listens is told by `AgentLost`,
because every call that was ringing in it is over.
"""

import asyncio
import contextlib
import sys
from collections.abc import Callable
from dataclasses import dataclass, replace

import structlog

from sip.protocol import (
    MAX_LINE,
    Command,
    Event,
    Failed,
    ProtocolError,
    Pulse,
    Ready,
    Start,
    Stop,
    Trunk,
    UseTrunks,
    decode_event,
    encode,
)

SILENT_AT_MOST_S = 10.0
STOP_WITHIN_S = 5.0
CHUNK = 64 * 1024
RESTART_FIRST_S = 0.2
RESTART_MOST_S = 10.0
PORT_FREE_WITHIN_S = 4.0
"""The agent of a gateway that was killed needs a moment to end its calls; so long its port is waited for."""
STEADY_AFTER_S = 30.0
"""An agent that lived so long is started again at once when it dies."""


@dataclass(frozen=True, slots=True, kw_only=True)
class AgentLost:
    """The agent's process is gone, and every call with it."""

    reason: str


class AgentFailed(Exception):
    """The agent could not start at all; the sentence says why and what to do."""


class AgentClient:
    """Supervises one agent. `receive` is called with every event, in order, on the event loop; it must not block."""

    def __init__(self, start: Start, receive: Callable[[Event | AgentLost], None]) -> None:
        self._start = start
        self._receive = receive
        self._process: asyncio.subprocess.Process | None = None
        self._stopping = asyncio.Event()
        self._log = structlog.get_logger()
        self._failure = ""
        self._last_said = ""
        self._is_port_taken = False
        self.ready: Ready | None = None
        """What the agent said when it began to listen; None while it does not."""
        self.pulse: Pulse | None = None

    @property
    def pid(self) -> int | None:
        """The process id of the agent that runs now."""
        return self._process.pid if self._process is not None else None

    def send(self, command: Command) -> None:
        """Give a command; one for an agent that is gone is dropped, as its calls are."""
        if self._process is not None and self._process.stdin is not None and not self._process.stdin.is_closing():
            self._process.stdin.write(encode(command))

    def use_trunks(self, trunks: tuple[Trunk, ...]) -> None:
        """Calls come from these trunks from now on, also in an agent that is started later."""
        self._start = replace(self._start, trunks=trunks)
        self.send(UseTrunks(trunks=trunks))

    async def run(self) -> None:
        """Keep an agent running until `stop`. `AgentFailed` when the first one cannot start."""
        pause = RESTART_FIRST_S
        has_been_ready = False
        port_free_until = asyncio.get_running_loop().time() + PORT_FREE_WITHIN_S
        while not self._stopping.is_set():
            began = asyncio.get_running_loop().time()
            reason = await self._live_once()
            has_been_ready = has_been_ready or self.ready is not None
            self.ready = self.pulse = None
            if self._stopping.is_set():
                break
            if not has_been_ready:
                if self._is_port_taken and asyncio.get_running_loop().time() < port_free_until:
                    await asyncio.sleep(RESTART_FIRST_S)
                    continue
                raise AgentFailed(reason)
            self._receive(AgentLost(reason=reason))
            lived = asyncio.get_running_loop().time() - began
            pause = RESTART_FIRST_S if lived > STEADY_AFTER_S else min(pause * 2, RESTART_MOST_S)
            self._log.error("agent_lost", reason=reason, restart_in_s=pause)
            await asyncio.sleep(pause)

    async def stop(self) -> None:
        """Let the agent end its calls and leave; one that does not is killed."""
        self._stopping.set()
        process = self._process
        if process is None:
            return
        self.send(Stop())
        try:
            await asyncio.wait_for(process.wait(), STOP_WITHIN_S)
        except TimeoutError:
            _kill(process)

    async def _live_once(self) -> str:
        """One agent's life; why it ended."""
        self._failure = ""
        process = self._process = await asyncio.create_subprocess_exec(
            sys.executable,
            "-m",
            "sip",
            "--agent",
            stdin=asyncio.subprocess.PIPE,
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.PIPE,
            start_new_session=True,  # Ctrl-C is for the gateway, which then ends the calls in order
        )
        self.send(self._start)
        async with asyncio.TaskGroup() as tasks:
            tasks.create_task(self._forward_log(process), name="agent-log")
            reason = await self._hear(process)
            status = await process.wait()
        self._process = None
        return (
            self._failure or reason or f"the SIP agent ended with status {status}; it last said: {self._last_said or 'nothing'}"
        )

    async def _hear(self, process: asyncio.subprocess.Process) -> str:
        assert process.stdout is not None
        begun = b""
        while True:
            try:
                chunk = await asyncio.wait_for(process.stdout.read(CHUNK), SILENT_AT_MOST_S)
            except TimeoutError:
                _kill(process)
                return f"the SIP agent gave no sign of life for {SILENT_AT_MOST_S:g} s"
            if not chunk:
                return ""
            *lines, begun = (begun + chunk).split(b"\n")
            for line in lines:
                self._dispatch(line)
            if len(begun) > MAX_LINE:
                _kill(process)
                return "the SIP agent sent a line without end"

    def _dispatch(self, line: bytes) -> None:
        try:
            event = decode_event(line)
        except ProtocolError as error:
            self._log.error("agent_event_unreadable", error=str(error))
            return
        match event:
            case Ready():
                self.ready = event
            case Pulse():
                self.pulse = event
            case Failed():
                self._failure, self._is_port_taken = event.reason, event.is_port_taken
        self._receive(event)

    async def _forward_log(self, process: asyncio.subprocess.Process) -> None:
        assert process.stderr is not None
        while line := await process.stderr.readline():
            if text := line.decode(errors="replace").rstrip():
                self._last_said = text
                self._log.warning("agent_said", text=text)


def _kill(process: asyncio.subprocess.Process) -> None:
    with contextlib.suppress(ProcessLookupError):
        process.kill()
