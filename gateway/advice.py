"""What a configuration allows and an experienced admin would not do: the warnings of `textback check`."""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime

from config.model import E164, Config, Line
from gateway.core.consent import Wish, wish
from gateway.core.phone import region_of
from gateway.core.template import merge_fields, render
from sms.segments import Alphabet, first_not_gsm, segment

_SHORTENER = re.compile(r"\b(bit\.ly|tinyurl\.com|t\.co|goo\.gl|ow\.ly|is\.gd|buff\.ly|rebrand\.ly|cutt\.ly)\b", re.IGNORECASE)
_LONGEST_AT = datetime(2026, 9, 23, 22, 59, tzinfo=UTC)
"""A Wednesday evening: the longest day's name and a time of the longest form."""
RING_ON_FORWARDED = 20


@dataclass(frozen=True, slots=True, kw_only=True)
class Advice:
    """One warning: the dotted key that it is about, and what to think about."""

    key: str
    says: str


def advise(config: Config) -> tuple[Advice, ...]:
    """Every warning about a configuration that is valid."""
    return tuple(advice for line in config.line.values() for advice in _of_line(line, config))


def longest(line: Line, message: str, config: Config) -> str:
    """The message with its fields at their longest, as it would be sent to a number of the line's own country."""
    fields = merge_fields(
        business=line.business,
        staff=line.staff,
        number=line.number,
        caller=E164(line.number),
        called_at=_LONGEST_AT,
        timezone="UTC",
        region=config.region,
    )
    return render(message, fields)


def _of_line(line: Line, config: Config) -> Iterator[Advice]:
    key = f"line.{line.name}"
    message_key = f"{key}.text.message"
    yield from _of_message(message_key, longest(line, line.text.message, config))
    if not line.business:
        yield Advice(key=f"{key}.business", says="is not set: carriers want texts to say who sends them (10DLC)")
    elif "{business}" not in line.text.message and line.business not in line.text.message:
        yield Advice(key=message_key, says="does not say who you are; add {business} (10DLC)")
    if not _names_opt_out(line.text.message):
        yield Advice(key=message_key, says='does not say how to opt out; add "Reply STOP to opt out."')
    if line.arrives == "missed" and line.ring_seconds > RING_ON_FORWARDED:
        says = f"over {RING_ON_FORWARDED} s on a forwarded line: the carrier's voicemail may take the call first"
        yield Advice(key=f"{key}.ring_seconds", says=says)
    if region_of(line.number) not in (config.limits.regions or (region_of(line.number),)):
        yield Advice(key="limits.regions", says=f"leaves out the country of [{key}] itself")


def _of_message(key: str, text: str) -> Iterator[Advice]:
    cut = segment(text)
    if cut.alphabet is Alphabet.UCS_2:
        culprit = first_not_gsm(text) or ""
        yield Advice(key=key, says=f"{culprit!r} is not in the SMS alphabet, so a segment holds 70 characters, not 160 (UCS-2)")
    if len(cut.parts) > 1:
        says = (
            f"is {len(cut.parts)} segments at its longest ({len(text)} characters), and is billed so: {' / '.join(cut.parts)}"
        )
        yield Advice(key=key, says=says)
    if found := _SHORTENER.search(text):
        yield Advice(key=key, says=f"{found[1]}: carriers filter texts with public link shorteners; write the whole address")


def _names_opt_out(message: str) -> bool:
    return any(wish(word) is Wish.OPT_OUT for word in re.findall(r"\b[A-Z]{3,}\b", message))
