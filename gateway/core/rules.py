"""Every rule, in the order in which they are looked at. Each is a function of the case and says what it saw. PURE."""

from collections.abc import Callable
from datetime import datetime, timedelta

from gateway.core.call import MISSED, Outcome, is_too_short
from gateway.core.case import Case, Finding, Twin
from gateway.core.length import length
from gateway.core.phone import LANDLINE, kind_never_texted, region_of
from gateway.core.quiet import quiet_hours_for, quiet_until, why_never_quiet
from gateway.core.reason import Reason
from gateway.core.schedule import local
from gateway.core.variants import in_words, is_for_a_later_call, is_within_once_per
from gateway.core.zones import zones_for

NEVER_TEXTED_GROUPS = {"staff": Reason.STAFF, "blocked": Reason.BLOCKED}


def line_on(case: Case) -> Finding:
    """`enabled` of the line's text."""
    enabled = case.policy.line.text.enabled
    saw = "texts are on" if enabled else "texts are off"
    return Finding(saw, None if enabled else Reason.LINE_OFF, case.key("text.enabled"))


def missed(case: Case) -> Finding:
    """Nobody took it, here or elsewhere. Also a forwarded call can be taken: by the phones that it rang before."""
    outcome = case.call.outcome
    return Finding(outcome.value, None if outcome in MISSED else Reason.NOT_MISSED)


def rang_long_enough(case: Case) -> Finding:
    """Only a caller who hung up can have been too quick, and not where the call had rung elsewhere before."""
    line, call, same = case.policy.line, case.call, case.history.same_call
    before = same.rang if same else timedelta(0)
    also = f" and {length(before)} in earlier rounds" if same else ""
    is_short = not (same and same.was_unanswered) and is_too_short(line, call, before)
    is_long = call.rang + before >= line.min_ring
    but = "" if is_short or is_long else f"; {_why_no_min_ring(case)}"
    saw = f"rang {length(call.rang)}{also}, min_ring is {length(line.min_ring)}{but}"
    return Finding(saw, Reason.TOO_SHORT if is_short else None, case.key("min_ring"))


def _why_no_min_ring(case: Case) -> str:
    if case.policy.line.arrives == "missed":
        return "it had rung elsewhere before"
    is_hung_up = case.call.outcome is Outcome.ABANDONED
    return "nobody took an earlier round that the caller had waited for" if is_hung_up else "the caller did not hang up"


def not_a_fork(case: Case) -> Finding:
    """Two INVITEs of one call are one call: the last to end decides for both. So does the last round that rings."""
    same = case.history.same_call
    match case.history.twin:
        case None if same is not None:
            return Finding(f"same call as {same.first}, which was rung again", None, case.key("same_call_within"))
        case None:
            return Finding("no other INVITE of the same call")
        case Twin.RINGS_AGAIN:
            saw = "the same call rings again; that round will decide"
            return Finding(saw, Reason.DUPLICATE, case.key("same_call_within"))
        case Twin.RINGS:
            return Finding("another INVITE of the same call still rings; it will decide", Reason.DUPLICATE)
        case Twin.DECIDED:
            return Finding("another INVITE of the same call was decided", Reason.DUPLICATE)


def caller_shown(case: Case) -> Finding:
    """A withheld caller has no number to text."""
    is_withheld = case.call.caller_as_sent is None
    before = "".join(f"; until {_clock(one.until, case)} it was {one.as_sent or 'withheld'}" for one in case.call.earlier)
    return Finding(("withheld" if is_withheld else "shown") + before, Reason.WITHHELD if is_withheld else None)


def caller_is_a_number(case: Case) -> Finding:
    """An extension or a name is nothing to text."""
    if case.call.caller is None:
        return Finding(f"{case.call.caller_as_sent!r} is no valid telephone number", Reason.NOT_A_NUMBER, "region")
    return Finding("a valid telephone number", None, "region")


def kind_takes_texts(case: Case) -> Finding:
    """Toll-free, premium rate and the like take no texts, nor do landlines, unless one has written to us."""
    kind = case.call.caller and kind_never_texted(case.call.caller)
    if kind != LANDLINE:
        return Finding(kind or "may take texts", Reason.NUMBER_KIND if kind else None)
    wrote = case.history.last_reply_at
    if wrote is not None:
        return Finding(f"a landline by its country's plan, but it wrote to us at {_clock(wrote, case)}")
    return Finding("a landline by its country's plan", Reason.LANDLINE)


def region_allowed(case: Case) -> Finding:
    """Texts abroad cost, and callers can be forged."""
    region = region_of(case.call.caller) if case.call.caller else "unknown"
    saw = f"{region}, allowed are {', '.join(sorted(case.policy.regions))}"
    return Finding(saw, None if region in case.policy.regions else Reason.REGION, "limits.regions")


def not_own_line(case: Case) -> Finding:
    """Is the caller's number one of the office's own lines? A text to it would come back as a reply."""
    is_own = case.call.caller in case.policy.own_numbers
    return Finding("a line of ours" if is_own else "not a line of ours", Reason.OWN_LINE if is_own else None)


def not_staff_nor_blocked(case: Case) -> Finding:
    """By the contacts file."""
    contact = case.policy.contact
    if case.policy.contacts_unknown:
        return Finding("the contacts are not known", None, "contacts.file")
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


def contacts_known(case: Case) -> Finding:
    """Who may be blocked or staff is not texted; the text waits for the contacts file as long as it may be late."""
    why, key = case.policy.contacts_unknown, "contacts.file"
    if not why or case.is_released:
        return Finding("released by a person" if why else "nothing is missing", None, key)
    until = _owed_since(case) + case.policy.line.text.expires
    if case.now >= until:
        return Finding(f"{why}; it is too late to wait for it", None, key)
    return Finding(f"{why}; waits for it until {_clock(until, case)}", Reason.CONTACTS_UNKNOWN, key, is_hold=True, until=until)


def variant_sends(case: Case) -> Finding:
    """`send = false` of the variant that applies."""
    index, hours = case.variant, case.policy.hours
    unknown = f"; days off of {', '.join(hours.unknown)} are not known" if hours and hours.unknown else ""
    if index is None:
        return Finding(f"the line's own message{unknown}", None, case.key("text.message"))
    variant = case.policy.line.text.variant[index]
    saw = f"variant {index + 1} ({in_words(variant)}){unknown}"
    return Finding(saw, None if variant.send else Reason.VARIANT_OFF, case.key(f"text.variant.{index + 1}"))


def not_texted_lately(case: Case) -> Finding:
    """`once_per`; a variant for the caller's second missed call is meant for those who had the first text."""
    line, last, same = case.policy.line, case.history.last_text_at, case.history.same_call
    if same is not None and same.texted_at is not None:
        when = "a text waits until" if same.texted_at > case.now else "texted at"
        saw = f"same call as {same.first}, {when} {_clock(same.texted_at, case)}"
        return Finding(saw, Reason.ALREADY_TEXTED, case.key("same_call_within"))
    key = case.key("text.once_per")
    if last is None:
        return Finding("never texted from this line", None, key)
    when = "a text waits until" if last > case.now else "last text at"
    saw = f"{when} {_clock(last, case)}, once per {_once_per(line.text.once_per)}"
    if case.variant is not None and is_for_a_later_call(case):
        return Finding(
            f"{saw}, and this variant is for a later call", None, case.key(f"text.variant.{case.variant + 1}.missed")
        )
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
    late = max(case.now - _owed_since(case), timedelta(0))
    is_expired = late >= expires
    is_late = is_expired or late >= timedelta(seconds=1)
    saw = f"{length(late)} late; it expires {length(expires)} after it was due" if is_late else "in time"
    return Finding(saw, Reason.EXPIRED if is_expired else None, key)


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
    if region not in case.policy.domestic_regions and traffic.today_in_region >= limits.per_region_abroad:
        return _over(f"{traffic.today_in_region} texts to {region} today", limits.per_region_abroad, "limits.per_region_abroad")
    if limits.per_minute is None and limits.per_day is None:
        return Finding("no limits are set", None, "limits")
    minute = f"{traffic.last_minute} of {limits.per_minute} in the last minute" if limits.per_minute else "no limit a minute"
    day = f"{traffic.today} of {limits.per_day} today" if limits.per_day else "no limit a day"
    return Finding(f"{minute}, {day}", None, "limits")


def waited(case: Case) -> Finding:
    """`wait`: time for the caller to get through by another way."""
    wait, key = case.policy.line.text.wait, case.key("text.wait")
    due = case.call.missed_at + wait
    if case.now >= due:
        return Finding(f"waited {length(wait)}" if wait else "no wait", None, key)
    return Finding(f"waits until {_clock(due, case)}", Reason.WAIT, key, is_hold=True, until=due)


def not_quiet(case: Case) -> Finding:
    """Quiet hours, where the caller is."""
    consent, caller = case.policy.consent, case.call.caller
    quiet = quiet_hours_for(caller, consent) if caller else None
    if caller is None or quiet is None:
        saw, key = why_never_quiet(consent, region_of(caller) if caller else "unknown")
        return Finding(saw, None, key)
    zones = zones_for(caller, case.policy.home, case.now)
    until = quiet_until(case.now, quiet, zones)
    shown = ", ".join(f"{local(case.now, name):%H:%M} in {name}" for name in zones[:3]) + (" …" if len(zones) > 3 else "")
    span = f"{quiet.start:%H:%M} to {quiet.end:%H:%M}" + ("" if consent.quiet_hours else f" in {region_of(caller)}")
    if until is None:
        return Finding(f"it is {shown}; quiet from {span}", None, "consent.quiet_hours")
    is_hold = consent.when_quiet == "hold"
    saw = f"quiet from {span}: it is {shown}" + (
        f"; until {_clock(until, case)} in {case.policy.line.timezone}" if is_hold else ""
    )
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
    contacts_known,
    variant_sends,
    not_texted_lately,
    replied_before,
    in_time,
    below_limits,
    waited,
    not_quiet,
)
"""Every rule, in the order in which they are looked at."""


def _owed_since(case: Case) -> datetime:
    return case.owed_since or case.call.missed_at + case.policy.line.text.wait


def _over(saw: str, limit: int, key: str) -> Finding:
    return Finding(f"{saw}, the limit is {limit}", Reason.LIMIT, key, is_hold=True)


def _once_per(value: str | timedelta) -> str:
    return value if isinstance(value, str) else length(value)


def _clock(instant: datetime, case: Case) -> str:
    return f"{local(instant, case.policy.line.timezone):%Y-%m-%d %H:%M %Z}"
