"""All that crosses between the SIP agent and its user: frozen events and commands; as lines: `sip/pipe/lines.py`.

The agent writes events to its standard output and reads commands from its standard input. Instants are seconds since the
epoch (UTC), lengths are seconds on the agent's monotonic clock. Text that came off the wire has been cleaned: no NUL, no lone
surrogates, bounded in length.
"""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class Trunk:
    """A peer that calls arrive from."""

    name: str
    peers: tuple[str, ...]
    """Addresses and networks: `192.0.2.10`, `198.51.100.0/28`, `2001:db8::/64`."""
    trust_answered_elsewhere: bool = True
    ring_seconds: float = 20.0
    """Rung so long when no plan comes in time."""
    no_answer: int = 480
    """The status that a call gets which nobody has taken by the end of its plan."""
    busy_answer: int = 486
    """The status that a call gets for which there is no room."""


# --- commands: gateway → agent ----------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True, kw_only=True)
class Start:
    """The first command, once."""

    listen: tuple[str, ...]
    """`udp:0.0.0.0:5060`, `tcp:[::]:5060`."""
    rtp_first: int
    rtp_last: int
    max_calls: int
    trunks: tuple[Trunk, ...]
    public_address: str = ""
    call_test_token: str = ""
    """An INVITE of this machine that bears it in `X-Textback-Call-Test` is taken as from the trunk `call-test`."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Ring:
    """The plan of a call: ring so long, counted from its arrival, then reject with the trunk's `no_answer`."""

    key: str
    seconds: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Refuse:
    """The plan of a call that nobody here can take: reject it at once."""

    key: str
    status: int
    reason: str
    """The response's reason phrase."""


@dataclass(frozen=True, slots=True, kw_only=True)
class UseTrunks:
    """Calls come from these trunks from now on; those that ring keep theirs."""

    trunks: tuple[Trunk, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Stop:
    """End every call with 480 and leave."""


Command = Start | Ring | Refuse | UseTrunks | Stop

# --- events: agent → gateway ------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True, kw_only=True)
class Ready:
    """Listening. `capacity` is how many calls the SIP stack can hold, `max_calls` how many will be rung at once."""

    stack: str
    capacity: int
    max_calls: int
    listen: tuple[str, ...]
    rings_every_offer: bool = True
    """Whatever media it offers, a call rings. The ready-made SIP stack refuses those whose media it does not know."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Failed:
    """The agent cannot start or go on, and why, in one sentence; it exits after this."""

    reason: str
    is_port_taken: bool = False
    """Another program has the port; it may be an agent that is just leaving."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Diversion:
    """One forwarding on the call's way here (Diversion, RFC 5806; History-Info, RFC 7044)."""

    number: str
    reason: str


@dataclass(frozen=True, slots=True, kw_only=True)
class CallArrived:
    """An INVITE from a trunk. It rings (180), or `Busy` follows at once."""

    key: str
    """The agent's own, unique for ever."""
    call_id: str
    trunk: str
    source: str
    caller: str | None
    """As the trunk wrote it; None: withheld."""
    caller_name: str
    caller_header: str
    """The header it was read from: `P-Asserted-Identity`, `Remote-Party-ID`, `From`."""
    dialled: tuple[str, ...]
    """Candidates for the number that was dialled, best first."""
    diversions: tuple[Diversion, ...]
    verstat: str
    at: float


@dataclass(frozen=True, slots=True, kw_only=True)
class CallerChanged:
    """While it rings, its trunk says that somebody else is calling: by UPDATE or by another INVITE (RFC 4916)."""

    key: str
    at: float
    caller: str | None
    """This and what follows as in `CallArrived`."""
    caller_name: str
    caller_header: str
    verstat: str


@dataclass(frozen=True, slots=True, kw_only=True)
class RingTimedOut:
    """Rung to the end of its plan and rejected with the trunk's `no_answer`, or with 487 where the INVITE has expired."""

    key: str
    at: float
    rang: float


@dataclass(frozen=True, slots=True, kw_only=True)
class CallerHungUp:
    """CANCEL, or BYE, while it rang. `reason` holds the CANCEL's Reason headers as they came."""

    key: str
    at: float
    rang: float
    reason: str


@dataclass(frozen=True, slots=True, kw_only=True)
class AnsweredElsewhere:
    """CANCEL while it rang, whose Reason says that another phone took it (RFC 3326), from a trunk that is believed."""

    key: str
    at: float
    rang: float
    reason: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Busy:
    """Rejected at once with the trunk's `busy_answer`: more calls than `max_calls`, or the agent is stopping.

    Or a proper call that the SIP stack could not take, rejected with a status of its own.
    """

    key: str
    at: float
    status: int = 486
    is_of_stack: bool = False
    """The SIP stack could not take it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Refused:
    """Rejected by a `Refuse` plan, or by the SIP stack itself for what its INVITE asks (422: too short a Session-Expires)."""

    key: str
    at: float
    status: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Interrupted:
    """The agent was stopped, or the stack failed, while it rang."""

    key: str
    at: float
    rang: float


@dataclass(frozen=True, slots=True, kw_only=True)
class CallEnded:
    """The dialog is over; the last event of a call."""

    key: str
    at: float
    status: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Pulse:
    """Once a second: alive, and the counts since start."""

    calls: int
    strangers: int
    """INVITEs, and requests that are not taken, from no trunk: rejected with 403."""
    malformed: int
    """INVITEs from a trunk that were unfit to ring, and its requests that could not be read: 400 where that can be sent."""
    disconnected: int
    """TCP connections that were closed: of no trunk, or too many of one address."""
    descriptors: int
    descriptor_limit: int
    last_stranger: str
    last_malformed: str
    last_disconnected: str
    stack_refused: int = 0
    """INVITEs from a trunk that the SIP stack rejected by itself; each is told as a call too."""
    last_stack_refused: str = ""
    not_taken: int = 0
    """Requests from a trunk that nobody here takes, such as MESSAGE: refused."""
    last_not_taken: str = ""


AgentEvent = (
    Ready
    | Failed
    | CallArrived
    | CallerChanged
    | RingTimedOut
    | CallerHungUp
    | AnsweredElsewhere
    | Busy
    | Refused
    | Interrupted
    | CallEnded
    | Pulse
)
