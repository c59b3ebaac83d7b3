"""Numbers as trunks write them: what each key of a trunk makes of them, and what none ever does."""

import time
from typing import Any

import phonenumbers
import pytest
from hypothesis import given
from hypothesis import strategies as st

from config.model import Trunk
from gateway.core.numbering import LONGEST, read
from gateway.core.phone import read_number


def trunk(**keys: Any) -> Trunk:
    return Trunk(name="pbx", peers=("192.0.2.10",), **keys)


LOCAL = ["NXXXXXX -> +1415"]
US = "+14155550123"


@pytest.mark.parametrize(
    ("as_sent", "region", "keys", "number", "steps"),
    [
        # --- without keys, as ever: 9 and eleven digits are India's ---
        ("914155550123", "US", {}, "+914155550123", ()),
        ("914155550123", "US", {"strip": "9"}, US, ("strip.1",)),
        ("94155550123", "US", {"strip": "9"}, US, ("strip.1",)),
        ("9 1 (415) 555-0123", "US", {"strip": "9"}, US, ("strip.1",)),
        ("9195550123", "US", {"strip": "9"}, "+19195550123", ()),
        ("9011442079460018", "US", {"strip": "9"}, "+442079460018", ("strip.1",)),
        ("+914155550123", "US", {"strip": "9"}, "+914155550123", ()),
        ("+914155550123", "US", {"strip": "+9"}, "+914155550123", ()),
        ("+9011442079460018", "US", {"strip": ["+9"]}, "+442079460018", ("strip.1",)),
        ("8014155550123", "US", {"strip": ["801", "80"]}, US, ("strip.1",)),
        ("8014155550123", "US", {"strip": ["8014", "801"]}, US, ("strip.2",)),
        ("101", "US", {"strip": "1"}, None, ()),
        # --- prefixes ---
        ("00442079460018", "US", {}, "+442079460018", ()),
        ("0011442079460018", "US", {}, None, ()),
        ("0011442079460018", "US", {"international_prefix": "0011"}, "+442079460018", ("international_prefix",)),
        ("810442079460018", "US", {"international_prefix": "810"}, "+442079460018", ("international_prefix",)),
        ("0442079460018", "US", {"international_prefix": "0"}, "+442079460018", ("international_prefix",)),
        ("4155550123", "US", {"international_prefix": "0"}, US, ()),
        ("04155550123", "US", {"national_prefix": "0", "international_prefix": "00"}, US, ("national_prefix",)),
        ("0014155550123", "US", {"national_prefix": "0", "international_prefix": "00"}, US, ("international_prefix",)),
        ("814155550123", "US", {"national_prefix": "8"}, US, ("national_prefix",)),
        ("*31#4155550123", "US", {"national_prefix": "*31#"}, US, ("national_prefix",)),
        ("2079460018", "GB", {}, "+442079460018", ()),
        ("20233445566", "GB", {"international_prefix": ""}, "+20233445566", ("international_prefix",)),
        ("02079460018", "GB", {"international_prefix": ""}, "+442079460018", ()),
        # --- replace, in order ---
        ("5550123", "US", {}, None, ()),
        ("5550123", "US", {"replace": LOCAL}, US, ("replace.1",)),
        ("555-0123", "US", {"replace": "NXXXXXX->+1415"}, US, ("replace.1",)),
        ("95550123", "US", {"strip": "9", "replace": LOCAL}, US, ("strip.1", "replace.1")),
        ("1014155550123", "US", {"replace": ["1XX|NXXNXXXXXX -> +1"]}, US, ("replace.1",)),
        ("1995550123", "US", {"replace": ["1[7-9]X|. -> ", *LOCAL]}, US, ("replace.1", "replace.2")),
        ("1995550123", "US", {"replace": ["1[7-8]X|. -> ", *LOCAL]}, None, ()),
        ("101", "US", {"replace": ["101| -> +14155550123"]}, US, ("replace.1",)),
        ("+14155550199", "US", {"replace": ["+14155550199| -> "]}, None, ("replace.1",)),
        ("+14155550199", "US", {"replace": ["+1415555019[0-35-9]|->+14155550123"]}, US, ("replace.1",)),
        ("9", "US", {"replace": ["9|. -> +1"], "strip": "9"}, None, ()),
        ("anonymous", "US", {"replace": LOCAL, "strip": "9", "national_prefix": "0"}, None, ()),
        ("\ufffd", "US", {"replace": LOCAL, "strip": "9", "national_prefix": "0"}, None, ()),
    ],
)  # fmt: skip
def test_what_the_keys_make_of_a_number(
    as_sent: str, region: str, keys: dict[str, Any], number: str | None, steps: tuple[str, ...]
) -> None:
    reading = read(as_sent, region, trunk(**keys))
    assert (reading.number, tuple(step.key for step in reading.steps)) == (number, steps)


def test_steps_say_what_each_has_left() -> None:
    reading = read("9 555-0123", "US", trunk(strip="9", replace=LOCAL))
    assert [(step.before, step.after) for step in reading.steps] == [("95550123", "5550123"), ("5550123", "+14155550123")]


# --- always and never -------------------------------------------------------------------------------------------------

REGIONS = ("US", "GB", "DE", "IT", "FR", "BR", "AU", "IN")
NUMBERS = [
    phonenumbers.format_number(example, phonenumbers.PhoneNumberFormat.E164)
    for region in sorted(phonenumbers.SUPPORTED_REGIONS)
    for kind in (phonenumbers.PhoneNumberType.MOBILE, phonenumbers.PhoneNumberType.FIXED_LINE)
    if (example := phonenumbers.example_number_for_type(region, kind)) and phonenumbers.is_valid_number(example)
]
FRONTS = st.from_regex(r"\+?[0-9*#]{1,4}", fullmatch=True).filter(lambda front: bool(front.strip("+")))
PREFIXES = st.from_regex(r"[0-9*#]{1,3}", fullmatch=True)
KEYS = {
    "strip": st.lists(FRONTS, max_size=16),
    "national_prefix": st.none() | PREFIXES,
    "international_prefix": st.none() | st.just("") | PREFIXES,
}
PATTERNS = st.from_regex(r"([XZN0-9+*#]|\[[0-9]-[0-9]\]){1,8}\|?[XN0-9]{1,4}\.? -> \+?[0-9]{0,8}", fullmatch=True)


@given(
    number=st.sampled_from(NUMBERS), region=st.sampled_from(REGIONS), keys=st.fixed_dictionaries(KEYS), size=st.integers(2, 6)
)
def test_a_valid_number_with_its_plus_is_never_another(number: str, region: str, keys: dict[str, Any], size: int) -> None:
    """Neither as it is, nor with what stands between its digits for the eye; whatever is stripped, its own beginning too."""
    keys = {**keys, "strip": [number[:size], number[1:size], *keys["strip"]][:16], "national_prefix": number[1:size]}
    assert read(number, region, trunk(**keys)).number == number
    spaced = f"{number[:3]} ({number[3:6]}) {number[6:]}"
    assert read(spaced, region, trunk(**keys)).number == number


@given(
    as_sent=st.text(max_size=300) | st.text(alphabet="0123456789+*#-. ()xXN", max_size=40),
    region=st.sampled_from(REGIONS),
    keys=st.fixed_dictionaries({**KEYS, "replace": st.lists(PATTERNS.filter(lambda one: "[9-0]" not in one), max_size=4)}),
)
def test_whatever_comes_is_a_valid_number_or_none(as_sent: str, region: str, keys: dict[str, Any]) -> None:
    try:
        by = trunk(**keys)
    except ValueError:  # brackets the wrong way about
        return
    reading = read(as_sent, region, by)
    assert reading.number is None or read_number(reading.number, region) == reading.number
    assert all(len(step.after) <= LONGEST + 4 * 32 for step in reading.steps)


def test_the_longest_keys_and_the_oddest_numbers_take_no_time() -> None:
    """As many keys as there may be, each of which fits and leads to nothing: bounded, where a pattern that backtracks is not."""
    worst = trunk(
        strip=["9" * size for size in range(1, 16)], replace=[f"{'X' * 31}. -> 9"] * 16, national_prefix="9", international_prefix=""
    )  # fmt: skip
    begun = time.process_time()
    for number in range(100):
        read("9" * (LONGEST - 2) + f"{number:02}", "US", worst)
        read("9" * 100_000, "US", worst)
    assert time.process_time() - begun < 10
