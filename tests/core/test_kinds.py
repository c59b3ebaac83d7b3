"""What follows from a text's kind, one row for each: a kind that is added has to say all of it."""

import pytest

from gateway.core.kind import COUNTED, TextKind

#                         counts, keeps quiet hours, goes first, goes after an opt-out
TABLE = {
    TextKind.MISSED_CALL: (True, True, False, False),
    TextKind.TEST: (False, False, False, False),
    TextKind.CONFIRMATION: (False, False, True, True),
}


@pytest.mark.parametrize("kind", TextKind)
def test_what_a_kind_means(kind: TextKind) -> None:
    assert (kind.counts, kind.keeps_quiet_hours, kind.goes_first, kind.goes_after_opt_out) == TABLE[kind]
    assert (kind in COUNTED) == kind.counts
