"""`explain --header`: what a trunk's headers are read as, by which keys, whose number it is, and for which line."""

from pathlib import Path
from typing import Any

import pytest

from tests.peers import commands
from tests.peers.commands import Ran

CONFIG = """\
data_dir = "."
timezone = "America/Chicago"
region = "US"
[trunk.pbx]
peers = ["192.0.2.10"]
strip = ["9",
  "8"]
replace = "NXXXXXX -> +1415"
[trunk.carrier]
peers = ["192.0.2.11"]
default_line = "front"
[sms.spool]
kind = "spool"
[contacts]
file = "contacts.csv"
[line.front]
number = "+14155550100"
[line.back]
number = "+14155550101"
trunks = ["carrier"]
"""
CONTACTS = "number,name,group\n4155550123,Sam,staff\n4155550124,,blocked\n4155550125,Vera,vip\n4155550126,Pat,\n"


@pytest.fixture
def path(tmp_path: Path) -> Path:
    (tmp_path / "contacts.csv").write_text(CONTACTS)
    return commands.configured(tmp_path, text=CONFIG)


def asked(*headers: str, trunk: str = "pbx") -> tuple[str, ...]:
    return ("explain", "--trunk", trunk, *(word for header in headers for word in ("--header", header)))


@pytest.mark.parametrize("uri", ["sip:415 555 0123@pbx", "sip:\uff14155550123@pbx"])
def test_what_the_sip_stack_does_not_read_is_told_as_malformed(path: Path, uri: str) -> None:
    (done,) = commands.run(path, asked(f"From: <{uri}>"))
    assert (done.status, done.out) == (2, "")
    assert "is no URI, and the INVITE would get 400" in done.err


def test_each_step_is_told_with_the_key_that_did_it(path: Path) -> None:
    (done,) = commands.run(
        path,
        asked(
            'From: "X, Y" <sip:101@pbx>;tag=1',
            "P-Asserted-Identity: <sip:9555-0123@pbx>",
            "INVITE sip:s@192.0.2.1 SIP/2.0",
            "t: <sip:85550100@pbx>",
            "Diversion: <sip:95550101@pbx>;reason=no-answer",
        ),
    )
    assert (done.status, done.err) == (0, "")
    assert done.out.splitlines() == [
        "Caller, by P-Asserted-Identity (From counts for less): 9555-0123",
        "  strip.1                95550123 -> 5550123                  trunk.pbx.strip.1 (textback.toml:6)",
        "  replace.1              5550123 -> +14155550123              trunk.pbx.replace.1 (textback.toml:8)",
        "  read in US             +14155550123",
        "  in the contacts: Sam, staff: is never texted",
        "Dialled, by Request-URI: s",
        "  read in US             is no telephone number",
        "  is no line's number",
        "Dialled, by To: 85550100",
        "  strip.2                85550100 -> 5550100                  trunk.pbx.strip.2 (textback.toml:7)",
        "  replace.1              5550100 -> +14155550100              trunk.pbx.replace.1 (textback.toml:8)",
        "  read in US             +14155550100",
        "  line front",
        "Dialled, by Diversion: 95550101",
        "  strip.1                95550101 -> 5550101                  trunk.pbx.strip.1 (textback.toml:6)",
        "  replace.1              5550101 -> +14155550101              trunk.pbx.replace.1 (textback.toml:8)",
        "  read in US             +14155550101",
        "  line back, which takes no calls of pbx",
        "The call is for line front, by To.",
    ]


@pytest.mark.parametrize(
    ("headers", "trunk", "said"),
    [
        (("From: <sip:95550124@x>",), "pbx", "  in the contacts: without a name, blocked: is never texted"),
        (("Remote-Party-ID: <sip:95550125@x>;party=calling",), "pbx", "  in the contacts: Vera, vip"),
        (("From: <sip:95550126@x>",), "pbx", "  in the contacts: Pat, of no group"),
        (("From: <tel:+1-415-555-0127>",), "pbx", "  nobody in contacts.csv"),
        (("From: <sip:914155550124@x>",), "carrier", "  read in US             +914155550124"),
        (("From: <sip:95550100@x>",), "pbx", "  the number of line front itself: is never texted"),
        (("From: <sip:101@x>",), "pbx", "  gets no text: that takes a telephone number"),
        (("From: <sip:anonymous@x>",), "pbx", "Caller, by From: withheld (the user 'anonymous'); gets no text"),
        (
            ("From: <sip:x@anonymous.invalid>", "P-Asserted-Identity: <sip:+14155550124@x>"), "pbx",
            "Caller, by P-Asserted-Identity (From counts for less): withheld (From at anonymous.invalid); gets no text",
        ),
        (("From: <sip:1@x>", "Privacy: id;user"), "pbx", "Caller, by From: withheld (Privacy: id, user); gets no text"),
        (("From: hello",), "pbx", "Caller, by From: withheld (no address in From); gets no text"),
        (("Request-URI: sip:front@x",), "pbx", "The call is for line front, by Request-URI."),
        (("P-Called-Party-ID: <sip:95550100@x>",), "pbx", "The call is for line front, by P-Called-Party-ID."),
        (("History-Info: <sip:95550100@x>;index=1",), "pbx", "The call is for line front, by History-Info."),
        (("To: <sip:s@x>",), "carrier", "The call is for line front, by carrier's default_line."),
        (
            ("To: <sip:4155550199@x>",), "pbx",
            "The call is for no line, and gets 404: nothing dialled is a number of a line that takes calls of pbx.",
        ),
    ],
)  # fmt: skip
def test_what_is_said_of_a_header(path: Path, headers: tuple[str, ...], trunk: str, said: str) -> None:
    (done,) = commands.run(path, asked(*headers, trunk=trunk))
    assert (done.status, said in done.out.splitlines()) == (0, True), done


@pytest.mark.parametrize(
    ("options", "says"),
    [
        (("--header", "From: <sip:1@x>"), "wants --trunk NAME, because each trunk writes numbers in its own way: pbx, carrier"),
        (asked("From: <sip:1@x>", trunk="pbxx")[1:], "there is no trunk pbxx; the trunks are pbx, carrier"),
        (asked("Form: <sip:1@x>")[1:], 'no number is read from a header called Form; did you mean "From"?'),
        (asked("P-Preferred-Identity: <sip:1@x>")[1:], "no number is read from a header called P-Preferred-Identity; did you"),
        (asked("<sip:95550123@x>")[1:], "no number is read from a header called <sip"),
        (asked("95550123")[1:], "'95550123' is no header; write it whole in one line, such as 'From: <sip:"),
        (asked("From: x\nTo: y")[1:], "is no header; write it whole in one line"),
        (("--trunk", "pbx"), "explain takes --header (and --trunk) alone"),
        ((*asked("From: <sip:1@x>")[1:], "last"), "explain takes --header (and --trunk) alone"),
        ((*asked("From: <sip:1@x>")[1:], "--from", "+14155550123"), "explain takes --header (and --trunk) alone"),
    ],
)
def test_wrong_use_is_a_sentence(path: Path, options: tuple[str, ...], says: str) -> None:
    (done,) = commands.run(path, ("explain", *options))
    assert (done.status, done.out, says in done.err, done.err.count("\n")) == (2, "", True, 1), done


def test_as_json(path: Path) -> None:
    done: Ran
    (done,) = commands.run(path, (*asked('From: "Sam" <sip:95550123@x>', "To: <sip:front@x>"), "--json"))
    found: Any = done.json
    assert [found[name] for name in ("trunk", "line", "found_by")] == ["pbx", "front", "To"]
    assert found["caller"] == {
        "header": "From",
        "name": "Sam",
        "as_sent": "95550123",
        "number": "+14155550123",
        "steps": [
            {"key": "strip.1", "before": "95550123", "after": "5550123", "config": "trunk.pbx.strip.1 (textback.toml:6)"},
            {
                "key": "replace.1",
                "before": "5550123",
                "after": "+14155550123",
                "config": "trunk.pbx.replace.1 (textback.toml:8)",
            },
        ],
        "line": None,
        "withheld_by": "",
        "passed_over": [],
        "contact": {"name": "Sam", "group": "staff"},
    }
    assert [(one["header"], one["as_sent"], one["number"], one["line"]) for one in found["dialled"]] == [
        ("To", "front", None, "front")
    ]
