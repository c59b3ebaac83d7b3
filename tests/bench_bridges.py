"""The figures of the bridges: texts a second, beside Kannel with the same texts, the same SMSC and the same window, in one run."""

import asyncio
import os
import tempfile
import time
import urllib.request
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

from pydantic import SecretStr

from config.bridges import Smpp, Twilio
from sms.build import build_bridge
from sms.text import Accepted, Text
from tests.end_to_end.test_faults import queue
from tests.peers.counter import Counter
from tests.peers.gateway import RunningGateway
from tests.peers.kannel import Kannel
from tests.peers.ports import free_port
from tests.peers.settings import unpaced
from tests.sms.test_smpp_bridge import KeepingSink, until

TICKS = os.sysconf("SC_CLK_TCK")
WINDOWS = (1, 10, 50)
LATENCIES = (0.0, 0.02)


def cpu(pids: Sequence[int]) -> float:
    """Seconds of these processes so far."""
    return sum(sum(map(int, Path(f"/proc/{pid}/stat").read_text().split()[13:15])) / TICKS for pid in pids)


def texts_for(window: int, latency: float, few: float) -> int:
    """Enough for a few seconds."""
    return max(100, int(few * min(6000, window * 100 if latency else 6000)))


async def alone(kind: str, window: int, latency: float, count: int) -> tuple[float, float]:
    """One bridge in this process, without a gateway around it: texts a second, CPU milliseconds a text."""
    port = free_port()
    counter = Counter(kind, port, latency)
    settings: Smpp | Twilio = Smpp(kind="smpp", host="127.0.0.1", port=port, system_id="a", window=window, per_second=None)
    if kind == "http":
        token = SecretStr("x")
        base = f"http://127.0.0.1:{port}"
        settings = Twilio(kind="twilio", account_sid="AC1", auth_token=token, base_url=base, window=window, per_second=None)
    bridge = build_bridge("primary", settings, Path(), "")
    running = asyncio.create_task(bridge.run(KeepingSink()))
    await until(lambda: bridge.health().up)
    left = iter(range(count))

    async def send() -> None:
        for number in left:
            text = Text(key=str(number), to=f"+1415555{number % 10000:04d}", sender="+14155550100", body=f"text {number}")
            assert isinstance(await bridge.submit(text), Accepted)

    before = time.process_time()
    await asyncio.gather(*(send() for _ in range(window)))
    spent = (time.process_time() - before) / count
    rate = counter.rate(count)
    running.cancel()
    await asyncio.gather(running, return_exceptions=True)
    counter.stop()
    return rate, spent * 1000


def whole_gateway(window: int, latency: float, count: int) -> tuple[float, float]:
    """The gateway with as many texts queued in its database when the SMSC comes up."""
    port = free_port()
    with tempfile.TemporaryDirectory(prefix="textback-bench-") as place:
        (Path(place) / "smsc.password").write_text("secret")
        section = (
            f'[sms.primary]\nkind = "smpp"\nhost = "127.0.0.1"\nport = {port}\nsystem_id = "a"\n'
            f'password_file = "smsc.password"\nwindow = {window}\nreconnect_most = "1s"\n{unpaced()}'
        )
        running = RunningGateway(Path(place), sms=section)
        running.start()
        assert running.process is not None
        queue(running, count)
        before = cpu([running.process.pid])
        counter = Counter("smpp", port, latency)
        try:
            rate = counter.rate(count)
            running.wait_for_status(lambda status: status["queued"] == 0)
            return rate, (cpu([running.process.pid]) - before) / count * 1000
        finally:
            running.end()
            counter.stop()


def kannel(window: int, latency: float, count: int) -> tuple[float, float]:
    """Kannel with as many texts in its queue when the SMSC comes up."""
    port = free_port()
    with tempfile.TemporaryDirectory(prefix="textback-bench-") as place:
        boxes = Kannel(Path(place), smsc_port=port, window=window)
        boxes.start(is_bound=False)
        try:
            for number in range(count):
                headers = {
                    "Content-Type": "text/plain; charset=UTF-8", "X-Kannel-Username": "tester", "X-Kannel-Password": "foobar",
                    "X-Kannel-From": "+14155550100", "X-Kannel-To": f"+1415555{number % 10000:04d}",
                }  # fmt: skip
                request = urllib.request.Request(boxes.sendsms, f"text {number}".encode(), headers, method="POST")
                with urllib.request.urlopen(request, timeout=10) as answer:
                    answer.read()
            before = cpu(boxes.pids)
            counter = Counter("smpp", port, latency)
            rate = counter.rate(count)
            spent = (cpu(boxes.pids) - before) / count * 1000
            counter.stop()
            return rate, spent
        finally:
            boxes.stop()


def figures(few: float) -> list[Callable[[], dict[str, str]]]:
    """Each as a function that measures it once."""
    return [
        *(lambda w=w, s=s: _smpp(w, s, texts_for(w, s, few)) for s in LATENCIES for w in WINDOWS),
        *(lambda w=w, s=s: _http(w, s, texts_for(w, s, few) // 3) for s in LATENCIES for w in WINDOWS),
    ]


def _smpp(window: int, latency: float, count: int) -> dict[str, str]:
    bridge, gateway = asyncio.run(alone("smpp", window, latency, count)), whole_gateway(window, latency, count)
    theirs = kannel(window, latency, count)
    name = f"SMPP, window {window}, {latency * 1000:g} ms"
    return {
        f"{name}: texts/s bridge / gateway / Kannel": _row(bridge[0], gateway[0], theirs[0]),
        f"{name}: times Kannel, bridge / gateway": f"{bridge[0] / theirs[0]:.2f} / {gateway[0] / theirs[0]:.2f}",
        f"{name}: CPU ms/text bridge / gateway / Kannel": f"{bridge[1]:.3f} / {gateway[1]:.3f} / {theirs[1]:.3f}",
    }


def _http(window: int, latency: float, count: int) -> dict[str, str]:
    rate, spent = asyncio.run(alone("http", window, latency, count))
    return {f"HTTP, window {window}, {latency * 1000:g} ms: texts/s, CPU ms/text": f"{rate:.0f} / {spent:.3f}"}


def _row(*rates: Any) -> str:
    return " / ".join(f"{rate:.0f}" for rate in rates)
