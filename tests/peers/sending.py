"""The part of the gateway that sends, in the test's own event loop: real database, real bridges, outbox, holds and inbox."""

import asyncio
import sqlite3
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from config.load import load
from config.model import E164, Config
from gateway.actions import Actions
from gateway.calls.journal import Journal
from gateway.calls.reserve import Reserve
from gateway.core.facts import Fact
from gateway.core.kind import TextKind
from gateway.decisions.holds import Holds
from gateway.decisions.ruling import InForce, Ruling
from gateway.office.knowledge import Knowledge
from gateway.process import listeners
from gateway.process import sending as product
from gateway.process.log_lines import LogLines
from gateway.process.publisher import Publisher
from gateway.replies.inbox import Inbox
from gateway.store import texts
from gateway.store.database import FILE, Database
from gateway.store.selection import Selection
from gateway.texts.bridge_states import BridgeStates
from gateway.texts.bridges import Bridges
from gateway.texts.outbox import LastTexts, Outbox, quiet_of, rings_of, routes_of
from gateway.texts.queue_wake import QueueWake
from sip.protocol import CallArrived, CallerHungUp
from tests.peers.faulty_smsc import FaultySmsc
from tests.peers.provider import Provider
from tests.peers.settings import awake, unpaced

CONFIG = """\
data_dir = "data"
timezone = "America/Chicago"
region = "US"
[trunk.pbx]
peers = ["192.0.2.10"]
{sms}
[line.front]
number = "+14155550100"
business = "ABC HVAC"
{line}
"""
SPOOL = '[sms.spool]\nkind = "spool"\n'
CALLER = E164("+14155550123")


def smpp(smsc: FaultySmsc, name: str = "primary", more: str = "") -> str:
    """The section that binds to an SMSC of the test's."""
    return (
        f'[sms.{name}]\nkind = "smpp"\nhost = "127.0.0.1"\nport = {smsc.port}\nsystem_id = "abc"\nconnect_timeout = "2s"\n'
        f'reconnect_most = "1s"\n{unpaced(more)}\n'
    )


def twilio(provider: Provider, directory: Path, name: str = "primary", more: str = "") -> str:
    """The section of a provider of the test's."""
    (directory / "twilio.password").write_text("secret")
    return (
        f'[sms.{name}]\nkind = "twilio"\naccount_sid = "AC1"\nauth_token_file = "twilio.password"\n'
        f'base_url = "{provider.url}"\n{unpaced(more)}\n'
    )


@dataclass
class Sending:
    """What runs, and what happened."""

    config: Config
    store: Database
    bridges: Bridges
    outbox: Outbox
    holds: Holds
    inbox: Inbox
    actions: Actions
    in_force: InForce
    holds_changed: asyncio.Event
    publisher: Publisher
    happened: list[Fact]
    """Every fact, as it was published."""
    parts: product.Sending
    """The product's own, of these."""

    async def add(self, count: int = 1, **changes: Any) -> list[int]:
        """Queue texts to as many numbers."""
        now = datetime.now(UTC)
        values = {
            "call": None, "kind": TextKind.MISSED_CALL,
            "line": "front", "region": "US", "sender": "+14155550100", "segments": 1, "queued_at": now,
            "due_at": now, "expires_at": now + timedelta(minutes=15), **changes,
        }  # fmt: skip
        added = [
            await self.store.run(
                texts.add,
                texts.NewText(**{"recipient": f"+1415555{number:04d}", "body": f"text {number}", **values}),
            )
            for number in range(count)
        ]
        self.outbox.wake()
        return added

    def missed(self, *callers: str, tasks: asyncio.TaskGroup) -> Journal:
        """Calls of these callers that come and are missed, all at once, as the agent tells it."""
        reserve = Reserve(self.config.data_dir / "calls.reserve")
        journal = Journal(
            store=self.store, reserve=reserve, in_force=self.in_force, tasks=tasks, command=lambda _: None,
            publish=self.publisher.publish, claim_next=self.outbox.claim_next,
        )  # fmt: skip
        at = datetime.now(UTC).timestamp()
        for caller in callers:
            journal.receive(
                CallArrived(
                    key=caller, call_id=caller, trunk="pbx", source="192.0.2.10:5060", caller=caller, caller_name="",
                    caller_header="From", dialled=("+14155550100",), diversions=(), verstat="", at=at,
                )
            )  # fmt: skip
            journal.receive(CallerHungUp(key=caller, at=at, rang=5, reason=""))
        return journal

    async def rows(self) -> list[dict[str, Any]]:
        """Every text, oldest first."""
        return [dict(row) for row in reversed(await self.store.run(texts.selected, Selection()))]

    async def until(self, state: str, count: int = 1, *, seconds: float = 20) -> list[dict[str, Any]]:
        """Until so many texts are in a state; all rows."""
        async with asyncio.timeout(seconds):
            while True:
                rows = await self.rows()
                if sum(row["state"] == state for row in rows) >= count:
                    return rows
                await asyncio.sleep(0.01)


@asynccontextmanager
async def sending(
    directory: Path, sms: str = SPOOL, *, line: str = "", last: LastTexts | None = None
) -> AsyncIterator[Sending]:
    """Run it; at the end it stops in order."""
    path = directory / "textback.toml"
    path.write_text(awake(CONFIG.format(sms=sms, line=line)))
    config = load(path)
    config.data_dir.mkdir(exist_ok=True)
    queue, holds_changed = QueueWake(), asyncio.Event()
    happened: list[Fact] = []
    publisher = listeners.publisher(LogLines(), queue.event, holds_changed)
    publisher.listen(happened.append)
    store = Database(config.data_dir / FILE, publisher.publish)
    in_force = InForce(Ruling(Knowledge().directory(config, datetime.now(UTC))))
    bridges = Bridges(config.data_dir, "", queue.event.set)
    bridge_states = BridgeStates(bridges=bridges.by_name, publish=publisher.publish, changed=queue.room_came)
    inbox = Inbox(store=store, in_force=in_force, bridge_changed=bridge_states.bridge_changed)
    outbox = Outbox(
        store=store, bridges=bridges.by_name, routes=routes_of(config), wake=queue, quiet=quiet_of(config),
        rings=rings_of(config),
    )  # fmt: skip
    holds = Holds(store=store, in_force=in_force, woken=holds_changed)
    actions = Actions(store=store, in_force=in_force, holds=holds, outbox=outbox)
    try:
        parts = product.Sending(bridges=bridges, inbox=inbox, outbox=outbox, holds=holds)
        async with parts.running(config.sms, last):
            yield Sending(
                config, store, bridges, outbox, holds, inbox, actions, in_force, holds_changed, publisher, happened, parts
            )
    finally:
        store.close()


def states(directory: Path) -> dict[str, int]:
    """How many texts are in each state, out of the file."""
    db = sqlite3.connect(directory / "data" / FILE)
    found = dict(db.execute("SELECT state, count(*) FROM texts GROUP BY state"))
    db.close()
    return found
