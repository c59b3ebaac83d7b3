"""What a caller hears when they write STOP, START or HELP: one text from `[consent]`, and no more.

The one confirmation of an opt-out may go after it (47 CFR 64.1200(a)(12): within five minutes, no marketing); nothing else may.
"""

from dataclasses import replace
from datetime import datetime, timedelta

from config.model import E164, Consent, Line
from gateway.core.consent import Wish
from gateway.core.kind import TextKind
from gateway.core.template import merge_fields
from gateway.decisions.drafts import Message, draft
from gateway.office.directory import Directory
from gateway.store import StoreConnection, calls, texts

WITHIN = timedelta(minutes=5)
ONCE_PER = {Wish.OPT_OUT: timedelta(hours=1), Wish.OPT_IN: timedelta(hours=1), Wish.HELP: timedelta(hours=24)}
"""A machine that replies to our confirmations, or somebody who plays with STOP and START, is obeyed each time; the same wish is
confirmed once in so long."""


def confirm(db: StoreConnection, directory: Directory, *, to: E164, line: Line, wish: Wish, now: datetime) -> int | None:
    """Queue the confirmation of a wish, from a line; its id, or None where none is due."""
    consent = directory.config.consent
    if wish is Wish.OPT_OUT and consent.provider_confirms_opt_out:
        return None
    if texts.confirmed_since(db, to, wish, now - ONCE_PER[wish]):
        return None
    fields = merge_fields(line, caller=to, called_at=now, region=directory.config.region)
    message = Message(template=_template(consent, wish), fields=fields)
    text = draft(TextKind.CONFIRMATION, line, to, message, now=now, expires_at=now + WITHIN)
    return texts.add(db, replace(text, confirms=wish))


def _template(consent: Consent, wish: Wish) -> str:
    return {Wish.OPT_OUT: consent.opt_out_reply, Wish.OPT_IN: consent.opt_in_reply, Wish.HELP: consent.help_reply}[wish]


def confirming_line(db: StoreConnection, directory: Directory, *, to: E164, written_to: str, bridge: str) -> Line | None:
    """The line that a number hears from: the one whose number or sender it wrote to. Where several have that sender, or the
    network does not say, or names an address that is no line's (a phone of the office): the one that last texted it, by the
    bridge that brought the reply before any other; else the one that it last called. None: nobody knows."""
    lines = directory.config.line
    addressed = {name: line for name, line in lines.items() if written_to in (line.number, line.sender)}
    possible = addressed or lines
    last = (texts.line_that_texted(db, to, bridge), calls.line_called(db, to))
    known = next((possible[name] for name in last if name in possible), None)
    return known or (next(iter(possible.values())) if addressed or len(lines) == 1 else None)
