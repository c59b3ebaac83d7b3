"""What may be said and most likely is not meant, files that are named, and what the commands say of a broken configuration."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from config.doubts import of
from config.load import ConfigError, load
from config.secrets import SecretError, read
from tests.config.whole import lay_out, toml


@pytest.fixture
def path(tmp_path: Path) -> Path:
    """Where a configuration is written, beside all the files that it names."""
    return lay_out(tmp_path)


OVERLAP = "on Monday 08:00-12:00 and 11:00-13:00 overlap"
FROM_SUNDAY = "on Monday 01:00-03:00 and Sunday 20:00-02:00 overlap"


@pytest.mark.parametrize(
    ("section", "key", "value", "told", "said"),
    [
        ("trunk.pbx", "peers", '["192.0.2.10", "0.0.0.0/0"]', "trunk.pbx.peers.2", "0.0.0.0/0 lets anybody on the internet"),
        ("trunk.pbx", "peers", '["::/0"]', "trunk.pbx.peers.1", "::/0 lets anybody on the internet"),
        ("trunk.pbx", "peers", '["10.0.0.0/8", "2001:db8::/32"]', "", ""),
        ("hours.office", "sat", '"12:00-08:00"', "hours.office.sat", '20 h long; if the day was meant, turn it around: "08:00-12:00"'),
        ("hours.office", "sat", '"20:00-08:00"', "", ""),
        ("hours.office", "sat", '"00:00-24:00"', "", ""),
        ("hours.office", "mon-fri", '["08:00-12:00", "11:00-13:00"]', "hours.office", OVERLAP),
        ("hours.office", '"mon,tue"', '"11:30-12:30"', "hours.office", "on Monday 08:00-12:00 and 11:30-12:30 overlap"),
        ("hours.office", '"sun,mon"', '["01:00-03:00", "20:00-02:00"]', "hours.office", FROM_SUNDAY),
        ("hours.office", "sat", '["00:00-24:00", "10:00-11:00"]', "hours.office", "on Saturday 00:00-24:00 and 10:00-11:00 overlap"),
        ("hours.office", "sun", '["20:00-08:00"]', "", ""),
        ("hours.office", "sun", '["21:00-08:30"]', "hours.office", "08:00-12:00 and Sunday 21:00-08:30 overlap"),
    ],
)  # fmt: skip
def test_warned_of(path: Path, section: str, key: str, value: str, told: str, said: str) -> None:
    path.write_text(toml(section, key, value)[0])
    found = list(of(load(path)))
    assert [key for key, _ in found] == ([told] if told else []), found
    assert not told or said in found[0][1]


RINGS_BESIDE = [
    ("ring_seconds = 20", ["ring_seconds"], "ring_seconds = 22 (20 + 2) lets it end first"),
    ("", ["ring_seconds"], "20 s may be the PBX's ring time too"),
    ("ring_seconds = 25", ["ring_seconds"], "25 s may be the PBX's ring time too"),
    ("ring_seconds = 22", [], ""),
    ("ring_seconds = 5", [], ""),
    ('ring_seconds = 20\narrives = "missed"', [], ""),
    ('ring_seconds = 20\narrives = "group"', [], ""),
    ('arrives = "group"\nring_most = "2m"', [], ""),
    ('arrives = "group"\nring_most = "29s"', ["ring_most"], "29 s is shorter than groups ring"),
    ('ring_seconds = 22\nring_most = "2m"', ["ring_most"], 'does nothing with arrives = "ringing"'),
]
SMALL = """\
timezone = "America/Chicago"
region = "US"
[trunk.pbx]
peers = ["192.0.2.10"]
{trunk}
[sms.spool]
kind = "spool"
[line.front]
number = "+14155550100"
{line}
"""


@pytest.mark.parametrize(("line", "told", "said"), RINGS_BESIDE)
def test_who_ends_the_ring(tmp_path: Path, line: str, told: list[str], said: str) -> None:
    path = tmp_path / "textback.toml"
    path.write_text(SMALL.format(trunk="", line=line))
    found = list(of(load(path)))
    assert [key for key, _ in found] == [f"line.front.{key}" for key in told], found
    assert all(said in says for _, says in found)


def test_group_whose_trunk_is_not_believed(tmp_path: Path) -> None:
    path = tmp_path / "textback.toml"
    path.write_text(SMALL.format(trunk='answered_elsewhere = "ignore"', line='arrives = "group"'))
    ((key, says),) = of(load(path))
    assert key == "line.front.arrives"
    assert "every call that a phone answers is texted" in says


def test_ring_of_an_account_s_line_is_its_own(tmp_path: Path) -> None:
    path = tmp_path / "textback.toml"
    (tmp_path / "pbx.password").write_text("secret")
    account = 'registrar = "sip:192.0.2.1"\nusername = "a"\npassword_file = "pbx.password"'
    path.write_text(SMALL.format(trunk="", line="").replace('peers = ["192.0.2.10"]', account))
    assert list(of(load(path))) == []


def test_files_are_found_from_any_directory(path: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Relative names are relative to the configuration, wherever the program was started."""
    path.write_text(toml("sip", "max_calls", "100")[0])
    (tmp_path / "elsewhere").mkdir()
    monkeypatch.chdir(tmp_path / "elsewhere")
    loaded = load(Path("../textback.toml"))
    named = [loaded.data_dir, loaded.sip.tls_certificate, loaded.sip.tls_key, loaded.line["front"].greeting]
    named += [loaded.contacts.file if loaded.contacts else None, getattr(loaded.sms["smsc"], "tls_ca", None)]
    names = ["data", "fullchain.pem", "privkey.pem", "greeting.wav", "contacts.csv", "ca.pem"]
    assert [os.path.normpath(str(file)) for file in named] == [str(tmp_path / name) for name in names]


@pytest.mark.parametrize(
    ("content", "says"),
    [
        (b"one\ntwo\n", "holds more than one line"),
        (b"one\r\ntwo", "holds more than one line"),
        (b"a\0b", r"holds a control character \(U\+0000\)"),
        (b"a\tb", r"holds a control character \(U\+0009\)"),
        (b"\n\n", "is empty"),
        (b"\xff", "is no text file"),
    ],
)
def test_secret_stands_alone_in_its_file(tmp_path: Path, content: bytes, says: str) -> None:
    (tmp_path / "secret").write_bytes(content)
    with pytest.raises(SecretError, match=says):
        read("secret", tmp_path)


@pytest.mark.parametrize("content", [b"word", b"word\n", b" word\r\n\r\n", b"\xef\xbb\xbfword\r\n"])
def test_secret_as_any_editor_writes_it(tmp_path: Path, content: bytes) -> None:
    (tmp_path / "secret").write_bytes(content)
    assert read("secret", tmp_path) == "word"


def command(path: Path, *words: str) -> subprocess.CompletedProcess[str]:
    """One command of the command line."""
    words = (sys.executable, "-m", "gateway", "-c", str(path), *words)
    return subprocess.run(words, capture_output=True, text=True, timeout=90, check=False)


def test_check_and_run_say_the_same_of_broken_hours(path: Path) -> None:
    text, line = toml("hours.office", "sat", '"closed"')
    path.write_text(text)
    checked, run = command(path, "check"), command(path, "run")
    assert (checked.returncode, run.returncode) == (1, 1)
    told = checked.stderr.splitlines()
    assert told[0].startswith(f"{path}:{line}: hours.office.sat: 'closed' must be a span of time")
    assert told[1] == "1 error; nothing was changed."
    assert run.stderr.splitlines() == told[:1]


def test_strict_says_why_it_is_not_good(path: Path) -> None:
    path.write_text(toml("trunk.pbx", "peers", '["0.0.0.0/0"]')[0])
    strict = command(path, "check", "--strict")
    assert (strict.returncode, ": good" in strict.stdout) == (1, False)
    assert "not good by --strict: " in strict.stderr
    assert "count as errors" in strict.stderr
    assert "Without --strict it is good (configuration " in strict.stderr


def test_name_with_a_line_end_forges_no_second_line(path: Path) -> None:
    path.write_text(toml("sip", "max_calls", "100")[0] + '["a\\nb"]\n')
    with pytest.raises(ConfigError) as caught:
        load(path)
    assert "\n" not in str(caught.value)
