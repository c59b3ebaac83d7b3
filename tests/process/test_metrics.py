"""`/metrics` says what the document says that it says."""

import re
from pathlib import Path

from prometheus_client.parser import text_string_to_metric_families

from gateway.core.consent import Wish
from gateway.core.reason import AS_DECIDED, Reason
from gateway.process import metrics
from sms.text import ReceiptState, Refusal
from tests.process.told import EVERYTHING

DOCUMENT = (Path(__file__).parents[2] / "docs/monitoring.md").read_text()
STATUS = {
    "version": "0", "config_hash": "x", "reload_error": "", "files_unusable": [], "queued": 1, "held": 2, "held_for_a_person": 1, "unknown": 0,
    "agent": {"up": True, "calls": 3, "strangers_refused": 4, "malformed_refused": 5, "stack_refused": 1, "requests_refused": 2, "turned_away": 8, "descriptors": 6, "descriptor_limit": 7},
    "database": {"writable": True, "calls_kept": 0},
    "bridges": {"primary": {"up": True, "paused": False}},
}  # fmt: skip


def test_every_metric_is_in_the_document_and_the_other_way_round() -> None:
    for told in EVERYTHING:
        metrics.hear(told.fact)
    families = list(text_string_to_metric_families(metrics.exposition(STATUS).decode()))
    samples = [sample for family in families for sample in family.samples]
    shown = dict(re.findall(r"^\| `(textback_\w+)` \| ([^|]*)\|", DOCUMENT, re.MULTILINE))
    assert {sample.name for sample in samples} == set(shown)
    for sample in samples:
        assert {f"`{label}`" for label in sample.labels} == set(re.findall(r"`\w+`", shown[sample.name])), sample
    outcomes = {sample.labels["outcome"] for sample in samples if sample.name == "textback_submits_total"}
    assert all(f"`{outcome}`" in DOCUMENT for outcome in outcomes)
    assert len(outcomes) == 8


def test_what_to_be_woken_for_names_metrics_that_exist() -> None:
    rules = DOCUMENT.partition("```yaml")[2]
    known = set(re.findall(r"^\| `(textback_\w+)`", DOCUMENT, re.MULTILINE))
    named = set(re.findall(r"textback_\w+", rules))
    assert named
    assert named <= known


def test_counters_are_there_before_anything_is_counted() -> None:
    """`increase()` sees nothing of a series that begins with its first event."""
    fresh = {**STATUS, "bridges": {"fresh": {"up": True, "paused": False}}}
    shown = list(text_string_to_metric_families(metrics.exposition(fresh).decode()))
    zero = {
        (sample.name, *(value for label, value in sample.labels.items() if label != "bridge"))
        for family in shown
        for sample in family.samples
        if sample.labels.get("bridge") == "fresh" and sample.name.endswith("_total") and sample.value == 0
    }
    outcomes = ("accepted", *(f"refused_{kind}" for kind in Refusal), "not_sent", "unknown")
    expected = {
        *(("textback_submits_total", outcome) for outcome in outcomes),
        *(("textback_receipts_total", state) for state in ReceiptState),
        *(("textback_replies_total", wish) for wish in ("none", *Wish)),
    }
    assert zero == expected
    decided = {
        (sample.labels["decision"], sample.labels["reason"])
        for family in shown
        for sample in family.samples
        if sample.name == "textback_decisions_total"
    }
    assert decided == {(decision, reason) for decision, reasons in AS_DECIDED.items() for reason in reasons}


def test_what_is_counted_of_decisions_is_what_can_be_decided() -> None:
    counted = {(fact.decision, fact.reason) for told in EVERYTHING if hasattr(fact := told.fact, "decision")}
    assert all(reason in AS_DECIDED[decision] for decision, reason in counted)
    assert {reason for reasons in AS_DECIDED.values() for reason in reasons} == set(Reason)
