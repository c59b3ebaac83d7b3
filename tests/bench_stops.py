"""Kills and stops at random moments under load: who is lost, who is texted twice, what is left between the queue and the network.

Judged by what each caller heard, by the database, and by the SMSC's own journal. Run by `script/bench --only stops`.
"""

import asyncio
import json
import os
import random
import signal
import sqlite3
import tempfile
import time
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

from tests.peers.gateway import RunningGateway
from tests.peers.smsc import Smsc
from tests.peers.uac import Placed, Uac

CALLS_A_SECOND = 40
FIRST, LAST = 0.5, 2.5
"""The blow falls so many seconds after the first call."""
ORDERLY_WITHIN_S = 10.0
ANSWERED_WITHIN_S = 8.0
"""After the new start: an INVITE that nobody has answered is sent again 3.5 s and 7.5 s after the first."""


@dataclass(frozen=True, kw_only=True)
class Blow:
    """What falls on the gateway, or on its SIP agent alone."""

    number: signal.Signals
    is_of_agent: bool = False

    def __str__(self) -> str:
        return f"{self.number.name}{' of the agent' if self.is_of_agent else ''}"


BLOWS = (Blow(number=signal.SIGKILL), Blow(number=signal.SIGKILL, is_of_agent=True), Blow(number=signal.SIGTERM))


@dataclass
class Attack:
    """One gateway that is ended again and again, and what came of it."""

    directory: Path
    seed: int
    rounds: int = 0
    heard: list[Placed] = field(default_factory=list)
    """Everybody who heard ringing."""
    others: Counter[str] = field(default_factory=Counter)
    """What those heard who never heard ringing: a status, or nothing."""
    seconds: list[float] = field(default_factory=list)
    """How long each stop took."""
    left_sending: int = 0
    """Texts that were between the queue and the network after an orderly stop."""

    def __post_init__(self) -> None:
        self._chance = random.Random(self.seed)
        self.smsc = Smsc(self.directory).start()
        self.gateway = RunningGateway(self.directory, sms=self.smsc.config(more="window = 50"), ring=30, max_calls=400)
        self.gateway.start()

    async def round(self, blow: Blow) -> None:
        """Calls at an even rate; in their midst the signal; then a new start."""
        await asyncio.to_thread(self.gateway.wait_for_status, lambda status: status["bridges"]["primary"]["up"])
        uac = await Uac(self.gateway.sip_port).open()
        calling = asyncio.create_task(self._call(uac))
        await asyncio.sleep(self._chance.uniform(FIRST, LAST))
        await asyncio.to_thread(self._end_agent if blow.is_of_agent else self._end, blow.number)
        calling.cancel()
        await asyncio.gather(calling, return_exceptions=True)
        self.rounds += 1
        if not blow.is_of_agent:
            await asyncio.to_thread(self.gateway.start)
        until = time.monotonic() + ANSWERED_WITHIN_S
        while any(not call.is_answered for call in uac.placed) and time.monotonic() < until:
            await asyncio.sleep(0.05)
        await asyncio.sleep(1.0)  # those who rang last hang up
        self.heard += [call for call in uac.placed if call.rang_at]
        self.others += Counter(str(call.status or "nothing") for call in uac.placed if not call.rang_at)
        uac.close()

    async def _call(self, uac: Uac) -> None:
        began = time.monotonic()
        for number in range(10_000):
            uac.place(f"+1415{5560000 + self.rounds * 400 + number}", hang_up_after=0.2)
            await asyncio.sleep(began + (number + 1) / CALLS_A_SECOND - time.monotonic())

    def _end(self, number: signal.Signals) -> None:
        process = self.gateway.process
        assert process is not None
        began = time.monotonic()
        process.send_signal(number)
        process.wait(timeout=60)
        if number == signal.SIGTERM:
            self.seconds.append(time.monotonic() - began)
            self.left_sending += len(self.rows("SELECT id FROM texts WHERE state = 'sending'"))
        else:
            time.sleep(1.2)  # the agent, on its own now, ends its calls and leaves

    def _end_agent(self, number: signal.Signals) -> None:
        before = self.gateway.agent_pid()
        os.kill(before, number)
        self.gateway.wait_for_status(lambda status: status["agent"]["up"] and status["agent"]["pid"] != before)

    def rows(self, query: str) -> list[tuple[object, ...]]:
        """Out of the gateway's database."""
        db = sqlite3.connect(self.gateway.database, timeout=10)
        try:
            return db.execute(query).fetchall()
        finally:
            db.close()

    def verdict(self) -> dict[str, str]:
        """The counts, once everything has settled."""
        until = time.monotonic() + 60
        while self.rows("SELECT 1 FROM texts WHERE state IN ('queued', 'sending', 'held')") and time.monotonic() < until:
            time.sleep(0.2)
        states = dict(self.rows("SELECT recipient, state FROM texts"))
        journalled = {caller for (caller,) in self.rows("SELECT caller FROM calls")}
        taken = Counter(
            "+" + str(json.loads(line)["to"]) for line in self.smsc.journal_path.read_text().splitlines() if "hex" in line
        )
        heard = {call.caller for call in self.heard}
        lost = heard - set(states) - set(taken)
        return {
            "rounds, callers who heard ringing": f"{self.rounds}, {len(heard)}",
            "callers who heard no ringing, by what they heard": ", ".join(f"{n} × {what}" for what, n in self.others.items())
            or "0",
            "lost: no text, and not shown as unknown": f"{len(lost & journalled)}",
            "lost: killed between the 180 and the commit of the call": f"{len(lost - journalled)}",
            "doubled": f"{sum(times > 1 for times in taken.values())}",
            "stranded: neither queued nor settled": f"{sum(state == 'sending' for state in states.values()) + self.left_sending}",
            "unknown: killed between hand-over and answer": f"{sum(state == 'unknown' for state in states.values())}",
            **self._stops(),
        }

    def _stops(self) -> dict[str, str]:
        if not self.seconds:
            return {}
        ordered = sorted(self.seconds)
        return {
            "seconds a stop took, p50 / max": f"{ordered[len(ordered) // 2]:.2f} / {ordered[-1]:.2f}",
            f"stops that took longer than {ORDERLY_WITHIN_S:g} s": f"{sum(one > ORDERLY_WITHIN_S for one in ordered)}",
        }


def attack(blow: Blow, rounds: int, seed: int) -> dict[str, str]:
    """So many rounds with one kind of blow."""
    with tempfile.TemporaryDirectory(prefix="textback-stops-") as place:
        it = Attack(Path(place), seed)
        try:
            for _ in range(rounds):
                asyncio.run(it.round(blow))
            found = it.verdict()
        finally:
            it.gateway.end()
            it.smsc.kill()
    return {f"{blow}: {name}": value for name, value in found.items()}


def figures(rounds: int, seed: int) -> Iterator[dict[str, str]]:
    """Kills of the gateway and of its agent, then orderly stops."""
    return (attack(blow, rounds, seed) for blow in BLOWS)
