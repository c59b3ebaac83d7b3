"""What a person may ask of the running gateway about calls, texts and numbers, and a test text."""

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from config.model import E164, Config, Line
from gateway import sentences
from gateway.core import facts
from gateway.core.call import Call, Outcome
from gateway.core.case import Case, History, Traffic
from gateway.core.delivery import TextEvent, TextState
from gateway.core.facts import Fact
from gateway.core.kind import TextKind
from gateway.core.phone import kind_never_texted
from gateway.core.reason import IN_WORDS, Reason
from gateway.core.schedule import local
from gateway.core.variants import chosen
from gateway.decisions import deciding
from gateway.decisions.drafts import draft, message_of
from gateway.decisions.holds import Holds
from gateway.decisions.ruling import InForce, Ruling, Verdict
from gateway.store import StoreConnection, calls, consent, holds, optouts, queue, texts, undeliverable
from gateway.store.database import Database
from gateway.store.steps import WithFacts
from gateway.texts.outbox import Outbox

RESEND_WITHIN = timedelta(minutes=15)
DROPPED = "dropped by a person"


class ActionRefused(Exception):
    """It cannot be done; the sentence says why."""


class WrongUse(ActionRefused):
    """It could never be done: there is no such line, no such variant."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Done:
    """What was done with many, and what was not though it was asked for; empty: nothing."""

    said: str
    but: str = ""


class Actions:
    """Each changes the database in one transaction, all or nothing; what happens by it is told by its step."""

    def __init__(self, *, store: Database, in_force: InForce, holds: Holds, outbox: Outbox) -> None:
        self._store = store
        self._in_force = in_force
        self._holds = holds
        self._outbox = outbox

    async def release(self, text: int) -> str:
        """Let a held text go past the limits; `ActionRefused` where another rule still speaks against it."""
        verdict = await self._holds.release(text)
        if verdict is None:
            raise ActionRefused(await self._unchanged(text, "only a held text can be released"))
        if verdict.decision != "send":
            raise ActionRefused(f"text {text} {_what_else(verdict, self._in_force.directory.config)}")
        return f"text {text} goes out"

    async def release_held(self, line: str | None, since: datetime | None) -> Done:
        """`release` for all that is held, of one line or since an instant where these are given."""
        await self._check_line(line)
        released = await self._holds.release_many(line, since)
        if not released:
            raise ActionRefused(_none_held(line, since))
        others = Counter(
            _what_else(verdict, self._in_force.directory.config) for _, verdict in released if verdict.decision != "send"
        )
        going = len(released) - others.total()
        but = "; ".join(f"{sentences.texts(count)} {what}" for what, count in others.most_common())
        if not going:
            raise ActionRefused(but)
        return Done(said=f"{sentences.texts(going)} {'goes' if going == 1 else 'go'} out", but=but)

    async def drop_held(self, line: str | None, since: datetime | None) -> Done:
        """Cancel all that is held, of one line or since an instant where these are given; nothing that is queued."""
        await self._check_line(line)
        now = datetime.now(UTC)
        dropped = await self._store.run(_drop_held, line, since, now)
        if not dropped:
            raise ActionRefused(_none_held(line, since))
        return Done(said=f"{sentences.texts(dropped)} {'is' if dropped == 1 else 'are'} dropped")

    async def drop(self, text: int) -> str:
        """Cancel a text that is held or queued."""
        now = datetime.now(UTC)
        if not await self._store.run(_drop, text, now):
            raise ActionRefused(await self._unchanged(text, "only a held or queued text can be dropped"))
        return f"text {text} is dropped"

    async def resend(self, text: int) -> str:
        """Send a text whose fate is unknown, at the risk of a second one; not to whom it would not be sent today."""
        now = datetime.now(UTC)
        resent = await self._store.run(_resend, text, now)
        if isinstance(resent, Reason):
            raise ActionRefused(f"text {text} stays unknown and does not go again, because {IN_WORDS[resent]} ({resent})")
        if not resent:
            raise ActionRefused(await self._unchanged(text, "only a text whose fate is unknown can be sent again"))
        if await self._store.run(queue.waits_for_morning, text, self._outbox.quiet, now):
            return f"text {text} goes out again when the quiet hours where its recipient is have ended"
        return f"text {text} goes out again"

    async def settle(self, text: int) -> str:
        """A person knows that a text whose fate was unknown did go."""
        now = datetime.now(UTC)
        if not await self._store.run(_settle_unknown, text, now):
            raise ActionRefused(await self._unchanged(text, "only a text whose fate is unknown can be settled"))
        return f"text {text} counts as sent"

    async def done(self, call: int) -> str:
        """A person has dealt with a call: what is still held for its caller is not sent."""
        count = await self._store.run(_done, self._in_force.ruling, call, datetime.now(UTC))
        if count is None:
            raise ActionRefused(f"there is no call {call}")
        cancelled = f"{sentences.texts(count)} to its caller cancelled" if count else "no text was held for its caller"
        return f"call {call} is done; {cancelled}"

    async def forget_number(self, number: E164) -> str:
        """What networks have said of a number is dropped, and it is texted again."""
        if not await self._store.run(_forget_number, number, datetime.now(UTC)):
            raise ActionRefused(f"nothing is known of {number}; textback numbers list shows what is")
        return f"{number} is forgotten; the next missed call is texted"

    async def opt_out(self, number: E164, line: str | None, note: str) -> str:
        """A caller said by phone that they want no texts: from now on none goes, and none that waits."""
        await self._check_line(line)
        done = await self._store.run(_opt_out, number, datetime.now(UTC), line, note)
        return sentences.opted_out(number, done)

    async def opt_in(self, number: E164, reason: str) -> str:
        """A person takes an opt-out back."""
        undone = await self._store.run(_opt_in, number, datetime.now(UTC), reason)
        if undone is None:
            raise ActionRefused(sentences.not_opted_out(number))
        return sentences.opted_in(number, undone)

    async def send_test(self, line_name: str, to: E164, variant: int | None) -> int:
        """Queue a test text, which counts for nobody; its id. Opted-out numbers are not sent tests either."""
        line = self._in_force.directory.config.line.get(line_name)
        if line is None:
            raise WrongUse(_no_line(line_name, self._in_force.directory.config.line))
        if variant is not None and not 0 <= variant < len(line.text.variant):
            raise WrongUse(f"there is no variant {variant + 1}; [line.{line_name}] has {len(line.text.variant)}")
        if kind := kind_never_texted(to):
            raise ActionRefused(f"{to} is a {kind} number, which takes no texts")
        now = datetime.now(UTC)
        return await self._store.run(_queue_test, self._in_force.ruling, line, to, variant, now)

    async def _check_line(self, line: str | None) -> None:
        known = self._in_force.directory.config.line
        if line is None or line in known or line in await self._store.run(holds.lines_held):
            return
        raise WrongUse(_no_line(line, known))

    async def _unchanged(self, text: int, rule: str) -> str:
        """Why nothing was done with one text."""
        row = await self._store.run(texts.one, text)
        return f"text {text} is {row['state']}; {rule}, so nothing was changed" if row else f"there is no text {text}"


# --- steps: they run in the store's thread -------------------------------------------------------------------------------


def _queue_test(
    db: StoreConnection, ruling: Ruling, line: Line, to: E164, variant: int | None, now: datetime
) -> WithFacts[int]:
    text = _add_test(db, ruling, line, to, variant, now)
    of = facts.OfText(text=text, line=line.name)
    return WithFacts(result=text, facts=(facts.TextQueued(at=now, of=of, to=to, kind=TextKind.TEST),))


def _add_test(db: StoreConnection, ruling: Ruling, line: Line, to: E164, variant: int | None, now: datetime) -> int:
    if consent.opted_out_at(db, to) is not None:
        raise ActionRefused(f"{to} wants no texts, so not even a test may go there; textback optout list {to} says since when")
    index = _applies(ruling, line, to, now) if variant is None else variant
    message = message_of(ruling.directory, line, index, caller=to, called_at=now, now=now)
    return texts.add(db, draft(TextKind.TEST, line, to, message, now=now, expires_at=now + line.text.expires))


def _applies(ruling: Ruling, line: Line, to: E164, now: datetime) -> int | None:
    """What a first missed call would be sent now."""
    call = Call(caller=to, caller_as_sent=to, outcome=Outcome.NO_ANSWER, arrived_at=now, rang=now - now, missed_at=now)
    policy = ruling.directory.policy(line, to)
    case = Case(call=call, history=History(), traffic=Traffic(), policy=policy, now=now)
    index = chosen(case)
    return index if index is None or line.text.variant[index].send else None


def _resend(db: StoreConnection, text: int, now: datetime) -> WithFacts[bool | Reason]:
    """True: it is queued; False: its fate is known; or what speaks against it by now."""
    row = texts.one(db, text)
    if row is None or row["state"] != TextState.UNKNOWN:
        return WithFacts(result=False, facts=())
    resent = queue.speaks_against(db, row) or holds.resend(db, text, now, RESEND_WITHIN)
    happened = (facts.TextResent(at=now, of=texts.ids_of(db, text)),) if resent is True else ()
    return WithFacts(result=resent, facts=happened)


def _settle_unknown(db: StoreConnection, text: int, now: datetime) -> WithFacts[bool]:
    row = texts.one(db, text)
    if row is None or row["state"] != TextState.UNKNOWN:
        return WithFacts(result=False, facts=())
    state = texts.settle(db, text, TextEvent.ACCEPTED, now, detail="a person says that it went")
    happened = (facts.TextSettled(at=now, of=texts.ids_of(db, text)),) if state is TextState.ACCEPTED else ()
    return WithFacts(result=bool(happened), facts=happened)


def _drop(db: StoreConnection, text: int, now: datetime) -> WithFacts[bool]:
    is_dropped = texts.settle(db, text, TextEvent.CANCELLED, now, detail=DROPPED) is TextState.CANCELLED
    happened = (facts.TextDropped(at=now, of=texts.ids_of(db, text)),) if is_dropped else ()
    return WithFacts(result=is_dropped, facts=happened)


def _drop_held(db: StoreConnection, line: str | None, since: datetime | None, now: datetime) -> WithFacts[int]:
    """How many were dropped."""
    happened = tuple(fact for text in holds.held_since(db, line, since) for fact in _drop(db, text, now).facts)
    return WithFacts(result=len(happened), facts=happened)


def _done(db: StoreConnection, ruling: Ruling, call: int, now: datetime) -> WithFacts[int | None]:
    """How many held texts to its caller are cancelled with it; None where there is no such call."""
    if not calls.done(db, call, now):
        return WithFacts(result=None, facts=())
    decided = [deciding.decide_anew(db, ruling, text, now) for text in holds.held_of_caller(db, call)]
    happened: list[Fact] = [facts.CallDone(at=now, call=call), *(fact for one in decided for fact in one.facts)]
    cancelled = sum(one.result is not None and one.result.decision == "skip" for one in decided)
    return WithFacts(result=cancelled, facts=tuple(happened))


def _forget_number(db: StoreConnection, number: E164, now: datetime) -> WithFacts[bool]:
    is_known = undeliverable.forget(db, number)
    return WithFacts(result=is_known, facts=(facts.NumberForgotten(at=now, number=number),) if is_known else ())


def _opt_out(db: StoreConnection, number: E164, now: datetime, line: str | None, note: str) -> WithFacts[optouts.OptedOut]:
    out = optouts.opt_out(db, number, now, optouts.BY_A_PERSON, line=line, note=note)
    fact = facts.OptedOut(at=now, number=number, is_by_a_person=True, cancelled=out.cancelled, under_way=out.under_way)
    return WithFacts(result=out, facts=(fact,))


def _opt_in(db: StoreConnection, number: E164, now: datetime, reason: str) -> WithFacts[consent.Entry | None]:
    undone = optouts.opt_in(db, number, now, reason)
    happened = (facts.OptedIn(at=now, number=number, is_by_a_person=True),) if undone else ()
    return WithFacts(result=undone, facts=happened)


# --- words ---------------------------------------------------------------------------------------------------------------


def _none_held(line: str | None, since: datetime | None) -> str:
    return f"no text is held{f' for line {line}' if line else ''}{' since then' if since else ''}"


def _no_line(line: str, known: Iterable[str]) -> str:
    return f"there is no line {line}; the lines are {', '.join(known)}"


def _what_else(verdict: Verdict, config: Config) -> str:
    """What became of a released text that does not go: `stays held for a person, because …`."""
    why = f"because {IN_WORDS[verdict.reason]} ({verdict.reason})"
    if verdict.decision != "hold":
        return f"does not go and is cancelled, {why}"
    at = f"until {local(verdict.due_at, config.timezone):%a %Y-%m-%d %H:%M:%S %Z}" if verdict.due_at else "for a person"
    return f"stays held {at}, {why}"
