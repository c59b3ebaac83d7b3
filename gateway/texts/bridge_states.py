"""Which bridges are up, down or paused: what changes of it is a fact, said once."""

from collections.abc import Callable, Mapping
from datetime import UTC, datetime

from gateway.core import facts
from gateway.core.facts import Publish
from sms.text import Bridge, Health

State = type[facts.BridgeUp | facts.BridgeDown | facts.BridgePaused]


class BridgeStates:
    """Hears from each bridge that something has changed, which may be its room alone: `changed` is called each time."""

    def __init__(self, *, bridges: Mapping[str, Bridge], publish: Publish, changed: Callable[[], None]) -> None:
        self._bridges = bridges
        self._publish = publish
        self._changed = changed
        self._known: dict[str, State] = {}
        """What was said last of each bridge."""

    def bridge_changed(self, name: str) -> None:
        """Never blocks and never raises, as bridges call it within their own work."""
        bridge = self._bridges.get(name)
        if bridge is None:  # it is saying goodbye, and no longer in the configuration
            self._known.pop(name, None)
        else:
            self._say(name, _health(bridge))
        self._changed()

    def _say(self, name: str, health: Health) -> None:
        state: State = facts.BridgeUp if health.up else facts.BridgePaused if health.paused else facts.BridgeDown
        if self._known.get(name) is not state:
            self._known[name] = state
            self._publish(state(at=datetime.now(UTC), bridge=name, detail=health.detail))


def _health(bridge: Bridge) -> Health:
    """One that cannot even say how it is takes no texts; the outbox says so when it asks."""
    try:
        return bridge.health()
    except Exception as error:
        return Health(up=False, detail=f"the bridge failed: {type(error).__name__}")
