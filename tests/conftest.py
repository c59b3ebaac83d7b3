"""What every test may ask for."""

import sqlite3
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from hypothesis import settings

from gateway.store.database import migrate
from tests.peers.gateway import RunningGateway
from tests.peers.smsc import Smsc

settings.register_profile("busy", deadline=None)
settings.load_profile("busy")  # how long an example takes says nothing on a machine that has much else to do


@pytest.fixture
def gateway(tmp_path: Path) -> Iterator[Callable[..., RunningGateway]]:
    """Start a gateway with settings; it is ended with the test."""
    started: list[RunningGateway] = []

    def start(*, log_to: int | None = None, **settings: Any) -> RunningGateway:
        directory = tmp_path / f"gateway{len(started)}"
        directory.mkdir()
        for secret in tmp_path.glob("*.password"):
            (directory / secret.name).write_text(secret.read_text())
        running = RunningGateway(directory, **settings)
        started.append(running)
        running.start(log_to=log_to)
        return running

    yield start
    for running in started:
        running.end()


@pytest.fixture
def smsc(tmp_path: Path) -> Iterator[Smsc]:
    """An SMSC that is not ours."""
    peer = Smsc(tmp_path).start()
    yield peer
    peer.kill()


@pytest.fixture
def db(tmp_path: Path) -> Iterator[sqlite3.Connection]:
    """A database of today's schema, without a gateway."""
    connection = sqlite3.connect(tmp_path / "textback.db", isolation_level=None)
    connection.row_factory = sqlite3.Row
    migrate(connection, tmp_path / "textback.db")
    yield connection
    connection.close()
