"""Calls under way, whatever befalls them in whatever order: one outcome each, one final response at most, and an end."""

from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from sip.call.calls import Calls
from sip.call.session import Session
from sip.call.timers import Timers
from sip.protocol import AgentEvent, AnsweredElsewhere, Busy, CallEnded, CallerHungUp, Interrupted, Refused, RingTimedOut, Trunk
from sip.wire.headers import ReasonHeader

OUTCOMES = (AnsweredElsewhere, Busy, CallerHungUp, Interrupted, Refused, RingTimedOut)
TRUNK = Trunk(name="pbx", peers=(), ring_seconds=3600)
ELSEWHERE = (ReasonHeader(protocol="SIP", cause=200, text=""),)
MAX_CALLS = 2
KEYS = ("a", "b", "c")


class Responses:
    """Stands for a leg: keeps what was sent to the INVITE."""

    def __init__(self) -> None:
        self.sent: list[int] = []

    def respond(self, status: int, phrase: str = "") -> None:
        self.sent.append(status)


class Scene:
    """Calls, and what they told and sent."""

    def __init__(self) -> None:
        self.told: list[AgentEvent] = []
        self.kept: list[str] = []
        self.timers = Timers()
        self.calls = Calls(timers=self.timers, tell=self.told.append, keep=self.kept.append, max_calls=MAX_CALLS)
        self.legs: dict[str, Responses] = {}

    def befall(self, what: str, key: str) -> None:
        """One thing that can happen to a call; nothing for one that has not begun."""
        if what == "begin" and key not in self.legs:
            leg: Any = Responses()
            self.legs[key] = leg
            self.calls.begin(Session(key=key, trunk=TRUNK, source="192.0.2.1:5060", leg=leg))
        elif what == "plan":
            self.calls.ring_for(key, 3600)
        elif what == "ring time ran out":
            self.calls.ring_for(key, -1)
            self.timers.fire()
        elif what == "refused":
            self.calls.refuse(key, 404, "Not Found")
        elif what == "elsewhere":
            self.calls.cancelled(key, ELSEWHERE)
        elif what.isdigit():
            self.calls.ended(key, int(what))
        elif what == "stop":
            self.calls.interrupt_all()
        elif what == "gateway gone":
            self.calls.leave()

    def of(self, key: str, *kinds: type[Any]) -> list[AgentEvent]:
        """What was told of one call."""
        return [event for event in self.told if isinstance(event, kinds) and event.key == key]


WHAT = (
    "begin",
    "begin",
    "plan",
    "ring time ran out",
    "refused",
    "elsewhere",
    "487",
    "200",
    "422",
    "500",
    "stop",
    "gateway gone",
)


@given(st.lists(st.tuples(st.sampled_from(WHAT), st.sampled_from(KEYS)), max_size=15))
def test_every_call_has_one_outcome_and_one_end(steps: list[tuple[str, str]]) -> None:
    scene = Scene()
    for what, key in steps:
        scene.befall(what, key)
        without = [key for key in scene.legs if not scene.of(key, *OUTCOMES)]
        assert scene.calls.ringing == len(without) <= MAX_CALLS
    for key in scene.legs:
        scene.befall("500", key)
    assert scene.calls.ringing == 0
    for key, leg in scene.legs.items():
        assert [len(scene.of(key, *OUTCOMES)), len(scene.of(key, CallEnded))] == [1, 1]
        assert isinstance(scene.of(key, *OUTCOMES, CallEnded)[-1], CallEnded)
        assert [status for status in leg.sent if status >= 200] == leg.sent[-1:] * any(status >= 200 for status in leg.sent)


def test_what_a_cancel_says_counts_only_where_its_dialog_ends_by_it() -> None:
    """It crosses our 480, which the caller has then not seen: the outcome stays what it was."""
    scene = Scene()
    for what in ("begin", "ring time ran out", "elsewhere", "487"):
        scene.befall(what, "a")
    assert [type(event) for event in scene.told] == [RingTimedOut, CallEnded]
    assert scene.legs["a"].sent == [180, 480]
