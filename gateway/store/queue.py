"""The queue: due texts are claimed for bridges that have room, confirmations first, then in the order in which they fell due.

Texts are kept apart by their line and by the bridges that have declined them (`tried`), because these two say which bridge may
have a text now. A round looks only at texts that a bridge will take, so a long queue of a bridge that is down hides nobody
else's.
"""

import json
import sqlite3
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from config.model import E164
from gateway.core.delivery import TextEvent, TextState, after
from gateway.core.kind import TextKind
from gateway.core.quiet import NEVER, Quiet
from gateway.core.reason import Reason
from gateway.store import consent, holds
from gateway.store.history import reached_at
from gateway.store.instants import read, written
from gateway.store.texts import key_of, one, settle

AT_MOST = 500
"""Texts claimed, or found to have expired, in one round."""
NEXT_TRIED = "SELECT min(tried) AS tried FROM texts WHERE state = 'queued' AND line = ? AND tried > ?"
TAKEN = tuple(
    f"SELECT * FROM texts WHERE state = 'queued' AND line = ? AND tried = ? AND kind = '{kind}' AND due_at <= ?"
    " AND expires_at > ? ORDER BY due_at, id LIMIT ?"
    for kind in TextKind  # not a parameter: SQLite would plan the statement anew each time, for its indexes of one kind
)
FIRST_EXPIRES = "SELECT min(expires_at) AS at FROM texts WHERE state = 'queued'"
EXPIRED = f"SELECT id, detail FROM texts WHERE state = 'queued' AND expires_at <= ? LIMIT {AT_MOST}"
NEXT_AT = (
    "SELECT min(at) AS at FROM (SELECT min(due_at) AS at FROM texts WHERE state = 'queued' AND due_at > ?"
    " UNION ALL SELECT min(expires_at) FROM texts WHERE state = 'queued')"
)
_CANCELLED = {
    Reason.OPTED_OUT: "opted out before it was sent",
    Reason.RESOLVED: "resolved: the caller got through, wrote, or was called back before it was sent",
}
_EVER = "9999"
"""Sorts after every instant."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Claimed:
    """A text that one bridge may now submit; committed as `sending` before anybody sees this."""

    id: int
    key: str
    """The same at every attempt, and no other text's, not even of another database: id and instant."""
    call: int | None
    line: str
    bridge: str
    recipient: E164
    sender: str
    body: str
    expires_at: datetime
    attempts: int
    tried: tuple[str, ...]
    """The bridges that have declined it since it was last offered to all of its route."""


@dataclass(frozen=True, slots=True, kw_only=True)
class QueueLook:
    """What one look at the queue brought."""

    claimed: tuple[Claimed, ...] = ()
    expired: tuple[int, ...] = ()
    cancelled: tuple[int, ...] = ()
    postponed: tuple[int, ...] = ()
    """Held again, to be decided anew at once."""
    next_at: datetime | None = None
    """When the queue is to be looked at again, whatever else happens."""


@dataclass(frozen=True, slots=True, kw_only=True)
class _Way:
    """Texts of one line and one history of refusals, and the bridge that takes them now."""

    line: str
    tried: str
    """As it stands in the database."""
    bridge: str
    is_anew: bool
    """All bridges that are up have declined them: from the first again, when their pause is over."""

    @property
    def is_due_at_once(self) -> bool:
        """Declined by one bridge, not yet offered to this one: the pause is for the one that declined."""
        return self.tried != "[]" and not self.is_anew

    @property
    def declined(self) -> tuple[str, ...]:
        """The bridges that are not asked again in this turn."""
        return () if self.is_anew else tuple(json.loads(self.tried))


def claim_due(
    db: sqlite3.Connection,
    now: datetime,
    routes: Mapping[str, Sequence[str]],
    room: Mapping[str, int],
    quiet: Quiet = NEVER,
) -> QueueLook:
    """Give due texts to bridges that have room: expired and opted-out ones are settled, those to whom it is quiet now are held
    again, the rest become `sending`.

    `routes` names each line's bridges in order; `room` holds the bridges that are up, with how many texts each takes now. A
    text waits for the first bridge of its route that is up and has not declined it; where all that are up have, it is offered
    to the first again after its pause.
    """
    first_expires = db.execute(FIRST_EXPIRES).fetchone()["at"]
    if first_expires is None:  # the queue is empty
        return QueueLook()
    expired = _expire(db, now) if first_expires <= written(now) else ()
    left = dict(room)
    claimed: list[Claimed] = []
    cancelled: list[int] = []
    postponed: list[int] = []
    for row, way in _offers(db, now, routes, left):
        if not left[way.bridge]:
            continue
        if against := speaks_against(db, row):
            settle(db, row["id"], TextEvent.CANCELLED, now, detail=_CANCELLED[against])
            cancelled.append(row["id"])
            continue
        if _is_too_late(row, quiet, now):
            holds.postpone(db, row["id"], now, Reason.QUIET_HOURS)
            postponed.append(row["id"])
            continue
        left[way.bridge] -= 1
        claimed.append(_claim(db, row, way, now))
    is_more_likely = bool(cancelled or postponed) or len(expired) == AT_MOST
    return QueueLook(
        claimed=tuple(claimed),
        expired=expired,
        cancelled=tuple(cancelled),
        postponed=tuple(postponed),
        next_at=now if is_more_likely else _next_at(db, now),
    )


def waits_for_morning(db: sqlite3.Connection, text: int, quiet: Quiet, now: datetime) -> bool:
    """Will a text be held instead of claimed, because it is quiet where its recipient is?"""
    row = one(db, text)
    return row is not None and _is_too_late(row, quiet, now)


def put_back(db: sqlite3.Connection, text: Claimed, at: datetime, *, again_at: datetime, detail: str) -> None:
    """Return a text that was certainly not sent: for the next bridge of its route at once, for this one at an instant."""
    if settle(db, text.id, TextEvent.NOT_NOW, at, detail=detail) is TextState.QUEUED:
        db.execute(
            "UPDATE texts SET due_at = ?, tried = ?, settled_at = NULL WHERE id = ?",
            (written(again_at), json.dumps([*text.tried, text.bridge]), text.id),
        )


def _offers(
    db: sqlite3.Connection, now: datetime, routes: Mapping[str, Sequence[str]], room: Mapping[str, int]
) -> list[tuple[sqlite3.Row, _Way]]:
    """The texts that bridges with room may have, in the order in which they are to go."""
    offers = [
        (row, way)
        for line, route in routes.items()
        for way in _ways(db, line, route, room)
        for taken in TAKEN
        for row in db.execute(
            taken,
            (
                line,
                way.tried,
                _EVER if way.is_due_at_once else written(now),
                written(now),
                min(room[way.bridge], AT_MOST),
            ),
        )
    ]
    return sorted(offers, key=lambda offer: (not TextKind(offer[0]["kind"]).goes_first, offer[0]["due_at"], offer[0]["id"]))


def _ways(db: sqlite3.Connection, line: str, route: Sequence[str], room: Mapping[str, int]) -> Iterator[_Way]:
    """For each history of refusals that texts of a line have, the bridge that takes them now; none that has no room."""
    up = [bridge for bridge in route if bridge in room]
    for tried in _histories(db, line) if up else ():
        declined = json.loads(tried)
        fresh = [bridge for bridge in up if bridge not in declined]
        way = _Way(line=line, tried=tried, bridge=(fresh or up)[0], is_anew=not fresh)
        if room[way.bridge]:
            yield way


def _histories(db: sqlite3.Connection, line: str) -> list[str]:
    """What stands in `tried` of the line's queued texts, each once: a step along the index for each, however many texts."""
    found: list[str] = []
    tried = db.execute(NEXT_TRIED, (line, "")).fetchone()["tried"]
    while tried is not None:
        found.append(tried)
        tried = db.execute(NEXT_TRIED, (line, tried)).fetchone()["tried"]
    return found


def _expire(db: sqlite3.Connection, now: datetime) -> tuple[int, ...]:
    rows = db.execute(EXPIRED, (written(now),)).fetchall()
    for row in rows:
        why = f"not sent in time; last: {row['detail']}" if row["detail"] else "not sent in time: no bridge was ready"
        settle(db, row["id"], TextEvent.EXPIRED, now, detail=why)
    return tuple(row["id"] for row in rows)


def speaks_against(db: sqlite3.Connection, row: sqlite3.Row) -> Reason | None:
    """What has happened since the text was queued that makes it wrong to send; None: nothing."""
    if TextKind(row["kind"]).goes_after_opt_out:
        return None
    if consent.opted_out_at(db, row["recipient"]) is not None:
        return Reason.OPTED_OUT
    call = db.execute("SELECT arrived_at FROM calls WHERE id = ?", (row["call"],)).fetchone()
    if call is not None and reached_at(db, row["recipient"], row["line"], read(call["arrived_at"])) is not None:
        return Reason.RESOLVED
    return None


def _claim(db: sqlite3.Connection, row: sqlite3.Row, way: _Way, now: datetime) -> Claimed:
    state = after(TextState(row["state"]), TextEvent.CLAIMED)
    db.execute(
        "UPDATE texts SET state = ?, bridge = ?, claimed_at = ?, attempts = attempts + 1 WHERE id = ?",
        (state, way.bridge, written(now), row["id"]),
    )
    return Claimed(
        id=row["id"],
        key=key_of(row),
        call=row["call"],
        line=row["line"],
        bridge=way.bridge,
        recipient=row["recipient"],
        sender=row["sender"],
        body=row["body"],
        expires_at=read(row["expires_at"]),
        attempts=row["attempts"] + 1,
        tried=way.declined,
    )


def _next_at(db: sqlite3.Connection, now: datetime) -> datetime | None:
    """The next instant at which a queued text falls due or expires; what is due already waits for a bridge's room."""
    row = db.execute(NEXT_AT, (written(now),)).fetchone()
    return read(row["at"]) if row["at"] else None


def _is_too_late(row: sqlite3.Row, quiet: Quiet, now: datetime) -> bool:
    return TextKind(row["kind"]).keeps_quiet_hours and quiet.holds_for(row["recipient"], row["line"], now)
