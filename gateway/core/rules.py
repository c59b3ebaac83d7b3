"""Every rule, in the order in which they are looked at. Each is a function of the case and says what it saw. PURE."""

from collections.abc import Callable
from datetime import datetime, timedelta

from gateway.core.call import MISSED, Outcome
from gateway.core.case import Case, Finding, Twin
from gateway.core.phone import kind_never_texted, region_of
from gateway.core.quiet import quiet_until, zones_of
from gateway.core.reason import Reason
from gateway.core.schedule import local
from gateway.core.variants import in_words, is_within_once_per

NEVER_TEXTED_GROUPS = {"staff": Reason.STAFF, "blocked": Reason.BLOCKED}


def line_on(case: Case) -> Finding:
    """`enabled` of the line's text."""
    enabled = case.policy.line.text.enabled
    saw = "texts are on" if enabled else "texts are off"
    return Finding(saw, None if enabled else Reason.LINE_OFF, case.key("text.enabled"))


def missed(case: Case) -> Finding:
    """On a line where calls arrive because nobody answered elsewhere, every call is missed that is not answered here."""
    outcome = case.call.outcome
    if case.policy.line.arrives == "missed":
        is_missed = outcome not in (Outcome.ANSWERED_HERE, Outcome.REFUSED)
        return Finding(
            f"{outcome.value}, on a line of missed calls", None if is_missed else Reason.NOT_MISSED, case.key("arrives")
        )
    return Finding(outcome.value, None if outcome in MISSED else Reason.NOT_MISSED, case.key("arrives"))


def rang_long_enough(case: Case) -> Finding:
    """Only a caller who hung up can have been too quick, and not where the call had rung elsewhere before."""
    line, rang = case.policy.line, case.call.rang
    is_asked = case.call.outcome is Outcome.ABANDONED and line.arrives == "ringing"
    saw = f"rang {seconds(rang)}, at least {seconds(line.min_ring)} asked"
    return Finding(saw, Reason.TOO_SHORT if is_asked and rang < line.min_ring else None, case.key("min_ring"))


def not_a_fork(case: Case) -> Finding:
    """Two INVITEs of one call are one call: the last to end decides for both."""
    match case.history.twin:
        case None:
            return Finding("no other INVITE of the same call")
        case Twin.RINGS:
            return Finding("another INVITE of the same call still rings, and decides", Reason.DUPLICATE)
        case Twin.DECIDED:
            return Finding("another INVITE of the same call has decided", Reason.DUPLICATE)


def caller_shown(case: Case) -> Finding:
    """A withheld caller has no number to text."""
    is_withheld = case.call.caller_as_sent is None
    return Finding("withheld" if is_withheld else "shown", Reason.WITHHELD if is_withheld else None)


def caller_is_a_number(case: Case) -> Finding:
    """An extension or a name is nothing to text."""
    if case.call.caller is None:
        return Finding(f"{case.call.caller_as_sent!r} is no valid telephone number", Reason.NOT_A_NUMBER, "region")
    return Finding("a valid telephone number", None, "region")


def kind_takes_texts(case: Case) -> Finding:
    """Toll-free, premium rate and the like take no texts."""
    kind = case.call.caller and kind_never_texted(case.call.caller)
    return Finding(kind or "may take texts", Reason.NUMBER_KIND if kind else None)


def region_allowed(case: Case) -> Finding:
    """Texts abroad cost, and callers can be forged."""
    region = region_of(case.call.caller) if case.call.caller else "unknown"
    saw = f"{region}, allowed are {', '.join(sorted(case.policy.regions))}"
    return Finding(saw, None if region in case.policy.regions else Reason.REGION, "limits.regions")


def not_own_line(case: Case) -> Finding:
    """A text to ourselves is a loop."""
    is_own = case.call.caller in case.policy.own_numbers
    return Finding("a line of ours" if is_own else "not a line of ours", Reason.OWN_LINE if is_own else None)


def not_staff_nor_blocked(case: Case) -> Finding:
    """By the contacts file."""
    contact = case.policy.contact
    if contact is None:
        return Finding("not in the contacts", None, "contacts.file")
    saw = f"in the contacts, {contact.group or 'no group'}"
    return Finding(saw, NEVER_TEXTED_GROUPS.get(contact.group), "contacts.file")


def deliverable(case: Case) -> Finding:
    """A landline stays a landline: what a network said of a number is remembered."""
    at = case.history.undeliverable_at
    saw = f"the network said so at {_clock(at, case)}" if at else "nothing is known against it"
    return Finding(saw, Reason.UNDELIVERABLE if at else None)


def attested(case: Case) -> Finding:
    """STIR/SHAKEN: a failed verdict is never texted; where an attestation is required and is missing, a person decides."""
    verdict, required = case.call.verstat, case.policy.limits.require_attestation
    key = "limits.require_attestation"
    if "failed" in verdict.lower():
        return Finding(f"the trunk says {verdict}", Reason.ATTESTATION, key)
    level = verdict[-1:] if verdict.lower().startswith("tn-validation-passed-") else ""
    saw = f"the trunk says {verdict or 'nothing'}"
    if not required or level in required or case.is_released:
        return Finding(saw, None, key)
    return Finding(f"{saw}, required is {' or '.join(required)}", Reason.ATTESTATION, key, is_hold=True)


def not_opted_out(case: Case) -> Finding:
    """The ledger."""
    at = case.history.opted_out_at
    return Finding(f"opted out at {_clock(at, case)}" if at else "not opted out", Reason.OPTED_OUT if at else None)


def not_resolved(case: Case) -> Finding:
    """A caller who got through, wrote in, or was called back since needs no text."""
    at = case.history.reached_at
    if at is None or at < case.call.arrived_at:
        return Finding("has not been reached since the call")
    return Finding(f"was reached at {_clock(at, case)}", Reason.RESOLVED)


def variant_sends(case: Case) -> Finding:
    """`send = false` of the variant that applies."""
    index = case.variant
    if index is None:
        return Finding("the line's own message", None, case.key("text.message"))
    variant = case.policy.line.text.variant[index]
    saw = f"variant {index + 1} ({in_words(variant)})"
    return Finding(saw, None if variant.send else Reason.VARIANT_OFF, case.key(f"text.variant.{index}"))


def not_texted_lately(case: Case) -> Finding:
    """`once_per`; a variant for the caller's second missed call is meant for those who had the first text."""
    line, last = case.policy.line, case.history.last_text_at
    key = case.key("text.once_per")
    if last is None:
        return Finding("never texted from this line", None, key)
    saw = f"last text at {_clock(last, case)}, once per {_once_per(line.text.once_per)}"
    index = case.variant
    if index is not None and (line.text.variant[index].missed or 1) > 1:
        return Finding(f"{saw}, and this variant is for a later call", None, case.key(f"text.variant.{index}.missed"))
    return Finding(saw, Reason.ALREADY_TEXTED if is_within_once_per(line, last, case.now) else None, key)


def replied_before(case: Case) -> Finding:
    """`repeat_after_no_reply = false`: one text for ever to somebody who never replied."""
    key = case.key("text.repeat_after_no_reply")
    if case.policy.line.text.repeat_after_no_reply or case.history.last_text_at is None:
        return Finding("may be texted again" if case.history.last_text_at else "never texted before", None, key)
    replied = case.history.last_reply_at
    return Finding(
        "has replied before" if replied else "was texted and never replied", None if replied else Reason.NEVER_REPLIED, key
    )


def in_time(case: Case) -> Finding:
    """`expires` counts from when the text was due: a gateway that was down for days does not text days late."""
    expires, key = case.policy.line.text.expires, case.key("text.expires")
    if case.is_released:
        return Finding("released by a person", None, key)
    due = case.owed_since or case.call.missed_at + case.policy.line.text.wait
    late = max(case.now - due, timedelta(0))
    saw = f"{seconds(late)} late, at most {seconds(expires)}"
    return Finding(saw, Reason.EXPIRED if late >= expires else None, key)


def below_limits(case: Case) -> Finding:
    """The caps: what goes beyond them waits for a person."""
    if case.is_released:
        return Finding("released by a person", None, "limits")
    limits, traffic = case.policy.limits, case.traffic
    region = region_of(case.call.caller) if case.call.caller else "unknown"
    if limits.per_minute is not None and traffic.last_minute >= limits.per_minute:
        return _over(f"{traffic.last_minute} texts in the last minute", limits.per_minute, "limits.per_minute")
    if limits.per_day is not None and traffic.today >= limits.per_day:
        return _over(f"{traffic.today} texts today", limits.per_day, "limits.per_day")
    if region != case.policy.home_region and traffic.today_in_region >= limits.per_region_abroad:
        return _over(f"{traffic.today_in_region} texts to {region} today", limits.per_region_abroad, "limits.per_region_abroad")
    minute = f"{traffic.last_minute} of {limits.per_minute} in the last minute" if limits.per_minute else "no limit a minute"
    day = f"{traffic.today} of {limits.per_day} today" if limits.per_day else "no limit a day"
    return Finding(f"{minute}, {day}", None, "limits")


def waited(case: Case) -> Finding:
    """`wait`: time for the caller to get through by another way."""
    wait, key = case.policy.line.text.wait, case.key("text.wait")
    due = case.call.missed_at + wait
    if case.now >= due:
        return Finding(f"waited {seconds(wait)}" if wait else "no wait", None, key)
    return Finding(f"waits until {_clock(due, case)}", Reason.WAIT, key, is_hold=True, until=due)


def not_quiet(case: Case) -> Finding:
    """Quiet hours, where the caller is."""
    consent = case.policy.consent
    if consent.quiet_hours is None or consent.when_quiet == "send" or case.call.caller is None:
        return Finding("no quiet hours", None, "consent.quiet_hours")
    zones = zones_of(case.call.caller) or (case.policy.line.timezone,)
    until = quiet_until(case.now, consent.quiet_hours, zones)
    shown = ", ".join(f"{local(case.now, name):%H:%M} in {name}" for name in zones[:3]) + (" …" if len(zones) > 3 else "")
    if until is None:
        return Finding(f"it is {shown}", None, "consent.quiet_hours")
    is_hold = consent.when_quiet == "hold"
    saw = f"quiet: it is {shown}" + (f"; until {_clock(until, case)}" if is_hold else "")
    return Finding(saw, Reason.QUIET_HOURS, "consent.quiet_hours", is_hold=is_hold, until=until)


RULES: tuple[Callable[[Case], Finding], ...] = (
    line_on,
    missed,
    rang_long_enough,
    not_a_fork,
    caller_shown,
    caller_is_a_number,
    kind_takes_texts,
    region_allowed,
    not_own_line,
    not_staff_nor_blocked,
    deliverable,
    attested,
    not_opted_out,
    not_resolved,
    variant_sends,
    not_texted_lately,
    replied_before,
    in_time,
    below_limits,
    waited,
    not_quiet,
)
"""Every rule, in the order in which they are looked at."""


def _over(saw: str, limit: int, key: str) -> Finding:
    return Finding(f"{saw}, the limit is {limit}", Reason.LIMIT, key, is_hold=True)


def _once_per(value: str | timedelta) -> str:
    return value if isinstance(value, str) else seconds(value)


def seconds(length: timedelta) -> str:
    """A length of time for the trace."""
    return f"{round(length.total_seconds(), 1):g} s"


def _clock(instant: datetime, case: Case) -> str:
    return f"{local(instant, case.policy.line.timezone):%Y-%m-%d %H:%M %Z}"
