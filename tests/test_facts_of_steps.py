"""Exactly what each step says that it did, on a real database."""

import json
import sqlite3
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from config.load import load
from config.model import E164
from gateway import actions
from gateway.calls import journal
from gateway.core import facts
from gateway.core.call import Outcome as CallOutcome
from gateway.core.consent import Wish
from gateway.core.facts import Fact, OfText, Submit
from gateway.core.facts.surroundings import Fault
from gateway.core.kind import TextKind
from gateway.core.quiet import NEVER
from gateway.core.reason import Reason
from gateway.decisions import deciding
from gateway.decisions.ruling import Ruling
from gateway.office.knowledge import Knowledge
from gateway.replies import inbox
from gateway.store import consent, optouts, queue, texts
from gateway.store.calls import Arrival, Ending
from gateway.store.queue import Claimed
from gateway.texts import handover
from gateway.texts.bridge_faults import CURES, BridgeFaults
from gateway.texts.outbox import quiet_of
from gateway.texts.outcomes import Return
from sms.text import Accepted, NotSent, Outcome, Part, Receipt, ReceiptState, Refusal, Refused, Reply, Unknown
from tests.peers.sending import CALLER, CONFIG, SPOOL
from tests.peers.settings import awake

NOW = datetime(2026, 11, 23, 18, tzinfo=UTC)
LATER = NOW + timedelta(minutes=5)
ROUTES = {"front": ("primary", "backup")}
OF = OfText(text=1, call=1, line="front")


def ruling_of(directory: Path, line: str = "", *, is_awake: bool = True) -> Ruling:
    path = directory / "textback.toml"
    written = CONFIG.format(sms=SPOOL, line=line)
    path.write_text(awake(written) if is_awake else written)
    return Ruling(Knowledge().directory(load(path), NOW))


@pytest.fixture
def ruling(tmp_path: Path) -> Ruling:
    return ruling_of(tmp_path)


def arrival(key: str = "1", *, line: str | None = "front", caller: E164 = CALLER) -> Arrival:
    return Arrival(
        key=key, call_id=key, trunk="pbx", source="192.0.2.10:5060", line=line, caller=caller, caller_as_sent=caller,
        caller_name="", caller_header="From", dialled=("+14155550100",), diversions=(), verstat="",
        arrived_at=NOW - timedelta(seconds=20),
    )  # fmt: skip


def ending(outcome: CallOutcome = CallOutcome.NO_ANSWER) -> Ending:
    return Ending(outcome=outcome, at=NOW, rang=timedelta(seconds=20))


def ended(decision: str, reason: Reason, text: int | None = None, **changes: Any) -> dict[str, Any]:
    values = {"at": NOW, "call": 1, "line": "front", "outcome": CallOutcome.NO_ANSWER, "rang": timedelta(seconds=20)}
    return {**values, "decision": decision, "reason": reason, "text": text, **changes}


def miss(db: sqlite3.Connection, ruling: Ruling, key: str = "1", caller: E164 = CALLER) -> tuple[Fact, ...]:
    return deciding.end(db, ruling, arrival(key, caller=caller), ending(), NOW).facts


def claim(db: sqlite3.Connection, *, bridge: str = "primary", at: datetime = NOW) -> Claimed:
    (text,) = handover.claim_at(db, at, ROUTES, {bridge: 1}, NEVER).result.claimed
    return text


# --- calls ---


@pytest.mark.parametrize("line", ["front", None])
def test_call_that_arrives(db: sqlite3.Connection, line: str | None) -> None:
    at = NOW - timedelta(seconds=20)
    happened = journal._arrive(db, arrival(line=line))
    none = facts.NumberHasNoLine(at=at, call=1, trunk="pbx", dialled=("+14155550100",))
    arrived = facts.CallCameIn(at=at, call=1, line=line, trunk="pbx", caller=CALLER)
    assert (happened.result, happened.facts) == (1, (arrived,) if line else (arrived, none))


def test_missed_call_whose_text_goes(db: sqlite3.Connection, ruling: Ruling) -> None:
    assert miss(db, ruling) == (
        facts.CallMissed(**ended("send", Reason.MISSED_CALL, 1)),
        facts.TextQueued(at=NOW, of=OF, to=CALLER, kind=TextKind.MISSED_CALL),
    )


def test_call_that_had_ended_before(db: sqlite3.Connection, ruling: Ruling) -> None:
    miss(db, ruling)
    again = deciding.end(db, ruling, arrival(), ending(), NOW)
    assert (again.result, again.facts) == (None, ())


@pytest.mark.parametrize(
    ("line", "reason", "until"),
    [
        ('[line.front.text]\nwait = "1m"\n', Reason.WAIT, NOW + timedelta(minutes=1)),
        ('[limits]\nrequire_attestation = ["A"]\n', Reason.ATTESTATION, None),
    ],
)
def test_missed_call_whose_text_waits(
    db: sqlite3.Connection, tmp_path: Path, line: str, reason: Reason, until: datetime | None
) -> None:
    assert miss(db, ruling_of(tmp_path, line)) == (
        facts.CallMissed(**ended("hold", reason, 1)),
        facts.TextHeld(at=NOW, of=OF, reason=reason, until=until),
    )


def test_calls_without_a_text(db: sqlite3.Connection, ruling: Ruling) -> None:
    """Answered, for no line, and forked."""
    found = [
        deciding.end(db, ruling, arrival("1"), ending(CallOutcome.ANSWERED_ELSEWHERE), NOW).facts,
        deciding.end(db, ruling, arrival("2", line=None), ending(CallOutcome.REFUSED), NOW).facts,
    ]
    miss(db, ruling, "3", E164("+14155550124"))
    found.append(miss(db, ruling, "4", E164("+14155550124")))
    answered = ended("skip", Reason.NOT_MISSED, outcome=CallOutcome.ANSWERED_ELSEWHERE)
    of_none = ended("skip", Reason.NO_LINE, call=2, line=None, outcome=CallOutcome.REFUSED)
    assert found == [
        (facts.CallNotMissed(**answered),),
        (facts.CallNotMissed(**of_none),),
        (facts.CallMissed(**ended("skip", Reason.DUPLICATE, call=4)),),
    ]


# --- held texts ---

WAITS = '[line.front.text]\nwait = "1m"\n'


def test_held_text_that_is_decided_once_more(db: sqlite3.Connection, tmp_path: Path) -> None:
    ruling = ruling_of(tmp_path, WAITS)
    miss(db, ruling)
    early = deciding.decide_anew(db, ruling, 1, NOW)
    due = NOW + timedelta(minutes=1)
    assert early.facts == (facts.HeldTextDecided(at=NOW, of=OF, decision="hold", reason=Reason.WAIT, until=due),)
    going = deciding.decide_anew(db, ruling, 1, due)
    assert going.facts == (facts.HeldTextDecided(at=due, of=OF, decision="send", reason=Reason.MISSED_CALL),)
    late = deciding.decide_anew(db, ruling, 1, due)  # it is not held any more
    assert (late.result, late.facts) == (None, ())


def test_held_text_of_somebody_who_opted_out_or_of_no_line(db: sqlite3.Connection, tmp_path: Path) -> None:
    ruling = ruling_of(tmp_path, WAITS)
    miss(db, ruling)
    miss(db, ruling, "2", E164("+14155550124"))
    consent.add(db, number=CALLER, wish=Wish.OPT_OUT, at=NOW, source="person")
    out = deciding.decide_anew(db, ruling, 1, LATER).facts
    assert out == (facts.HeldTextDecided(at=LATER, of=OF, decision="skip", reason=Reason.OPTED_OUT),)
    db.execute("UPDATE texts SET line = 'gone' WHERE id = 2")
    gone = OfText(text=2, call=2, line="gone")
    assert deciding.decide_anew(db, ruling, 2, LATER).facts == (
        facts.HeldTextDecided(at=LATER, of=gone, decision="skip", reason=Reason.NO_LINE),
    )


@pytest.mark.parametrize("is_one", [True, False])
def test_held_text_that_a_person_releases(db: sqlite3.Connection, tmp_path: Path, is_one: bool) -> None:
    ruling = ruling_of(tmp_path, WAITS)
    miss(db, ruling)
    if is_one:
        happened = deciding.decide_anew(db, ruling, 1, LATER, is_released=True).facts
    else:
        many = deciding.release_many(db, ruling, None, None, LATER)
        happened = many.facts
        assert [text for text, _ in many.result] == [1]
    assert happened == (
        facts.HeldTextDecided(at=LATER, of=OF, decision="send", reason=Reason.MISSED_CALL),
        facts.TextReleased(at=LATER, of=OF, decision="send", reason=Reason.MISSED_CALL),
    )


# --- texts between queue and bridge ---


def test_queued_texts_that_do_not_go(db: sqlite3.Connection, tmp_path: Path) -> None:
    """One has expired, one is to somebody who opted out, one to somebody to whom it is quiet now."""
    ruling = ruling_of(tmp_path, is_awake=False)
    for number in (1, 2, 3):
        miss(db, ruling, str(number), E164(f"+1415555012{number}"))
    past = NOW - timedelta(minutes=1)
    db.execute("UPDATE texts SET expires_at = ? WHERE id = 1", (f"{past:%Y-%m-%dT%H:%M:%S}.000Z",))
    consent.add(db, number=E164("+14155550122"), wish=Wish.OPT_OUT, at=NOW, source="person")
    night = NOW.replace(hour=9)  # 01:00 in California
    db.execute("UPDATE texts SET due_at = '2026-11-23T00:00:00.000Z'")
    db.execute("UPDATE texts SET expires_at = '2026-11-23T08:00:00.000Z' WHERE id = 1")
    config = ruling.directory.config
    looked = handover.claim_at(db, night, ROUTES, {"primary": 9}, quiet_of(config))
    assert looked.result.claimed == ()
    assert looked.facts == (
        facts.TextExpired(at=night, of=OF),
        facts.TextCancelled(at=night, of=OfText(text=2, call=2, line="front")),
        facts.TextPostponed(at=night, of=OfText(text=3, call=3, line="front"), reason=Reason.QUIET_HOURS),
    )


def test_claimed_text_is_no_fact_yet(db: sqlite3.Connection, ruling: Ruling) -> None:
    miss(db, ruling)
    assert handover.claim_at(db, NOW, ROUTES, {"primary": 1}, NEVER).facts == ()


SUBMIT = Submit(of=OF, bridge="primary", to=CALLER, attempts=1)


def refused(kind: Refusal, **changes: Any) -> tuple[Refused, dict[str, Any]]:
    """The refusal, and its fact's fields."""
    outcome = Refused(kind=kind, code="1", detail="no", **changes)
    fields = {"kind": kind.value, "code": "1", "detail": "no", "is_account": outcome.is_account, "numbers_refused": 0}
    return outcome, {"at": LATER, "submit": SUBMIT, **fields}


@pytest.mark.parametrize(
    ("outcome", "fact"),
    [
        (Accepted(provider_ids=("SM1", "SM2")), facts.TextAccepted(at=LATER, submit=SUBMIT, provider_id="SM1")),
        (Accepted(provider_ids=()), facts.TextAccepted(at=LATER, submit=SUBMIT, provider_id="")),
        (NotSent(detail="no link"), facts.TextNotSent(at=LATER, submit=SUBMIT, detail="no link")),
        (Unknown(detail="no answer"), facts.TextUnknown(at=LATER, submit=SUBMIT, detail="no answer")),
        *(
            (outcome, facts.TextRefused(**fields, is_final=is_final))
            for (outcome, fields), is_final in (
                (refused(Refusal.PERMANENT), True),
                (refused(Refusal.OPTED_OUT), True),
                (refused(Refusal.TEMPORARY), False),
                (refused(Refusal.CONFIGURATION, is_account=True), False),
                (refused(Refusal.NO_ROUTE), False),
            )
        ),
    ],
    ids=lambda value: "" if isinstance(value, Outcome) else value.name,
)
def test_what_a_bridge_said(db: sqlite3.Connection, ruling: Ruling, outcome: Outcome, fact: Fact) -> None:
    miss(db, ruling)
    text = claim(db)
    recorded = handover.record(db, text, outcome, Return(again_at=LATER, has_next=True), LATER)
    assert (recorded.result, recorded.facts[0]) == (None, fact)
    out = facts.OptedOut(at=LATER, number=CALLER, is_by_a_person=False, cancelled=0, under_way=0)
    is_opt_out = isinstance(outcome, Refused) and outcome.kind is Refusal.OPTED_OUT
    assert recorded.facts[1:] == ((out,) if is_opt_out else ())


def test_dead_numbers_are_counted_until_it_is_the_bridge(db: sqlite3.Connection, ruling: Ruling) -> None:
    """And the watch over bridges says so once."""
    published: list[Fact] = []
    faults = BridgeFaults(published.append)
    outcome, fields = refused(Refusal.PERMANENT, is_number_dead=True)
    for number in (1, 2, 3, 4):
        to = E164(f"+1415555012{number}")
        miss(db, ruling, str(number), to)
        (fact,) = handover.record(db, claim(db), outcome, Return(again_at=LATER, has_next=True), LATER).facts
        submit = Submit(of=OfText(text=number, call=number, line="front"), bridge="primary", to=to, attempts=1)
        expected = {**fields, "submit": submit, "numbers_refused": number, "is_final": number < 3}
        assert fact == facts.TextRefused(**expected)
        faults.hear(fact)
        db.execute("UPDATE texts SET state = 'refused' WHERE id = ?", (number,))  # the backup's, which is not of interest
    assert published == [
        facts.BridgeFault(
            at=LATER, bridge="primary", fault=Fault.REFUSES_NUMBERS, code="1", detail="no", cure=CURES[Fault.REFUSES_NUMBERS],
            submit=Submit(of=OfText(text=3, call=3, line="front"), bridge="primary", to="+14155550123", attempts=1),
        )
    ]  # fmt: skip


def test_text_that_a_stop_cut_off(db: sqlite3.Connection, ruling: Ruling) -> None:
    miss(db, ruling)
    claim(db)
    assert handover.recover(db, LATER).facts == (facts.TextInterrupted(at=LATER, of=OF),)
    assert handover.recover(db, LATER).facts == ()


# --- what comes back ---


def reply(body: str, **changes: Any) -> Reply:
    return replace(Reply(bridge="spool", sender=CALLER, to="+14155550100", body=body, at=LATER), **changes)


def arrived(wish: Wish | None, number: int | None = 1) -> facts.ReplyArrived:
    return facts.ReplyArrived(at=LATER, bridge="spool", sender=CALLER, wish=wish, reply=number)


def out(cancelled: int = 0, under_way: int = 0) -> facts.OptedOut:
    return facts.OptedOut(at=LATER, number=CALLER, is_by_a_person=False, cancelled=cancelled, under_way=under_way)


def confirmed(text: int) -> facts.TextQueued:
    return facts.TextQueued(at=LATER, of=OfText(text=text, line="front"), to=CALLER, kind=TextKind.CONFIRMATION)


def test_replies(db: sqlite3.Connection, ruling: Ruling) -> None:
    """A stop takes back what is queued, not what is under way, and is confirmed once; a start undoes it."""
    miss(db, ruling)
    directory = ruling.directory
    found = [inbox._take(db, directory, reply(body)).facts for body in ("STOP", "STOP", "START", "Thanks")]
    assert found == [
        (arrived(Wish.OPT_OUT), out(cancelled=1), confirmed(2)),
        (arrived(Wish.OPT_OUT, 2), out(cancelled=1)),  # which is its confirmation
        (arrived(Wish.OPT_IN, 3), facts.OptedIn(at=LATER, number=CALLER, is_by_a_person=False), confirmed(3)),
        (arrived(None, 4),),
    ]


def test_reply_that_is_repeated_or_not_whole(db: sqlite3.Connection, ruling: Ruling) -> None:
    directory = ruling.directory
    assert inbox._take(db, directory, reply("Hi", provider_id="MO1")).facts == (arrived(None),)
    assert inbox._take(db, directory, reply("Hi", provider_id="MO1")).facts == (arrived(None, None),)
    part = reply("long", part=Part(reference=1, number=1, total=2))
    assert inbox._take(db, directory, part).facts == ()
    assert inbox._keep_incomplete(db, directory, LATER + timedelta(minutes=10)).facts == (arrived(None, 2),)


def test_wish_that_no_line_can_answer(db: sqlite3.Connection, tmp_path: Path) -> None:
    two = ruling_of(tmp_path, '[line.back]\nnumber = "+14155550200"\nbusiness = "Back Office"\n')
    assert inbox._take(db, two.directory, reply("HELP", to="")).facts == (
        arrived(Wish.HELP),
        facts.ReplyNotAnswered(at=LATER, sender=CALLER, wish=Wish.HELP),
    )


def test_receipts(db: sqlite3.Connection, ruling: Ruling) -> None:
    """One of a text of ours, again, and of nobody's; the last says that the number wants no texts."""
    miss(db, ruling)
    handover.record(db, claim(db), Accepted(provider_ids=("SM1",)), Return(again_at=LATER, has_next=True), LATER)
    receipt = Receipt(
        bridge="primary", provider_id="SM1", to=CALLER, state=ReceiptState.DELIVERED, code="DELIVRD", at=LATER
    )  # fmt: skip
    foreign = replace(receipt, provider_id="SM9", state=ReceiptState.UNDELIVERED, code="21610", is_opted_out=True)
    found = [inbox._keep_receipt(db, ruling.directory, one).facts for one in (receipt, receipt, foreign)]

    def told(state: str, code: str, of: OfText | None, *, is_new: bool) -> facts.ReceiptArrived:
        return facts.ReceiptArrived(at=LATER, bridge="primary", of=of, state=state, code=code, is_new=is_new)

    assert found == [
        (told("delivered", "DELIVRD", OF, is_new=True),),
        (told("delivered", "DELIVRD", OF, is_new=False),),
        (told("undelivered", "21610", None, is_new=True), out()),
    ]


@pytest.mark.parametrize(
    ("outcome", "happened"),
    [
        (Accepted(provider_ids=("SM1",)), (facts.LateAnswerCame(at=LATER, of=OF, answer="accepted"),)),
        (
            Refused(kind=Refusal.PERMANENT, code="1", detail="no"),
            (facts.LateAnswerCame(at=LATER, of=OF, answer="refused"),),
        ),
        (Unknown(detail="1 of 2"), (facts.PartAnswered(at=LATER, of=OF, detail="1 of 2"),)),
        (NotSent(detail="no link"), ()),
    ],
)
def test_late_answers(db: sqlite3.Connection, ruling: Ruling, outcome: Outcome, happened: tuple[Fact, ...]) -> None:
    miss(db, ruling)
    unknown = Unknown(detail="no answer")
    handover.record(db, claim(db), unknown, Return(again_at=LATER, has_next=True), NOW)
    assert inbox._take_late(db, 1, outcome, LATER).facts == happened


# --- what a person does ---


def make_unknown(db: sqlite3.Connection) -> None:
    unknown = Unknown(detail="no answer")
    handover.record(db, claim(db), unknown, Return(again_at=LATER, has_next=True), NOW)


def test_text_that_a_person_drops_resends_or_settles(db: sqlite3.Connection, ruling: Ruling) -> None:
    """Each is a fact where it changed something, and none where it did not."""
    miss(db, ruling)
    assert (actions._resend(db, 1, LATER).facts, actions._settle_unknown(db, 1, LATER).facts) == ((), ())
    make_unknown(db)
    assert actions._drop(db, 1, LATER).facts == ()
    resent = actions._resend(db, 1, LATER)
    assert (resent.result, resent.facts) == (True, (facts.TextResent(at=LATER, of=OF),))
    handover.record(db, claim(db, at=LATER), Unknown(detail=""), Return(again_at=LATER, has_next=True), NOW)
    settled = actions._settle_unknown(db, 1, LATER)
    assert (settled.result, settled.facts) == (True, (facts.TextSettled(at=LATER, of=OF),))


@pytest.mark.parametrize("is_one", [True, False])
def test_waiting_text_that_a_person_drops(db: sqlite3.Connection, tmp_path: Path, is_one: bool) -> None:
    miss(db, ruling_of(tmp_path, WAITS))
    dropped = actions._drop(db, 1, LATER) if is_one else actions._drop_held(db, None, None, LATER)
    assert (dropped.result, dropped.facts) == (1, (facts.TextDropped(at=LATER, of=OF),))


def test_resend_that_something_speaks_against_is_no_fact(db: sqlite3.Connection, ruling: Ruling) -> None:
    miss(db, ruling)
    make_unknown(db)
    optouts.opt_out(db, CALLER, LATER, optouts.BY_A_PERSON)
    resent = actions._resend(db, 1, LATER)
    assert (resent.result, resent.facts) == (Reason.OPTED_OUT, ())


def test_call_that_a_person_is_done_with(db: sqlite3.Connection, ruling: Ruling) -> None:
    miss(db, ruling)
    assert actions._done(db, ruling, 1, LATER).facts == (facts.CallDone(at=LATER, call=1),)
    assert actions._done(db, ruling, 9, LATER).facts == ()


def test_opt_out_and_back_by_a_person(db: sqlite3.Connection, ruling: Ruling) -> None:
    miss(db, ruling)
    assert actions._opt_in(db, CALLER, LATER, "").facts == ()
    by_a_person = facts.OptedOut(at=LATER, number=CALLER, is_by_a_person=True, cancelled=1, under_way=0)
    assert actions._opt_out(db, CALLER, LATER, None, "").facts == (by_a_person,)
    back = facts.OptedIn(at=LATER, number=CALLER, is_by_a_person=True)
    assert actions._opt_in(db, CALLER, LATER, "").facts == (back,)


def test_number_that_is_forgotten(db: sqlite3.Connection) -> None:
    assert actions._forget_number(db, CALLER, LATER).facts == ()
    db.execute("INSERT INTO undeliverable (number, at, source) VALUES (?, '2026-11-23T18:00:00.000Z', 'x 1')", (CALLER,))
    assert actions._forget_number(db, CALLER, LATER).facts == (facts.NumberForgotten(at=LATER, number=CALLER),)


def test_test_text(db: sqlite3.Connection, ruling: Ruling) -> None:
    line = ruling.directory.config.line["front"]
    queued = actions._queue_test(db, ruling, line, CALLER, None, LATER)
    of = OfText(text=1, line="front")
    assert (queued.result, queued.facts) == (1, (facts.TextQueued(at=LATER, of=of, to=CALLER, kind=TextKind.TEST),))
    row = texts.one(db, 1)
    assert row is not None
    assert (row["state"], json.loads(row["tried"])) == ("queued", [])
    assert queue.claim_due(db, LATER, ROUTES, {"primary": 1}).claimed[0].call is None
