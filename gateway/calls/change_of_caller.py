"""A caller who changes while the call rings: the call as it rings then, with whoever called before."""

from dataclasses import replace
from datetime import datetime

from config.model import E164
from gateway.core import facts
from gateway.store import StoreConnection, calls
from gateway.store.calls import Arrival
from gateway.store.instants import from_epoch, written
from gateway.store.steps import WithFacts
from sip.protocol import CallerChanged


def changed(before: Arrival, event: CallerChanged, caller: E164 | None) -> Arrival:
    """The call with its new caller."""
    earlier = {
        "caller": before.caller,
        "as_sent": before.caller_as_sent,
        "header": before.caller_header,
        "until": written(from_epoch(event.at)),
    }
    return replace(
        before,
        caller=caller,
        caller_as_sent=event.caller,
        caller_name=event.caller_name,
        caller_header=event.caller_header,
        verstat=event.verstat,
        earlier_callers=(*before.earlier_callers, earlier),
    )


def newest(*arrivals: Arrival) -> Arrival:
    """What is known last of one call, out of several tellings of it."""
    return max(arrivals, key=lambda arrival: len(arrival.earlier_callers))


def change(db: StoreConnection, arrival: Arrival, at: datetime) -> WithFacts[int]:
    """Write down who calls now; the call's id."""
    call, before = calls.arrive(db, arrival), arrival.earlier_callers[-1]["as_sent"]
    fact = facts.CallChangedCaller(
        at=at, call=call, line=arrival.line, trunk=arrival.trunk, caller=arrival.caller_as_sent, before=before
    )
    return WithFacts(result=call, facts=(fact,))
