"""Opting out and in, as steps: by a reply or a network, or by a person for a caller who said it by phone."""

import sqlite3
from dataclasses import dataclass
from datetime import datetime

from config.model import E164
from gateway.core.consent import Wish
from gateway.store import consent, texts

BY_A_PERSON = "person"


@dataclass(frozen=True, slots=True, kw_only=True)
class OptedOut:
    """What an opt-out found."""

    was_out_since: datetime | None
    cancelled: int
    """Texts that were held or queued, and do not go."""
    under_way: int
    """Texts that a network has been handed, and that nobody can take back."""


def opt_out(
    db: sqlite3.Connection, number: E164, at: datetime, source: str, *, line: str | None = None, note: str = ""
) -> OptedOut:
    """Into the ledger, and whatever is still held or queued for the number is cancelled, in the same transaction."""
    was_out_since = consent.opted_out_at(db, number)
    consent.add(db, number=number, wish=Wish.OPT_OUT, at=at, source=source, line=line, note=note)
    cancelled = texts.cancel_for(db, number, at, "opted out before it was sent")
    return OptedOut(was_out_since=was_out_since, cancelled=cancelled, under_way=texts.under_way_to(db, number))


def opt_in(db: sqlite3.Connection, number: E164, at: datetime, reason: str) -> consent.Entry | None:
    """A person takes an opt-out back; the entry that held, or None where the number is not opted out."""
    newest = next(iter(consent.of_number(db, number)), None)
    if newest is None or newest.wish is not Wish.OPT_OUT:
        return None
    consent.add(db, number=number, wish=Wish.OPT_IN, at=at, source=BY_A_PERSON, note=reason)
    return newest
