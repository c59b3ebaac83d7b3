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


def out_in_words(number: E164, done: OptedOut) -> str:
    """What came of `opt_out`, for whoever asked for it."""
    again = " (and was opted out already)" if done.was_out_since else ""
    cancelled = (
        f"; {_count(done.cancelled)} that waited {'is' if done.cancelled == 1 else 'are'} cancelled" if done.cancelled else ""
    )
    under_way = f"; {_count(done.under_way)} under way may still arrive" if done.under_way else ""
    return f"{number} gets no more texts{again}{cancelled}{under_way}"


def in_in_words(number: E164, undone: consent.Entry) -> str:
    """What came of `opt_in`."""
    provider = undone.source.partition(":")
    own_list = f"; the provider of {provider[2]} keeps a list of its own, which START from that phone alone clears"
    return f"{number} gets texts again{own_list if provider[0] == 'bridge' else ''}"


def not_out_in_words(number: E164) -> str:
    """Where there is nothing to take back."""
    return f"{number} is not opted out; textback optout list shows who is"


def _count(number: int) -> str:
    return f"{number} text{'' if number == 1 else 's'}"
