"""Numbers, merge fields, opt-out words, a text's life."""

from datetime import UTC, datetime

import phonenumbers
import pytest
from hypothesis import given
from hypothesis import strategies as st

from config.model import E164, Line
from gateway.core.consent import Wish, wish
from gateway.core.delivery import COUNTS_AS_TEXTED, TABLE, TextEvent, TextState, after
from gateway.core.phone import kind_never_texted, masked, read_number, readings, region_of, written_for
from gateway.core.template import clock, merge_fields, render, weekday


@pytest.mark.parametrize(
    ("as_sent", "region", "number"),
    [
        ("+14155550123", "US", "+14155550123"),
        ("14155550123", "US", "+14155550123"),
        ("4155550123", "US", "+14155550123"),
        ("(415) 555-0123", "US", "+14155550123"),
        ("011442079460018", "US", "+442079460018"),
        ("0044 20 7946 0018", "GB", "+442079460018"),
        ("02079460018", "GB", "+442079460018"),
        ("442079460018", "GB", "+442079460018"),
        ("1001", "US", None),
        ("266696687", "US", None),
        ("anonymous", "US", None),
        ("", "US", None),
        ("911", "US", None),
        ("+999123456789", "US", None),
        ("\ufffd\ufffd", "US", None),
    ],
)
def test_numbers_as_trunks_write_them(as_sent: str, region: str, number: str | None) -> None:
    assert read_number(as_sent, region) == number


@given(st.text(max_size=40))
def test_no_text_breaks_the_reading_of_numbers(as_sent: str) -> None:
    read_number(as_sent, "US")


def test_facts_about_numbers() -> None:
    assert [region_of(E164(n)) for n in ("+14155550123", "+16135550123", "+18764567890")] == ["US", "CA", "JM"]
    assert kind_never_texted(E164("+18005550199")) == "toll-free"
    assert kind_never_texted(E164("+14155550123")) is None
    assert written_for(E164("+14155550100"), E164("+14155550123")) == "(415) 555-0100"
    assert written_for(E164("+14155550100"), E164("+442079460018")) == "+1 415-555-0100"
    assert "5550123" not in masked("+14155550123")
    assert masked(None) == "withheld"
    assert masked("+14155550100") == "+1415•••0100"
    for number in ("+4930123456", "0301234567", "4155550123", "5550123", "911", "+493012345678901"):
        head, _, tail = masked(number).partition("•••")
        assert number.startswith(head)
        assert number.endswith(tail)
        assert len(number) - len(head) - len(tail) >= min(3, len(number) - 2), number


NEVER_TEXTED = {
    name: getattr(phonenumbers.PhoneNumberType, name)
    for name in ("FIXED_LINE", "TOLL_FREE", "PREMIUM_RATE", "SHARED_COST", "PERSONAL_NUMBER", "PAGER", "UAN", "VOICEMAIL")
}


@pytest.mark.parametrize("kind", NEVER_TEXTED)
def test_kinds_that_take_no_texts_in_every_country(kind: str) -> None:
    """Where the plan tells them apart from mobiles; a mobile is always texted."""
    found = 0
    for region in phonenumbers.SUPPORTED_REGIONS:
        example = phonenumbers.example_number_for_type(region, NEVER_TEXTED[kind])
        if example is None or phonenumbers.number_type(example) != NEVER_TEXTED[kind]:
            continue
        number = E164(phonenumbers.format_number(example, phonenumbers.PhoneNumberFormat.E164))
        found += 1
        assert (kind_never_texted(number) is None) == (kind == "FIXED_LINE" and region == "AR"), number
    assert found > 1


def test_mobiles_of_every_country_are_texted() -> None:
    for region in phonenumbers.SUPPORTED_REGIONS:
        example = phonenumbers.example_number_for_type(region, phonenumbers.PhoneNumberType.MOBILE)
        if example is not None:
            assert kind_never_texted(E164(phonenumbers.format_number(example, phonenumbers.PhoneNumberFormat.E164))) is None


@pytest.mark.parametrize(
    ("message", "text"),
    [
        ("Hi {contact|there}!", "Hi there!"),
        ("Hi {contact}, I am {staff}", "Hi , I am Mike"),
        ("{staff} {contact} at {business}", "Mike at {number}"),
        ("{ staff }", "Mike"),
        ("no fields  stay", "no fields  stay"),
    ],
)
def test_merge_fields(message: str, text: str) -> None:
    fields = {"staff": "Mike", "business": "{number}", "contact": "", "number": "1"}
    assert render(message, fields) == text


def test_what_the_fields_say() -> None:
    line = Line(
        name="front", number="+14155550100", timezone="America/Chicago", trunks=("pbx",), sms=("spool",), sender="+14155550100",
        business="ABC",
    )  # fmt: skip
    fields = merge_fields(
        line,
        caller=E164("+14155550123"),
        called_at=datetime(2026, 11, 23, 20, 5, tzinfo=UTC),
        region="US",
    )
    assert (fields["time"], fields["day"], fields["number"]) == ("2:05 PM", "Monday", "(415) 555-0100")
    assert clock(datetime(2026, 11, 23, 0, 5, tzinfo=UTC), "Europe/Berlin", "DE") == "01:05"
    assert weekday(datetime(2026, 11, 23, 5, 59, tzinfo=UTC), "America/Chicago") == "Sunday"


@pytest.mark.parametrize(
    ("body", "expected"),
    [
        *((word, Wish.OPT_OUT) for word in ("STOP", "stop", " Stop. ", "STOP ALL", "stopall", "UNSUBSCRIBE", "End", "quit!")),
        *((word, Wish.OPT_OUT) for word in ("CANCEL", "revoke", "opt-out", "OPT OUT", "Remove", "arrêt", "TD", "ＳＴＯＰ")),
        *((word, Wish.OPT_IN) for word in ("START", "unstop", "Yes")),
        *((word, Wish.HELP) for word in ("HELP", "info?")),
        *((word, None) for word in ("Stop by at 5?", "please call", "", "…", "don't stop", "starting")),
    ],
)
def test_words(body: str, expected: Wish | None) -> None:
    assert wish(body) is expected


FINAL = {state for state in TextState if not TABLE[state]}


@given(st.lists(st.sampled_from(TextEvent), max_size=12))
def test_a_text_that_may_have_gone_goes_back_to_the_queue_only_by_a_certain_no_or_a_person(events: list[TextEvent]) -> None:
    state = TextState.QUEUED
    for event in events:
        following = after(state, event)
        if following is TextState.QUEUED:
            certainly_not_gone = (TextState.SENDING, TextEvent.NOT_NOW), (TextState.HELD, TextEvent.RELEASED)
            assert (state, event) in (*certainly_not_gone, (TextState.UNKNOWN, TextEvent.RESENT))
        if following is TextState.HELD:
            assert (state, event) == (TextState.QUEUED, TextEvent.POSTPONED)
        if state is TextState.UNKNOWN and event is not TextEvent.RESENT:
            assert following not in (TextState.QUEUED, TextState.SENDING)
        state = following or state


def test_table_is_whole() -> None:
    assert set(TABLE) == set(TextState)
    assert {TextState.DELIVERED, TextState.REFUSED, TextState.EXPIRED, TextState.CANCELLED} == FINAL
    assert TextState.UNKNOWN in COUNTS_AS_TEXTED


@pytest.mark.parametrize(
    ("as_sent", "region", "meant"),
    [
        ("4915123456789", "DE", ("+4915123456789", "+494915123456789")),
        ("15123456789", "DE", ("+4915123456789", "+15123456789")),
        ("4155550123", "US", ("+14155550123",)),
        ("14155550123", "US", ("+14155550123",)),
        ("0014155550123", "US", ("+14155550123",)),
        ("+15123456789", "DE", ("+15123456789",)),
        ("72345", "US", ()),
        ("ABC HVAC", "US", ()),
    ],
)
def test_what_a_network_may_have_meant(as_sent: str, region: str, meant: tuple[str, ...]) -> None:
    assert readings(as_sent, region) == meant


def test_every_country_knows_its_own_mobiles_without_a_plus() -> None:
    for region in phonenumbers.SUPPORTED_REGIONS:
        example = phonenumbers.example_number_for_type(region, phonenumbers.PhoneNumberType.MOBILE)
        if example is not None:
            number = phonenumbers.format_number(example, phonenumbers.PhoneNumberFormat.E164)
            assert readings(number.removeprefix("+"), region)[0] == number
