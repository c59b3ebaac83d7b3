"""Which TCP connections are closed, and what is said of descriptors that run out."""

from typing import Any

import pytest
import structlog

from gateway.calls.strangers import Strangers
from sip.protocol import Pulse
from sip.stack.connections import STRANGER_AT_MOST_S, STRANGERS_AT_MOST, STRANGERS_PER_ADDRESS, Connection, excess

NOW = 1000.0


def made(host: str, *ages: float) -> list[Connection]:
    return [Connection(descriptor=n, host=host, port=5000 + n, since=NOW - age) for n, age in enumerate(ages)]


def left(*groups: list[Connection], per_known: int = 3) -> list[tuple[str, float]]:
    """What stays open: host and age."""
    every = [one for group in groups for one in group]
    closed = excess(every, NOW, is_known=lambda host: host.startswith("10."), per_known=per_known)
    assert len(closed) == len(set(closed))
    return [(one.host, NOW - one.since) for one in every if one not in closed]


def test_a_strangers_connection_is_closed_when_it_is_old() -> None:
    assert left(made("192.0.2.1", 0, STRANGER_AT_MOST_S, STRANGER_AT_MOST_S + 0.1)) == [
        ("192.0.2.1", 0),
        ("192.0.2.1", STRANGER_AT_MOST_S),
    ]


def test_a_stranger_keeps_the_newest_few() -> None:
    ages = [number / 10 for number in range(20)]
    assert [age for _, age in left(made("192.0.2.1", *ages))] == pytest.approx(ages[:STRANGERS_PER_ADDRESS])


def test_all_strangers_together_keep_the_newest() -> None:
    crowd = [made(f"192.0.2.{number}", number / 100) for number in range(200)]
    assert [host for host, _ in left(*crowd)] == [f"192.0.2.{number}" for number in range(STRANGERS_AT_MOST)]


def test_a_trunks_connections_stay_however_old_unless_they_are_too_many() -> None:
    trunk, crowd = made("10.0.0.1", 9000, 8000, 7000), [made(f"192.0.2.{number}", 0) for number in range(200)]
    assert left(trunk, *crowd)[:3] == [("10.0.0.1", 9000), ("10.0.0.1", 8000), ("10.0.0.1", 7000)]
    assert left(made("10.0.0.1", 4, 3, 2, 1)) == [("10.0.0.1", 3), ("10.0.0.1", 2), ("10.0.0.1", 1)]


def pulse(**values: Any) -> Pulse:
    none = {
        "calls": 0, "strangers": 0, "malformed": 0, "disconnected": 0, "descriptors": 10, "descriptor_limit": 1000,
        "last_stranger": "", "last_malformed": "", "last_disconnected": "",
    }  # fmt: skip
    return Pulse(**{**none, **values})


def test_descriptors_that_run_out_are_said_once_until_there_are_fewer() -> None:
    strangers = Strangers()
    with structlog.testing.capture_logs() as log:
        for count in (500, 800, 801, 900, 750, 850, 690, 810):
            strangers.heard(pulse(descriptors=count))
    assert [(entry["event"], entry["open"]) for entry in log] == [
        ("descriptors_running_out", 801),
        ("descriptors_running_out", 810),
    ]


def test_closed_connections_are_said() -> None:
    strangers = Strangers()
    with structlog.testing.capture_logs() as log:
        for count in (0, 0, 3, 3):
            strangers.heard(pulse(disconnected=count, last_disconnected="192.0.2.1:1"))
    assert [(entry["event"], entry["new"], entry["last"]) for entry in log] == [("connections_closed", 3, "192.0.2.1:1")]
