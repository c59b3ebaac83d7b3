"""Every rule, every order that matters, and what must never happen."""

from dataclasses import replace
from datetime import UTC, date, datetime, time, timedelta
from time import perf_counter
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from config.model import E164, Consent, Limits, Line, LineText, Span, Variant
from gateway.core.call import MISSED, Call, Outcome
from gateway.core.case import Case, Contact, History, Policy, SameCall, Traffic, Twin
from gateway.core.decision import Decision, Hold, Send, Skip
from gateway.core.decision import decide as decide_case
from gateway.core.hours import OfficeHours, Standing, standing
from gateway.core.reason import IN_WORDS, Reason
from gateway.core.rules import RULES
from gateway.core.variants import chosen

NOW = datetime(2026, 11, 23, 18, 0, tzinfo=UTC)
CALLER = E164("+14155550123")


def line(**text: Any) -> Line:
    """A line in Chicago."""
    return Line(
        name="front",
        number=E164("+14155550100"),
        timezone="America/Chicago",
        trunks=("pbx",),
        sms=("spool",),
        sender="+14155550100",
        min_ring=timedelta(seconds=3),
        text=LineText(**text),
    )


def call(**changes: Any) -> Call:
    """A missed call from a mobile."""
    good = Call(
        caller=CALLER,
        caller_as_sent=str(CALLER),
        outcome=Outcome.NO_ANSWER,
        arrived_at=NOW - timedelta(seconds=20),
        rang=timedelta(seconds=20),
        missed_at=NOW,
    )
    return replace(good, **changes)


SAME = SameCall(first="812", rang=timedelta(seconds=20))
LIMITS = Limits(per_minute=10, per_day=100)


def policy(of: Line | None = None) -> Policy:
    """One line, the US."""
    own = frozenset({E164("+14155550100"), E164("+14155550105")})
    never_quiet = Consent(quiet_hours="off")
    return Policy(
        line=of or line(), own_numbers=own, regions=frozenset({"US"}), home_region="US", limits=LIMITS, consent=never_quiet
    )


def decide(
    of: Call, history: History, at: Policy, now: datetime, traffic: Traffic | None = None, owed_since: datetime | None = None
) -> Decision:
    """A decision about one call."""
    traffic = traffic or Traffic()
    return decide_case(Case(call=of, history=history, traffic=traffic, policy=at, now=now, owed_since=owed_since))


def texted(ago: timedelta) -> History:
    """A caller who was texted so long ago."""
    return History(last_text_at=NOW - ago)


OPTED_OUT = History(opted_out_at=NOW - timedelta(days=900))
SHORT = {"outcome": Outcome.ABANDONED, "rang": timedelta(seconds=2.9)}


def reason(of: Call, history: History = History(), at: Policy | None = None, now: datetime = NOW) -> str:  # noqa: B008
    """The reason of a decision."""
    return decide(of, history, at or policy(), now).reason.value


@pytest.mark.parametrize(
    ("changes", "expected"),
    [
        ({}, "missed_call"),
        ({"outcome": Outcome.ABANDONED}, "missed_call"),
        ({"outcome": Outcome.BUSY, "rang": timedelta(0)}, "missed_call"),
        ({"outcome": Outcome.INTERRUPTED, "rang": timedelta(0)}, "missed_call"),
        ({"outcome": Outcome.ANSWERED_ELSEWHERE}, "not_missed"),
        ({"outcome": Outcome.ANSWERED_HERE}, "not_missed"),
        ({"outcome": Outcome.REFUSED}, "not_missed"),
        (SHORT, "too_short"),
        ({**SHORT, "rang": timedelta(seconds=3)}, "missed_call"),
        ({"caller": None, "caller_as_sent": None}, "withheld"),
        ({"caller": None, "caller_as_sent": "1001"}, "not_a_number"),
        ({"caller": E164("+18005550199"), "caller_as_sent": "x"}, "number_kind"),
        ({"caller": E164("+19005550199"), "caller_as_sent": "x"}, "number_kind"),
        ({"caller": E164("+15002345678")}, "number_kind"),  # personal
        ({"caller": E164("+447012345678")}, "number_kind"),  # personal: looks like a mobile, is billed like premium rate
        ({"caller": E164("+447640123456")}, "number_kind"),  # pager
        ({"caller": E164("+448431234567")}, "number_kind"),  # shared cost
        ({"caller": E164("+49177991234567")}, "number_kind"),  # voicemail of a mobile
        ({"caller": E164("+442079460018")}, "landline"),
        ({"caller": E164("+493012345678")}, "landline"),
        ({"caller": E164("+33123456789")}, "landline"),
        ({"caller": E164("+61299991234")}, "landline"),
        ({"caller": E164("+18764567890")}, "region"),
        ({"caller": E164("+447400123456")}, "region"),
        ({"caller": E164("+541123456789")}, "region"),  # an Argentine mobile too is shown without its 9
        ({"caller": E164("+4532123456")}, "region"),  # Danish plans do not tell
        ({"caller": E164("+14155550105")}, "own_line"),
    ],
)
def test_calls(changes: dict[str, Any], expected: str) -> None:
    assert reason(call(**changes)) == expected


@pytest.mark.parametrize(
    ("once_per", "ago", "expected"),
    [
        ("call", timedelta(seconds=1), "missed_call"),
        ("20m", timedelta(minutes=19, seconds=59), "already_texted"),
        ("20m", timedelta(minutes=20), "missed_call"),
        ("20m", timedelta(minutes=-5), "already_texted"),
        ("day", timedelta(hours=11, minutes=59), "already_texted"),
        ("day", timedelta(hours=12, seconds=1), "missed_call"),
        ("day", timedelta(hours=-20), "already_texted"),
    ],
)
def test_once_per(once_per: str, ago: timedelta, expected: str) -> None:
    """18:00 UTC is noon in Chicago: the local day began 12 hours ago."""
    assert reason(call(), texted(ago), policy(line(once_per=once_per))) == expected


def test_local_day_ends_at_local_midnight() -> None:
    at = policy(line(once_per="day"))
    late = datetime(2026, 11, 24, 5, 50, tzinfo=UTC)  # 23:50 on the 23rd in Chicago
    before = History(last_text_at=late)
    assert reason(call(), before, at, late + timedelta(minutes=5)) == "already_texted"
    tomorrow = late + timedelta(minutes=15)
    assert reason(call(missed_at=tomorrow), before, at, tomorrow) == "missed_call"


QUIET_NOW = "09:00-11:00"  # it is 10:00 in Los Angeles, where the caller is
STAFF = Contact(name="Sam", group="staff")
BREAKS: tuple[tuple[str, dict[str, Any]], ...] = (
    ("line_off", {"text": {"enabled": False}}),
    ("not_missed", {"call": {"outcome": Outcome.ANSWERED_ELSEWHERE}}),
    ("duplicate", {"history": {"twin": Twin.DECIDED}}),
    ("withheld", {"call": {"caller": None, "caller_as_sent": None}}),
    ("landline", {"call": {"caller": E164("+442079460018")}}),
    ("region", {"call": {"caller": E164("+447400123456")}}),
    ("staff", {"policy": {"contact": STAFF}}),
    ("undeliverable", {"history": {"undeliverable_at": NOW}}),
    ("attestation", {"call": {"verstat": "TN-Validation-Failed"}}),
    ("opted_out", {"history": {"opted_out_at": NOW}}),
    ("resolved", {"history": {"reached_at": NOW}}),
    ("variant_off", {"text": {"variant": ({"outcome": "no_answer", "send": False},)}}),
    ("already_texted", {"history": {"last_text_at": NOW}}),
    ("never_replied", {"history": {"last_text_at": NOW - timedelta(days=9)}, "text": {"repeat_after_no_reply": False}}),
    ("expired", {"call": {"missed_at": NOW - timedelta(minutes=20)}}),
    ("limit", {"traffic": {"today": 100}}),
    ("wait", {"text": {"wait": "5m"}}),
    ("quiet_hours", {"policy": {"consent": Consent(quiet_hours=QUIET_NOW)}}),
)
"""Each rule's reason in the order of the rules, with what makes it speak up."""


def merged(first: dict[str, Any], second: dict[str, Any]) -> dict[str, dict[str, Any]]:
    """Both breaks at once; where they want different things of one value, the earlier rule's."""
    return {part: {**second.get(part, {}), **first.get(part, {})} for part in ("call", "history", "text", "policy", "traffic")}


@pytest.mark.parametrize("second", range(len(BREAKS)))
@pytest.mark.parametrize("first", range(len(BREAKS)))
def test_the_earlier_rule_names_the_reason(first: int, second: int) -> None:
    if first > second:
        first, second = second, first
    broken = merged(BREAKS[first][1], BREAKS[second][1])
    at = replace(policy(line(**{"once_per": "day", **broken["text"]})), **broken["policy"])
    decision = decide(call(**broken["call"]), History(**broken["history"]), at, NOW, Traffic(**broken["traffic"]))
    assert decision.reason.value == BREAKS[first][0]


def test_trace_ends_with_the_rule_that_stopped_it() -> None:
    decision = decide(call(), OPTED_OUT, policy(), NOW)
    assert isinstance(decision, Skip)
    assert [entry.rule for entry in decision.trace] == [rule.__name__ for rule in RULES][: len(decision.trace)]
    assert [entry.verdict for entry in decision.trace] == ["pass"] * (len(decision.trace) - 1) + ["opted_out"]
    assert decision.trace[0].config == "line.front.text.enabled"


def test_send_looks_at_every_rule() -> None:
    decision = decide(call(), History(), policy(), NOW)
    assert isinstance(decision, Send)
    assert len(decision.trace) == len(RULES)


def test_every_reason_has_words() -> None:
    assert set(IN_WORDS) == set(Reason)


def variant(**values: Any) -> Variant:
    """A variant that says its conditions."""
    return Variant(**{"message": "other", **values})


OFFICE = OfficeHours(name="office", week=((Span(start=time(8), end=time(17)),),) * 7, days_off=frozenset({date(2026, 11, 26)}))
EVENING = datetime(2026, 11, 24, 2, 0, tzinfo=UTC)  # 20:00 on the 23rd in Chicago
THANKSGIVING = datetime(2026, 11, 26, 18, 0, tzinfo=UTC)


def which(
    variants: tuple[Variant, ...], at: Policy | None = None, now: datetime = NOW, of: Call | None = None, **history: Any
) -> Any:
    """Which variant a call gets: its index, None for the line's message, or the reason that stops it."""
    own = replace(at or policy(), line=line(variant=variants, once_per="day"))
    decision = decide(of or call(missed_at=now, arrived_at=now), History(**history), own, now)
    return decision.variant if isinstance(decision, Send) else decision.reason.value


def test_variants_first_match_wins() -> None:
    closed, holiday = variant(hours="closed"), variant(hours="holiday")
    office = replace(policy(), hours=OFFICE)
    assert which((closed, holiday), office) is None
    assert which((closed, holiday), office, EVENING) == 0
    assert which((closed, holiday), office, THANKSGIVING) == 0
    assert which((holiday, closed), office, THANKSGIVING) == 0
    assert which((holiday, closed), office, EVENING) == 1
    assert which((variant(hours="open"),), office) == 0
    assert which((variant(hours="open"), closed, holiday)) is None  # a line without hours is neither


def test_variants_other_conditions() -> None:
    assert which((variant(days="mon"),)) == 0
    assert which((variant(days="tue"),)) is None
    assert which((variant(between="12:00-13:00"),)) == 0
    assert which((variant(between="22:00-12:00"),)) is None
    assert which((variant(outcome="busy"),), of=call(outcome=Outcome.BUSY)) == 0
    assert which((variant(outcome="busy"),)) is None
    assert which((variant(caller="new"),)) == 0
    vip = replace(policy(), contact=Contact(name="V", group="vip"))
    assert which((variant(caller="vip"),), vip) == 0
    assert which((variant(caller="known"),), vip) == 0
    assert which((variant(caller="new"),), vip) is None
    assert which((variant(outcome="busy", caller="new"),)) is None
    assert which((variant(message=None, send=False),)) == "variant_off"


def local(text: str) -> datetime:
    """A time on the wall in Chicago as an instant."""
    return datetime.fromisoformat(text).replace(tzinfo=ZoneInfo("America/Chicago")).astimezone(UTC)


@pytest.mark.parametrize(
    ("conditions", "now", "is_chosen"),
    [
        ({"days": "fri", "between": "22:00-02:00"}, "2026-11-27T21:59", False),
        ({"days": "fri", "between": "22:00-02:00"}, "2026-11-27T22:00", True),
        ({"days": "fri", "between": "22:00-02:00"}, "2026-11-28T01:59", True),  # Friday's night
        ({"days": "fri", "between": "22:00-02:00"}, "2026-11-28T02:00", False),
        ({"days": "fri", "between": "22:00-02:00"}, "2026-11-27T01:00", False),  # Thursday's night
        ({"days": "fri", "between": "22:00-02:00"}, "2026-11-28T23:00", False),
        ({"days": "mon-sun", "between": "22:00-02:00"}, "2026-11-28T01:00", True),
        ({"between": "22:00-02:00"}, "2026-11-28T01:00", True),
        ({"between": "22:00-02:00"}, "2026-11-28T12:00", False),
        ({"days": "fri"}, "2026-11-28T01:00", False),
        ({"days": "fri"}, "2026-11-27T00:00", True),
        ({"days": "fri", "between": "09:00-12:00"}, "2026-11-27T09:00", True),
        ({"days": "fri", "between": "09:00-12:00"}, "2026-11-28T09:00", False),
        ({"days": "sat", "between": "23:30-02:30"}, "2026-11-01T01:59", True),  # the first of two
        ({"days": "sat", "between": "23:30-02:30"}, "2027-03-14T01:59", True),  # the next minute is 3:00
        (
            {"days": "sat", "between": "23:30-02:30"},
            "2027-03-14T03:00",
            True,
        ),  # half past two, by the clock from before, is 3:30
        ({"days": "sat", "between": "23:30-02:30"}, "2027-03-14T03:30", False),
    ],
)
def test_span_of_a_variant_is_of_the_day_on_which_it_starts(conditions: dict[str, str], now: str, is_chosen: bool) -> None:
    assert which((variant(**conditions),), now=local(now)) == (0 if is_chosen else None)


WEEKDAYS = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")
CLOCKS = st.builds("{:02}:{:02}".format, st.integers(0, 23), st.sampled_from([0, 30]))


@given(
    st.sets(st.sampled_from(range(7)), min_size=1),
    st.tuples(CLOCKS, CLOCKS).filter(lambda clocks: clocks[0] != clocks[1]),
    st.datetimes(datetime(2026, 1, 1), datetime(2028, 1, 1), timezones=st.just(UTC)),  # noqa: DTZ001
)
def test_span_of_a_variant_is_what_the_same_hours_are(days: set[int], clocks: tuple[str, str], now: datetime) -> None:
    """Days and a span as conditions hold exactly while an office with these hours is open."""
    start, end = clocks
    span = Span(start=time.fromisoformat(start), end=time.fromisoformat(end))
    hours = OfficeHours(name="x", week=tuple((span,) if day in days else () for day in range(7)))
    of = Case(
        call=call(),
        history=History(),
        traffic=Traffic(),
        policy=policy(line(variant=(variant(days=",".join(WEEKDAYS[day] for day in days), between=f"{start}-{end}"),))),
        now=now,
    )
    assert (chosen(of) == 0) == (standing(hours, now, "America/Chicago") is Standing.OPEN)


def test_second_call_has_its_own_message_once() -> None:
    second = (variant(missed=2),)
    before = {"last_text_at": NOW - timedelta(minutes=5)}
    assert which(second) is None
    assert which(second, missed_at=(NOW - timedelta(minutes=5),), **before) == 0
    assert which(second, missed_at=(NOW - timedelta(minutes=9), NOW - timedelta(minutes=5)), **before) == "already_texted"
    assert which(second, missed_at=(NOW - timedelta(days=2),)) is None


@pytest.mark.parametrize(
    ("history", "changes", "text", "expected"),
    [
        ({"twin": Twin.RINGS}, {}, {}, "duplicate"),
        ({"twin": Twin.DECIDED}, {}, {}, "duplicate"),
        ({"twin": Twin.RINGS_AGAIN}, {}, {}, "duplicate"),
        ({"same_call": SAME}, {"outcome": Outcome.ABANDONED, "rang": timedelta(seconds=1)}, {}, "missed_call"),
        (
            {"same_call": replace(SAME, rang=timedelta(seconds=1))},
            {"outcome": Outcome.ABANDONED, "rang": timedelta(seconds=1)},
            {},
            "too_short",
        ),
        ({"same_call": SAME}, {}, {"once_per": "call"}, "missed_call"),
        ({"same_call": replace(SAME, texted_at=NOW)}, {}, {"once_per": "call"}, "already_texted"),
        ({"same_call": replace(SAME, texted_at=NOW)}, {}, {"once_per": "day"}, "already_texted"),
        ({"reached_at": NOW}, {}, {}, "resolved"),
        ({"reached_at": NOW - timedelta(hours=1)}, {}, {}, "missed_call"),
        ({"last_text_at": NOW - timedelta(days=9)}, {}, {"repeat_after_no_reply": False}, "never_replied"),
        (
            {"last_text_at": NOW - timedelta(days=9), "last_reply_at": NOW - timedelta(days=8)},
            {},
            {"repeat_after_no_reply": False},
            "missed_call",
        ),
        ({}, {"caller": E164("+442079460018")}, {}, "landline"),
        ({"last_reply_at": NOW - timedelta(days=8)}, {"caller": E164("+442079460018")}, {}, "region"),  # it does take texts
        ({}, {"verstat": "TN-Validation-Failed"}, {}, "attestation"),
        ({}, {"verstat": "No-TN-Validation"}, {}, "missed_call"),
    ],
)
def test_histories(history: dict[str, Any], changes: dict[str, Any], text: dict[str, Any], expected: str) -> None:
    assert reason(call(**changes), History(**history), policy(line(**text))) == expected


@pytest.mark.parametrize(
    ("group", "expected"), [("staff", "staff"), ("blocked", "blocked"), ("vip", "missed_call"), ("", "missed_call")]
)
def test_contacts(group: str, expected: str) -> None:
    assert reason(call(), at=replace(policy(), contact=Contact(name="X", group=group))) == expected


@pytest.mark.parametrize("outcome", Outcome)
def test_every_call_on_a_line_of_missed_calls_is_missed_that_nobody_took(outcome: Outcome) -> None:
    forwarded = line().model_copy(update={"arrives": "missed"})
    expected = "missed_call" if outcome in MISSED else "not_missed"
    assert reason(call(outcome=outcome, rang=timedelta(0)), at=policy(forwarded)) == expected


def test_wait_holds_until_its_end() -> None:
    at = policy(line(wait="5m"))
    held = decide(call(), History(), at, NOW)
    assert isinstance(held, Hold)
    assert (held.until, held.reason) == (NOW + timedelta(minutes=5), Reason.WAIT)
    assert isinstance(decide(call(), History(), at, NOW + timedelta(minutes=5)), Send)
    assert reason(call(), History(reached_at=NOW + timedelta(minutes=1)), at, NOW + timedelta(minutes=5)) == "resolved"


def test_quiet_hours_hold_or_skip_where_the_caller_is() -> None:
    night = datetime(2026, 11, 24, 5, 30, tzinfo=UTC)  # 21:30 in Los Angeles, where 415 is
    for when_quiet, kind in (("hold", Hold), ("skip", Skip), ("send", Send)):
        at = replace(policy(), consent=Consent(quiet_hours="21:00-08:00", when_quiet=when_quiet))  # type: ignore[arg-type]
        decision = decide(call(missed_at=night), History(), at, night)
        assert isinstance(decision, kind)
        if isinstance(decision, Hold):
            assert decision.until == datetime(2026, 11, 24, 16, 0, tzinfo=UTC)


@pytest.mark.parametrize(
    ("traffic", "expected"),
    [
        (Traffic(last_minute=9, today=99), "missed_call"),
        (Traffic(last_minute=10), "limit"),
        (Traffic(today=100), "limit"),
        (Traffic(today_in_region=50), "missed_call"),
    ],
)
def test_limits_hold_for_a_person(traffic: Traffic, expected: str) -> None:
    decision = decide(call(), History(), policy(), NOW, traffic)
    assert decision.reason.value == expected
    if isinstance(decision, Hold):
        assert decision.until is None
        released = Case(call=call(), history=History(), traffic=traffic, policy=policy(), now=NOW, is_released=True)
        assert isinstance(decide_case(released), Send)


def test_limit_abroad() -> None:
    abroad = replace(policy(), regions=frozenset({"US", "GB"}))
    english = call(caller=E164("+447400123456"))
    assert decide(english, History(), abroad, NOW, Traffic(today_in_region=4)).reason is Reason.MISSED_CALL
    assert decide(english, History(), abroad, NOW, Traffic(today_in_region=5)).reason is Reason.LIMIT


def test_attestation_that_is_required() -> None:
    at = replace(policy(), limits=Limits(require_attestation=("A", "B")))
    assert isinstance(decide(call(verstat="TN-Validation-Passed-A"), History(), at, NOW), Send)
    for verdict in ("TN-Validation-Passed-C", ""):
        held = decide(call(verstat=verdict), History(), at, NOW)
        assert isinstance(held, Hold)
        assert held.reason is Reason.ATTESTATION


def test_decision_is_fast_with_a_long_history() -> None:
    """A thousand earlier calls of one caller; seen: 40 to 60 microseconds. Ten times that would be wrong."""
    many = tuple(NOW - timedelta(minutes=n) for n in range(1000, 0, -1))
    history = History(missed_at=many, last_text_at=NOW - timedelta(days=2))
    at = replace(policy(line(variant=(variant(missed=2), variant(missed=3)))), hours=OFFICE)
    began = perf_counter()
    for _ in range(500):
        decide(call(), history, at, NOW)
    assert (perf_counter() - began) / 500 < 0.002


CALLS = st.builds(
    Call,
    caller=st.sampled_from(
        [None, *map(E164, (CALLER, "+18005550199", "+14155550105", "+442079460018", "+447400123456", "+15002345678"))]
    ),
    caller_as_sent=st.sampled_from([None, "+14155550123"]),
    outcome=st.sampled_from(Outcome),
    arrived_at=st.just(NOW),
    rang=st.timedeltas(timedelta(0), timedelta(seconds=60)),
    missed_at=st.just(NOW),
)
INSTANTS = st.datetimes(datetime(2026, 1, 1), datetime(2028, 1, 1), timezones=st.just(UTC))  # noqa: DTZ001
HISTORIES = st.builds(
    History,
    last_text_at=st.none() | INSTANTS,
    variants_texted=st.sampled_from([frozenset(), frozenset({0})]),
    is_overtaken=st.booleans(),
    missed_at=st.lists(INSTANTS, max_size=3).map(lambda found: tuple(sorted(found))),
    opted_out_at=st.none() | INSTANTS,
    reached_at=st.none() | INSTANTS,
    twin=st.sampled_from([None, *Twin]),
)
LINES = st.builds(
    line,
    enabled=st.booleans(),
    once_per=st.sampled_from(["call", "day", "20m", "24h"]),
    variant=st.sampled_from(
        [(), (variant(missed=2),), (variant(days="fri", between="22:00-02:00", send=False, message=None),)]
    ),
)
CONTACTS = st.none() | st.builds(Contact, group=st.sampled_from(["", "staff", "blocked", "vip"]))
CONSENTS = st.sampled_from(
    [
        Consent(),
        Consent(quiet_hours="off"),
        Consent(quiet_hours="21:00-08:00"),
        Consent(quiet_hours="21:00-08:00", when_quiet="skip"),
    ]
)
TRAFFIC = st.builds(Traffic, last_minute=st.integers(0, 12), today=st.integers(0, 120))


@given(CALLS, HISTORIES, LINES, INSTANTS, CONTACTS, CONSENTS, TRAFFIC)
def test_never(
    of: Call, history: History, at: Line, now: datetime, contact: Contact | None, consent: Consent, traffic: Traffic
) -> None:
    """Never to somebody who was answered, reached, withheld, opted out, staff, blocked, switched off, or texted within the time;
    never in quiet hours, never beyond the limits, never twice for one call."""
    decision = decide(of, history, replace(policy(at), contact=contact, consent=consent), now, traffic, owed_since=now)
    if not isinstance(decision, Send):
        assert decision.reason is not Reason.MISSED_CALL
        return
    assert history.twin is None
    assert history.reached_at is None or history.reached_at < of.arrived_at
    assert contact is None or contact.group not in ("staff", "blocked")
    assert consent.quiet_hours == "off" or 8 <= now.astimezone(ZoneInfo("America/Los_Angeles")).hour < 21
    assert (traffic.last_minute, traffic.today) < (10, 100)
    assert traffic.today < 100
    assert of.outcome in MISSED
    assert of.caller == CALLER
    assert of.caller_as_sent is not None
    assert history.opted_out_at is None
    assert at.text.enabled
    if history.last_text_at and isinstance(at.text.once_per, timedelta) and now - history.last_text_at < at.text.once_per:
        assert decision.variant is not None
        assert at.text.variant[decision.variant].missed == 2
        assert not history.variants_texted
        assert not history.is_overtaken
    friday_began = (now - timedelta(hours=22)).astimezone(ZoneInfo("America/Chicago"))
    if at.text.variant and not at.text.variant[0].send:
        assert not (friday_began.weekday() == 4 and friday_began.hour < 4)


@given(CALLS, HISTORIES, LINES, INSTANTS, CONSENTS)
def test_trace_says_what_was_decided(of: Call, history: History, at: Line, now: datetime, consent: Consent) -> None:
    """Whatever the case: the rules in order, each passed but the one that spoke up, which is the last and gives the reason."""
    decision = decide(of, history, replace(policy(at), consent=consent), now, owed_since=now)
    verdicts = [entry.verdict for entry in decision.trace]
    assert [entry.rule for entry in decision.trace] == [rule.__name__ for rule in RULES][: len(verdicts)]
    if isinstance(decision, Send):
        assert verdicts == ["pass"] * len(RULES)
    else:
        assert verdicts == ["pass"] * (len(verdicts) - 1) + [decision.reason.value]


@pytest.mark.parametrize(
    ("owed", "expected"),
    [
        ({"of": {"missed_at": NOW - timedelta(minutes=14, seconds=59)}}, "missed_call"),
        ({"of": {"missed_at": NOW - timedelta(minutes=15)}}, "expired"),
        ({"of": {"missed_at": NOW - timedelta(days=3)}}, "expired"),
        ({"of": {"missed_at": NOW - timedelta(hours=12)}, "owed_since": NOW}, "missed_call"),  # held over night
        ({"of": {"missed_at": NOW - timedelta(days=4)}, "owed_since": NOW - timedelta(days=3)}, "expired"),
        ({"of": {"missed_at": NOW - timedelta(minutes=16)}, "text": {"wait": "5m"}}, "missed_call"),
        ({"of": {"missed_at": NOW - timedelta(minutes=20)}, "text": {"wait": "5m"}}, "expired"),
        ({"of": {"missed_at": NOW + timedelta(hours=1)}}, "wait"),  # the clock was set back
    ],
)
def test_text_is_not_decided_after_its_time(owed: dict[str, Any], expected: str) -> None:
    """`expires` is 15 minutes and counts from when the text was due: after the wait, or when its hold ended."""
    at = policy(line(**owed.get("text", {})))
    assert decide(call(**owed["of"]), History(), at, NOW, owed_since=owed.get("owed_since")).reason.value == expected
    released = Case(call=call(**owed["of"]), history=History(), traffic=Traffic(), policy=at, now=NOW, is_released=True)
    assert decide_case(released).reason.value in ("missed_call", "wait")
