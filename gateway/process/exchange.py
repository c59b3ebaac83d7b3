"""Another configuration, or other calendars and contacts, come into force in all parts, in one turn of the event loop."""

from collections.abc import Callable
from dataclasses import dataclass

from config.model import Config
from gateway.decisions.ruling import InForce, Ruling
from gateway.office.directory import Directory
from gateway.process.sending import Sending
from gateway.texts.outbox import quiet_of, routes_of
from sip.pipe.client import AgentClient


@dataclass(frozen=True, slots=True, kw_only=True)
class Exchange:
    """The parts that go by a configuration that may change while they run."""

    in_force: InForce
    sending: Sending
    agent: AgentClient
    decide_again: Callable[[], None]
    """Called when everything is exchanged: what is held may be decided otherwise now."""

    def use(self, config: Config, directory: Directory) -> None:
        """The directory is of this configuration."""
        self.in_force.ruling = Ruling(directory)
        self.sending.bridges.use(config.sms)
        self.sending.outbox.routes, self.sending.outbox.quiet = routes_of(config), quiet_of(config)
        self.agent.use_trunks(directory.trunks())
        self.decide_again()
