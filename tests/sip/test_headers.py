"""What messages say, out of real captures and out of hostile ones."""

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sip.protocol import Diversion
from sip.wire import headers, message

CAPTURES = Path(__file__).parents[1] / "data" / "sip"
ELSEWHERE = {"asterisk22-answered-elsewhere", "asterisk22-dial-c-option", "kamailio-answered-elsewhere"}


def captured(name: str) -> tuple[message.SipMessage, message.SipMessage]:
    """INVITE and CANCEL of a capture, with the line ends that the wire has."""
    text = (CAPTURES / f"{name}.sip").read_text()
    at = text.index("\nCANCEL ") + 1
    return tuple(message.parse(part.replace("\n", "\r\n")) for part in (text[:at], text[at:]))  # type: ignore[return-value]


@pytest.mark.parametrize("name", sorted(path.stem for path in CAPTURES.glob("*.sip")))
def test_captures(name: str) -> None:
    invite, cancel = captured(name)
    assert headers.fault(invite) is None
    caller = headers.caller(invite)
    assert caller.number is not None
    assert caller.number.startswith("+1555123")
    assert headers.dialled(invite)
    assert headers.is_answered_elsewhere(headers.reasons(cancel)) == (name in ELSEWHERE)


def test_capture_of_a_forwarded_call() -> None:
    invite, _ = captured("asterisk22-forward-no-answer")
    assert headers.caller(invite) == headers.Caller(
        number="+15551230001", name="WIRELESS CALLER", header="P-Asserted-Identity", user="+15551230001"
    )
    assert headers.diversions(invite) == (Diversion(number="+15550001004", reason="no_answer"),)


def test_capture_of_a_diversion_through_kamailio() -> None:
    invite, _ = captured("kamailio-diversion")
    assert headers.dialled(invite) == ("gateway", "1002", "+15550001002")
    assert headers.diversions(invite) == (Diversion(number="+15550001002", reason="no-answer"),)


def invite(*lines: str, request: str = "INVITE sip:+14155550100@gw SIP/2.0", body: str = "") -> message.SipMessage:
    """A good INVITE with some headers put before its own."""
    own = ["To: <sip:+14155550100@gw>", "Call-ID: a@b", "CSeq: 1 INVITE"]
    if not any(line.lower().startswith(("from:", "f:")) for line in lines):
        own.append("From: <sip:+14155550123@pbx>;tag=1")
    return message.parse("\r\n".join([request, *lines, *own, "", body]))


@pytest.mark.parametrize(
    ("lines", "number", "header"),
    [
        ((), "+14155550123", "From"),
        (("P-Asserted-Identity: <sip:+14155550199@c>",), "+14155550199", "P-Asserted-Identity"),
        (("P-Asserted-Identity: <sip:bob@c>, <tel:+14155550199>",), "+14155550199", "P-Asserted-Identity"),
        (("Remote-Party-ID: <sip:+14155550177@c>;party=calling;privacy=off",), "+14155550177", "Remote-Party-ID"),
        (("Remote-Party-ID: <sip:+14155550177@c>;party=called",), "+14155550123", "From"),
        (("Remote-Party-ID: <sip:+14155550177@c>;privacy=full",), None, "Remote-Party-ID"),
        (("P-Preferred-Identity: <sip:+14155550166@c>",), "+14155550123", "From"),
        (("Privacy: id", "P-Asserted-Identity: <sip:+14155550199@c>"), None, "P-Asserted-Identity"),
        (("Privacy: none",), "+14155550123", "From"),
        (('From: "Anonymous" <sip:anonymous@anonymous.invalid>;tag=1',), None, "From"),
        (("From: <sip:Restricted@pbx>;tag=1",), None, "From"),
        (("From: <sip:+14155550123@anonymous.invalid:5060>;tag=1",), None, "From"),
        (
            ("From: <sip:c8oqz84zk7z@Anonymous.invalid:5060;user=phone>;tag=1", "P-Asserted-Identity: <sip:+14155550199@c>"),
            None,
            "P-Asserted-Identity",
        ),
        (("From: <sip:+14155550123@[2001:db8::1]:5060>;tag=1",), "+14155550123", "From"),
        (("From: <sip:266696687@pbx>;tag=1",), None, "From"),
        (("From: <sip:@pbx>;tag=1",), None, "From"),
        (("From: <sip:pbx>;tag=1",), None, "From"),
        (("f: sip:+14155550123@pbx;tag=1",), "+14155550123", "From"),
        (("From: <sip:+14155550123;npdi;rn=+1415@pbx>;tag=1",), "+14155550123", "From"),
        (("From: <sip:%2B14155550123:pw@pbx;user=phone>;tag=1",), "+14155550123", "From"),
        (("From: <tel:+1-415-555-0123;phone-context=x>;tag=1",), "+1-415-555-0123", "From"),
        (('From: "a, \\"b\\" <c>" <sip:+14155550123@pbx>;tag=1',), "+14155550123", "From"),
        (("From:\r\n  <sip:+14155550123@pbx>\r\n\t;tag=1",), "+14155550123", "From"),
    ],
)
def test_caller(lines: tuple[str, ...], number: str | None, header: str) -> None:
    found = headers.caller(invite(*lines))
    assert (found.number, found.header, found.withheld_by == "") == (number, header, number is not None)


@pytest.mark.parametrize(
    ("lines", "fault"),
    [
        ((), None),
        (("From: <sip:a@b>;tag=1", "From: <sip:c@d>;tag=2"), "from stands more than once"),
        (("t: <sip:a@b>",), "to stands more than once"),
        (("i: x",), "call-id stands more than once"),
        (("CSeq: 2 INVITE",), "cseq stands more than once"),
        (("Max-Forwards: 70", "Max-Forwards: 70"), "max-forwards stands more than once"),
        (("Content-Length: 0", "l: 0"), "content-length stands more than once"),
        (("Content-Length: 9999",), "content-length is more than the body"),
        (("Content-Length: -1",), "content-length is no number"),
        (("Content-Length: ²",), "content-length is no number"),
        (("From: <>;tag=1",), "from holds no usable address"),
        (("From: hello",), "from holds no usable address"),
        (("From: <sip:a@b",), "from holds no usable address"),
    ],
)
def test_faults(lines: tuple[str, ...], fault: str | None) -> None:
    assert headers.fault(invite(*lines)) == fault


@pytest.mark.parametrize(
    ("lines", "seconds"),
    [
        ((), None),
        (("Expires: 20",), 20.0),
        (("expires:  180 ",), 180.0),
        (("Expires: 4294967295",), 4294967295.0),
        (("Expires: 0",), None),
        (("Expires: 000",), None),
        (("Expires: -1",), None),
        (("Expires: 2.5",), None),
        (("Expires: ²",), None),
        (("Expires: 99999999999999999999",), None),
        (("Expires: Thu, 01 Dec 1994 16:00:00 GMT",), None),
        (("Expires: 20", "Expires: 30"), 20.0),
    ],
)
def test_expiry(lines: tuple[str, ...], seconds: float | None) -> None:
    assert headers.expires(invite(*lines)) == seconds


@pytest.mark.parametrize(
    ("lines", "found"),
    [
        (
            ("Diversion: <sip:1@x>;reason=user-busy, <sip:2@x>;reason=unconditional",),
            [("1", "user-busy"), ("2", "unconditional")],
        ),
        (("Diversion: <sip:1@x>;reason=no-answer", "Diversion: <sip:2@x>"), [("1", "no-answer"), ("2", "unknown")]),
        (("History-Info: <sip:1@x>;index=1, <sip:2@x;cause=486>;index=1.1",), [("1", "user-busy")]),
        (("History-Info: <sip:1@x?Reason=SIP%3Bcause%3D408>;index=1, <sip:2@x>;index=1.1",), [("1", "no-answer")]),
        (("History-Info: <sip:1@x>;index=1",), []),
        (("History-Info: <sip:1@x>;index=1, <sip:gw@y>;index=1.1",), []),
        (("History-Info: <sip:1@x>;index=1, <sip:gw@y>;index=1.1;mp=1",), [("1", "unknown")]),
        (("History-Info: <sip:1@x>;index=1, <sip:2@y>;index=1.1;rc=1",), []),
        (
            ("History-Info: <sip:1@x>;index=1, <sip:2@x;cause=302>;index=1.1;mp=1, <sip:gw@y;cause=408>;index=1.2;mp=1.1",),
            [("2", "no-answer"), ("1", "unconditional")],
        ),
    ],
)
def test_diversions(lines: tuple[str, ...], found: list[tuple[str, str]]) -> None:
    assert [(d.number, d.reason) for d in headers.diversions(invite(*lines))] == found


@pytest.mark.parametrize(
    ("lines", "numbers"),
    [
        (("History-Info: <sip:1@x>;index=1",), ["1"]),
        (("History-Info: <sip:1@x>;index=1, <sip:gw@y>;index=1.1",), ["1", "gw"]),
        (("History-Info: <sip:1@x>;index=1, <sip:2@x>;index=1.1;mp=1, <sip:gw@y>;index=1.2;mp=1.1",), ["1", "2", "gw"]),
        (("History-Info: <sip:1@x?Reason=SIP%3Bcause%3D302%3Btext%3D%22a%2C%20b%22&Privacy=none>;index=1",), ["1"]),
        (
            ("History-Info: <tel:+1-415-555-0100>;index=1", "History-Info: <sip:2@x;user=phone>;index=1.1"),
            ["+1-415-555-0100", "2"],
        ),
        (("History-Info: <sip:1@x>;index=1", "Diversion: <sip:3@x>;reason=no-answer"), ["3", "1"]),
        (("History-Info: <sip:anonymous@anonymous.invalid?Privacy=history>;index=1, <sip:2@x>;index=1.1",), ["2"]),
        (("History-Info: sip:1@x;index=1, , <sip:y>;index=1.1, <>",), ["1"]),
    ],
)
def test_numbers_of_the_calls_history_come_last(lines: tuple[str, ...], numbers: list[str]) -> None:
    """For a line that only these name: RFC 7044 asks for a cause nowhere."""
    assert list(headers.dialled(invite(*lines))) == ["+14155550100", *numbers]


@pytest.mark.parametrize(
    ("lines", "verdict"),
    [
        ((), ""),
        (("P-Asserted-Identity: <sip:+14155550199@c;verstat=TN-Validation-Passed-A>",), "TN-Validation-Passed-A"),
        (("From: <sip:+14155550199;verstat=TN-Validation-Failed@c>;tag=1",), "TN-Validation-Failed"),
        (("X-Plivo-Stir-Verification: Verified",), "Verified"),
    ],
)
def test_verstat(lines: tuple[str, ...], verdict: str) -> None:
    assert headers.verstat(invite(*lines)) == verdict


@pytest.mark.parametrize(
    ("lines", "is_elsewhere"),
    [
        ((), False),
        (("Reason: SIP;cause=200",), True),
        (('Reason: sip ;text="a;b, c"; cause=200',), True),
        (("Reason: Q.850;cause=16, SIP;cause=200",), True),
        (("Reason: Q.850;cause=16", "REASON: q.850;cause=26"), True),
        (("Reason: SIP;cause=487", "Reason: Q.850;cause=127"), False),
        (("Reason: SIP;cause=abc",), False),
        (('Reason: SIP;text="cause=200"',), False),
        (("Reason: SIP;cause=99999999999999999999",), False),
        (("Reason:",), False),
    ],
)
def test_reasons(lines: tuple[str, ...], is_elsewhere: bool) -> None:
    assert headers.is_answered_elsewhere(headers.reasons(invite(*lines))) is is_elsewhere


HOSTILE = st.text(st.one_of(st.sampled_from(list('<>"\\;,:@=?%\r\n\t \0\ud800\udcff')), st.characters()), max_size=120)
NAMES = st.sampled_from(["From", "To", "P-Asserted-Identity", "Diversion", "History-Info", "Reason", "Privacy", "f", "Call-ID"])


@given(st.lists(st.tuples(NAMES, HOSTILE), max_size=8), HOSTILE)
def test_no_message_breaks_anything_and_all_that_comes_out_is_clean(pairs: list[tuple[str, str]], request: str) -> None:
    found = message.parse("\r\n".join([f"INVITE {request} SIP/2.0", *(f"{name}: {value}" for name, value in pairs), "", ""]))
    caller = headers.caller(found)
    headers.fault(found)
    out = [caller.number or "", caller.name, *headers.dialled(found), headers.verstat(found)]
    out += [text for diversion in headers.diversions(found) for text in (diversion.number, diversion.reason)]
    out += [str(reason) for reason in headers.reasons(found)]
    for text in out:
        text.encode()
        assert "\0" not in text
        assert len(text) <= headers.FIELD_LIMIT * 2 + 40


def test_compact_names_and_folding() -> None:
    found = message.parse("INVITE sip:a@b SIP/2.0\nf: <sip:x@y>\n ;tag=1\nTO : <sip:z@y>\n\nbody\n")
    assert found.headers == {"from": ("<sip:x@y> ;tag=1",), "to": ("<sip:z@y>",)}
    assert found.body == "body\n"
