"""For benchmarks, a process of its own: an SMSC or an HTTP provider that takes everything after a while, and notes when.

    python -m tests.peers.counter smpp|http PORT LATENCY_SECONDS

Prints `ready`; to each line on standard input it answers with JSON: {count, first, last}, monotonic seconds.
"""

import asyncio
import json
import subprocess
import sys
import time
from collections.abc import Awaitable, Callable

from aiohttp import web

from sms.smpp.pdu import Pdu
from tests.peers.faulty_smsc import FaultySmsc, Link


class Counted:
    """What has come."""

    def __init__(self) -> None:
        self.count, self.first, self.last = 0, 0.0, 0.0

    def note(self) -> int:
        """One more."""
        self.last = time.monotonic()
        self.first = self.first or self.last
        self.count += 1
        return self.count


async def smpp(port: int, latency: float, counted: Counted) -> None:
    """An SMSC."""

    async def take(link: Link, one: Pdu) -> None:
        body = f"{counted.note()}\0".encode()
        if latency:
            asyncio.get_running_loop().call_later(latency, link.answer, one, 0, body)
        else:
            link.answer(one, 0, body)

    await FaultySmsc(on_submit=take, keeps=False).start(port)


async def http(port: int, latency: float, counted: Counted) -> None:
    """A provider that answers as Twilio does."""

    async def take(request: web.Request) -> web.Response:
        await request.read()
        number = counted.note()
        await asyncio.sleep(latency)
        return web.json_response({"sid": f"SM{number}"}, status=201)

    app = web.Application()
    app.router.add_post("/{path:.*}", take)
    runner = web.AppRunner(app, access_log=None)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", port).start()


async def serve(start: Callable[[int, float, Counted], Awaitable[None]], port: int, latency: float) -> None:
    """Until standard input ends."""
    counted = Counted()
    await start(port, latency, counted)
    print("ready", flush=True)
    while await asyncio.to_thread(sys.stdin.readline):
        print(json.dumps(vars(counted)), flush=True)


class Counter:
    """Such a process, as its owner sees it."""

    def __init__(self, kind: str, port: int, latency: float) -> None:
        command = [sys.executable, "-m", "tests.peers.counter", kind, str(port), str(latency)]
        self._process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
        self._line()

    def _line(self) -> str:
        assert self._process.stdout is not None
        return self._process.stdout.readline()

    def rate(self, count: int, *, within: float = 120) -> float:
        """Texts a second from the first to the last of so many; `TimeoutError` where they do not come."""
        until = time.monotonic() + within
        while time.monotonic() < until:
            assert self._process.stdin is not None
            self._process.stdin.write("\n")
            self._process.stdin.flush()
            found = json.loads(self._line())
            if found["count"] >= count:
                return float((found["count"] - 1) / (found["last"] - found["first"]))
            time.sleep(0.05)
        raise TimeoutError(f"{found} of {count}")

    def stop(self) -> None:
        """End it."""
        self._process.kill()
        self._process.communicate()


if __name__ == "__main__":
    asyncio.run(serve({"smpp": smpp, "http": http}[sys.argv[1]], int(sys.argv[2]), float(sys.argv[3])))
