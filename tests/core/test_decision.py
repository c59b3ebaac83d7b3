"""Every rule, every order that matters, and what must never happen."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from config.model import E164, Line, LineText
from gateway.core.call import MISSED, Call, Outcome
from gateway.core.decision import RULES, History, PastText, Policy, Send, Skip, decide
from gateway.core.reason import IN_WORDS, Reason

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
    )
    return replace(good, **changes)


def policy(of: Line | None = None) -> Policy:
    """One line, the US."""
    return Policy(
        line=of or line(), own_numbers=frozenset({E164("+14155550100"), E164("+14155550105")}), regions=frozenset({"US"})
    )


def texted(ago: timedelta) -> History:
    """A caller who was texted so long ago."""
    return History(last_text=PastText(queued_at=NOW - ago))


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
        ({"caller": E164("+18764567890")}, "region"),
        ({"caller": E164("+442079460018")}, "region"),
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
    before = History(last_text=PastText(queued_at=late))
    assert reason(call(), before, at, late + timedelta(minutes=5)) == "already_texted"
    assert reason(call(), before, at, late + timedelta(minutes=15)) == "missed_call"


BREAKS: tuple[tuple[str, dict[str, Any], dict[str, Any], dict[str, Any]], ...] = (
    ("line_off", {}, {}, {"enabled": False}),
    ("not_missed", {"outcome": Outcome.ANSWERED_ELSEWHERE}, {}, {}),
    ("withheld", {"caller": None, "caller_as_sent": None}, {}, {}),
    ("region", {"caller": E164("+442079460018")}, {}, {}),
    ("opted_out", {}, {"opted_out_at": NOW}, {}),
    ("already_texted", {}, {"last_text": PastText(queued_at=NOW)}, {}),
)


@pytest.mark.parametrize("first", range(len(BREAKS)))
@pytest.mark.parametrize("second", range(len(BREAKS)))
def test_the_earlier_rule_names_the_reason(first: int, second: int) -> None:
    names = [BREAKS[first][0], BREAKS[second][0]]
    calls, histories, texts = ({**BREAKS[first][n], **BREAKS[second][n]} for n in (1, 2, 3))
    if BREAKS[max(first, second)][1].get("caller", 0) is not BREAKS[min(first, second)][1].get("caller", 0):
        calls = {**calls, **BREAKS[min(first, second)][1]}
    at = policy(line(**{"once_per": "day", **texts}))
    found = reason(call(**calls), History(**histories), at)
    assert found == BREAKS[min(first, second)][0], names


def test_trace_ends_with_the_rule_that_stopped_it() -> None:
    decision = decide(call(), OPTED_OUT, policy(), NOW)
    assert isinstance(decision, Skip)
    assert [step.rule for step in decision.trace] == [name for name, _ in RULES][: len(decision.trace)]
    assert [step.verdict for step in decision.trace] == ["pass"] * (len(decision.trace) - 1) + ["opted_out"]
    assert decision.trace[0].config == "line.front.text.enabled"


def test_send_looks_at_every_rule() -> None:
    decision = decide(call(), History(), policy(), NOW)
    assert isinstance(decision, Send)
    assert len(decision.trace) == len(RULES)


def test_every_reason_has_words() -> None:
    assert set(IN_WORDS) == set(Reason)


CALLS = st.builds(
    Call,
    caller=st.sampled_from([None, CALLER, E164("+18005550199"), E164("+14155550105"), E164("+442079460018")]),
    caller_as_sent=st.sampled_from([None, "+14155550123"]),
    outcome=st.sampled_from(Outcome),
    arrived_at=st.just(NOW),
    rang=st.timedeltas(timedelta(0), timedelta(seconds=60)),
)
INSTANTS = st.datetimes(datetime(2026, 1, 1), datetime(2028, 1, 1), timezones=st.just(UTC))  # noqa: DTZ001
HISTORIES = st.builds(History, last_text=st.none() | st.builds(PastText, queued_at=INSTANTS), opted_out_at=st.none() | INSTANTS)
LINES = st.builds(line, enabled=st.booleans(), once_per=st.sampled_from(["call", "day", "20m", "24h"]))


@given(CALLS, HISTORIES, LINES, INSTANTS)
def test_never(of: Call, history: History, at: Line, now: datetime) -> None:
    """Never to somebody who was answered, withheld, opted out, switched off, or texted within the time."""
    decision = decide(of, history, policy(at), now)
    if isinstance(decision, Skip):
        assert decision.reason is not Reason.MISSED_CALL
        return
    assert of.outcome in MISSED
    assert of.caller == CALLER
    assert of.caller_as_sent is not None
    assert history.opted_out_at is None
    assert at.text.enabled
    if history.last_text and isinstance(at.text.once_per, timedelta):
        assert now - history.last_text.queued_at >= at.text.once_per


@given(CALLS, HISTORIES, LINES, INSTANTS)
def test_same_in_same_out(of: Call, history: History, at: Line, now: datetime) -> None:
    assert decide(of, history, policy(at), now) == decide(of, history, policy(at), now)
