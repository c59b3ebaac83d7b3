"""The agent's events, another configuration, and what is said of it all, with the real parts that send."""

import asyncio
from pathlib import Path

import pytest
from structlog.testing import capture_logs

from config.load import load
from gateway.calls.reserve import FILE, Reserve
from gateway.office.knowledge import Knowledge
from gateway.process.agent_dispatch import AgentDispatch
from gateway.process.counts import Counts
from gateway.process.exchange import Exchange
from gateway.process.reload import Reloading
from gateway.process.reporting import Reporting
from gateway.process.stores import Stores
from sip.pipe.client import AgentClient
from sip.protocol import CallerHungUp, Ready, Start
from tests.calls.test_journal import arrived
from tests.calls.test_strangers import PULSE
from tests.peers.sending import CONFIG, SPOOL, Sending, sending
from tests.peers.settings import awake
from tests.sms.test_smpp_bridge import until

OTHER = SPOOL.replace("spool]", "other]")


def agent_of() -> AgentClient:
    """One that does not run."""
    return AgentClient(Start(listen=(), rtp_first=19000, rtp_last=19099, max_calls=5, trunks=()), lambda _: None)


def reporting_of(it: Sending, tasks: asyncio.TaskGroup) -> Reporting:
    """What is said of it, and may be reloaded by it."""
    agent = agent_of()
    exchange = Exchange(in_force=it.in_force, sending=it.parts, agent=agent, decide_again=it.holds_changed.set)
    return Reporting(
        agent=agent,
        journal=it.missed(tasks=tasks),
        bridges=it.bridges.by_name,
        stores=Stores(database=it.store, reserve=Reserve(it.config.data_dir / FILE)),
        in_force=it.in_force,
        reloading=Reloading(it.config, Knowledge(), exchange.use),
        counts=Counts(it.store),
        stop=asyncio.Event(),
    )


async def test_another_configuration_comes_into_force_in_all_parts_or_in_none(tmp_path: Path) -> None:
    async with sending(tmp_path) as it, asyncio.TaskGroup() as tasks:
        reporting = reporting_of(it, tasks)
        running = tasks.create_task(reporting.reloading.run())
        it.config.path.write_text(awake(CONFIG.format(sms=OTHER, line='sms = ["nobody"]')))
        refused = await reporting.reload()
        assert "line.front.sms" in refused["refused"]
        assert refused["file"] == str(it.config.path)
        assert (set(it.bridges.by_name), it.outbox.routes) == ({"spool"}, {"front": ("spool",)})
        assert reporting.status()["config_hash"] == it.config.hash

        it.holds_changed.clear()
        it.config.path.write_text(awake(CONFIG.format(sms=OTHER, line="")))
        taken = await reporting.reload()
        assert (taken["refused"], taken["unusable"], taken["with_bad_rows"]) == ("", [], [])
        fresh = load(it.config.path)
        assert (set(it.bridges.by_name), it.outbox.routes) == ({"other"}, {"front": ("other",)})
        assert it.in_force.directory.config.hash == fresh.hash
        status = reporting.status()
        assert (status["config_hash"], status["reloads"], status["reload_error"]) == (fresh.hash, 2, "")
        reporting.reloading.stop()
        await running
        await it.add()
        await it.until("accepted")


async def test_ready_is_who_listens_writes_and_does_not_stop(tmp_path: Path) -> None:
    async with sending(tmp_path) as it, asyncio.TaskGroup() as tasks:
        reporting = reporting_of(it, tasks)
        assert reporting.readiness().why_not == ("the SIP agent is not listening",)
        reporting.agent.ready = Ready(stack="fake", capacity=1, max_calls=1, listen=())
        assert reporting.readiness().is_ready
        reporting.stop.set()
        assert reporting.readiness().why_not == ("the gateway is stopping",)


async def test_a_waiting_reload_is_counted_with_what_was_asked_meanwhile(tmp_path: Path) -> None:
    async with sending(tmp_path) as it, asyncio.TaskGroup() as tasks:
        reporting = reporting_of(it, tasks)
        asked = [tasks.create_task(reporting.reload()) for _ in range(5)]
        await asyncio.sleep(0)
        running = tasks.create_task(reporting.reloading.run())
        assert {(await one)["refused"] for one in asked} == {""}
        assert reporting.status()["reloads"] == 1
        reporting.reloading.stop()
        await running


@pytest.mark.parametrize(("carries", "warnings"), [(5, 0), (4, 1)])
async def test_events_are_led_to_whom_they_concern(tmp_path: Path, carries: int, warnings: int) -> None:
    async with sending(tmp_path) as it, asyncio.TaskGroup() as tasks:
        dispatch = AgentDispatch(journal=it.missed(tasks=tasks), max_calls=5)
        call = arrived("k", "+14155550123")
        with capture_logs() as logs:
            dispatch.receive(PULSE)
            assert not dispatch.has_begun.is_set()
            dispatch.receive(Ready(stack="fake", capacity=9, max_calls=carries, listen=("udp:127.0.0.1:5060",)))
            assert dispatch.has_begun.is_set()
            dispatch.receive(call)
            dispatch.receive(CallerHungUp(key="k", at=call.at + 5, rang=5, reason=""))
            await it.until("accepted")
            await until(lambda: any(log["event"] == "call_ended" for log in logs))
        events = [log["event"] for log in logs]
        assert events.count("agent_ready") == 1
        assert events.count("fewer_calls_than_configured") == warnings
