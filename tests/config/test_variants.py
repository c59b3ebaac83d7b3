"""Which variants can never apply, because an earlier one always comes before them."""

from typing import Any

import pytest

from config.model import E164, Line, LineText
from config.variants import faults_of

NIGHT = "22:00-02:00"


@pytest.mark.parametrize(
    ("earlier", "later", "is_covered"),
    [
        ({"days": "fri"}, {"days": "fri"}, True),
        ({"days": "fri"}, {"days": "fri", "between": "20:00-22:00"}, True),
        ({"days": "fri"}, {"days": "fri", "between": "20:00-00:00"}, True),  # ends with the day
        ({"days": "fri"}, {"days": "fri", "between": NIGHT}, False),  # Saturday at one is Friday's night
        ({"days": "fri-sat"}, {"days": "fri", "between": NIGHT}, True),
        ({"days": "sun-mon"}, {"days": "sun", "between": NIGHT}, True),
        ({"days": "mon-sun"}, {"between": NIGHT}, True),
        ({"days": "fri"}, {"between": NIGHT}, False),
        ({"between": NIGHT}, {"days": "fri", "between": NIGHT}, True),
        ({"days": "fri-sat", "between": NIGHT}, {"days": "fri", "between": NIGHT}, True),
        ({"days": "fri", "between": NIGHT}, {"days": "fri"}, False),
        ({"days": "fri"}, {"days": "fri", "between": NIGHT, "caller": "vip"}, False),
    ],
)
def test_variant_that_an_earlier_one_hides(earlier: dict[str, Any], later: dict[str, Any], is_covered: bool) -> None:
    variants = tuple({"message": "x", **conditions} for conditions in (earlier, later))
    line = Line(
        name="front", number=E164("+14155550100"), timezone="America/Chicago", trunks=("pbx",), sms=("spool",),
        sender="+14155550100", text=LineText(variant=variants),
    )  # fmt: skip
    assert [key for key, says in faults_of(line) if "never applies" in says] == (["variant.2"] if is_covered else [])
