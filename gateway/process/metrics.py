"""`/metrics`: what a monitor draws and alarms on, in Prometheus' text format. Counters begin with the process."""

from collections.abc import Iterable, Mapping
from typing import Any

from prometheus_client import CollectorRegistry, Counter, disable_created_metrics, generate_latest
from prometheus_client.core import GaugeMetricFamily, InfoMetricFamily, Metric
from prometheus_client.registry import Collector

from sms.text import Outcome, Refused

disable_created_metrics()  # type: ignore[no-untyped-call] # when each counter was born tells nobody anything
_COUNTED = CollectorRegistry(auto_describe=True)
_SUBMITTED = Counter(
    "textback_submits", "Texts handed to a bridge, by what it said of them.", ["bridge", "outcome"], registry=_COUNTED
)
_RECEIPTS = Counter("textback_receipts", "Delivery receipts, repetitions included.", ["bridge", "state"], registry=_COUNTED)
_REPLIES = Counter("textback_replies", "Replies kept.", ["bridge", "wish"], registry=_COUNTED)
_DECISIONS = Counter("textback_decisions", "Decisions on missed calls.", ["decision", "reason"], registry=_COUNTED)


def count_submit(bridge: str, outcome: Outcome) -> None:
    """One answer of a bridge: `accepted`, `refused_permanent`, …, `not_sent`, `unknown`."""
    word = {"Accepted": "accepted", "NotSent": "not_sent", "Unknown": "unknown"}.get(type(outcome).__name__, "refused")
    _SUBMITTED.labels(bridge, f"refused_{outcome.kind}" if isinstance(outcome, Refused) else word).inc()


def count_receipt(bridge: str, state: str) -> None:
    """One receipt."""
    _RECEIPTS.labels(bridge, state).inc()


def count_reply(bridge: str, wish: str) -> None:
    """One reply; `wish` is `none` where it is a message for people."""
    _REPLIES.labels(bridge, wish).inc()


def count_decision(decision: str, reason: str) -> None:
    """One decision, with the reason that stands in the journal."""
    _DECISIONS.labels(decision, reason).inc()


def exposition(status: Mapping[str, Any]) -> bytes:
    """Everything counted, and the state now, of which `status` is the report of `/api/v1/status`."""
    now = CollectorRegistry()
    now.register(_Now(status))
    return generate_latest(_COUNTED) + generate_latest(now)


class _Now(Collector):
    """The report as gauges."""

    def __init__(self, status: Mapping[str, Any]) -> None:
        self._status = status

    def collect(self) -> Iterable[Metric]:
        status, agent = self._status, self._status["agent"]
        yield InfoMetricFamily(
            "textback", "Version and configuration.", value={"version": status["version"], "config": status["config_hash"]}
        )
        for name, what, value in (
            ("textback_agent_up", "Would a call be taken?", agent["up"]),
            ("textback_calls_open", "Calls that ring now.", agent["calls"]),
            ("textback_strangers_refused", "INVITEs from no trunk, since the agent started.", agent["strangers_refused"]),
            ("textback_malformed_refused", "Malformed INVITEs, since the agent started.", agent["malformed_refused"]),
            ("textback_stack_refused", "INVITEs from a trunk that the SIP stack refused.", agent["stack_refused"]),
            ("textback_agent_descriptors", "Files and sockets that the agent has open.", agent["descriptors"]),
            ("textback_agent_descriptor_limit", "How many it may have open.", agent["descriptor_limit"]),
            ("textback_database_writable", "Can calls be written down?", status["database"]["writable"]),
            ("textback_calls_kept", "Calls in the reserve.", status["database"]["calls_kept"]),
            ("textback_reload_failed", "Was the last configuration refused?", bool(status["reload_error"])),
            ("textback_files_unusable", "Calendars and contacts that cannot be used.", len(status["files_unusable"])),
        ):
            yield GaugeMetricFamily(name, what, value=float(value))
        waiting = GaugeMetricFamily("textback_texts", "Texts that wait, by what for.", labels=["state"])
        for state in ("queued", "held", "held_for_a_person", "unknown"):
            waiting.add_metric([state], status[state])
        yield waiting
        for name, what, key in (
            ("textback_bridge_up", "Would a text be taken?", "up"),
            ("textback_bridge_paused", "Was the account refused?", "paused"),
        ):
            gauge = GaugeMetricFamily(name, what, labels=["bridge"])
            for bridge, health in status["bridges"].items():
                gauge.add_metric([bridge], float(health[key]))
            yield gauge
