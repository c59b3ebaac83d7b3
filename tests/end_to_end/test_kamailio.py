"""The real gateway behind a real Kamailio: what it tells us, and what it makes of our answers."""

from collections.abc import Callable
from pathlib import Path

from tests.pbx import kamailio
from tests.pbx.seen import lines, table
from tests.peers.gateway import RunningGateway


def test_every_case_of_kamailio(gateway: Callable[..., RunningGateway], tmp_path: Path) -> None:
    verdicts = kamailio.verdicts(tmp_path, gateway(more=lines()))
    assert all(verdict.is_right for verdict in verdicts), "\n".join(["", *table(verdicts)])
