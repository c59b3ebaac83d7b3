"""What is told of an INVITE that the SIP stack refused by itself, and what it gets when it comes again."""

import pytest

from sip.call.refusals import REMEMBERED_AT_MOST, REPEATED_WITHIN_S, Refusals, events_of_refused
from sip.protocol import Busy, CallEnded, Refused
from sip.wire.arrival import arrival
from sip.wire.message import SipMessage, parse

INVITE = (
    "INVITE sip:+14155550100@127.0.0.1 SIP/2.0\r\nVia: SIP/2.0/UDP 127.0.0.1;branch=z9hG4bK{branch}\r\n"
    "From: <sip:+14155550123@127.0.0.1>;tag=a\r\nTo: <sip:+14155550100@127.0.0.1>\r\nCall-ID: {call_id}\r\n"
    "CSeq: {cseq} INVITE\r\n\r\n"
)


def invite(call_id: str = "x", cseq: int = 1, branch: str = "b") -> SipMessage:
    return parse(INVITE.format(call_id=call_id, cseq=cseq, branch=branch))


def take(refusals: Refusals, message: SipMessage, status: int = 486, now: float = 0.0) -> bool:
    return refusals.take(message, status, trunk="pbx", source="192.0.2.1:5060", now=now)


@pytest.mark.parametrize(
    ("status", "kind"),
    [
        (400, Refused), (403, Refused), (405, Refused), (415, Busy), (420, Refused), (421, Refused), (422, Refused),
        (480, Busy), (481, Refused), (482, Refused), (486, Busy), (488, Busy), (500, Busy), (503, Busy), (606, Busy),
    ],
)  # fmt: skip
def test_a_call_that_nothing_speaks_against_is_busy(status: int, kind: type[Busy | Refused]) -> None:
    arrived = arrival(invite(), key="k", trunk="pbx", source="192.0.2.1:5060", at=5.0)
    of_stack = {"is_of_stack": True} if kind is Busy else {}
    assert events_of_refused(arrived, status) == (
        arrived,
        kind(key="k", at=5.0, status=status, **of_stack),
        CallEnded(key="k", at=5.0, status=status),
    )


def test_what_comes_again_is_known_and_what_is_new_is_not() -> None:
    refusals = Refusals()
    assert [take(refusals, message) for message in (invite(), invite(), invite(branch="c"))] == [True, False, False]
    assert refusals.status_of(invite(branch="c"), REPEATED_WITHIN_S) == 486
    for other in (invite(cseq=2), invite(call_id="y")):
        assert refusals.status_of(other, 0) is None
        assert take(refusals, other, 420)
    assert (refusals.count, refusals.last) == (3, "pbx (192.0.2.1:5060): 420, it requires an extension that is unknown here")
    assert refusals.status_of(invite(), REPEATED_WITHIN_S + 1) is None


def test_no_flood_fills_the_memory() -> None:
    refusals = Refusals()
    for number in range(REMEMBERED_AT_MOST + 5):
        assert take(refusals, invite(call_id=str(number)))
    assert refusals.status_of(invite(call_id="4"), 0) is None
    assert refusals.status_of(invite(call_id="5"), 0) == 486
    assert refusals.count == REMEMBERED_AT_MOST + 5
