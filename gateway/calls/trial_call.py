"""Places a real SIP call to the gateway on this machine by a process of its own, `python -m sip.trial`, and reads its lines."""

import asyncio
import contextlib
import json
import os
import signal
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass

from config.model import E164, Config, Listen


class CannotCall(Exception):
    """The call cannot be placed; the sentence says why."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Heard:
    """What the caller heard: `ringing`, `answered`, `ended`, with the SIP status and the seconds since the INVITE."""

    event: str
    status: int
    after: float
    call_id: str


@dataclass(frozen=True, slots=True, kw_only=True)
class TrialCall:
    """A call to place. `caller` None: withheld. `hang_up_after` None: until the gateway ends it.

    `token` is the running gateway's (`process/data_dir.py`): by it the call is known as a test.
    """

    dialled: E164
    caller: E164 | None
    hang_up_after: float | None
    give_up_after: float
    token: str


@asynccontextmanager
async def place(config: Config, call: TrialCall) -> AsyncIterator[AsyncIterator[Heard]]:
    """Place the call; iterate over what is heard. Leaving early ends the calling process."""
    process = await asyncio.create_subprocess_exec(
        sys.executable,
        "-m",
        "sip.trial",
        stdin=asyncio.subprocess.PIPE,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.PIPE,
    )
    assert process.stdin is not None
    process.stdin.write(json.dumps(_wanted(config, call)).encode() + b"\n")
    try:
        yield _heard(process)
    finally:
        await _end(process)


async def _end(process: asyncio.subprocess.Process) -> None:
    """Wait for the process, which ends after its last line; one that has not written it is killed.

    By its id: asyncio's own `kill` looks first whether it has ended, and its end is then an "unknown child process" to whoever
    waits for it.
    """
    if process.stdout is None or not process.stdout.at_eof():
        with contextlib.suppress(ProcessLookupError):
            os.kill(process.pid, signal.SIGKILL)
    await process.wait()


async def _heard(process: asyncio.subprocess.Process) -> AsyncIterator[Heard]:
    assert process.stdout is not None
    assert process.stderr is not None
    said = False
    while line := await process.stdout.readline():
        said = True
        yield Heard(**json.loads(line))
    errors = (await process.stderr.read()).decode(errors="replace").strip()
    if not said:
        raise CannotCall(errors.splitlines()[-1] if errors else "the call could not be placed")


def _wanted(config: Config, call: TrialCall) -> dict[str, object]:
    listen = config.sip.listen[0]
    host = _host(listen)
    user = call.caller or "anonymous"
    shown = f"[{host}]" if ":" in host else host
    transport = f";transport={listen.transport}" if listen.transport != "udp" else ""
    return {
        "uri": f"sip:{call.dialled}@{shown}:{listen.place.port}{transport}",
        "from_uri": f'"Textback call-test" <sip:{user}@{shown}>',
        "bind": host,
        "transport": listen.transport,
        "token": call.token,
        "hang_up_after": call.hang_up_after,
        "give_up_after": call.give_up_after,
    }


def _host(listen: Listen) -> str:
    return {"0.0.0.0": "127.0.0.1", "::": "::1"}.get(listen.place.host, listen.place.host)  # noqa: S104 — compared, not bound
