"""What the agent counts, as warnings in the log: each time that it has grown, also in an agent that was started again."""

from dataclasses import replace

import pytest
from structlog.testing import capture_logs

from gateway.calls.strangers import Strangers
from sip.protocol import Pulse

PULSE = Pulse(
    calls=0, strangers=0, malformed=0, disconnected=0, descriptors=10, descriptor_limit=100, last_stranger="192.0.2.1:5060",
    last_malformed="pbx (192.0.2.2:5060): cseq is missing", last_disconnected="192.0.2.3:40000",
)  # fmt: skip


@pytest.mark.parametrize(
    ("count", "event"),
    [("strangers", "strangers_refused"), ("malformed", "malformed_refused"), ("disconnected", "connections_closed")],
)
@pytest.mark.parametrize(
    ("counts", "new"),
    [
        ((0, 0, 3, 3, 5), [3, 2]),
        ((2, 2), [2]),
        ((0, 5, 0, 1), [5, 1]),
        ((0, 5, 2, 3), [5, 2, 1]),
        ((0, 5, 5, 6), [5, 1]),
    ],
)
def test_what_has_grown_is_warned_of(count: str, event: str, counts: tuple[int, ...], new: list[int]) -> None:
    strangers = Strangers()
    with capture_logs() as logs:
        for number in counts:
            strangers.heard(replace(PULSE, **{count: number}))
    assert [(log["event"], log["new"]) for log in logs] == [(event, number) for number in new]


@pytest.mark.parametrize(
    ("opened", "warnings"),
    [((10, 80), 0), ((10, 81, 90, 75, 81), 1), ((81, 70, 81), 2), ((81, 0, 81), 2)],
)
def test_descriptors_that_run_out_are_warned_of_once(opened: tuple[int, ...], warnings: int) -> None:
    strangers = Strangers()
    with capture_logs() as logs:
        for number in opened:
            strangers.heard(replace(PULSE, descriptors=number))
    assert [log["event"] for log in logs] == ["descriptors_running_out"] * warnings


def test_requests_that_nobody_takes_are_warned_of_once_by_kind() -> None:
    """Some subscribe or register for ever; the count is in the status."""
    strangers = Strangers()
    counted = [
        (1, "MESSAGE of pbx (192.0.2.1:5060)"),
        (1, "MESSAGE of pbx (192.0.2.1:5060)"),
        (3, "MESSAGE of pbx (192.0.2.1:5062)"),
        (4, "NOTIFY of pbx (192.0.2.1:5060)"),
        (5, "MESSAGE of carrier (192.0.2.9:5060)"),
        (6, "NOTIFY of pbx (192.0.2.1:5060)"),
    ]
    with capture_logs() as logs:
        for number, last in counted:
            strangers.heard(replace(PULSE, not_taken=number, last_not_taken=last))
    assert [(log["event"], log["last"].partition(" (")[0]) for log in logs] == [
        ("requests_refused", what) for what in ("MESSAGE of pbx", "NOTIFY of pbx", "MESSAGE of carrier")
    ]
