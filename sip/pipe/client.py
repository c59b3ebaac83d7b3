"""The gateway's side of the SIP agent: starts its process, hears its events, gives it commands, and starts it again.

An agent that ends, or that gives no sign of life, is replaced. Whoever listens is told by `AgentLost`, after all that the
agent had told, because every call that was ringing in it is over.
"""

import asyncio
import contextlib
import sys
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

import structlog

from sip.pipe.agent_log import AgentLog
from sip.pipe.agent_process import AgentProcess
from sip.pipe.lines import ProtocolError, decode_event, encode
from sip.protocol import (
    AgentEvent,
    Command,
    Failed,
    Pulse,
    Ready,
    Start,
    Stop,
    Trunk,
    UseTrunks,
)

AGENT = (sys.executable, "-m", "sip", "--agent")
UNREADABLE_AT_MOST = 100
"""Lines that are no events, each of them logged, before the agent is replaced."""
LAST_LINE_AT_MOST = 300
"""Characters of the agent's last line on standard error in the reason for its loss."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Patience:
    """How long an agent is waited for. All in seconds."""

    start_s: float = 30.0
    """Until it listens: a machine whose own name does not resolve takes 10 s for that alone."""
    silent_s: float = 10.0
    """Between two signs of life."""
    stop_s: float = 5.0
    """From Stop to its end."""
    restart_first_s: float = 0.2
    restart_most_s: float = 10.0
    port_free_s: float = 4.0
    """The agent of a gateway that was killed needs a moment to end its calls; so long its port is waited for."""
    steady_s: float = 30.0
    """An agent that lived so long is started again at once when it dies."""


@dataclass(frozen=True, slots=True, kw_only=True)
class AgentLost:
    """The agent's process is gone, and every call with it."""

    reason: str


class AgentFailed(Exception):
    """The agent could not start at all; the sentence says why and what to do."""


class AgentClient:
    """Supervises one agent. `receive` is called with every event, in order, on the event loop; it must not block."""

    def __init__(
        self,
        start: Start,
        receive: Callable[[AgentEvent | AgentLost], None],
        *,
        command: Sequence[str] = AGENT,
        patience: Patience | None = None,
    ) -> None:
        self._start = start
        self._receive = receive
        self._command = command
        self._patience = patience or Patience()
        self._process: AgentProcess | None = None
        self._stopping = asyncio.Event()
        self._ring_out_s = 0.0
        self._is_over = asyncio.Event()
        self._is_over.set()
        self._log = structlog.get_logger()
        self._failed: Failed | None = None
        self._unreadable = 0
        self._has_fault_been_told = False
        self.ready: Ready | None = None
        """What the agent said when it began to listen; None while it does not."""
        self.pulse: Pulse | None = None

    @property
    def pid(self) -> int | None:
        """The process id of the agent that runs now."""
        return self._process.pid if self._process is not None else None

    def send(self, command: Command) -> None:
        """Give a command; one for an agent that is gone is dropped, as its calls are."""
        if self._process is not None:
            self._process.write(encode(command))

    def use_trunks(self, trunks: tuple[Trunk, ...]) -> None:
        """Calls come from these trunks from now on, also in an agent that is started later."""
        self._start = replace(self._start, trunks=trunks)
        self.send(UseTrunks(trunks=trunks))

    async def run(self) -> None:
        """Keep an agent running until `stop`. `AgentFailed` when the first one cannot start."""
        self._is_over.clear()
        try:
            await self._keep_running()
        finally:
            self._is_over.set()

    async def stop(self, within: float = 0.0) -> None:
        """Let the agent end its calls, which may ring out for so many seconds, and leave; one that does not is killed."""
        self._ring_out_s = within
        self._stopping.set()
        await self._is_over.wait()

    # --- one agent after the other ---

    async def _keep_running(self) -> None:
        loop, patience = asyncio.get_running_loop(), self._patience
        pause = patience.restart_first_s
        has_been_ready = False
        port_free_until = loop.time() + patience.port_free_s
        while not self._stopping.is_set():
            began = loop.time()
            reason = await self._live_once()
            has_been_ready = has_been_ready or self.ready is not None
            self.ready = self.pulse = None
            if self._stopping.is_set():
                return
            if has_been_ready:
                is_steady = loop.time() - began > patience.steady_s
                pause = patience.restart_first_s if is_steady else min(pause * 2, patience.restart_most_s)
                self._lost(reason, restart_in_s=pause)
                await self._pause(pause)
            elif self._failed is not None and self._failed.is_port_taken and loop.time() < port_free_until:
                await self._pause(patience.restart_first_s)
            else:
                raise AgentFailed(reason)

    async def _pause(self, seconds: float) -> None:
        """So long, or until `stop`."""
        with contextlib.suppress(TimeoutError):
            await asyncio.wait_for(self._stopping.wait(), seconds)

    async def _live_once(self) -> str:
        """One agent's life; why it ended."""
        self._failed, self._unreadable = None, 0
        log = AgentLog()
        try:
            self._process = process = await AgentProcess.start(self._command, on_line=self._dispatch, on_stderr=log.feed)
        except OSError as error:
            return f"the SIP agent cannot be started: {error.strerror}"
        try:
            await self._accompany(process)
        finally:
            await process.close()
            log.close()
            self._process = None
        reason = self._reason(process, log)
        if self._stopping.is_set() and self.ready and process.status != 0:
            self._lost(reason)
        return reason

    async def _accompany(self, process: AgentProcess) -> None:
        if not self._stopping.is_set():
            self.send(self._start)
        async with asyncio.TaskGroup() as tasks:
            beside = (
                tasks.create_task(process.watch_silence(self._may_be_silent_for), name="agent-silence"),
                tasks.create_task(self._end_when_stopping(process), name="agent-stop"),
            )
            await process.gone.wait()
            for task in beside:
                task.cancel()

    def _may_be_silent_for(self) -> float:
        return self._patience.silent_s if self.ready else self._patience.start_s

    async def _end_when_stopping(self, process: AgentProcess) -> None:
        await self._stopping.wait()
        self.send(Stop(within=self._ring_out_s))
        seconds = self._ring_out_s + self._patience.stop_s
        try:
            await asyncio.wait_for(process.gone.wait(), seconds)
        except TimeoutError:
            process.kill(f"did not stop within {seconds:g} s")

    def _reason(self, process: AgentProcess, log: AgentLog) -> str:
        if self._failed is not None:
            return self._failed.reason
        what = process.killed_because or f"ended with status {process.status}"
        return f"the SIP agent {what}; it last said: {log.last_line[:LAST_LINE_AT_MOST] or 'nothing'}"

    def _lost(self, reason: str, **more: float) -> None:
        self._log.error("agent_lost", reason=reason, **more)
        self._tell(AgentLost(reason=reason))

    # --- what it tells ---

    def _dispatch(self, line: bytes) -> None:
        try:
            event = decode_event(line)
        except ProtocolError as error:
            self._cannot_read(error)
            return
        if self._process is not None:
            self._process.heard()
        match event:
            case Ready():
                self.ready = event
            case Pulse():
                self.pulse = event
            case Failed():
                self._failed = event
        self._tell(event)

    def _cannot_read(self, error: ProtocolError) -> None:
        self._unreadable += 1
        if self._unreadable <= UNREADABLE_AT_MOST:
            self._log.error("agent_event_unreadable", error=str(error))
        elif self._process is not None:
            self._process.kill(f"wrote what is no event more than {UNREADABLE_AT_MOST} times")

    def _tell(self, event: AgentEvent | AgentLost) -> None:
        """A fault over one event costs neither the agent nor the events that follow."""
        try:
            self._receive(event)
        except Exception as error:
            say = self._log.error if self._has_fault_been_told else self._log.exception  # the traceback once
            say("agent_event_not_taken", kind=type(event).__name__, error=type(error).__name__)
            self._has_fault_been_told = True
