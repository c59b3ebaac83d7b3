"""What a configuration allows and an experienced admin would not do: the warnings of `textback check`."""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from ipaddress import ip_address
from urllib.parse import urlsplit

from config import doubts, placeholders
from config.bridges import Http
from config.model import E164, QUIET_HOURS, BridgeSettings, Config, Hours, Line, Sip, Smpp
from gateway.core.consent import Wish, wish
from gateway.core.phone import domestic, region_of
from gateway.core.schedule import zone
from gateway.core.template import merge_fields, render
from gateway.core.variants import in_words
from gateway.office import calendars
from gateway.office.knowledge import Knowledge
from gateway.preview import closed_days, wording
from sip.stack.capacity import RTP_PORTS_A_CALL, SPARE_RTP_PORTS, capacity
from sip.stack.descriptors import hard_descriptor_limit
from sms.segments import Alphabet, Segmented, first_not_gsm, segment

_SHORTENER = re.compile(r"\b(bit\.ly|tinyurl\.com|t\.co|goo\.gl|ow\.ly|is\.gd|buff\.ly|rebrand\.ly|cutt\.ly)\b", re.IGNORECASE)
_LONGEST_AT = datetime(2026, 9, 23, 22, 59)  # noqa: DTZ001 — on the line's own clock
"""A Wednesday evening: the longest day's name and a time of the longest form."""
_LONGEST_OPENS = {True: "Wednesday, September 30 at 10:00 AM", False: "Wednesday, September 30 at 10:00"}
_LONGEST_CONTACT = "Maximiliana Featherstone"
RING_ON_FORWARDED = 20
_WITHOUT_NAMES = domestic("US") | {"CA"}
"""Where networks take no names as senders."""
_SENDERLESS = ("spool", "android")
"""Kinds that do not use a line's sender."""
LAST_PORT = 65535


@dataclass(frozen=True, slots=True, kw_only=True)
class Advice:
    """One warning: the dotted key that it is about, and what to think about."""

    key: str
    says: str


@dataclass(frozen=True, slots=True, kw_only=True)
class LongestMessage:
    """One message of a line at its longest."""

    key: str
    conditions: str
    cut: Segmented


def advise(config: Config, now: datetime, knowledge: Knowledge | None = None) -> tuple[Advice, ...]:
    """Every warning about a configuration that is valid, and about the files that it names."""
    found = [advice for line in config.line.values() for advice in _of_line(line, config)]
    for name, hours in config.hours.items():
        found += _of_hours(f"hours.{name}", hours)
    found += [Advice(key=key, says=says) for key, says in (*doubts.of(config), *placeholders.of(config))]
    unlimited = [name for name in ("per_minute", "per_day") if getattr(config.limits, name) is None]
    if unlimited:
        says = (
            f"no {' and no '.join(unlimited)} is set, so there is no such limit: a flood of forged callers would be texted"
            " without end; take per_minute = 10 and per_day = 100"
        )
        found.append(Advice(key="limits", says=says))
    for name, way in config.sms.items():
        found += _of_bridge(f"sms.{name}", way, config)
    found += [Advice(key=key, says=says) for key, says in wording.of_confirmations(config)]
    found += _of_quiet_hours(config)
    found += of_max_calls(config.sip, hard_descriptor_limit())
    return (*found, *_of_files(config, now, knowledge or Knowledge(tells=False)))


def messages(line: Line, config: Config) -> list[LongestMessage]:
    """Every message of a line, its fields at their longest."""
    own = [LongestMessage(key=f"line.{line.name}.text.message", conditions="", cut=_longest(line, line.text.message, config))]
    for index, variant in enumerate(line.text.variant, start=1):
        if variant.message is not None:
            key = f"line.{line.name}.text.variant.{index}"
            own.append(
                LongestMessage(key=f"{key}.message", conditions=in_words(variant), cut=_longest(line, variant.message, config))
            )
    return own


def _longest(line: Line, message: str, config: Config) -> Segmented:
    fields = merge_fields(
        line,
        caller=E164(line.number),
        called_at=_LONGEST_AT.replace(tzinfo=zone(line.timezone)),
        region=config.region,
        contact=_LONGEST_CONTACT if config.contacts else "",
        opens=_LONGEST_OPENS[config.region in ("US", "CA")] if line.hours else "",
    )
    return segment(render(message, fields))


def _of_line(line: Line, config: Config) -> Iterator[Advice]:
    key = f"line.{line.name}"
    own_key = f"{key}.text.message"
    for message in messages(line, config):
        yield from _of_message(message)
    for about, says in wording.of_line(line):
        yield Advice(key=about, says=says)
    if not line.business:
        yield Advice(key=f"{key}.business", says="is not set: carriers want texts to say who sends them (10DLC)")
    elif "{business}" not in line.text.message and line.business not in line.text.message:
        yield Advice(key=own_key, says="does not say who you are; add {business} (10DLC)")
    if not _names_opt_out(line.text.message):
        yield Advice(key=own_key, says='does not say how to opt out; add "Reply STOP to opt out."')
    if line.arrives == "missed" and line.ring_seconds > RING_ON_FORWARDED:
        says = f"over {RING_ON_FORWARDED} s on a forwarded line: the carrier's voicemail may take the call first"
        yield Advice(key=f"{key}.ring_seconds", says=says)
    if region_of(line.number) not in (config.limits.regions or (region_of(line.number),)):
        yield Advice(key="limits.regions", says=f"leaves out the country of [{key}] itself")
    yield from _of_sender(line, config)
    sends = [name for name in line.sms if config.sms[name].kind != "spool"]
    if sends and line.sender.startswith("+1") and region_of(E164(line.sender)) == "US" and not line.campaign:
        says = "is not set: texts from a US number need a registered 10DLC campaign; note its id here"
        yield Advice(key=f"{key}.campaign", says=says)


def texted_regions(config: Config) -> list[str]:
    """The countries whose callers are texted."""
    return list(config.limits.regions) or sorted({region_of(line.number) for line in config.line.values()})


def _of_sender(line: Line, config: Config) -> Iterator[Advice]:
    is_number = line.sender.startswith("+") or line.sender.isdecimal()
    if is_number or all(config.sms[name].kind in _SENDERLESS for name in line.sms):
        return
    key = f"line.{line.name}.sender"
    if _WITHOUT_NAMES.intersection(config.limits.regions or (region_of(line.number),)):
        says = f"{line.sender!r}: carriers in the US and Canada take no names as senders; leave it out, or take a number"
        yield Advice(key=key, says=says)
    elif _names_opt_out(line.text.message):
        says = f"{line.sender!r}: nobody can reply to a name, STOP neither; take a number, or name another way to opt out"
        yield Advice(key=key, says=says)


def _of_quiet_hours(config: Config) -> Iterator[Advice]:
    """`when_quiet` where it does nothing, or undoes what stands beside it."""
    consent, regions = config.consent, texted_regions(config)
    if not config.is_set("consent.when_quiet"):
        return
    if consent.when_quiet == "send":
        if consent.quiet_hours not in (None, "off"):
            yield Advice(key="consent.when_quiet", says='"send" makes quiet_hours do nothing; remove one of the two')
    elif consent.quiet_hours == "off":
        yield Advice(key="consent.when_quiet", says="does nothing: quiet_hours is off; remove one of the two")
    elif consent.quiet_hours is None and not QUIET_HOURS.keys() & set(regions):
        where = ", ".join(regions)
        says = f'does nothing: quiet_hours is not set, and no quiet hours are known for {where}; set quiet_hours = "…"'
        yield Advice(key="consent.when_quiet", says=says)


def of_max_calls(sip: Sip, limit: int) -> Iterator[Advice]:
    """A call for which there is no port or no open file would be refused unheard, so fewer are rung. `limit`: of open files."""
    ports = sip.rtp_ports
    can = capacity(ports.first, ports.last, limit)
    if can.by_descriptors < sip.max_calls:
        why = f"with at most {limit} open files (ulimit -Hn) {max(can.by_descriptors, 1)} ring at once"
        cure = "raise the hard limit where the gateway is started (systemd: LimitNOFILE)"
        yield Advice(key="sip.max_calls", says=f"is {sip.max_calls}, and {why}; {cure}")
    if can.by_ports < sip.max_calls:
        many = ports.last - ports.first + 1
        why = (
            f"rtp_ports has {many} ports, of which {SPARE_RTP_PORTS} are kept for callers who are told that it is busy, and"
            f" each call takes {RTP_PORTS_A_CALL}, so {max(can.by_ports, 1)} ring at once"
        )
        needed = ports.first + sip.max_calls * RTP_PORTS_A_CALL + SPARE_RTP_PORTS - 1
        cure = f'"{ports.first}-{needed}" would do' if needed <= LAST_PORT else "begin the range lower, or lower max_calls"
        yield Advice(key="sip.max_calls", says=f"is {sip.max_calls}, and {why}; {cure}")
    if can.by_stack < sip.max_calls:
        cure = "have script/build-pjsua2 build one, or lower max_calls"
        yield Advice(key="sip.max_calls", says=f"is {sip.max_calls}, and the SIP stack here carries {can.by_stack}; {cure}")


def _of_bridge(key: str, way: BridgeSettings, config: Config) -> Iterator[Advice]:
    """What keeps receipts and replies from coming: a STOP that nobody hears is the worst of it."""
    if isinstance(way, Smpp) and way.bind == "transmitter":
        yield Advice(key=f"{key}.bind", says="a transmitter gets no replies, so a STOP never reaches the ledger")
    if not isinstance(way, Http):
        return
    if not (way.callback_url or config.web.public_url):
        says = (
            "nobody can call us back, so there are no receipts, and a STOP is known to the provider alone; set web.public_url"
        )
        yield Advice(key=key, says=says)
    elif not any(getattr(way, name).get_secret_value() for name in way.VERIFIED_BY):
        keys = " or ".join(f"{name}_file" for name in way.VERIFIED_BY)
        yield Advice(key=key, says=f"its calls cannot be verified, so receipts and replies are refused; set {keys}")
    url = str(getattr(way, "base_url", "") or getattr(way, "url", ""))
    if url.startswith("http://") and not _is_near(urlsplit(url).hostname or ""):
        yield Advice(key=key, says=f"{url} is not encrypted: the account's secret and every text can be read on the way")


def _is_near(host: str) -> bool:
    """This machine or the office's own network."""
    try:
        return ip_address(host).is_private
    except ValueError:
        return "." not in host or host.endswith((".local", ".lan", ".internal", ".home.arpa"))


def _of_message(message: LongestMessage) -> Iterator[Advice]:
    key, cut = message.key, message.cut
    if cut.alphabet is Alphabet.UCS_2:
        culprit = first_not_gsm(cut.text) or ""
        yield Advice(key=key, says=f"{culprit!r} is not in the SMS alphabet, so a segment holds 70 characters, not 160 (UCS-2)")
    if len(cut.parts) > 1:
        shown = " / ".join(cut.parts)
        says = f"is {len(cut.parts)} segments at its longest ({len(cut.text)} characters), and is billed so: {shown}"
        yield Advice(key=key, says=says)
    if found := _SHORTENER.search(cut.text):
        yield Advice(key=key, says=f"{found[1]}: carriers filter texts with public link shorteners; write the whole address")


def _of_hours(key: str, hours: Hours) -> Iterator[Advice]:
    if not any(calendars.week_of(hours)):
        yield Advice(key=key, says="is never open")


def _of_files(config: Config, now: datetime, knowledge: Knowledge) -> Iterator[Advice]:
    """Contacts and calendars: what in them does not count."""
    calendars_now = knowledge.calendars(config, now)
    for key, says in calendars.remarks_on(calendars_now, now):
        yield Advice(key=key, says=says)
    for key, says in closed_days.remarks_on(config, calendars_now, now):
        yield Advice(key=key, says=says)
    if config.contacts is None:
        return
    people = knowledge.contacts(config)
    if people is None or people.value is None or people.why_not:
        return
    name = config.contacts.file.name
    for problem in people.value.problems:
        yield Advice(key="contacts.file", says=f"{name}:{problem.line}: {problem}")
    if not any(contact.group == "staff" for contact in people.value.by_number.values()):
        yield Advice(key="contacts.file", says="names nobody of group staff, so staff who call in are texted like customers")


def _names_opt_out(message: str) -> bool:
    return any(wish(word) is Wish.OPT_OUT for word in re.findall(r"\b[A-Z]{3,}\b", message))
