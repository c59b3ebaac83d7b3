"""The figures: a real gateway, a real SMSC, real calls. Run by `script/bench`; prints medians of several runs.

Every figure of texts is read from the SMSC's own journal. Load and gateway share the machine, so the figures are for both.
"""

import argparse
import asyncio
import logging
import os
import platform
import statistics
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Callable, Sequence
from pathlib import Path

import structlog

from tests import bench_bridges, bench_stops
from tests.peers.gateway import RunningGateway
from tests.peers.smsc import Smsc
from tests.peers.uac import Placed, Uac

TICKS = os.sysconf("SC_CLK_TCK")


def percentile(values: Sequence[float], part: float) -> float:
    """The value that so large a part of the values does not pass."""
    ordered = sorted(values)
    return ordered[min(len(ordered) - 1, int(part * len(ordered)))]


class Bench:
    """A gateway and an SMSC in a directory of their own."""

    def __init__(self, *, ring: float, max_calls: int = 500) -> None:
        self._place = tempfile.TemporaryDirectory(prefix="textback-bench-")
        directory = Path(self._place.name)
        self.smsc = Smsc(directory).start()
        sms = self.smsc.config(more="window = 50")
        self.gateway = RunningGateway(directory, sms=sms, ring=ring, max_calls=max_calls, limits="")
        began = time.monotonic()
        self.gateway.start()
        self.start_to_ready = time.monotonic() - began
        self.gateway.wait_for_status(lambda status: status["bridges"]["primary"]["up"])

    def close(self) -> None:
        """End both."""
        self.gateway.end()
        self.smsc.kill()
        self._place.cleanup()

    def pids(self) -> tuple[int, int]:
        """Gateway and agent."""
        assert self.gateway.process is not None
        return self.gateway.process.pid, self.gateway.agent_pid()

    def cpu(self) -> float:
        """Seconds of both processes so far."""
        return sum(sum(map(int, Path(f"/proc/{pid}/stat").read_text().split()[13:15])) / TICKS for pid in self.pids())

    def memory(self) -> float:
        """Megabytes of both processes, resident and their own share of what is shared (PSS)."""
        lines = [Path(f"/proc/{pid}/smaps_rollup").read_text() for pid in self.pids()]
        return sum(int(text.split("Pss:")[1].split()[0]) for text in lines) / 1024

    def wait_for_submits(self, count: int, within: float = 60) -> list[dict[str, object]]:
        """Until the SMSC has so many."""
        until = time.monotonic() + within
        while len(found := self.smsc.submitted()) < count and time.monotonic() < until:
            time.sleep(0.2)
        return found

    async def calls(self, count: int, rate: float, hang_up_after: float | None) -> tuple[list[Placed], int]:
        """Place calls; what became of each, and how many rang at once."""
        uac = await Uac(self.gateway.sip_port).open()
        try:
            return await uac.run(count, rate, hang_up_after), uac.most_ringing
        finally:
            uac.close()


def milliseconds(values: Sequence[float]) -> str:
    """p50, p99 and the largest."""
    shown = (statistics.median(values), percentile(values, 0.99), max(values))
    return " / ".join(f"{value * 1000:.1f}" for value in shown)


def ring_time(seconds: float, count: int, rate: float) -> dict[str, str]:
    """INVITE → 180, and how far the ring was from what was asked."""
    bench = Bench(ring=seconds)
    try:
        placed, _ = asyncio.run(bench.calls(count, rate, None))
        ringing = [call.rang_at - call.invited_at for call in placed]
        errors = [abs(call.ended_at - call.rang_at - seconds) for call in placed]
        return {
            "INVITE to 180, ms p50/p99/max": milliseconds(ringing),
            f"ring time error at {seconds:g} s, ms p50/p99/max": milliseconds(errors),
        }
    finally:
        bench.close()


def hang_up_to_submit(rate: float, count: int) -> dict[str, str]:
    """From the CANCEL to the submit_sm in the SMSC's journal."""
    bench = Bench(ring=30)
    try:
        before = bench.cpu()
        placed, _ = asyncio.run(bench.calls(count, rate, 0.3))
        submitted = {str(entry["to"]): float(str(entry["at"])) for entry in bench.wait_for_submits(count)}
        delays = [submitted[call.caller[1:]] - call.hung_up for call in placed]
        cpu = (bench.cpu() - before) / count
        return {
            f"hang-up to submit at {rate:g}/s, ms p50/p99/max": milliseconds(delays),
            f"CPU a call at {rate:g}/s, ms": f"{cpu * 1000:.2f}",
        }
    finally:
        bench.close()


def sustained(rate: float, count: int, ring: float) -> dict[str, str]:
    """Calls that ring out at a steady rate: are all of them texted, once?"""
    bench = Bench(ring=ring)
    try:
        placed, most = asyncio.run(bench.calls(count, rate, None))
        times = Counter(entry["to"] for entry in bench.wait_for_submits(count))
        ends = Counter(call.status for call in placed)
        return {
            f"{rate:g} calls/s for {count / rate:g} s, rang at once": str(most),
            f"{rate:g} calls/s: ended with": ", ".join(f"{n} × {status}" for status, n in sorted(ends.items())),
            f"{rate:g} calls/s: texted, of {count}": f"{sum(times.values())} (most to one caller: {max(times.values())})",
        }
    finally:
        bench.close()


def growth(count: int, rate: float) -> dict[str, str]:
    """Memory at rest, and after many calls."""
    bench = Bench(ring=30)
    try:
        asyncio.run(bench.calls(200, rate, 0.1))
        idle = bench.memory()
        asyncio.run(bench.calls(count // 2, rate, 0.1))
        half = bench.memory()
        asyncio.run(bench.calls(count - count // 2, rate, 0.1))
        bench.wait_for_submits(count + 200)
        return {
            "start to ready, s": f"{bench.start_to_ready:.2f}",
            f"memory of both, MB: after 200 / {count // 2 + 200} / {count + 200} calls": (
                f"{idle:.0f} / {half:.0f} / {bench.memory():.0f}"
            ),
        }
    finally:
        bench.close()


def median(rows: list[dict[str, str]]) -> dict[str, str]:
    """Figure by figure the median of the runs; what is no figure is shown for each run."""
    result = {}
    for name in rows[0]:
        values = [row[name].split(" / ") for row in rows]
        try:
            columns = [[float(value[column]) for value in values] for column in range(len(values[0]))]
            result[name] = " / ".join(f"{statistics.median(column):g}" for column in columns)
        except ValueError:
            result[name] = "; ".join(row[name] for row in rows)
    return result


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(prog="script/bench", description=__doc__)
    parser.add_argument("--runs", type=int, default=3, help="runs of each figure (default 3)")
    parser.add_argument("--only", choices=("calls", "bridges", "stops"), help="only these figures; stops only if named")
    parser.add_argument("--rounds", type=int, default=100, help="kills, and stops, of --only stops (default 100)")
    parser.add_argument("--seed", type=int, default=1, help="of the moments at which they fall (default 1)")
    parser.add_argument("--quick", action="store_true", help="fewer calls: a look, no figures to quote")
    options = parser.parse_args()
    few = 0.2 if options.quick else 1.0
    of_calls: tuple[tuple[int, Callable[[], dict[str, str]]], ...] = (
        (options.runs, lambda: ring_time(2, int(500 * few), 50)),
        (options.runs, lambda: ring_time(20, int(200 * few), 50)),
        (options.runs, lambda: hang_up_to_submit(20, int(600 * few))),
        (options.runs, lambda: hang_up_to_submit(100, int(3000 * few))),
        (options.runs, lambda: sustained(200, int(4000 * few), 2)),
        (1, lambda: growth(int(10_000 * few), 50)),
    )
    structlog.configure(wrapper_class=structlog.make_filtering_bound_logger(logging.WARNING))
    print(f"{platform.node()}: {os.cpu_count()} cores, {platform.platform()}, Python {platform.python_version()}; ", end="")
    print(f"medians of {options.runs} runs, memory of one")
    if options.only == "stops":
        for found in bench_stops.figures(options.rounds, options.seed):
            for name, value in found.items():
                print(f"  {name:<72} {value}", flush=True)
        return
    of_bridges = tuple((options.runs, figure) for figure in bench_bridges.figures(few))
    figures = {"calls": of_calls, "bridges": of_bridges}
    for runs, figure in figures[options.only] if options.only else (*of_calls, *of_bridges):
        for name, value in median([figure() for _ in range(runs)]).items():
            print(f"  {name:<56} {value}", flush=True)


if __name__ == "__main__":
    sys.exit(main())
