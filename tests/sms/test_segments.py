"""Segments: nothing is lost, nothing is cut in two, and an independent library agrees."""

import pytest
import smsutil
from hypothesis import given
from hypothesis import strategies as st

from sms.segments import (
    GSM_BASIC,
    GSM_EXTENSION,
    LIMITS,
    Alphabet,
    encodable,
    first_not_gsm,
    from_gsm_7,
    gsm_7,
    segment,
    ucs_2,
    units,
)

GSM = st.sampled_from([c for c in GSM_BASIC if c != "\x1b"] + list(GSM_EXTENSION))
ANY = st.one_of(GSM, st.characters(), st.sampled_from("’“”–—…😀🎉\U0010ffff€^"))
TEXTS = st.one_of(st.text(GSM, max_size=700), st.text(ANY, max_size=400))


@given(TEXTS)
def test_parts_rejoin_and_fit(body: str) -> None:
    cut = segment(body)
    assert "".join(cut.parts) == cut.text
    alone, in_parts = LIMITS[cut.alphabet]
    most = alone if len(cut.parts) == 1 else in_parts
    assert all(sum(units(c, cut.alphabet) for c in part) <= most for part in cut.parts)
    assert all(cut.parts) or cut.parts == ("",)


@given(TEXTS)
def test_no_escape_and_no_surrogate_pair_is_split(body: str) -> None:
    cut = segment(body)
    if cut.alphabet is Alphabet.GSM_7:
        assert "".join(from_gsm_7(gsm_7(part)) for part in cut.parts) == cut.text
        assert not any(gsm_7(part).endswith(b"\x1b") for part in cut.parts)
    else:
        assert "".join(ucs_2(part).decode("utf-16-be") for part in cut.parts) == cut.text


@given(st.text(ANY, min_size=1, max_size=400).filter(lambda text: "\x1b" not in text and "\r\n" not in text))
def test_smsutil_counts_the_same(body: str) -> None:
    body = encodable(body)
    cut = segment(body)
    theirs = smsutil.split(cut.text)
    if cut.alphabet is Alphabet.GSM_7 or (all(ord(c) <= 0xFFFF for c in cut.text) and first_not_gsm(cut.text) is not None):
        assert len(cut.parts) == len(theirs.parts)


@given(TEXTS.filter(lambda text: "\x1b" not in text))
def test_gsm_7_only_where_every_character_has_it(body: str) -> None:
    cut = segment(body)
    assert (cut.alphabet is Alphabet.GSM_7) == smsutil.is_valid_gsm(cut.text or "nothing")


@pytest.mark.parametrize(
    ("body", "alphabet", "parts", "text"),
    [
        ("a" * 160, Alphabet.GSM_7, 1, None),
        ("a" * 161, Alphabet.GSM_7, 2, None),
        ("a" * 306, Alphabet.GSM_7, 2, None),
        ("a" * 307, Alphabet.GSM_7, 3, None),
        ("€" * 80, Alphabet.GSM_7, 1, None),
        ("€" * 81, Alphabet.GSM_7, 2, None),
        ("a" * 152 + "€" + "a" * 20, Alphabet.GSM_7, 2, None),
        ("я" * 70, Alphabet.UCS_2, 1, None),
        ("я" * 71, Alphabet.UCS_2, 2, None),
        ("я" * 66 + "😀" + "я" * 10, Alphabet.UCS_2, 2, None),
        ("We’re closed – back soon…", Alphabet.GSM_7, 1, "We're closed - back soon..."),
        ("We’re closed 😀", Alphabet.UCS_2, 1, "We’re closed 😀"),
        ("100 § `x`", Alphabet.GSM_7, 1, "100 § 'x'"),
        ("a\u00a0b", Alphabet.GSM_7, 1, "a b"),
        ("\ud83d", Alphabet.UCS_2, 1, "\ufffd"),
        ("", Alphabet.GSM_7, 1, ""),
    ],
)
def test_table(body: str, alphabet: Alphabet, parts: int, text: str | None) -> None:
    cut = segment(body)
    assert (cut.alphabet, len(cut.parts), cut.text) == (alphabet, parts, body if text is None else text)
