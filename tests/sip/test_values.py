"""Who may call, what the end of a dialog means, and timers: small things that every call goes through."""

import time

import pytest

from sip.call.session import happening_at_end
from sip.call.timers import Timers
from sip.protocol import Trunk
from sip.wire.admission import Admission, address_of
from sip.wire.headers import ReasonHeader

ADMISSION = Admission(
    (
        Trunk(name="carrier", peers=("198.51.100.0/24", "2001:db8::/32")),
        Trunk(name="pbx", peers=("192.0.2.10", "198.51.100.7", "2001:db8:1::/48")),
    )
)


@pytest.mark.parametrize(
    ("source", "trunk"),
    [
        ("192.0.2.10:5060", "pbx"),
        ("192.0.2.11:5060", None),
        ("198.51.100.8:5060", "carrier"),
        ("198.51.100.7:5060", "pbx"),
        ("[2001:db8:2::1]:5060", "carrier"),
        ("[2001:db8:1::1]:5060", "pbx"),
        ("[::ffff:192.0.2.10]:5060", "pbx"),
        ("[::ffff:192.0.2.11]:5060", None),
        ("[fe80::1%eth0]:5060", None),
        ("pbx.example:5060", None),
        ("192.0.2.10", None),
        ("", None),
    ],
)
def test_which_trunk_an_address_belongs_to(source: str, trunk: str | None) -> None:
    found = ADMISSION.trunk_of(address_of(source))
    assert (found.name if found else None) == trunk


CANCEL_ELSEWHERE = (ReasonHeader(protocol="SIP", cause=200, text="Call completed elsewhere"),)
CANCEL = (ReasonHeader(protocol="Q.850", cause=127, text=""),)


@pytest.mark.parametrize(
    ("status", "reasons", "is_trusted", "happening"),
    [
        (487, (), True, "caller_hung_up"),
        (487, CANCEL, True, "caller_hung_up"),
        (487, CANCEL_ELSEWHERE, True, "answered_elsewhere"),
        (487, CANCEL_ELSEWHERE, False, "caller_hung_up"),
        (200, (), True, "caller_hung_up"),
        (422, (), True, "refused"),
        (422, CANCEL_ELSEWHERE, True, "refused"),
        (500, (), True, "stopped"),
        (603, (), True, "stopped"),
    ],
)
def test_what_the_end_of_a_dialog_means(
    status: int, reasons: tuple[ReasonHeader, ...], is_trusted: bool, happening: str
) -> None:
    assert happening_at_end(status, reasons, is_trusted=is_trusted) == happening


def test_timers_are_called_in_order_and_those_that_are_due_only() -> None:
    timers, called, now = Timers(), [], time.monotonic()
    for name, due in (("later", now + 3600), ("second", now - 1), ("first", now - 2)):
        timers.at(due, lambda name=name: called.append(name))
    assert timers.milliseconds_to_next(10) == 0
    timers.fire()
    assert called == ["first", "second"]
    assert timers.milliseconds_to_next(10) == 10


def test_a_timer_that_fails_is_gone_and_those_after_it_are_left() -> None:
    timers, called, now = Timers(), [], time.monotonic()
    timers.at(now - 2, lambda: called.index("nothing"))
    timers.at(now - 1, lambda: called.append("second"))
    with pytest.raises(ValueError, match="not in list"):
        timers.fire()
    timers.fire()
    assert called == ["second"]
