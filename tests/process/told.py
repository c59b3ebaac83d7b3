"""One fact of each kind or more, with the lines and the counter that are to come of it."""

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

from gateway.core import facts
from gateway.core.call import Outcome
from gateway.core.consent import Wish
from gateway.core.facts import Fact, OfText, Submit
from gateway.core.facts.surroundings import Fault
from gateway.core.kind import TextKind
from gateway.core.reason import Reason

AT = datetime(2026, 11, 23, 9, 15, tzinfo=UTC)
NUMBER, MASKED = "+14155550123", "+1415•••0123"
OF = OfText(text=7, call=3, line="front")
SUBMIT = Submit(of=OF, bridge="primary", to=NUMBER, attempts=2)
ON = {"call": 3, "text": 7, "bridge": "primary", "to": MASKED}
CALL = {
    "call": 3,
    "outcome": "no_answer",
    "rang_s": 20.0,
    "decision": "send",
    "reason": "missed_call",
    "text": 7,
    "same_call_as": None,
}
FAULT = {"code": "30034", "cure": "see to it"}


@dataclass(frozen=True, slots=True, kw_only=True)
class Told:
    """What comes of a fact."""

    fact: Fact
    lines: tuple[dict[str, Any], ...] = ()
    """As `capture_logs` has them."""
    counter: str = ""
    """The sample that it adds to; empty: none."""


def line(event: str, level: str = "info", **fields: Any) -> dict[str, Any]:
    return {"event": event, "log_level": level, **fields}


def missed(**changes: Any) -> facts.CallMissed:
    values: dict[str, Any] = {
        "call": 3, "line": "front", "outcome": Outcome.NO_ANSWER, "rang": timedelta(seconds=20), "decision": "send",
        "reason": Reason.MISSED_CALL, "text": 7,
    }  # fmt: skip
    return facts.CallMissed(at=AT, **{**values, **changes})


def refused(kind: str, **changes: Any) -> facts.TextRefused:
    values: dict[str, Any] = {"code": "30034", "detail": "unregistered", "is_account": False, "numbers_refused": 0}
    return facts.TextRefused(at=AT, submit=SUBMIT, kind=kind, is_final=True, **{**values, **changes})


def fault(which: Fault, **changes: Any) -> facts.BridgeFault:
    return facts.BridgeFault(at=AT, bridge="primary", fault=which, **{"detail": "unregistered", **FAULT, **changes})


def submits(outcome: str) -> str:
    return f'textback_submits_total{{bridge="primary",outcome="{outcome}"}}'


def decisions(decision: str, reason: str) -> str:
    return f'textback_decisions_total{{decision="{decision}",reason="{reason}"}}'


def refusal(kind: str) -> Told:
    told = line("text_refused", "warning", **ON, kind=kind, code="30034", detail="unregistered")
    return Told(fact=refused(kind), lines=(told,), counter=submits(f"refused_{kind}"))


def held_decided(decision: str, reason: Reason, until: datetime | None = None) -> facts.HeldTextDecided:
    return facts.HeldTextDecided(at=AT, of=OF, decision=decision, reason=reason, until=until)


OF_CALLS = (
    Told(
        fact=facts.CallCameIn(at=AT, call=3, line="front", trunk="pbx", caller=NUMBER),
        lines=(line("call_arrived", call=3, line="front", trunk="pbx", caller=MASKED),),
    ),
    Told(
        fact=facts.CallCameIn(at=AT, call=3, line=None, trunk="pbx", caller=None),
        lines=(line("call_arrived", call=3, line=None, trunk="pbx", caller="withheld"),),
    ),
    Told(
        fact=facts.CallChangedCaller(at=AT, call=3, line="front", trunk="pbx", caller=NUMBER, before=None),
        lines=(line("caller_changed", call=3, line="front", trunk="pbx", caller=MASKED, before="withheld"),),
        counter='textback_callers_changed_total{trunk="pbx"}',
    ),
    Told(
        fact=facts.NumberHasNoLine(at=AT, call=3, trunk="pbx", dialled=(NUMBER, "100")),
        lines=(line("number_has_no_line", "warning", call=3, trunk="pbx", dialled=f"{MASKED} •••00"),),
    ),
    Told(fact=missed(), lines=(line("call_ended", **CALL),), counter=decisions("send", "missed_call")),
    Told(
        fact=facts.CallNotMissed(
            at=AT, call=3, line="front", outcome=Outcome.ANSWERED_ELSEWHERE, rang=timedelta(seconds=4.25), decision="skip",
            reason=Reason.NOT_MISSED, same_call_as=1,
        ),
        lines=(
            line(
                "call_ended", call=3, outcome="answered_elsewhere", rang_s=4.25, decision="skip", reason="not_missed", text=None,
                same_call_as=1,
            ),
        ),
        counter=decisions("skip", "not_missed"),
    ),
    Told(fact=facts.CallDone(at=AT, call=3), lines=(line("call_done", call=3),)),
)  # fmt: skip

OF_WAITING_TEXTS = (
    Told(fact=facts.TextQueued(at=AT, of=OF, to=NUMBER, kind=TextKind.MISSED_CALL)),
    Told(fact=facts.TextQueued(at=AT, of=OF, to=NUMBER, kind=TextKind.MISSED_CALL, is_claimed_next=True)),
    Told(
        fact=facts.TextQueued(at=AT, of=OfText(text=7, line="front"), to=NUMBER, kind=TextKind.TEST),
        lines=(line("test_text_queued", text=7, line="front", to=MASKED),),
    ),
    Told(fact=facts.TextHeld(at=AT, of=OF, reason=Reason.WAIT, until=AT)),
    Told(
        fact=facts.TextHeld(at=AT, of=OF, reason=Reason.LIMIT, until=None),
        lines=(line("limit_reached", "error", call=3, text=7, reason="limit", texts=1),),
    ),
    Told(
        fact=facts.TextHeld(at=AT, of=OF, reason=Reason.ATTESTATION, until=None),
        lines=(line("text_held_for_a_person", "error", call=3, text=7, reason="attestation", texts=1),),
    ),
    Told(
        fact=held_decided("send", Reason.MISSED_CALL),
        lines=(line("held_text_decided", call=3, text=7, decision="send", reason="missed_call"),),
        counter=decisions("send", "missed_call"),
    ),
    Told(
        fact=held_decided("hold", Reason.QUIET_HOURS, AT),
        lines=(line("held_text_decided", call=3, text=7, decision="hold", reason="quiet_hours"),),
        counter=decisions("hold", "quiet_hours"),
    ),
    Told(
        fact=held_decided("hold", Reason.LIMIT),
        lines=(
            line("held_text_decided", call=3, text=7, decision="hold", reason="limit"),
            line("limit_reached", "error", call=3, text=7, reason="limit", texts=1),
        ),
        counter=decisions("hold", "limit"),
    ),
    Told(
        fact=held_decided("skip", Reason.OPTED_OUT),
        lines=(line("held_text_decided", call=3, text=7, decision="skip", reason="opted_out"),),
        counter=decisions("skip", "opted_out"),
    ),
    Told(
        fact=facts.TextReleased(at=AT, of=OF, decision="send", reason=Reason.MISSED_CALL),
        lines=(line("text_released", text=7, decision="send", reason="missed_call"),),
    ),
    Told(
        fact=facts.TextPostponed(at=AT, of=OF, reason=Reason.QUIET_HOURS),
        lines=(line("text_postponed", text=7, reason="quiet_hours"),),
    ),
    Told(fact=facts.TextExpired(at=AT, of=OF), lines=(line("text_expired", "warning", text=7),)),
    Told(fact=facts.TextCancelled(at=AT, of=OF), lines=(line("text_cancelled", text=7),)),
    Told(fact=facts.TextDropped(at=AT, of=OF), lines=(line("text_dropped", text=7),)),
    Told(fact=facts.TextResent(at=AT, of=OF), lines=(line("text_resent", "warning", text=7),)),
)

OF_SUBMITTED_TEXTS = (
    Told(
        fact=facts.TextAccepted(at=AT, submit=SUBMIT, provider_id="SM1"),
        lines=(line("text_accepted", **ON, provider_id="SM1", attempts=2),),
        counter=submits("accepted"),
    ),
    *map(refusal, ("permanent", "temporary", "configuration", "no_route", "opted_out")),
    Told(
        fact=facts.TextNotSent(at=AT, submit=SUBMIT, detail="no link"),
        lines=(line("text_not_sent", "warning", **ON, detail="no link"),),
        counter=submits("not_sent"),
    ),
    Told(
        fact=facts.TextUnknown(at=AT, submit=SUBMIT, detail="no answer"),
        lines=(line("text_unknown", "error", **ON, detail="no answer"),),
        counter=submits("unknown"),
    ),
    Told(
        fact=facts.TextInterrupted(at=AT, of=OF),
        lines=(
            line(
                "text_unknown",
                "error",
                text=7,
                detail="the gateway stopped while it was being sent; a receipt or a person settles it",
            ),
        ),
    ),
    Told(
        fact=facts.LateAnswerCame(at=AT, of=OF, answer="accepted"),
        lines=(line("unknown_text_settled", text=7, by="accepted"),),
    ),
    Told(
        fact=facts.PartAnswered(at=AT, of=OF, detail="1 of 2"),
        lines=(line("unknown_text_known_better", text=7, detail="1 of 2"),),
    ),
    Told(fact=facts.TextSettled(at=AT, of=OF), lines=(line("text_settled", text=7),)),
)

OF_REPLIES = (
    Told(
        fact=facts.ReceiptArrived(at=AT, bridge="primary", of=OF, state="delivered", code="DELIVRD", is_new=True),
        lines=(line("receipt_received", bridge="primary", text=7, state="delivered", code="DELIVRD"),),
        counter='textback_receipts_total{bridge="primary",state="delivered"}',
    ),
    Told(
        fact=facts.ReceiptArrived(at=AT, bridge="primary", of=None, state="undelivered", code="UNDELIV", is_new=False),
        lines=(line("receipt_received", bridge="primary", text=None, state="undelivered", code="UNDELIV"),),
        counter='textback_receipts_total{bridge="primary",state="undelivered"}',
    ),
    Told(
        fact=facts.ReplyArrived(at=AT, bridge="primary", sender=NUMBER, wish=Wish.OPT_OUT, reply=1),
        lines=(line("reply_received", bridge="primary", sender=MASKED, wish="opt_out"),),
        counter='textback_replies_total{bridge="primary",wish="opt_out"}',
    ),
    Told(
        fact=facts.ReplyArrived(at=AT, bridge="primary", sender=NUMBER, wish=None, reply=1),
        lines=(line("reply_received", bridge="primary", sender=MASKED, wish="none"),),
        counter='textback_replies_total{bridge="primary",wish="none"}',
    ),
    Told(
        fact=facts.ReplyArrived(at=AT, bridge="primary", sender=NUMBER, wish=None, reply=None),
        lines=(line("reply_repeated", bridge="primary", sender=MASKED, wish="none"),),
    ),
    Told(
        fact=facts.ReplyNotAnswered(at=AT, sender=NUMBER, wish=Wish.HELP),
        lines=(
            line(
                "reply_not_answered", "warning", sender=MASKED, wish="help",
                detail="it is obeyed; but the network does not say to which of our numbers it was written, and no line has "
                "texted this number or was called by it, so that nobody knows which one should answer",
            ),
        ),
    ),
    Told(fact=facts.OptedOut(at=AT, number=NUMBER, is_by_a_person=False, cancelled=1, under_way=0)),
    Told(
        fact=facts.OptedOut(at=AT, number=NUMBER, is_by_a_person=True, cancelled=1, under_way=2),
        lines=(line("number_opted_out", number=MASKED, cancelled=1, under_way=2),),
    ),
    Told(fact=facts.OptedIn(at=AT, number=NUMBER, is_by_a_person=False)),
    Told(
        fact=facts.OptedIn(at=AT, number=NUMBER, is_by_a_person=True),
        lines=(line("number_opted_in", number=MASKED),),
    ),
    Told(fact=facts.NumberForgotten(at=AT, number=NUMBER), lines=(line("number_forgotten", number=MASKED),)),
)  # fmt: skip

OF_WHAT_IS_AROUND = (
    Told(fact=facts.BridgeUp(at=AT, bridge="primary", detail="bound")),
    Told(fact=facts.BridgeDown(at=AT, bridge="primary", detail="no link")),
    Told(fact=facts.BridgePaused(at=AT, bridge="primary", detail="wrong password")),
    Told(
        fact=fault(Fault.REFUSES_TEXTS, submit=SUBMIT),
        lines=(line("bridge_refuses_texts", "error", **ON, **FAULT, detail="unregistered"),),
    ),
    Told(
        fact=fault(Fault.REFUSES_NUMBERS, submit=SUBMIT),
        lines=(line("bridge_refuses_numbers", "error", **ON, **FAULT, detail="unregistered"),),
    ),
    Told(
        fact=fault(Fault.DOES_NOT_DELIVER, detail=""),
        lines=(line("bridge_does_not_deliver", "error", bridge="primary", **FAULT),),
    ),
    Told(fact=facts.DatabaseNotWritable(at=AT, error="the disk is full")),
    Told(fact=facts.DatabaseWritableAgain(at=AT, lasted=timedelta(seconds=3))),
    Told(fact=facts.AgentGone(at=AT, reason="it fell silent")),
)

EVERYTHING = (*OF_CALLS, *OF_WAITING_TEXTS, *OF_SUBMITTED_TEXTS, *OF_REPLIES, *OF_WHAT_IS_AROUND)
