"""Which line a call is for, and what the rules need to know of it: the configuration, looked up."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from config.model import E164, Config, Line
from config.reserved import CALL_TEST
from gateway.core.call import ring_time
from gateway.core.case import Contact, Policy
from gateway.core.hours import OfficeHours
from gateway.core.numbering import Reading, read
from gateway.core.phone import domestic, region_of
from sip.protocol import Trunk


@dataclass(frozen=True, slots=True, kw_only=True)
class FileFault:
    """A file that the configuration names by `key` cannot be used: why, and what counts meanwhile."""

    key: str
    file: str
    detail: str
    meanwhile: str


@dataclass(frozen=True, slots=True, eq=False)
class Directory:
    """One configuration with its calendars and contacts, indexed for calls that come in. A value: nobody changes it."""

    config: Config
    hours: Mapping[str, OfficeHours] = field(default_factory=dict)
    contacts: Mapping[E164, Contact] = field(default_factory=dict)
    faults: tuple[FileFault, ...] = ()
    """Calendars and contacts that cannot be used as they are."""
    contacts_unknown: str = ""
    """Why nothing is known of the contacts although the configuration names a file; empty where they are known."""
    _by_number: Mapping[E164, Line] = field(init=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "_by_number", {line.number: line for line in self.config.line.values()})

    def line_for(self, trunk: str, dialled: Sequence[str]) -> Line | None:
        """The line of the first dialled number that is one of the trunk's lines, else the trunk's default line.

        Test calls may reach every line.
        """
        for candidate in dialled:
            line = self.line_named(candidate, trunk)
            if line is not None and (trunk in line.trunks or trunk == CALL_TEST):
                return line
        settings = self.config.trunk.get(trunk)
        default = settings.default_line if settings is not None else None
        return self.config.line.get(default) if default else None

    def caller(self, as_sent: str | None, trunk: str = "") -> E164 | None:
        """The caller's number, as the trunk writes numbers and the office's region."""
        return self.reading(as_sent, trunk).number if as_sent else None

    def reading(self, as_sent: str, trunk: str = "") -> Reading:
        """What a number is read as that came by a trunk, and by which steps."""
        return read(as_sent, self.config.region, self.config.trunk.get(trunk))

    def contact(self, number: E164 | None) -> Contact | None:
        """Who this is, by the contacts file."""
        return self.contacts.get(number) if number else None

    def policy(self, line: Line, caller: E164 | None) -> Policy:
        """What the rules read of the configuration for one line and caller."""
        regions = self.config.limits.regions or domestic(region_of(line.number))
        return Policy(
            line=line,
            own_numbers=frozenset(self._by_number),
            regions=frozenset(regions),
            home_region=self.config.region,
            hours=self.hours.get(line.hours or ""),
            contact=self.contact(caller),
            contacts_unknown=self.contacts_unknown,
            consent=self.config.consent,
            limits=self.config.limits,
        )

    def trunks(self) -> tuple[Trunk, ...]:
        """The trunks as the SIP agent knows them, each with the longest ring of its lines for when no plan comes."""
        return tuple(
            Trunk(
                name=trunk.name,
                peers=tuple(str(peer) for peer in trunk.peers),
                no_answer=trunk.no_answer,
                busy_answer=trunk.busy_answer,
                trust_answered_elsewhere=trunk.answered_elsewhere == "trust",
                ring_seconds=max(
                    (ring_time(line).total_seconds() for line in self.config.line.values() if trunk.name in line.trunks),
                    default=20,
                ),
            )
            for trunk in self.config.trunk.values()
        )

    def line_named(self, dialled: str, trunk: str = "") -> Line | None:
        """The line of a dialled number, whether it takes calls of that trunk or not."""
        number = self.reading(dialled, trunk).number
        return self._by_number.get(number) if number is not None else self.config.line.get(dialled)
