"""One call: its state, its plan, and the pjsua2 object that carries it."""

import time
from typing import Any, Protocol

import pjsua2 as pj

from sip.call.call_state import CallState, Happening, after
from sip.faults import guarded, say
from sip.protocol import AgentEvent, AnsweredElsewhere, CallerHungUp, Interrupted, Refused, Trunk
from sip.wire.headers import ReasonHeader

PROVISIONAL_EVERY_S = 60.0
"""A 180 is repeated so that no proxy gives the call up (RFC 3261 §13.3.1.1)."""


class LegEvents(Protocol):
    """What the owner is told about a leg, always on the owner thread."""

    def cancelled(self, key: str, raw: str) -> None:
        """A CANCEL came, whole."""

    def gone(self, key: str, status: int) -> None:
        """The dialog is over; its pjsua2 object is freed after this."""


class Leg(pj.Call):  # type: ignore[misc]
    """pjsua2's call object. It knows its owner's key and nothing else: pjsua2's own call ids are used again."""

    def __init__(self, account: Any, call_id: int, key: str, owner: LegEvents) -> None:
        super().__init__(account, call_id)
        self._key, self._owner = key, owner

    @guarded
    def onCallTsxState(self, prm: Any) -> None:  # noqa: N802
        """Only a CANCEL matters here: it comes before DISCONNECTED and alone carries the Reason."""
        event = prm.e.body.tsxState
        if event.type == pj.PJSIP_EVENT_RX_MSG and event.tsx.method == "CANCEL":
            self._owner.cancelled(self._key, event.src.rdata.wholeMsg)

    @guarded
    def onCallState(self, prm: Any) -> None:  # noqa: N802
        """The dialog's end."""
        info = self.getInfo()
        if info.state == pj.PJSIP_INV_STATE_DISCONNECTED:
            self._owner.gone(self._key, info.lastStatusCode)

    def respond(self, status: int, reason: str = "") -> None:
        """Send a provisional or final response; a dialog that is already over is left alone."""
        parameters = pj.CallOpParam()
        parameters.statusCode = status
        if reason:
            parameters.reason = reason
        try:
            self.answer(parameters)
        except pj.Error as error:
            say(f"response {status} not sent: {error.reason}")


class Session:
    """A call that rings or rang. All times are seconds on the monotonic clock."""

    __slots__ = ("arrived", "deadline", "key", "leg", "reasons", "source", "state", "trunk")

    def __init__(self, *, key: str, trunk: Trunk, source: str, leg: Leg, arrived: float, deadline: float) -> None:
        self.key = key
        self.trunk = trunk
        self.source = source
        self.leg = leg
        self.arrived = arrived
        self.deadline = deadline
        self.state = CallState.RINGING
        self.reasons: tuple[ReasonHeader, ...] | None = None
        """Out of the CANCEL; None until one came."""

    @property
    def is_ringing(self) -> bool:
        return self.state is CallState.RINGING

    def take(self, happening: Happening) -> CallState | None:
        """Step the table; the outcome, or None where it came too late."""
        following = after(self.state, happening)
        if following is not None:
            self.state = following
        return following


def happening_at_end(status: int) -> Happening:
    """What a dialog's end means for a call that still rang: 487 a CANCEL, 200 an early BYE, 4xx the stack's own refusal."""
    if status in (200, 487):
        return Happening.CANCELLED
    return Happening.REFUSED_BY_PLAN if 400 <= status < 500 else Happening.STOPPED


def event_at_end(key: str, outcome: CallState, rang: float, reason: str, status: int) -> AgentEvent:
    """How a call ended, as it is told."""
    now = time.time()
    match outcome:
        case CallState.ABANDONED:
            return CallerHungUp(key=key, at=now, rang=rang, reason=reason)
        case CallState.ANSWERED_ELSEWHERE:
            return AnsweredElsewhere(key=key, at=now, rang=rang, reason=reason)
        case CallState.REFUSED:
            return Refused(key=key, at=now, status=status)
        case _:
            return Interrupted(key=key, at=now, rang=rang)
