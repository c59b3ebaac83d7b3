"""The pure parts of the SMPP bridge: PDUs out of any chunking, deliveries, receipts, ids, statuses."""

from datetime import UTC, datetime
from typing import get_args

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from sms.segments import GSM_BASIC, gsm_7, segment
from sms.smpp import deliver, pdu, receipt, status
from sms.smpp.ids import find_id
from sms.smpp.parts import MESSAGE_PAYLOAD, References, Way, messages_of
from sms.smpp.pdu import HEADER, Garbage, Pdu, Splitter
from sms.text import Part, ReceiptState, Refusal
from tests.peers.faulty_smsc import deliver_sm

PDUS = st.lists(
    st.builds(
        Pdu,
        command=st.integers(0, 0xFFFFFFFF),
        status=st.integers(0, 0xFFFFFFFF),
        sequence=st.integers(0, 0xFFFFFFFF),
        body=st.binary(max_size=300),
    ),
    max_size=8,
)
NOW = datetime(2026, 11, 23, 12, tzinfo=UTC)


@given(PDUS, st.lists(st.integers(1, 40), min_size=1, max_size=50))
def test_any_chunking_of_the_stream_gives_the_same_pdus(sent: list[Pdu], sizes: list[int]) -> None:
    stream = b"".join(pdu.header(one.command, one.status, one.sequence, one.body) for one in sent)
    splitter, found, at, turn = Splitter(), [], 0, 0
    while at < len(stream):
        size = sizes[turn % len(sizes)]
        found += splitter.feed(stream[at : at + size])
        at, turn = at + size, turn + 1
    assert found == sent


@given(st.integers(0, 0xFFFFFFFF).filter(lambda n: not 16 <= n <= pdu.LONGEST))
def test_impossible_length_is_garbage(length: int) -> None:
    with pytest.raises(Garbage):
        Splitter().feed(HEADER.pack(length, 4, 0, 1))


@given(st.binary(max_size=200), st.sampled_from([pdu.DELIVER_SM, pdu.DATA_SM]))
def test_any_delivery_is_read_or_refused(body: bytes, command: int) -> None:
    try:
        delivered = deliver.read(Pdu(command=command, status=0, sequence=1, body=body))
        receipt.read(delivered, "primary", NOW)
    except ValueError:
        return


@given(st.text(st.characters(codec="utf-8"), max_size=300), st.sampled_from(get_args(Way)))
def test_what_is_submitted_can_be_read_back(body: str, way: Way) -> None:
    """A handset's network would read our submit_sm as we read a deliver_sm, which has the same fields (§4.4.1, §4.6.1)."""
    cut = segment(body)
    source, to = pdu.Address(digits="14155550100", ton=1, npi=1), pdu.Address(digits="14155550123", ton=1, npi=1)
    read_back, parts = "", []
    for message in messages_of(cut, 9, way):
        written = pdu.submit(7, source, to, message, service_type="", wants_receipt=True)
        (one,) = Splitter().feed(written)
        delivered = deliver.read(one)
        assert len(message.octets) <= 254
        read_back += delivered.text
        parts.append(delivered.part)
    assert read_back == cut.text
    if len(cut.parts) > 1 and way != "payload":
        assert parts == [Part(reference=9, number=n, total=len(cut.parts)) for n in range(1, len(cut.parts) + 1)]
    else:
        assert parts == [None]


def test_references_of_a_number_differ_and_not_every_number_is_remembered() -> None:
    references = References(at_most=100)
    assert {references.next("+14155550123") for _ in range(255)} == set(range(1, 256))
    last = references.next("+14155550123")
    for number in range(300):
        assert 1 <= references.next(f"+1415556{number:04d}") <= 255
        assert references.next("+14155550123") == (last := last % 255 + 1)
    assert len(references) == 100


def test_payload_goes_whole() -> None:
    (message,) = messages_of(segment("x" * 400), 9, "payload")
    assert message.tlvs == MESSAGE_PAYLOAD.to_bytes(2) + (400).to_bytes(2) + b"x" * 400


@pytest.mark.parametrize(
    ("octets", "tlvs", "esm_class", "text", "part"),
    [
        (b"\x05\x00\x03\x07\x02\x01Hello", b"", 0x40, "Hello", Part(reference=7, number=1, total=2)),
        (b"\x06\x08\x04\x01\x07\x02\x02Hello", b"", 0x40, "Hello", Part(reference=263, number=2, total=2)),
        (b"\x0a\x24\x01\x00\x25\x00\x00\x03\x07\x02\x01Hello", b"", 0x40, "Hello", Part(reference=7, number=1, total=2)),
        (b"\x05\x00\x03\x07\x02\x01Hello", b"", 0x00, None, None),
        (b"\x7f\x00\x03Hello", b"", 0x40, None, None),
        (b"\x02\x00\x09Hello", b"", 0x40, "Hello", None),
        (b"", b"", 0x40, "", None),
        (
            b"Hello",
            b"\x02\x0c\x00\x02\x00\x09\x02\x0e\x00\x01\x03\x02\x0f\x00\x01\x02",
            0,
            "Hello",
            Part(reference=9, number=2, total=3),
        ),
        (b"", b"\x04\x24\x00\x05Hello", 0, "Hello", None),
        (b"", b"\x04\x24\x00\x0b\x05\x00\x03\x07\x02\x01Hello", 0x40, "Hello", Part(reference=7, number=1, total=2)),
    ],
)
def test_parts_of_replies(octets: bytes, tlvs: bytes, esm_class: int, text: str | None, part: Part | None) -> None:
    found = deliver.read(Splitter().feed(deliver_sm(1, octets, esm_class=esm_class, tlvs=tlvs))[0])
    assert found.part == part
    assert text is None or found.text == text


def test_submit_is_what_smpp_says() -> None:
    source, to = pdu.Address(digits="14155550100", ton=1, npi=1), pdu.Address(digits="14155550123", ton=1, npi=1)
    message = pdu.ShortMessage(octets=b"Hi", data_coding=0)
    written = pdu.submit(7, source, to, message, service_type="", wants_receipt=True)
    assert written == HEADER.pack(len(written), 4, 0, 7) + (
        b"\0\x01\x0114155550100\0\x01\x0114155550123\0\0\0\0\0\0\x01\0\0\0\x02Hi"
    )


def read(body: bytes, tlvs: bytes = b"") -> deliver.Delivered:
    whole = deliver_sm(1, body, esm_class=4, tlvs=tlvs)
    return deliver.read(Splitter().feed(whole)[0])


@pytest.mark.parametrize(
    ("body", "tlvs", "provider_id", "state"),
    [
        (b"id:12ab sub:001 dlvrd:001 submit date:2611 done date:2611 stat:DELIVRD err:000 text:x", b"", "12ab", "delivered"),
        (b"id:12 stat:UNDELIV err:011", b"", "12", "undelivered"),
        (b"id:12 stat:ENROUTE", b"", "12", "on_its_way"),
        (b"ID:12 STAT:EXPIRED", b"", "12", "undelivered"),
        (b"id:wrong stat:UNDELIV", b"\x00\x1e\x00\x0312\0\x04\x27\x00\x01\x02", "12", "delivered"),
        (b"", b"\x00\x1e\x00\x0212\x04\x27\x00\x01\x05", "12", "undelivered"),
    ],
)
def test_receipts(body: bytes, tlvs: bytes, provider_id: str, state: str) -> None:
    found = receipt.read(read(body, tlvs), "primary", NOW)
    assert (found.provider_id, found.state, found.to) == (provider_id, ReceiptState(state), "+14155550123")


@pytest.mark.parametrize(
    ("type_of_number", "digits", "source"),
    [
        (1, "14155550123", "+14155550123"),
        (1, "0014155550123", "+14155550123"),
        (0, "14155550123", "14155550123"),
        (2, "4155550123", "4155550123"),
        (3, "72345", "72345"),
        (5, "ABC HVAC", "ABC HVAC"),
        (1, "", ""),
    ],
)
def test_only_what_is_said_to_be_international_gets_a_plus(type_of_number: int, digits: str, source: str) -> None:
    fields = b"\0" + bytes((type_of_number, 1)) + digits.encode() + b"\0\x01\x0114155550100\0" + bytes(3) + b"\0\0" + bytes(5)
    assert deliver.read(Pdu(command=pdu.DELIVER_SM, status=0, sequence=1, body=fields)).source == source


@pytest.mark.parametrize(
    ("body", "tlvs", "code"),
    [
        (b"id:12 stat:EXPIRED err:000", b"", "EXPIRED: its time was up before it was delivered"),
        (b"id:12 stat:EXPIRED err:027", b"", "EXPIRED err:027: its time was up before it was delivered"),
        (b"", b"\x00\x1e\x00\x03c\x31\x00\x04\x27\x00\x01\x03", "EXPIRED: its time was up before it was delivered"),
        (b"id:12 stat:UNDELIV err:011", b"", "UNDELIV err:011"),
    ],
)
def test_expired_says_why(body: bytes, tlvs: bytes, code: str) -> None:
    assert receipt.read(read(body, tlvs), "primary", NOW).code == code


def test_receipt_without_an_id_is_refused() -> None:
    with pytest.raises(ValueError, match="without an id"):
        receipt.read(read(b"stat:DELIVRD"), "primary", NOW)


@pytest.mark.parametrize(
    ("theirs", "ours", "found"),
    [
        ("12", ["11", "12"], 1),
        ("ABCD", ["abcd"], 0),
        ("000012", ["12"], 0),
        ("12", ["000012"], 0),
        ("1F", ["31"], 0),
        ("31", ["1F"], 0),
        ("31", ["1f", "31"], 1),
        ("99", ["12"], None),
        ("x", [], None),
    ],
)
def test_ids_are_found_however_they_are_written(theirs: str, ours: list[str], found: int | None) -> None:
    assert find_id(theirs, ours) == found


def test_every_status_is_a_refusal_of_some_kind() -> None:
    kinds = {code: status.refused(code).kind for code in range(1, 0x500)}
    assert {code for code, kind in kinds.items() if kind is Refusal.TEMPORARY} == {0x08, 0x14, 0x45, 0x58, 0x64, 0xFF}
    assert "0x0000000E" in status.in_words(0x0E)


@pytest.mark.parametrize(
    ("octets", "coding", "text"),
    [
        (b"Caf\x05", 0, "Café"),
        (b"caf\xe9", 0, "café"),
        (b"caf\xe9", 3, "café"),
        (b"\x1b\x65", 0, "€"),
        ("héé😀".encode("utf-16-be"), 8, "héé😀"),
        (b"plain", 1, "plain"),
        ("STOP".encode("utf-16-le"), 8, "STOP"),
        ("NO".encode("utf-16-le"), 8, "NO"),
        ("Größe 3€".encode("utf-16"), 8, "Größe 3€"),
        (b"\xfe\xff" + "Größe".encode("utf-16-be"), 8, "Größe"),
        ("Стоп, спасибо".encode("utf-16-le"), 8, "Стоп, спасибо"),
        ("Стоп, спасибо".encode("utf-16-be"), 8, "Стоп, спасибо"),
        ("停止".encode("utf-16-be"), 8, "停止"),
        ("一".encode("utf-16-be"), 8, "一"),
        ("七一".encode("utf-16-be"), 8, "七一"),
        ("你好，请不要再发短信了".encode("utf-16-be"), 8, "你好，请不要再发短信了"),
        ("Ωραία".encode("utf-16-be"), 8, "Ωραία"),
        ("אל תשלחו".encode("utf-16-le"), 8, "אל תשלחו"),
        ("☀☀".encode("utf-16-be"), 8, "☀☀"),
        (b"START", 8, "START"),
        ("Grüße".encode(), 0, "Grüße"),
        ("Стоп 👍".encode(), 0, "Стоп 👍"),
        ("Grüße".encode(), 1, "Grüße"),
        ("Grüße".encode("latin-1"), 0, "Grüße"),
        (b"\xef\xbb\xbfSTOP", 0, "STOP"),
        ("…grü".encode()[1:], 0, "grü"),
        ("grüß".encode()[:-1], 0, "grü"),
        ("STOP".encode("utf-16-le"), 0, "STOP"),
        ("STOP".encode("utf-16-be"), 0, "STOP"),
        ("Größe".encode("utf-16-le"), 0, "Größe"),
        (b"a\x00b", 0, "a@b"),
        (b"a\x00b\x00", 0, "a@b@"),
        (b"\x00\x00\x00\x00\x00\x00", 0, "@@@@@@"),
        (b"me\x00office.example", 0, "me@office.example"),
        (b"\x02\x11\x00 ok", 0, "$_@ ok"),
        (b"\x1b\x65\x1b\x3c\x1b\x3e", 0, "€[]"),
    ],
)
def test_alphabets(octets: bytes, coding: int, text: str) -> None:
    assert deliver.decoded(octets, coding) == text


@given(st.text(st.sampled_from(GSM_BASIC.replace("\x1b", "") + "^{}[]~|€"), max_size=160))
def test_gsm_7_is_read_as_what_it_is(body: str) -> None:
    """But for every second character an at sign, all through: nobody writes so, and some SMSCs do."""
    octets = gsm_7(body)
    assume(len(octets) < 6 or (any(octets[0::2]) and any(octets[1::2])))
    assert deliver.decoded(octets, 0) == body


@given(st.text(st.characters(min_codepoint=0x3040, max_codepoint=0x9FFF), max_size=70))
def test_big_endian_of_scripts_without_letters_stays_so(body: str) -> None:
    """What is taken for little-endian must read as letters of a script that has some."""
    octets = body.encode("utf-16-be")
    assume(any(octet >= 7 for octet in octets[1::2]) or len(body) < 2)
    assert deliver.decoded(octets, 8) == body
