"""How the gateway is, as one value for `textback status`, `/readyz` and whoever else asks."""

import os
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from importlib.metadata import version
from typing import Any, Protocol

from config.model import Config
from gateway.office.directory import FileFault
from sip.pipe.client import AgentClient
from sms.text import Bridge


class Reporter(Protocol):
    """What the HTTP API asks; `Reporting` is one."""

    async def count(self) -> None:
        """What waits and for whom is counted anew, where the database answers soon."""

    def status(self) -> dict[str, Any]:
        """`{version, pid, config_hash, agent, trunks, bridges, held, unknown, …}`, ready for JSON."""

    async def reload(self) -> dict[str, Any]:
        """Load the configuration again: `{file, refused, unusable, with_bad_rows}`, once that was tried."""

    def readiness(self) -> "Readiness":
        """Would a call be taken and journalled now?"""


@dataclass(frozen=True, slots=True, kw_only=True)
class Readiness:
    """Ready, or why not, in sentences."""

    why_not: tuple[str, ...]

    @property
    def is_ready(self) -> bool:
        return not self.why_not


def report(
    config: Config,
    *,
    agent: AgentClient,
    open_calls: int,
    bridges: Mapping[str, Bridge],
    database: Mapping[str, Any],
    reload_error: str,
    reloads: int,
    faults: Sequence[FileFault],
    counts: Mapping[str, int],
) -> dict[str, Any]:
    """Everything at a glance, ready for JSON."""
    ready, pulse = agent.ready, agent.pulse
    return {
        "version": version("textback"),
        "pid": os.getpid(),
        "config_hash": config.hash,
        "reload_error": reload_error,
        "reloads": reloads,
        "files_unusable": [asdict(fault) for fault in faults],
        "agent": {
            "up": ready is not None,
            "calls": open_calls,
            "max_calls": ready.max_calls if ready else 0,
            "stack": ready.stack if ready else "",
            "pid": agent.pid,
            "strangers_refused": pulse.strangers if pulse else 0,
            "malformed_refused": pulse.malformed if pulse else 0,
            "stack_refused": pulse.stack_refused if pulse else 0,
            "requests_refused": pulse.not_taken if pulse else 0,
            "last_malformed": pulse.last_malformed if pulse else "",
            "last_request_refused": pulse.last_not_taken if pulse else "",
            "rings_every_offer": ready.rings_every_offer if ready else False,
            "descriptors": pulse.descriptors if pulse else 0,
            "descriptor_limit": pulse.descriptor_limit if pulse else 0,
        },
        "trunks": {name: {"up": ready is not None} for name in config.trunk},
        "bridges": {name: _health(bridge) for name, bridge in bridges.items()},
        "database": database,
        **counts,
    }


def _health(bridge: Bridge) -> dict[str, Any]:
    health = bridge.health()
    return {"up": health.up, "paused": health.paused, "detail": health.detail}
