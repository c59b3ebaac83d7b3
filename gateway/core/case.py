"""What a decision is made from: the call, what is known of its caller, and the policy of its line. Frozen values."""

from dataclasses import dataclass, field
from datetime import datetime, timedelta
from enum import StrEnum

from config.model import E164, Consent, Limits, Line
from gateway.core.call import Call
from gateway.core.hours import OfficeHours, Standing, standing
from gateway.core.phone import domestic
from gateway.core.reason import Reason
from gateway.core.zones import Home, home_of


@dataclass(frozen=True, slots=True, kw_only=True)
class Contact:
    """Somebody in the contacts file."""

    name: str = ""
    group: str = ""
    """`staff` and `blocked` are never texted; `vip` may have variants of its own."""


class Twin(StrEnum):
    """Another INVITE of the same call, for a call that forked on its way here."""

    RINGS = "rings"
    DECIDED = "decided"
    RINGS_AGAIN = "rings_again"
    """One that came later, of a queue that rings in rounds."""


@dataclass(frozen=True, slots=True, kw_only=True)
class SameCall:
    """The earlier rounds of a call that was rung again soon after each of them (`core/rounds.py`)."""

    first: str
    """The name of the first round: its id in the journal."""
    rang: timedelta
    """How long all of them rang together."""
    texted_at: datetime | None = None
    """When a text for one of them went, or is to go."""
    was_unanswered: bool = False
    """One of them was missed, and not because the caller hung up."""


@dataclass(frozen=True, slots=True, kw_only=True)
class History:
    """What is known of a caller when the decision falls. Texts count from when they went, held ones from when they will."""

    last_text_at: datetime | None = None
    """The newest text from this line, test texts aside; later than now where it waits for its time."""
    variants_texted: frozenset[int] = frozenset()
    """The variants whose messages the caller has had, or waits for, within `once_per`."""
    is_overtaken: bool = False
    """A text about a later call of theirs waits for its time."""
    missed_at: tuple[datetime, ...] = ()
    """When this caller's missed calls to this line came that may matter for `once_per`, in order; without the one decided.

    Once for all rounds of a call. Not those that were too short, nor those before the caller got through or was called back.
    """
    opted_out_at: datetime | None = None
    undeliverable_at: datetime | None = None
    """When a network said that this number cannot be texted, within the last 180 days."""
    last_reply_at: datetime | None = None
    reached_at: datetime | None = None
    """When the caller last got through, or was called back."""
    twin: Twin | None = None
    same_call: SameCall | None = None
    """None: the call is no later round of another."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Traffic:
    """How many texts have gone out, for the limits; nobody counts further than a limit."""

    last_minute: int = 0
    today: int = 0
    today_in_region: int = 0
    """To the caller's own region."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Policy:
    """The part of the configuration that the rules read."""

    line: Line
    own_numbers: frozenset[E164]
    regions: frozenset[str]
    home_region: str
    hours: OfficeHours | None = None
    contact: Contact | None = None
    """The caller, where the contacts file knows them."""
    contacts_unknown: str = ""
    """Why the contacts file cannot be asked; empty where it can, or there is none."""
    consent: Consent = field(default_factory=Consent)
    limits: Limits = field(default_factory=Limits)

    @property
    def home(self) -> Home:
        """Where the office is."""
        return home_of(self.line, self.home_region)

    @property
    def domestic_regions(self) -> frozenset[str]:
        """The regions that are not abroad: the office's countries with their territories."""
        return frozenset().union(*map(domestic, self.home.countries))


@dataclass(frozen=True, slots=True, kw_only=True)
class Circumstances:
    """An instant, and what the configuration says of a call's line and caller: known from its arrival on."""

    policy: Policy
    now: datetime

    @property
    def standing(self) -> Standing | None:
        """How the line's office stands now; None: it has no hours."""
        hours = self.policy.hours
        return standing(hours, self.now, self.policy.line.timezone) if hours else None


@dataclass(frozen=True, slots=True, kw_only=True)
class Case:
    """One call to decide about."""

    call: Call
    history: History
    traffic: Traffic
    policy: Policy
    now: datetime
    variant: int | None = None
    """Which variant applies now; `decide` fills it in."""
    is_released: bool = False
    """A person has said that the limits shall not hold this one."""
    owed_since: datetime | None = None
    """When the text fell due that was held until then; None: it is owed from the call, after the line's wait."""

    def key(self, name: str) -> str:
        """The dotted key of the line's configuration."""
        return f"line.{self.policy.line.name}.{name}"

    @property
    def circumstances(self) -> Circumstances:
        """Those of the decision, not of the arrival: a text may have been held for hours."""
        return Circumstances(policy=self.policy, now=self.now)


@dataclass(frozen=True, slots=True)
class Finding:
    """What one rule saw: nothing against a text, or why to skip it, or why to hold it (`until` None: for a person)."""

    saw: str
    stop: Reason | None = None
    config: str = ""
    is_hold: bool = False
    until: datetime | None = None
