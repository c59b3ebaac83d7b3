"""The gateway as a whole, in this process."""

import asyncio
import socket
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from config.load import load
from gateway.daemon import Gateway
from gateway.process.data_dir import CannotStart
from tests.peers.faulty_smsc import FaultySmsc
from tests.peers.gateway import RunningGateway
from tests.peers.sending import smpp


@contextmanager
def taken(kind: socket.SocketKind, port: int) -> Iterator[None]:
    """Another program has a port."""
    with socket.socket(socket.AF_INET, kind) as other:
        other.bind(("127.0.0.1", port))
        if kind is socket.SOCK_STREAM:
            other.listen()
        yield


@pytest.mark.parametrize(
    ("kind", "says"), [(socket.SOCK_STREAM, "cannot listen on .* for the pages"), (socket.SOCK_DGRAM, "cannot listen on udp:")]
)
async def test_a_gateway_whose_ports_are_taken_binds_at_no_smsc(tmp_path: Path, kind: socket.SocketKind, says: str) -> None:
    """A copy of a configuration must not drive the gateway that runs from its one bind."""
    smsc = await FaultySmsc().start()
    running = RunningGateway(tmp_path, sms=smpp(smsc))
    port = running.web_port if kind is socket.SOCK_STREAM else running.sip_port
    with taken(kind, port), pytest.raises(CannotStart, match=says):
        await asyncio.wait_for(Gateway(load(running.path)).serve(), 60)
    await smsc.stop()
    assert (smsc.links, smsc.binds) == ([], [])


async def test_asked_to_end_while_it_begins_it_binds_nowhere_and_ends_in_order(tmp_path: Path) -> None:
    smsc = await FaultySmsc().start()
    gateway = Gateway(load(RunningGateway(tmp_path, sms=smpp(smsc)).path))
    gateway.stop()
    await asyncio.wait_for(gateway.serve(), 60)
    await smsc.stop()
    assert (gateway.is_stopping, gateway.is_ready.is_set(), smsc.links) == (True, False, [])
