"""From an ended call, or a held text that falls due, to the decision and what follows from it: one transaction each.

A `Ruling` is a frozen value, so that its steps may run in the store's thread. It is replaced whole when the configuration,
calendars or contacts change; `InForce` holds the one of the moment.
"""

from dataclasses import dataclass, replace
from datetime import datetime

from config.model import E164, Line
from gateway.core.call import Call, EarlierCaller
from gateway.core.case import Case, History, Traffic
from gateway.core.decision import Decision, Hold, Send, Skip, TraceEntry, decide, word_of
from gateway.core.delivery import TextEvent
from gateway.core.kind import TextKind
from gateway.core.phone import region_of
from gateway.core.reason import Reason
from gateway.core.schedule import day_start
from gateway.core.variants import once_per_since
from gateway.decisions.drafts import draft, message_of
from gateway.office.directory import Directory
from gateway.store import StoreConnection, StoreRow, calls, holds, texts
from gateway.store.calls import Arrival, Ended, Ending
from gateway.store.history import history, traffic
from gateway.store.instants import read


@dataclass(frozen=True, slots=True, kw_only=True)
class Verdict:
    """What a decision brought. `text` is the text's id where there is one, `due_at` when a held one is decided again."""

    call: int
    decision: str
    reason: Reason
    text: int | None = None
    due_at: datetime | None = None


@dataclass(frozen=True, slots=True)
class Ruling:
    """Decides by one directory."""

    directory: Directory

    def on_ended(self, db: StoreConnection, arrival: Arrival, ending: Ending, now: datetime) -> Verdict | None:
        """Write a call's outcome, decide, and queue or hold its text; None where the call had ended before."""
        call = calls.arrive(db, arrival)
        if not calls.end(db, call, ending):
            return None
        line = self.directory.config.line.get(arrival.line or "")
        if line is None:
            return self._without_line(db, call, arrival, now)
        ended = Ended(id=call, arrival=arrival, ending=ending)
        case = self.case(db, ended, line, now)
        if (same := case.history.same_call) is not None:
            calls.same_call(db, call, int(same.first))
        decision = decide(case)
        self._record(db, call, decision, now)
        verdict = Verdict(call=call, decision=word_of(decision), reason=decision.reason)
        if isinstance(decision, Send | Hold) and arrival.caller is not None:
            owed_since = ending.at + line.text.wait
            text = texts.add(db, self._text(ended, arrival.caller, decision, line, now, owed_since))
            due_at = decision.until if isinstance(decision, Hold) else None
            return Verdict(call=call, decision=verdict.decision, reason=verdict.reason, text=text, due_at=due_at)
        return verdict

    def on_due(self, db: StoreConnection, text: int, now: datetime, *, is_released: bool = False) -> Verdict | None:
        """Decide once more about a held text; None where it is not held any more."""
        held = texts.one(db, text)
        ended = calls.ended(db, held["call"]) if held is not None and held["state"] == "held" else None
        if held is None or ended is None or ended.arrival.caller is None:
            return None
        line = self.directory.config.line.get(held["line"])
        if line is None:
            texts.settle(db, text, TextEvent.CANCELLED, now, detail="its line is no longer in the configuration")
            return Verdict(call=ended.id, decision="skip", reason=Reason.NO_LINE, text=text)
        owed_since = _owed_since(held, line, now)
        decision = decide(self.case(db, ended, line, now, is_released=is_released, owed_since=owed_since))
        self._record(db, ended.id, decision, now)
        fresh = self._text(ended, ended.arrival.caller, decision, line, now, now if is_released else owed_since)
        match decision:
            case Send():
                holds.release(db, text, fresh)
            case Hold():
                holds.hold_on(db, text, fresh)
            case Skip(reason=reason):
                event = TextEvent.EXPIRED if reason is Reason.EXPIRED else TextEvent.CANCELLED
                texts.settle(db, text, event, now, detail=reason.value)
        due_at = decision.until if isinstance(decision, Hold) else None
        return Verdict(call=ended.id, decision=word_of(decision), reason=decision.reason, text=text, due_at=due_at)

    def case(
        self,
        db: StoreConnection,
        ended: Ended,
        line: Line,
        now: datetime,
        *,
        is_released: bool = False,
        owed_since: datetime | None = None,
    ) -> Case:
        """Everything that the rules want, out of the database and the configuration."""
        arrival = ended.arrival
        policy = self.directory.policy(line, arrival.caller)
        known, sent = History(), Traffic()
        if arrival.caller is not None:
            known = history(
                db,
                number=arrival.caller,
                line=line.name,
                call=ended.id,
                call_id=arrival.call_id,
                arrived_at=arrival.arrived_at,
                calls_since=once_per_since(line, arrival.arrived_at),
                texts_since=once_per_since(line, now),
                same_within=line.same_call_within,
            )
            region = region_of(arrival.caller)
            sent = traffic(
                db,
                limits=policy.limits,
                abroad=region if region not in policy.domestic_regions else None,
                now=now,
                today=day_start(now, self.directory.config.timezone),
            )
        call = call_of(arrival, ended.ending)
        return Case(
            call=call,
            history=known,
            traffic=sent,
            policy=policy,
            now=now,
            is_released=is_released,
            owed_since=owed_since,
        )

    def _without_line(self, db: StoreConnection, call: int, arrival: Arrival, now: datetime) -> Verdict:
        saw = f"dialled {', '.join(arrival.dialled) or 'nothing'}"
        entry = TraceEntry(rule="line_found", saw=saw, verdict=Reason.NO_LINE, config="line")
        calls.record(db, call, "skip", Reason.NO_LINE, (entry,), now, self.directory.config.hash)
        return Verdict(call=call, decision="skip", reason=Reason.NO_LINE)

    def _record(self, db: StoreConnection, call: int, decision: Decision, now: datetime) -> None:
        calls.record(db, call, word_of(decision), decision.reason, decision.trace, now, self.directory.config.hash)

    def _text(
        self, ended: Ended, caller: E164, decision: Decision, line: Line, now: datetime, owed_since: datetime
    ) -> texts.NewText:
        """The text as it is queued or held now; it expires so long after it was owed, a held one after its time comes."""
        variant = decision.variant if isinstance(decision, Send | Hold) else None
        message = message_of(self.directory, line, variant, caller=caller, called_at=ended.arrival.arrived_at, now=now)
        until = decision.until if isinstance(decision, Hold) else now
        is_owed_from_then = isinstance(decision, Send) or decision.reason is Reason.CONTACTS_UNKNOWN
        expires_at = (owed_since if is_owed_from_then else until or now) + line.text.expires
        return replace(
            draft(TextKind.MISSED_CALL, line, caller, message, now=now, expires_at=expires_at),
            call=ended.id,
            due_at=until,
            held_for=decision.reason if isinstance(decision, Hold) else None,
        )


def _owed_since(held: StoreRow, line: Line, now: datetime) -> datetime:
    """Since when a held text is owed: from the time that it was held until. One that waits for the contacts is held until it
    has become too late."""
    if not held["due_at"]:
        return now
    due_at = read(held["due_at"])
    return due_at - line.text.expires if held["held_for"] == Reason.CONTACTS_UNKNOWN else due_at


class InForce:
    """The ruling of the moment. Read and replaced on the event loop only; a step is given the one that holds then."""

    def __init__(self, ruling: Ruling) -> None:
        self.ruling = ruling

    @property
    def directory(self) -> Directory:
        """The directory of the moment."""
        return self.ruling.directory


def call_of(arrival: Arrival, ending: Ending) -> Call:
    """A journalled call as the rules see it."""
    return Call(
        caller=arrival.caller,
        caller_as_sent=arrival.caller_as_sent,
        outcome=ending.outcome,
        arrived_at=arrival.arrived_at,
        rang=ending.rang,
        missed_at=ending.at,
        verstat=arrival.verstat,
        earlier=tuple(EarlierCaller(as_sent=one["as_sent"], until=read(one["until"] or "")) for one in arrival.earlier_callers),
    )
