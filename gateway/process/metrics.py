"""`/metrics`: what a monitor draws and alarms on, in Prometheus' text format. Counters begin with the process."""

from collections.abc import Callable, Iterable, Mapping
from typing import Any

from prometheus_client import CollectorRegistry, Counter, disable_created_metrics, generate_latest
from prometheus_client.core import GaugeMetricFamily, InfoMetricFamily, Metric
from prometheus_client.registry import Collector

from gateway.core import facts
from gateway.core.consent import Wish
from gateway.core.facts import Fact
from gateway.core.reason import AS_DECIDED
from sms.text import ReceiptState, Refusal

disable_created_metrics()  # type: ignore[no-untyped-call] # when each counter was born tells nobody anything
_COUNTED = CollectorRegistry(auto_describe=True)
_SUBMITTED = Counter(
    "textback_submits", "Texts handed to a bridge, by what it said of them.", ["bridge", "outcome"], registry=_COUNTED
)
_RECEIPTS = Counter("textback_receipts", "Delivery receipts, repetitions included.", ["bridge", "state"], registry=_COUNTED)
_REPLIES = Counter("textback_replies", "Replies kept.", ["bridge", "wish"], registry=_COUNTED)
_CALLERS_CHANGED = Counter(
    "textback_callers_changed",
    "Calls whose trunk said in mid-ring that somebody else is calling.",
    ["trunk"],
    registry=_COUNTED,
)
_DECISIONS = Counter(
    "textback_decisions",
    "Decisions, each time one falls: when a call has ended, and about held texts.",
    ["decision", "reason"],
    registry=_COUNTED,
)


def _decision(fact: facts.CallMissed | facts.CallNotMissed | facts.HeldTextDecided) -> None:
    _DECISIONS.labels(fact.decision, fact.reason.value).inc()


def _submit(outcome: str) -> "Count":
    return lambda fact: _SUBMITTED.labels(fact.submit.bridge, outcome).inc()


def _refusal(fact: facts.TextRefused) -> None:
    _SUBMITTED.labels(fact.submit.bridge, f"refused_{fact.kind}").inc()


def _receipt(fact: facts.ReceiptArrived) -> None:
    _RECEIPTS.labels(fact.bridge, fact.state).inc()


def _reply(fact: facts.ReplyArrived) -> None:
    """One that is only repeated was counted before."""
    if fact.reply is not None:
        _REPLIES.labels(fact.bridge, fact.wish.value if fact.wish else "none").inc()


Count = Callable[[Any], None]
COUNTED: Mapping[type[Fact], Count] = {
    facts.CallChangedCaller: lambda fact: _CALLERS_CHANGED.labels(fact.trunk).inc(),
    facts.CallMissed: _decision,
    facts.CallNotMissed: _decision,
    facts.HeldTextDecided: _decision,
    facts.TextAccepted: _submit("accepted"),
    facts.TextRefused: _refusal,
    facts.TextNotSent: _submit("not_sent"),
    facts.TextUnknown: _submit("unknown"),
    facts.ReceiptArrived: _receipt,
    facts.ReplyArrived: _reply,
}
"""What is counted of a fact."""
NOT_COUNTED: frozenset[type[Fact]] = frozenset(
    {
        facts.CallCameIn,  # each ends, and is counted then
        facts.NumberHasNoLine,  # decided as `no_line`
        facts.CallDone,
        facts.TextQueued,  # decided as `send`; those that wait are a gauge
        facts.TextHeld,  # decided as `hold`; those that wait are a gauge
        facts.TextReleased,  # decided once more
        facts.TextPostponed,  # decided once more
        facts.TextExpired,
        facts.TextCancelled,
        facts.TextDropped,
        facts.TextResent,
        facts.TextInterrupted,  # those whose fate is unknown are a gauge
        facts.LateAnswerCame,
        facts.PartAnswered,
        facts.TextSettled,
        facts.ReplyNotAnswered,  # counted as a reply
        facts.OptedOut,  # of a reply: counted with its wish
        facts.OptedIn,
        facts.NumberForgotten,
        facts.BridgeUp,  # a gauge
        facts.BridgeDown,
        facts.BridgePaused,
        facts.BridgeFault,  # its refusals are counted
        facts.DatabaseNotWritable,  # a gauge
        facts.DatabaseWritableAgain,
        facts.AgentGone,  # a gauge
    }
)
"""What is not, and why where one would look for it."""


_OUTCOMES = ("accepted", *(f"refused_{kind}" for kind in Refusal), "not_sent", "unknown")


def hear(fact: Fact) -> None:
    """A listener: counts what happened."""
    if count := COUNTED.get(type(fact)):
        count(fact)


def exposition(status: Mapping[str, Any]) -> bytes:
    """Everything counted, and the state now, of which `status` is the report of `/api/v1/status`."""
    _begin_at_zero(status["bridges"])
    now = CollectorRegistry()
    now.register(_Now(status))
    return generate_latest(_COUNTED) + generate_latest(now)


def _begin_at_zero(bridges: Iterable[str]) -> None:
    """What can be counted is shown before it happens: Prometheus' `increase()` does not see a series' first value."""
    for decision, reasons in AS_DECIDED.items():
        for reason in sorted(reasons):
            _DECISIONS.labels(decision, reason.value)
    for bridge in bridges:
        for counter, values in ((_SUBMITTED, _OUTCOMES), (_RECEIPTS, ReceiptState), (_REPLIES, ("none", *Wish))):
            for value in values:
                counter.labels(bridge, str(value))


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
            (
                "textback_strangers_refused",
                "INVITEs and other requests from no trunk, since the agent started.",
                agent["strangers_refused"],
            ),
            (
                "textback_malformed_refused",
                "Malformed requests of trunks, since the agent started.",
                agent["malformed_refused"],
            ),
            (
                "textback_requests_refused",
                "Requests from a trunk that nobody here takes (MESSAGE …).",
                agent["requests_refused"],
            ),
            ("textback_stack_refused", "INVITEs from a trunk that the SIP stack refused.", agent["stack_refused"]),
            ("textback_calls_turned_away", "INVITEs that got 503, since the agent started.", agent["turned_away"]),
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
