"""What a trunk's past callers say of how it writes numbers."""

from collections.abc import Mapping
from typing import Any

import pytest

from config.model import E164, Trunk
from gateway.core.callers import FEWEST_CALLS, Sent, of_trunk

LINES = {E164("+14155550100"): "front"}


def said(callers: Mapping[str | None, int], region: str = "US", **keys: Any) -> str:
    sent = [Sent(as_sent=as_sent, calls=calls) for as_sent, calls in callers.items()]
    return of_trunk(sent, Trunk(name="pbx", peers=("192.0.2.10",), **keys), region, LINES) or ""


def some(form: str, count: int = 12) -> dict[str | None, int]:
    """As many callers, each once."""
    return {form.format(f"{number:02}"): 1 for number in range(count)}


def test_a_trunk_that_shows_its_callers_gives_no_reason() -> None:
    assert said({}) == ""
    for form in ("+141555501{}", "141555501{}", "41555501{}", "(415) 555-01{}", "9195550{}1"):
        assert said({**some(form), None: 8, "101": 3, "+442079460018": 2}) == "", form
    for few in ({None: FEWEST_CALLS - 1}, {"101": FEWEST_CALLS - 1}, {"+14155550100": FEWEST_CALLS - 1}):
        assert said(few) == ""


@pytest.mark.parametrize(
    ("callers", "keys", "says"),
    [
        ({None: 9, "+14155550123": 1}, {}, "9 of 10 callers were withheld, who get no text; does the PBX or carrier hide"),
        ({"+14155550100": 10}, {}, "10 of 10 callers were the number of line front itself, which is never texted: the PBX writes"),
        ({"4155550100": 10, "14155550100": 8, "101": 2}, {}, "18 of 20 callers were the number of line front itself"),
        ({"+14155550199": 19, "+14155550123": 1}, {}, "19 of 20 callers were one and the same, '+1415•••0199': unless one person calls, the"),
        ({"101": 12}, {}, "12 of 12 callers were one and the same, '101'"),
        ({"101": 6, "102": 5, **some("+141555501{}", 11)}, {}, "11 of 22 callers were no telephone numbers, such as '101', and get"),
        (some("9141555501{}"), {}, "12 of 12 callers came in a form that is no number of US, such as '91415•••0100'; strip = \"9\" would"),
        ({**some("941555501{}", 5), **some("9121255501{}", 6), "+442079460018": 1}, {}, 'strip = "9" would'),
        (some("888141555501{}"), {}, 'strip = "888" would'),
        (some("55501{}"), {}, 'such as \'•••00\'; replace = "NXXXXXX -> +1415" would read them as such'),
        (some("955501{}"), {"strip": "9"}, 'replace = "NXXXXXX -> +1415" would'),
        (some("9141555501{}"), {"strip": "9"}, ""),
        (some("55501{}"), {"replace": "NXXXXXX -> +1212"}, ""),
        (some("9011442079460{}1"), {}, "12 of 12 callers were no telephone numbers, such as '90114•••0001'"),
    ],
)  # fmt: skip
def test_what_a_trunks_callers_say(callers: dict[str | None, int], keys: dict[str, Any], says: str) -> None:
    found = said(callers, **keys)
    assert says in found
    assert bool(says) == bool(found), found


def test_no_cure_is_named_that_would_change_who_is_known() -> None:
    """Nine hundred and nineteen is an area, and 9 before its numbers is no prefix."""
    assert said(some("9195550{}1", 30) | some("9141555501{}", 4)) == ""
    assert said(some("020794600{}", 12), region="GB") == ""
