"""`textback check`: variants that never apply are errors, what carriers and colleagues dislike are warnings, the week is a table."""

import json
import subprocess
import sys
from datetime import UTC, datetime
from pathlib import Path

import pytest

from config.load import ConfigError, load
from config.model import Sip
from gateway.core.schedule import local
from gateway.office.knowledge import Knowledge
from gateway.preview.advice import advise, messages, of_max_calls
from gateway.preview.timetable import week

NOW = datetime(2026, 11, 23, 18, tzinfo=UTC)
GOOD = """\
timezone = "America/Chicago"
region = "US"
[trunk.pbx]
peers = ["192.0.2.10"]
[sms.spool]
kind = "spool"
[hours.office]
mon-fri = ["08:00-12:00", "13:00-17:00"]
holidays = ["US"]
[contacts]
file = "contacts.csv"
[limits]
per_minute = 10
per_day = 100
[line.front]
number = "+14155550100"
business = "ABC"
arrives = "group"
hours = "office"
[line.front.text]
message = "{business}: sorry we missed you. Reply STOP to opt out."
"""
CLOSED = '[[line.front.text.variant]]\nhours = "closed"\nmessage = "{business} opens {opens}"\n'


def configured(tmp_path: Path, text: str) -> Path:
    (tmp_path / "contacts.csv").write_text("4155550199,Sam,staff\n")
    path = tmp_path / "textback.toml"
    path.write_text(text)
    return path


def test_nothing_to_say_of_a_good_configuration(tmp_path: Path) -> None:
    assert advise(load(configured(tmp_path, GOOD + CLOSED)), NOW) == ()


@pytest.mark.parametrize(("max_calls", "limit", "ring"), [(100, 1024, 100), (384, 1024, 384), (385, 1024, 384), (100, 256, 1)])
def test_a_limit_of_open_files_that_is_too_low_for_max_calls(max_calls: int, limit: int, ring: int) -> None:
    sip = Sip(max_calls=max_calls, rtp_ports="10000-18999")
    found = [(advice.key, f"{ring} ring at once" in advice.says) for advice in of_max_calls(sip, limit)]
    assert found == ([] if ring == max_calls else [("sip.max_calls", True)])


@pytest.mark.parametrize(
    ("max_calls", "ports", "said"),
    [
        (100, "10000-10215", ""),
        (142, "10000-10299", ""),
        (
            143, "10000-10299",
            "is 143, and rtp_ports has 300 ports, of which 16 are kept for callers who are told that it is busy, and each call"
            ' takes 2, so 142 ring at once; "10000-10301" would do',
        ),
        (10, "10000-10015", "so 1 ring at once"),
        (100, "65500-65535", "begin the range lower, or lower max_calls"),
    ],
)  # fmt: skip
def test_ports_that_are_too_few_for_max_calls(max_calls: int, ports: str, said: str) -> None:
    found = [advice.says for advice in of_max_calls(Sip(max_calls=max_calls, rtp_ports=ports), 65536)]
    assert len(found) == bool(said)
    assert said in "".join(found)


def test_check_looks_at_the_limit_of_open_files(tmp_path: Path) -> None:
    path = configured(tmp_path, GOOD + CLOSED + '[sip]\nmax_calls = 300\nrtp_ports = "10000-18999"\n')
    command = ["prlimit", "--nofile=512:512", sys.executable, "-m", "gateway", "-c", str(path), "check"]
    done = subprocess.run(command, capture_output=True, text=True, timeout=60, check=False)
    assert "sip.max_calls: is 300, and with at most 512 open files (ulimit -Hn) 128 ring at once" in done.stdout, done


TWILIO = 'kind = "twilio"\naccount_sid = "AC1"\nauth_token_file = "contacts.csv"'
KANNEL = 'kind = "kannel"\nusername = "u"\npassword_file = "contacts.csv"'


@pytest.mark.parametrize(
    ("change", "said"),
    [
        (TWILIO, "nobody can call us back"),
        (
            KANNEL + '\ncallback_url = "http://127.0.0.1:8080"',
            "cannot be verified, so receipts and replies are refused; set hook_secret_file",
        ),
        (
            TWILIO + '\nbase_url = "http://sms.example.com"\ncallback_url = "https://x"',
            "http://sms.example.com is not encrypted",
        ),
        (TWILIO + '\nbase_url = "http://192.168.1.7"\ncallback_url = "https://x"', ""),
        ('kind = "smpp"\nhost = "h"\nsystem_id = "x"\nbind = "transmitter"', "a STOP never reaches the ledger"),
    ],
)
def test_what_keeps_receipts_and_replies_away(tmp_path: Path, change: str, said: str) -> None:
    text = GOOD.replace('kind = "spool"', change)
    found = [advice.says for advice in advise(load(configured(tmp_path, text)), NOW) if advice.key.startswith("sms.")]
    assert len(found) == (1 if said else 0), found
    assert not said or said in found[0]


@pytest.mark.parametrize(
    ("change", "key", "said"),
    [
        (("sorry", "sorry " + "so " * 60), "line.front.text.message", "is 2 segments at its longest"),
        (("sorry", "sorry 😀"), "line.front.text.message", "'😀' is not in the SMS alphabet"),
        (("sorry", "bit.ly/x sorry"), "line.front.text.message", "public link shorteners"),
        (("{business}: ", ""), "line.front.text.message", "does not say who you are"),
        (('business = "ABC"\n', ""), "line.front.business", "is not set"),
        ((" Reply STOP to opt out.", ""), "line.front.text.message", "does not say how to opt out"),
        (
            ('arrives = "group"', 'arrives = "missed"\nring_seconds = 25'),
            "line.front.ring_seconds",
            "voicemail may take the call",
        ),
        (('["US"]', '["2020-01-01"]'), "hours.office.holidays", "all its days off lie in the past"),
        (('["US"]', '["US-TX"]'), "hours.office.holidays.1", "US-TX closes the office on"),
        (
            ('["US"]', '["US"]\nholidays_except = ["2099-11-28"]'),
            "hours.office.holidays_except.1",
            "2099-11-28 is no day off in any case",
        ),
        (
            ('["08:00-12:00", "13:00-17:00"]', '["08:00-12:00", "11:00-17:00"]'),
            "hours.office",
            "08:00-12:00 and 11:00-17:00 overlap",
        ),
        (('mon-fri = ["08:00-12:00", "13:00-17:00"]', ""), "hours.office", "is never open"),
        (('kind = "spool"', 'kind = "smpp"\nhost = "h"\nsystem_id = "x"'), "line.front.campaign", "10DLC campaign"),
        (("per_day = 100", 'per_day = 100\nregions = ["CA"]'), "limits.regions", "leaves out the country"),
        (("per_day = 100", ""), "limits", "a flood of forged callers"),
    ],
)
def test_warnings(tmp_path: Path, change: tuple[str, str], key: str, said: str) -> None:
    text = GOOD.replace(*change)
    assert text != GOOD
    found = advise(load(configured(tmp_path, text)), NOW)
    assert [advice.key for advice in found] == [key], found
    assert said in found[0].says


@pytest.mark.parametrize(
    ("variants", "key", "said"),
    [
        (
            CLOSED + '[[line.front.text.variant]]\nhours = "holiday"\nmessage = "x"\n',
            "variant.2",
            "variant 1 always comes before it",
        ),
        (CLOSED + CLOSED, "variant.2", "variant 1 always comes before it"),
        ('[[line.front.text.variant]]\nmessage = "x"\n', "variant.1", "has no condition"),
        (
            'once_per = "call"\n[[line.front.text.variant]]\nmissed = 2\nmessage = "x"\n',
            "variant.1.missed",
            "every call is the first",
        ),
    ],
)
def test_variants_that_never_apply_are_errors(tmp_path: Path, variants: str, key: str, said: str) -> None:
    with pytest.raises(ConfigError) as caught:
        load(configured(tmp_path, GOOD + variants))
    (problem,) = caught.value.problems
    assert problem.key == f"line.front.text.{key}"
    assert said in problem.says


def test_variant_by_hours_on_a_line_without(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="the line has no hours"):
        load(configured(tmp_path, GOOD.replace('hours = "office"\n', "") + CLOSED))


def test_messages_at_their_longest(tmp_path: Path) -> None:
    loaded = load(configured(tmp_path, GOOD + CLOSED))
    own, closed = messages(loaded.line["front"], loaded)
    assert own.cut.text == "ABC: sorry we missed you. Reply STOP to opt out."
    assert (closed.conditions, closed.cut.text) == ("hours = closed", "ABC opens Wednesday, September 30 at 10:00 AM")


def test_time_is_at_its_longest_on_the_lines_clock(tmp_path: Path) -> None:
    loaded = load(configured(tmp_path, GOOD.replace("sorry", "{day} {time}")))
    assert messages(loaded.line["front"], loaded)[0].cut.text == "ABC: Wednesday 10:59 PM we missed you. Reply STOP to opt out."


def test_week(tmp_path: Path) -> None:
    loaded = load(configured(tmp_path, GOOD + CLOSED + '[consent]\nquiet_hours = "off"\n'))
    stretches = week(loaded.line["front"], Knowledge().directory(loaded, NOW), NOW)
    shown = [f"{local(s.start, 'America/Chicago'):%a %H:%M} {s.says}" for s in stretches]
    assert shown[:5] == [
        "Mon 00:00 variant 1 (hours = closed)",
        "Mon 08:00 the line's message",
        "Mon 12:00 variant 1 (hours = closed)",
        "Mon 13:00 the line's message",
        "Mon 17:00 variant 1 (hours = closed)",
    ]
    assert [text for text in shown if text.startswith("Thu")] == ["Thu 00:00 variant 1 (hours = closed)"]  # Thanksgiving
    assert stretches[-1].end.astimezone(UTC) == datetime(2026, 11, 30, 6, tzinfo=UTC)


def test_check_command(tmp_path: Path) -> None:
    path = configured(tmp_path, GOOD.replace(" Reply STOP to opt out.", "") + CLOSED)
    command = [sys.executable, "-m", "gateway", "-c", str(path), "check"]
    done = subprocess.run([*command, "--json"], capture_output=True, text=True, timeout=120, check=False)
    found = json.loads(done.stdout)
    assert (done.returncode, found["errors"], len(found["warnings"]), len(found["messages"])) == (0, [], 1, 2)
    assert subprocess.run([*command, "--strict"], capture_output=True, check=False).returncode == 1
    shown = subprocess.run([*command, "--week"], capture_output=True, text=True, timeout=120, check=False).stdout
    assert "what a new caller's first missed call gets (America/Chicago)" in shown
    path.write_text(path.read_text().replace("[line.front.text]", "[line.front.txt]"))
    broken = subprocess.run(command, capture_output=True, text=True, timeout=120, check=False)
    assert broken.returncode == 1
    assert 'did you mean "text"?' in broken.stderr
