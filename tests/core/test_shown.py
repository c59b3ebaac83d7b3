"""What strangers wrote, as it is shown."""

import pytest

from gateway.core.shown import shown


@pytest.mark.parametrize(
    ("written", "is_shown"),
    [
        ("Grüße, 你好 😀", "Grüße, 你好 😀"),
        ("\x1b[31mred", r"\x1b[31mred"),
        ("a\nb\r\tc", r"a\nb\r\tc"),
        ("\u202eevil", r"\u202eevil"),
        ("\x7f\x9b", r"\x7f\x9b"),
        ("half \ud83d", r"half \ud83d"),
    ],
)
def test_nothing_is_obeyed(written: str, is_shown: str) -> None:
    assert shown(written) == is_shown
