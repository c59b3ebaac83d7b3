"""What a person may ask of the running gateway about calls, texts and numbers, and a test text."""

import sqlite3
from collections import Counter
from datetime import UTC, datetime, timedelta

import structlog

from config.model import E164, Line
from gateway import optouts
from gateway.core.call import Call, Outcome
from gateway.core.case import Case, History, Traffic
from gateway.core.delivery import Event, TextState
from gateway.core.phone import kind_never_texted, masked, region_of
from gateway.core.variants import chosen
from gateway.holds import Holds
from gateway.outbox import Outbox
from gateway.ruling import InForce, Ruling, Verdict
from gateway.store import calls, consent, holds, texts, undeliverable
from gateway.store.database import Database

RESEND_WITHIN = timedelta(minutes=15)
DROPPED = "dropped by a person"


class ActionRefused(Exception):
    """It cannot be done; the sentence says why."""


class Actions:
    """Each is one transaction, and is told in the log."""

    def __init__(self, *, store: Database, in_force: InForce, holds: Holds, outbox: Outbox) -> None:
        self._store = store
        self._in_force = in_force
        self._holds = holds
        self._outbox = outbox
        self._log = structlog.get_logger()

    async def release(self, text: int) -> str:
        """Let a held text go past the limits; what the other rules say of it."""
        verdict = await self._holds.release(text)
        if verdict is None:
            raise ActionRefused(f"text {text} is not held")
        self._tell_released(text, verdict)
        if verdict.decision == "send":
            return f"text {text} goes out"
        return f"text {text}: {verdict.decision}, {verdict.reason.value}"

    async def release_held(self, line: str | None, since: datetime | None) -> str:
        """`release` for all that is held, of one line or since an instant where these are given."""
        self._check_line(line)
        released = await self._holds.release_many(line, since)
        if not released:
            raise ActionRefused(_none_held(line, since))
        for text, verdict in released:
            self._tell_released(text, verdict)
        return _in_words([verdict for _, verdict in released])

    async def drop_held(self, line: str | None, since: datetime | None) -> str:
        """Cancel all that is held, of one line or since an instant where these are given; nothing that is queued."""
        self._check_line(line)
        now = datetime.now(UTC)
        dropped = await self._store.write(_drop_held, line, since, now)
        if not dropped:
            raise ActionRefused(_none_held(line, since))
        for text in dropped:
            self._log.info("text_dropped", text=text)
        return f"{_count(len(dropped))} {'is' if len(dropped) == 1 else 'are'} dropped"

    async def drop(self, text: int) -> str:
        """Cancel a text that is held or queued."""
        now = datetime.now(UTC)
        state = await self._store.write(texts.settle, text, Event.CANCELLED, now, detail=DROPPED)
        if state is not TextState.CANCELLED:
            raise ActionRefused(f"text {text} is neither held nor queued")
        self._log.info("text_dropped", text=text)
        return f"text {text} is dropped"

    async def resend(self, text: int) -> str:
        """Send a text whose fate is unknown, at the risk of a second one. Every check at the claim still speaks."""
        now = datetime.now(UTC)
        if not await self._store.write(holds.resend, text, now, RESEND_WITHIN):
            raise ActionRefused(f"text {text} is not unknown; only a text whose fate is unknown can be sent again")
        self._log.warning("text_resent", text=text)
        self._outbox.wake()
        return f"text {text} goes out again"

    async def settle(self, text: int) -> str:
        """A person knows that a text whose fate was unknown did go."""
        now = datetime.now(UTC)
        if not await self._store.write(_settle_unknown, text, now):
            raise ActionRefused(f"text {text} is not unknown")
        self._log.info("text_settled", text=text)
        return f"text {text} counts as sent"

    async def done(self, call: int) -> str:
        """A person has dealt with a call: what is still held for its caller is not sent."""
        now = datetime.now(UTC)
        if not await self._store.write(calls.done, call, now):
            raise ActionRefused(f"there is no call {call}")
        for text in await self._store.write(holds.held_of_caller, call):
            await self._store.write(self._in_force.ruling.on_due, text, now)
        self._log.info("call_done", call=call)
        return f"call {call} is done"

    async def forget_number(self, number: E164) -> str:
        """What networks have said of a number is dropped, and it is texted again."""
        if not await self._store.write(undeliverable.forget, number):
            raise ActionRefused(f"nothing is known of {number}; textback numbers list shows what is")
        self._log.info("number_forgotten", number=masked(number))
        return f"{number} is forgotten; the next missed call is texted"

    async def opt_out(self, number: E164, line: str | None, note: str) -> str:
        """A caller said by phone that they want no texts: from now on none goes, and none that waits."""
        self._check_line(line)
        done = await self._store.write(optouts.opt_out, number, datetime.now(UTC), optouts.BY_A_PERSON, line=line, note=note)
        self._log.info("number_opted_out", number=masked(number), cancelled=done.cancelled, under_way=done.under_way)
        return optouts.out_in_words(number, done)

    async def opt_in(self, number: E164, reason: str) -> str:
        """A person takes an opt-out back."""
        undone = await self._store.write(optouts.opt_in, number, datetime.now(UTC), reason)
        if undone is None:
            raise ActionRefused(optouts.not_out_in_words(number))
        self._log.info("number_opted_in", number=masked(number))
        return optouts.in_in_words(number, undone)

    async def send_test(self, line_name: str, to: E164, variant: int | None) -> int:
        """Queue a test text, which counts for nobody; its id. Opted-out numbers are not sent tests either."""
        line = self._in_force.directory.config.line.get(line_name)
        if line is None:
            raise ActionRefused(f"there is no line {line_name}")
        if variant is not None and not 0 <= variant < len(line.text.variant):
            raise ActionRefused(f"[line.{line_name}] has {len(line.text.variant)} variants")
        if kind := kind_never_texted(to):
            raise ActionRefused(f"{to} is a {kind} number, which takes no texts")
        now = datetime.now(UTC)
        text = await self._store.write(_add_test, self._in_force.ruling, line, to, variant, now)
        self._log.info("test_text_queued", text=text, line=line_name, to=masked(to))
        self._outbox.wake()
        return text

    def _check_line(self, line: str | None) -> None:
        known = self._in_force.directory.config.line
        if line is not None and line not in known:
            raise ActionRefused(f"there is no line {line}; the lines are {', '.join(known)}")

    def _tell_released(self, text: int, verdict: Verdict) -> None:
        self._log.info("text_released", text=text, decision=verdict.decision, reason=verdict.reason.value)


def _add_test(db: sqlite3.Connection, ruling: Ruling, line: Line, to: E164, variant: int | None, now: datetime) -> int:
    if consent.opted_out_at(db, to) is not None:
        raise ActionRefused(f"{to} has said STOP, so not even a test may go there; START undoes it")
    index = _applies(ruling, line, to, now) if variant is None else variant
    cut = ruling.render(line, index, to, now, now)
    new = texts.NewText(
        call=None,
        line=line.name,
        recipient=to,
        region=region_of(to),
        sender=line.sender,
        body=cut.text,
        segments=len(cut.parts),
        variant=index,
        queued_at=now,
        due_at=now,
        expires_at=now + line.text.expires,
        is_test=True,
    )
    return texts.add(db, new)


def _applies(ruling: Ruling, line: Line, to: E164, now: datetime) -> int | None:
    """What a first missed call would be sent now."""
    call = Call(caller=to, caller_as_sent=to, outcome=Outcome.NO_ANSWER, arrived_at=now, rang=now - now, missed_at=now)
    policy = ruling.directory.policy(line, to)
    case = Case(call=call, history=History(), traffic=Traffic(), policy=policy, now=now)
    index = chosen(case)
    return index if index is None or line.text.variant[index].send else None


def _settle_unknown(db: sqlite3.Connection, text: int, now: datetime) -> bool:
    row = texts.one(db, text)
    if row is None or row["state"] != TextState.UNKNOWN:
        return False
    return texts.settle(db, text, Event.ACCEPTED, now, detail="a person says that it went") is TextState.ACCEPTED


def _drop_held(db: sqlite3.Connection, line: str | None, since: datetime | None, now: datetime) -> list[int]:
    found = holds.held_since(db, line, since)
    return [text for text in found if texts.settle(db, text, Event.CANCELLED, now, detail=DROPPED) is not None]


def _none_held(line: str | None, since: datetime | None) -> str:
    return f"no text is held{f' for line {line}' if line else ''}{' since then' if since else ''}"


def _in_words(verdicts: list[Verdict]) -> str:
    """`4 texts go out; 1 skip, opted_out`."""
    others = Counter(f"{one.decision}, {one.reason.value}" for one in verdicts if one.decision != "send")
    going = len(verdicts) - others.total()
    told = [f"{_count(going)} {'goes' if going == 1 else 'go'} out"]
    return "; ".join(told + [f"{count} {what}" for what, count in others.most_common()])


def _count(number: int) -> str:
    return f"{number} text{'' if number == 1 else 's'}"
