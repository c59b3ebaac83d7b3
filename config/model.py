"""The configuration as the program sees it: frozen, complete, every default written here.

`config/load.py` makes it out of a TOML file. A line comes out resolved: its time zone, sender, trunks and bridges are filled in
from the rest of the file.
"""

from datetime import timedelta
from pathlib import Path
from typing import Annotated, Any, Literal

from pydantic import BaseModel, Field, PrivateAttr, SecretStr, StringConstraints, model_validator

from config.addresses import REACHED_BY, Host, HostPort, NamedFile, Phone, Url
from config.bridges import STRICT, BridgeSettings, Smpp, Spool, Twilio
from config.checked import checked
from config.hours import DAYS, QUIET_HOURS, DayNames, Days, Holiday, NoHoliday, QuietHours, Span, TimeSpan
from config.places import DATA_DIR, WEB_LISTEN
from config.providers import Few, Word
from config.trunks import Trunk
from config.values import (
    E164,
    LONGEST_RING,
    MERGE_FIELD,
    MERGE_FIELDS,
    Decimal,
    Duration,
    Flag,
    Listen,
    Number,
    OneOrMore,
    Place,
    PortRange,
    Region,
    RingMost,
    RtpPorts,
    Sender,
    SipListen,
    SomeTime,
    SoonAgain,
    Timezone,
    WebListen,
    Whole,
    listen,
    place,
    some_time,
)
from config.written import Misplaced, written

__all__ = [
    "DAYS", "E164", "LONGEST_RING", "MERGE_FIELD", "MERGE_FIELDS", "QUIET_HOURS", "Alert", "BridgeSettings", "Config",
    "Consent", "Contacts", "Hours", "Limits", "Line", "LineText", "Listen", "Place", "PortRange", "Retention", "Sip", "Smpp",
    "Span", "Spool", "Trunk", "Twilio", "Variant", "Web",
]  # fmt: skip

Name = Annotated[str, StringConstraints(min_length=1, max_length=64)]
Seconds = Annotated[Decimal, Field(ge=1, le=180)]
Count = Annotated[Whole, Field(le=1_000_000_000)]
MessageTemplate = Annotated[str, StringConstraints(min_length=1, max_length=1600)]
LISTENERS = 8
"""So many transports the SIP stack can have."""
DEFAULT_MESSAGE = (
    "{business}: Sorry we missed your call. Reply here with what you need or call {number}. Reply STOP to opt out."
)


class _Section(BaseModel):
    model_config = STRICT


class Sip(_Section):
    """Where calls are listened for."""

    listen: tuple[SipListen, ...] = Field(default=(listen("udp:0.0.0.0:5060"),), min_length=1, max_length=LISTENERS)
    rtp_ports: RtpPorts = PortRange(first=10000, last=10299)
    max_calls: Whole = Field(default=100, ge=1, le=500)
    public_address: Host | None = None
    stun: HostPort | None = None
    tls_certificate: NamedFile | None = None
    tls_key: NamedFile | None = None


class Web(_Section):
    """Pages, API, /healthz and /readyz."""

    listen: WebListen = place(WEB_LISTEN)
    password: SecretStr | None = None
    public_url: Url | None = None


class Hours(_Section):
    """When an office is open. `week` maps what stands in the file (`mon-fri`) to spans of local time."""

    week: dict[DayNames, Annotated[tuple[TimeSpan, ...], OneOrMore]]
    holidays: Annotated[tuple[Holiday, ...], OneOrMore] = ()
    holidays_except: Annotated[tuple[NoHoliday, ...], OneOrMore] = ()
    """Of the days that `holidays` names, those on which the office is open all the same: names or dates."""

    @model_validator(mode="before")
    @classmethod
    def _days_are_keys(cls, value: Any) -> Any:
        if not isinstance(value, dict):
            return value
        off = {key: value[key] for key in ("holidays", "holidays_except") if key in value}
        return {"week": {key: spans for key, spans in value.items() if key not in off}, **off}


class Variant(_Section):
    """Another message, or none, for calls that meet every condition."""

    hours: Literal["open", "closed", "holiday"] | None = None
    missed: Whole | None = Field(default=None, ge=1, le=100)
    days: Days | None = None
    between: TimeSpan | None = None
    caller: Literal["known", "new", "vip"] | None = None
    outcome: Literal["abandoned", "no_answer", "busy", "interrupted"] | None = None
    message: str | None = Field(default=None, min_length=1, max_length=1600)
    send: Flag = True

    @model_validator(mode="after")
    def _says_something(self) -> "Variant":
        if self.send == (self.message is None):
            raise Misplaced("" if self.send else "send", "needs either a message, or send = false")
        return self


def _once_per(value: Any) -> Any:
    if value in ("call", "day"):
        return value
    try:
        return some_time(value)
    except ValueError:
        raise ValueError(f'{written(value)} must be "call", "day", or a length of time such as "20m" or "24h"') from None


class LineText(_Section):
    """`[line.NAME.text]`: what is texted, and how often."""

    enabled: Flag = True
    message: str = Field(default=DEFAULT_MESSAGE, min_length=1, max_length=1600)
    wait: Duration = timedelta(0)
    once_per: Annotated[Literal["call", "day"] | timedelta, checked(_once_per)] = "day"
    expires: SomeTime = timedelta(minutes=15)
    repeat_after_no_reply: Flag = True
    variant: tuple[Variant, ...] = ()


class Line(_Section):
    """A business number with its policy."""

    name: Name
    number: Number
    business: Few = ""
    staff: Few = ""
    timezone: Timezone
    trunks: tuple[str, ...]
    arrives: Literal["ringing", "group", "missed"] = "ringing"
    ring_seconds: Seconds = 20
    ring_most: RingMost = timedelta(minutes=5)
    min_ring: Duration = timedelta(seconds=3)
    same_call_within: SoonAgain = timedelta(seconds=20)
    phones: tuple[Phone, ...] = ()
    then: Literal["reject", "greeting", "voicemail"] = "reject"
    greeting: NamedFile | None = None
    hours: str | None = None
    sms: Annotated[tuple[str, ...], OneOrMore]
    sender: Sender
    campaign: Few = ""
    """The 10DLC campaign that the sender is registered with, for people."""
    text: LineText = LineText()


class Consent(_Section):
    """What the law and good manners ask."""

    quiet_hours: QuietHours | None = None
    """None: those of the caller's country in `QUIET_HOURS`, where it has some."""
    when_quiet: Literal["hold", "skip", "send"] = "hold"
    opt_out_reply: MessageTemplate = "{business}: you will get no more texts. Reply START to undo."
    opt_in_reply: MessageTemplate = "{business}: you will get our texts again. Reply STOP to opt out."
    help_reply: MessageTemplate = "{business}: we text back when we miss your call. Call {number}. Reply STOP to opt out."
    provider_confirms_opt_out: Flag = False


class Limits(_Section):
    """What protects callers and the bill."""

    regions: tuple[Region, ...] = ()
    """Empty: each line's own region only."""
    per_minute: Count | None = Field(default=None, ge=1)
    """None: no limit; `textback check` then says so. A default would hold back texts that somebody counts on."""
    per_day: Count | None = Field(default=None, ge=1)
    per_region_abroad: Count = Field(default=5, ge=0)
    require_attestation: tuple[Literal["A", "B", "C"], ...] = ()


class Contacts(_Section):
    """Who is known."""

    file: NamedFile


class Retention(_Section):
    """How long things are kept."""

    calls: SomeTime = timedelta(days=90)
    voicemail: SomeTime = timedelta(days=30)


class Alert(_Section):
    """Whom to tell of what."""

    kind: Literal["email", "webhook", "text"]
    to: Word
    events: tuple[Literal["reply", "voicemail", "bridge_down", "trunk_down", "limit_reached", "digest"], ...] = Field(
        default=("bridge_down", "trunk_down", "limit_reached"), min_length=1
    )

    @model_validator(mode="after")
    def _can_be_reached(self) -> "Alert":
        try:
            REACHED_BY[self.kind](self.to)
        except ValueError as error:
            raise Misplaced("to", str(error)) from None
        return self


class Config(_Section):
    """The whole configuration."""

    data_dir: NamedFile = DATA_DIR
    timezone: Timezone
    region: Region
    watch: Flag = False
    """Load the file again whenever it changes; a reload by signal works in any case."""
    sip: Sip = Sip()
    web: Web = Web()
    trunk: dict[Name, Trunk] = Field(default_factory=dict)
    sms: dict[Name, BridgeSettings] = Field(default_factory=dict)
    hours: dict[Name, Hours] = Field(default_factory=dict)
    line: dict[Name, Line] = Field(min_length=1)
    consent: Consent = Consent()
    limits: Limits = Limits()
    contacts: Contacts | None = None
    retention: Retention = Retention()
    alert: dict[Name, Alert] = Field(default_factory=dict)

    _path: Path = PrivateAttr(default=Path("textback.toml"))
    _hash: str = PrivateAttr(default="")
    _content: bytes = PrivateAttr(default=b"")
    _positions: dict[str, int] = PrivateAttr(default_factory=dict)

    @property
    def path(self) -> Path:
        """The file that it was read from."""
        return self._path

    @property
    def hash(self) -> str:
        """Twelve hexadecimal digits of the file's SHA-256: the same file, the same hash."""
        return self._hash

    def is_set(self, key: str) -> bool:
        """Does a dotted key stand in the file?"""
        return key in self._positions

    @property
    def content(self) -> bytes:
        """The file as it was read; it never holds a secret."""
        return self._content

    def where(self, key: str) -> str:
        """`textback.toml:42` for a dotted key that stands in the file, else the file alone: a default."""
        line = self._positions.get(key)
        return f"{self._path.name}:{line}" if line else f"{self._path.name} (default)"
