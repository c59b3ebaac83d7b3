"""`textback demo`: a gateway on this machine alone, two real SIP calls to it, and everything that happens, as it happens.

Needs no account and no configuration. Texts go to the spool: a file, no phone.
"""

import argparse
import asyncio
import contextlib
import os
import signal
import socket
import sys
import tempfile
from pathlib import Path
from typing import Any

from config import load
from config.model import Config
from config.values import number as number_of
from gateway.calls.trial_call import CannotCall, TrialCall, place
from gateway.cli.ask import NoAnswer, get, token_of
from gateway.cli.call_test import heard_in_words
from gateway.cli.explain import OUTCOME_IN_WORDS
from gateway.cli.given import about
from gateway.cli.say import complain, say, say_now
from gateway.core.reason import IN_WORDS, Reason
from gateway.daemon import Gateway
from gateway.process.data_dir import CannotStart
from gateway.store import calls, texts
from gateway.store.database import FILE, reading

READY_WITHIN_S = 30.0
CONFIG = """\
# Written by textback demo.
data_dir = "data"
timezone = "America/Chicago"
region   = "US"

[sip]
listen    = ["udp:127.0.0.1:{sip}"]
max_calls = 20

[web]
listen = "127.0.0.1:{web}"

[trunk.demo]
peers = ["127.0.0.1"]

[sms.spool]
kind = "spool"

[consent]
quiet_hours = "off"     # or at night nothing would be seen

[line.front-desk]
number       = "+14155550100"
business     = "ABC HVAC"
staff        = "Mike"
ring_seconds = 3
min_ring     = "1s"

[line.front-desk.text]
message = "{{business}}: Sorry we missed your call. Reply here with what you need or call {{number}}. Reply STOP to opt out."
"""
CALLS = (
    ("a caller who hangs up while it rings", "+14155550123", 1.5),
    ("a caller who waits until the ringing ends", "+14155550134", None),
)


def add_to(commands: Any) -> None:
    """The command's parser."""
    parser = commands.add_parser("demo", help="see it work, on this machine alone", description=about(__doc__))
    parser.add_argument("--once", action="store_true", help="end after the two calls instead of running on")
    parser.set_defaults(command=demo)


def demo(options: argparse.Namespace) -> int:
    """0: both calls were missed and both texts went out; 1: something did not happen."""
    directory = Path(tempfile.mkdtemp(prefix="textback-demo-"))
    path = directory / "textback.toml"
    path.write_text(CONFIG.format(sip=_free_port(socket.SOCK_DGRAM), web=_free_port(socket.SOCK_STREAM)))
    config = load.load(path)
    try:
        return asyncio.run(_demo(config, is_once=options.once))
    except (CannotStart, CannotCall, NoAnswer) as error:
        complain(f"textback: {error}")
        return 1


async def _demo(config: Config, *, is_once: bool) -> int:
    gateway = Gateway(config)
    loop = asyncio.get_running_loop()
    for number in (signal.SIGINT, signal.SIGTERM):
        loop.add_signal_handler(number, gateway.stop)
    running = asyncio.create_task(gateway.serve(), name="gateway")
    ready = asyncio.create_task(gateway.is_ready.wait(), name="ready")
    await asyncio.wait({running, ready}, timeout=READY_WITHIN_S, return_when=asyncio.FIRST_COMPLETED)
    if not ready.done():
        ready.cancel()
        gateway.stop()
        await running
        raise CannotStart(f"the gateway was not ready within {READY_WITHIN_S:g} s")
    agent = (await asyncio.to_thread(get, config, "/api/v1/status"))["agent"]
    say(f"The gateway listens on {config.sip.listen[0]} ({agent['stack']}, {agent['max_calls']} calls at once).")
    try:
        shown = [await _one(config, number, *call) for number, call in enumerate(CALLS, start=1)]
        if not gateway.is_stopping:
            _where_next(config, is_once=is_once)
        if not is_once:
            await running
        return 0 if all(shown) else 1
    finally:
        gateway.stop()
        await running


async def _one(config: Config, number: int, who: str, caller: str, hang_up_after: float | None) -> bool:
    line = next(iter(config.line.values()))
    say("", f"Call {number}: {who}.")
    call = TrialCall(
        dialled=line.number, caller=number_of(caller), hang_up_after=hang_up_after, give_up_after=20, token=token_of(config)
    )
    told = _Told(config, number)
    watching = asyncio.create_task(told.watch(), name="watch")
    try:
        async with place(config, call) as events:
            async for heard in events:
                say_now(f"  {heard.after:6.3f} s  caller    {heard_in_words(heard)}")
        with contextlib.suppress(TimeoutError):
            await asyncio.wait_for(watching, 5)
    finally:
        watching.cancel()
    return told.has_text


class _Told:
    """Tells what the database says of one call, as soon as it says it."""

    def __init__(self, config: Config, number: int) -> None:
        self._config = config
        self._number = number
        self._said: set[str] = set()
        self.has_text = False

    async def watch(self) -> None:
        """Until the text has settled."""
        while not self._look():
            await asyncio.sleep(0.02)

    def _look(self) -> bool:
        with reading(self._config.data_dir / FILE) as db:
            call = calls.one(db, self._number)
            if call is None:
                return False
            sent = texts.of_call(db, call["id"])
        self._say("gateway", f"call {call['id']} for {call['line']} is in the database: ringing")
        if call["outcome"] is None:
            return False
        self._say("outcome", f"{call['outcome']}: {OUTCOME_IN_WORDS[call['outcome']]}, after {call['rang_seconds']:.2f} s")
        self._say("decision", f"{call['decision']}: {IN_WORDS[Reason(call['reason'])]}")
        for text in sent:
            self._say("text", f"to {text['recipient']}: {text['body']}")
            if text["state"] not in ("queued", "sending"):
                self._say("bridge", f"{text['bridge']}: {text['state']}")
                self.has_text = text["state"] == "accepted"
        return bool(sent) and self.has_text

    def _say(self, who: str, what: str) -> None:
        if what not in self._said:
            self._said.add(what)
            say_now(f"            {who:<8}  {what}")


def _where_next(config: Config, *, is_once: bool) -> None:
    program = os.path.relpath(sys.argv[0])
    textback = f"{program if program.endswith('textback') else 'textback'} -c {config.path}"
    say("", "Where to look next:")
    say(f"  {textback} calls        every call, and whether it was texted")
    say(f"  {textback} explain 1    why, rule by rule")
    say(f"  {textback} texts        every text, and what became of it")
    say(f"  {config.data_dir / 'spool.jsonl'}        the texts as the spool keeps them")
    if not is_once:
        say(f"  {textback} call-test --from +14155550145        one more call")
        say(f"  http://{config.web.listen}/readyz")
        say_now("", "The gateway runs on. Ctrl-C ends it.")


def _free_port(kind: socket.SocketKind) -> int:
    with socket.socket(socket.AF_INET, kind) as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port
