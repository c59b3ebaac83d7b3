"""How the gateway is, as one value for `textback status`, `/readyz` and whoever else asks."""

from dataclasses import dataclass
from typing import Any, Protocol


class Reporter(Protocol):
    """What the pages ask; the daemon is one."""

    def status(self) -> dict[str, Any]:
        """`{version, config_hash, agent, trunks, bridges, held, unknown, …}`, ready for JSON."""

    def readiness(self) -> "Readiness":
        """Would a call be taken and journalled now?"""


@dataclass(frozen=True, slots=True, kw_only=True)
class Readiness:
    """Ready, or why not, in sentences."""

    why_not: tuple[str, ...]

    @property
    def is_ready(self) -> bool:
        return not self.why_not
