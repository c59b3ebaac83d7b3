"""`textback check` on what messages say: fields that stay empty, promises that nobody keeps, senders that cannot be."""

from pathlib import Path

import pytest

from config.load import load
from gateway.preview.advice import advise
from tests.preview.test_advice import GOOD, NOW, configured

SMPP = 'kind = "smpp"\nhost = "h"\nsystem_id = "x"'
GREETING = "{business}: sorry we missed you."
ON_THE_LINE = 'number = "+14155550100"\n'


def found(tmp_path: Path, *changes: tuple[str, str]) -> list[tuple[str, str]]:
    """What is said of a configuration that is good but for these changes."""
    text = GOOD
    for change in changes:
        assert change[0] in text
        text = text.replace(*change)
    path = configured(tmp_path, text)
    (tmp_path / "contacts.csv").write_text("+14155550199,Sam,staff\n")
    return [(advice.key, advice.says) for advice in advise(load(path), NOW)]


def variant(message: str, conditions: str = "missed = 2") -> tuple[str, str]:
    """One more variant."""
    last = 'Reply STOP to opt out."\n'
    return last, f'{last}[[line.front.text.variant]]\n{conditions}\nmessage = "{message}"\n'


@pytest.mark.parametrize(
    ("message", "key", "said"),
    [
        ("{staff} at {business}.", "message", "{staff} is empty: [line.front] has no staff"),
        ("{ staff } at {business}.", "message", "{staff} is empty"),
        ("{staff|Our team} at {business}.", "", ""),
        (
            "Hi {contact}, {business} here.",
            "message",
            "{contact} is empty for callers who are not in the contacts; write {contact|there}",
        ),
        ("Hi {contact|there}, {business} here.", "", ""),
        ("{business} opens {opens}.", "", ""),
        ("{business}: somebody has been paged.", "message", "'has been paged': nobody is told of calls yet"),
        ("{business}: We have alerted our technician.", "message", "'have alerted': nobody is told of calls yet"),
        ("{business}: Mike was notified.", "message", "'was notified': nobody is told of calls yet"),
        ("{business}: We got your voicemail.", "message", "'got your voicemail': callers cannot leave any yet"),
        ("{business}: we will see your call. We are told to be good.", "", ""),
    ],
)
def test_own_message(tmp_path: Path, message: str, key: str, said: str) -> None:
    said_of = found(tmp_path, (GREETING, message))
    assert [one for one, _ in said_of] == ([f"line.front.text.{key}"] if key else []), said_of
    assert not said or said in said_of[0][1]


def test_opening_of_a_line_without_hours(tmp_path: Path) -> None:
    ((key, says),) = found(
        tmp_path,
        (GREETING, "{business} opens {opens}."),
        ('hours = "office"\n[line', "[line"),
    )
    assert (key, says) == (
        "line.front.text.message",
        "{opens} is empty: [line.front] has no hours; set them, or leave {opens} out",
    )


@pytest.mark.parametrize(
    ("conditions", "message", "said"),
    [
        ("missed = 2", "{staff} is on the way", "{staff} is empty"),
        ("missed = 2", "Hello {contact}", "{contact} is empty"),
        ('caller = "vip"', "Hello {contact}", ""),
        ('caller = "known"', "Hello {contact}", ""),
        ('caller = "new"', "Hello {contact}", "{contact} is empty"),
        ("missed = 2", "{business}: {staff|Mike} has been paged", "nobody is told of calls yet"),
    ],
)
def test_variants(tmp_path: Path, conditions: str, message: str, said: str) -> None:
    said_of = found(tmp_path, variant(message, conditions))
    assert [key for key, _ in said_of] == (["line.front.text.variant.1.message"] if said else []), said_of
    assert not said or said in said_of[0][1]


@pytest.mark.parametrize("key", ["opt_out_reply", "opt_in_reply", "help_reply"])
@pytest.mark.parametrize("field", ["staff", "contact", "opens"])
def test_answers(tmp_path: Path, key: str, field: str) -> None:
    consent = f'[consent]\n{key} = "{{business}} {{{field}}} done"\n'
    ((at, says),) = found(tmp_path, ("[limits]", f"{consent}[limits]"))
    assert at == f"consent.{key}"
    assert says.startswith(f"{{{field}}} is empty")
    assert found(tmp_path, ("[limits]", consent.replace(f"{{{field}}}", f"{{{field}|all}}") + "[limits]")) == []


@pytest.mark.parametrize(
    ("number", "sender", "region", "said"),
    [
        ("+14155550100", "ABC HVAC", "US", "carriers in the US and Canada take no names as senders"),
        ("+16045550100", "ABC HVAC", "CA", "carriers in the US and Canada take no names as senders"),
        ("+442079460018", "ABC HVAC", "GB", "nobody can reply to a name, STOP neither"),
        ("+442079460018", "78787", "GB", ""),
        ("+442079460018", "+447400123456", "GB", ""),
    ],
)
def test_name_as_sender(tmp_path: Path, number: str, sender: str, region: str, said: str) -> None:
    changes = ((ON_THE_LINE, f'number = "{number}"\nsender = "{sender}"\n'), ('region = "US"', f'region = "{region}"'))
    said_of = found(tmp_path, *changes, ('kind = "spool"', SMPP))
    assert [key for key, _ in said_of] == (["line.front.sender"] if said else []), said_of
    assert not said or said in said_of[0][1]


def test_name_as_sender_where_some_callers_are_in_the_us(tmp_path: Path) -> None:
    changes = (
        (ON_THE_LINE, 'number = "+442079460018"\nsender = "ABC HVAC"\n'), ('region = "US"', 'region = "GB"'),
        ('kind = "spool"', SMPP), ("per_day = 100", 'per_day = 100\nregions = ["GB", "US"]'),
    )  # fmt: skip
    ((key, says),) = found(tmp_path, *changes)
    assert (key, "US and Canada" in says) == ("line.front.sender", True)


def test_name_as_sender_of_a_spool_or_a_phone_is_not_used(tmp_path: Path) -> None:
    assert found(tmp_path, (ON_THE_LINE, f'{ON_THE_LINE}sender = "ABC HVAC"\n')) == []


@pytest.mark.parametrize(
    ("region", "consent", "said"),
    [
        ("US", 'when_quiet = "hold"', ""),
        ("US", 'when_quiet = "send"', ""),
        ("US", 'quiet_hours = "off"', ""),
        ("US", 'quiet_hours = "off"\nwhen_quiet = "skip"', "does nothing: quiet_hours is off"),
        ("US", 'quiet_hours = "20:00-08:00"\nwhen_quiet = "send"', "makes quiet_hours do nothing"),
        ("GB", 'when_quiet = "hold"', "does nothing: quiet_hours is not set, and no quiet hours are known for GB"),
        ("GB", 'quiet_hours = "20:00-08:00"\nwhen_quiet = "skip"', ""),
    ],
)
def test_quiet_hours_that_do_nothing(tmp_path: Path, region: str, consent: str, said: str) -> None:
    said_of = found(
        tmp_path,
        (ON_THE_LINE, ON_THE_LINE if region == "US" else 'number = "+442079460018"\n'),
        ('region = "US"', f'region = "{region}"'),
        ("[limits]", f"[consent]\n{consent}\n[limits]"),
    )
    assert [key for key, _ in said_of] == (["consent.when_quiet"] if said else []), said_of
    assert not said or said in said_of[0][1]
