"""How many texts each bridge takes now, when several claims are under way at once.

A claim is given room before it is committed, and the bridge knows of its texts only afterwards: until then the room is
promised.
"""

from collections import Counter
from collections.abc import Iterable, Mapping

import structlog

from sms.text import Bridge


class Room:
    """Asked and told on the event loop only."""

    def __init__(self, bridges: Mapping[str, Bridge]) -> None:
        self._bridges = bridges
        self._promised: Counter[str] = Counter()
        self._crowded: frozenset[str] = frozenset()
        self._withheld: set[str] = set()
        """Bridges of which a claim of all that is due got less, because some of their room was promised."""
        self._log = structlog.get_logger()

    def for_all(self) -> dict[str, int]:
        """The bridges that are up, each with how many texts it takes now."""
        self._withheld = {name for name, promised in self._promised.items() if promised}
        return self._free(self._bridges)

    def for_one(self, route: Iterable[str]) -> dict[str, int]:
        """The bridges of a route that are up, each with room for one text at most; with none where other texts may be
        waiting for it, which go first."""
        return {name: 0 if name in self._crowded else min(1, free) for name, free in self._free(route).items()}

    def promise(self, room: Mapping[str, int]) -> None:
        """A claim may use it up."""
        self._promised.update(room)

    def give_back(self, room: Mapping[str, int]) -> bool:
        """The claim is done, and what it brought has been handed over. Was the room missing to others meanwhile?"""
        self._promised.subtract(room)
        return not self._withheld.isdisjoint(room)

    def used(self, room: Mapping[str, int], claimed: Iterable[str]) -> None:
        """A claim of all that is due took so much of it, one name for each text: where it took all, more may be waiting.
        Where none is left, nothing counts as taken."""
        taken = Counter(claimed)
        self._crowded = frozenset(name for name, free in room.items() if taken[name] >= free)

    def _free(self, names: Iterable[str]) -> dict[str, int]:
        """A bridge that cannot even say how it is is down."""
        free = {}
        for name in names:
            bridge = self._bridges.get(name)
            try:
                if bridge is not None and bridge.health().up:
                    free[name] = max(0, bridge.room() - self._promised[name])
            except Exception:
                self._log.exception("bridge_failed", bridge=name)
        return free
