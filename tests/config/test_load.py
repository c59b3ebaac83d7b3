"""Reading the configuration: what is right comes out whole, and all that is wrong is told at once, with its line."""

from pathlib import Path

import pytest

import config
from config.load import ConfigError, load, not_in_effect, warnings_about_secrets
from config.model import Smpp

EXAMPLE = Path(config.__file__).with_name("textback.example.toml")
SECRETS = ("carrier.password", "smsc.password", "twilio.token", "web.password")
GOOD = """\
data_dir = "data"
timezone = "America/Chicago"
region = "US"
[trunk.pbx]
peers = ["192.0.2.10"]
[sms.spool]
kind = "spool"
[line.front]
number = "+1 (415) 555-0100"
"""


@pytest.fixture
def write(tmp_path: Path):
    """Write a configuration beside its secrets."""

    def write_it(text: str) -> Path:
        for name in SECRETS:
            (tmp_path / name).write_text("secret\n")
            (tmp_path / name).chmod(0o600)
        path = tmp_path / "textback.toml"
        path.write_text(text)
        return path

    return write_it


def problems(path: Path) -> list[str]:
    """Every problem as it is shown, without the directory."""
    with pytest.raises(ConfigError) as caught:
        load(path)
    return [str(problem).replace(f"{path.parent}/", "") for problem in caught.value.problems]


def test_line_is_resolved_from_the_rest(write) -> None:
    loaded = load(write(GOOD))
    line = loaded.line["front"]
    assert (line.number, line.sender, line.timezone) == ("+14155550100", "+14155550100", "America/Chicago")
    assert (line.trunks, line.sms, line.text.once_per) == (("pbx",), ("spool",), "day")
    assert loaded.data_dir.is_absolute()
    assert loaded.where("line.front.number") == "textback.toml:9"
    assert loaded.where("line.front.min_ring") == "textback.toml (default)"


def test_example_is_good(write) -> None:
    loaded = load(write(EXAMPLE.read_text()))
    bridge = loaded.sms["primary"]
    assert isinstance(bridge, Smpp)
    assert bridge.password.get_secret_value() == "secret"
    assert "SecretStr('**********')" in repr(loaded)
    assert "'secret'" not in repr(loaded)


def test_example_says_what_is_not_in_effect(write) -> None:
    found = {problem.key for problem in not_in_effect(write(EXAMPLE.read_text()))}
    assert {"alert", "trunk.carrier", "retention"} <= found
    assert not {"hours", "line.front-desk.text.variant", "limits.per_minute"} & found
    assert "line.front-desk.arrives" not in found


def test_everything_wrong_is_told_at_once(write) -> None:
    text = """\
data_dir = "data"
timezone = "America/Chicag"
regio = "US"
region = "US"
[sip]
listen = ["udp:0.0.0.0"]
[trunk.pbx]
peers = ["192.0.2.10/24"]
[trunk.both]
peers = ["192.0.2.11"]
registrar = "sip:x"
[sms.a]
kind = "smpp"
host = "h"
system_idd = "x"
password = "hunter2"
[sms.b]
kind = "smp"
[line.front]
number = "+14155550100"
trunks = ["pbxx"]
sms = ["a"]
ring_seconds = 900
[line.front.text]
mesage = "x"
once_per = "week"
message = "hello {bussiness} {"
[[line.front.text.variant]]
missed = 2
"""
    assert problems(write(text)) == [
        'textback.toml:2: timezone: \'America/Chicag\' is no time zone; write a name such as "America/Chicago" or "Europe/London"',
        'textback.toml:3: regio: is no key of this section; did you mean "region"?',
        "textback.toml:6: sip.listen.0: '0.0.0.0' must be an address and a port, such as \"127.0.0.1:8080\"",
        "textback.toml:8: trunk.pbx.peers.0: '192.0.2.10/24' has host bits set;"
        ' write an address such as "192.0.2.10" or a network such as "198.51.100.0/28"',
        'textback.toml:9: trunk.both: needs either peers = ["192.0.2.10"] (a PBX or carrier that sends calls by its address)'
        ' or registrar = "sip:…" (an account)',
        "textback.toml:12: sms.a.system_id: is missing, and there is no default for it",
        'textback.toml:15: sms.a.system_idd: is no key of this section; did you mean "system_id"?',
        "textback.toml:16: sms.a.password: must not stand in this file; write it into a file of its own"
        ' and say password_file = "…"',
        'textback.toml:17: sms.b: kind must be one of "spool", "smpp", "twilio", "signalwire", "telnyx", "bandwidth", "vonage",'
        ' "plivo", "sinch", "android", "kannel", "jasmin", "http"; did you mean "smpp"?',
        'textback.toml:21: line.front.trunks: there is no [trunk.pbxx]; did you mean "pbx"?',
        "textback.toml:23: line.front.ring_seconds: 900 must be less than or equal to 180",
        'textback.toml:25: line.front.text.mesage: is no key of this section; did you mean "message"?',
        'textback.toml:26: line.front.text.once_per: \'week\' must be "call", "day", or a length of time such as "20m" or "24h"',
        'textback.toml:27: line.front.text.message: there is no merge field {bussiness}; did you mean "business"?',
        "textback.toml:27: line.front.text.message: a brace belongs to no merge field; there are {business} {staff} {number}"
        " {caller} {contact} {time} {day} {opens}, with a fallback: {contact|there}",
        "textback.toml:28: line.front.text.variant.0: needs either a message, or send = false",
    ]


@pytest.mark.parametrize(
    ("change", "said"),
    [
        (('region = "US"', "region = US"), "textback.toml:3: Invalid value"),
        (('"data"', '"data'), "textback.toml:1: "),
        (('region = "US"', 'region = "XX"'), "textback.toml:3: region: 'XX' is no country"),
        (('peers = ["192.0.2.10"]', "peers = 5"), "textback.toml:5: trunk.pbx.peers: 5 must be a list in brackets"),
        (('kind = "spool"', 'kind = "twilio"\naccount_sid = "AC1"'), "sms.spool.auth_token_file: is missing"),
        (('kind = "spool"', 'kind = "telnyx"'), "sms.spool.api_key_file: is missing, and there is no default for it"),
        (
            ('kind = "spool"', 'kind = "http"\nurl = "sms.example.com"\nfields = {text = "{text}", to = "{to}"}'),
            'sms.spool.url: "sms.example.com" must be an address like https://sms.example.com',
        ),
        (
            ('kind = "spool"', 'kind = "http"\nurl = "https://sms.example.com"\nfields = {to = "{to}"}'),
            "sms.spool: fields must say where {text} goes, or every text would be the same",
        ),
        (
            (
                'kind = "spool"',
                'kind = "http"\nurl = "https://sms.example.com"\nrefused = 200\nfields = {to = "{to}", text = "{text}"}',
            ),
            "sms.spool: status 200 stands in two of accepted, refused and temporary",
        ),
        (
            (
                'kind = "spool"',
                'kind = "kannel"\nusername = "u"\npassword_file = "carrier.password"\nhook_secret_file = "smsc.password"',
            ),
            "sms.spool.hook_secret_file: must be 16 to 200 letters",
        ),
        (
            ('kind = "spool"', 'kind = "telnyx"\napi_key_file = "smsc.password"\npublic_key_file = "smsc.password"'),
            "sms.spool.public_key_file: must be the account's public key as Telnyx shows it",
        ),
        (('kind = "spool"', 'kind = "twillio"'), '"http"; did you mean "twilio"?'),
        (
            ('kind = "spool"', 'kind = "smpp"\nhost = "h"\nsystem_id = "x"\npassword_file = "nowhere"'),
            "textback.toml:10: sms.spool.password_file: there is no file nowhere;",
        ),
        (
            ("[line.front]", "[line.front]\nsender = 'much too long a name'"),
            "line.front.sender: 'much too long a name' must be",
        ),
        (
            (
                'kind = "spool"',
                'kind = "http"\nurl = "https://sms.example.com"\nfields = {to = "{to}", text = "{text}", a = "{txt}"}',
            ),
            "sms.spool: there is no {txt}; there are {to}, {to_digits}",
        ),
        (
            (
                'kind = "spool"',
                'kind = "http"\nurl = "https://sms.example.com"\nheaders = {A = "{secret}"}\nfields = {to = "{to}", text = "{text}"}',
            ),
            "sms.spool: {secret} is used, but secret_file does not name",
        ),
        (("[line.front]", "[line.other]\nnumber = '+14155550100'\n[line.front]"), "is the number of [line.other] too"),
        (('[trunk.pbx]\npeers = ["192.0.2.10"]', ""), "line.front: no calls can come: there is no [trunk.…] section"),
        (
            ('region = "US"', 'region = "US"\n[web]\nlisten = "0.0.0.0:8080"'),
            "web.listen: is no loopback address, so a password",
        ),
        (('region = "US"', 'region = "US"\n[sip]\nlisten = ["tls:0.0.0.0:5061"]'), "tls cannot be listened on yet"),
        (("[line.front]", '[line.front]\nring_seconds = "20s"'), 'line.front.ring_seconds: "20s" must be a valid number'),
        (('"+1 (415) 555-0100"', '"555-0100"'), "'555-0100' is no valid telephone number; write it with + and country code"),
        (('[line.front]\nnumber = "+1 (415) 555-0100"', ""), "line: is missing"),
    ],
)
def test_single_mistakes(write, change: tuple[str, str], said: str) -> None:
    text = GOOD.replace(*change)
    assert text != GOOD
    found = problems(write(text))
    assert len(found) == 1, found
    assert said in found[0]


def test_smpp_password_that_would_be_cut_is_refused_and_not_shown(write, tmp_path: Path) -> None:
    path = write(GOOD.replace('kind = "spool"', 'kind = "smpp"\nhost = "h"\nsystem_id = "x"\npassword_file = "smsc.password"'))
    (tmp_path / "smsc.password").write_text("much-too-long-a-password")
    assert problems(path) == ["textback.toml:10: sms.spool.password_file: is longer than 8 characters"]


def test_no_file_at_all(tmp_path: Path) -> None:
    assert problems(tmp_path / "none.toml")[0].startswith("none.toml: cannot be read: No such file")


def test_not_utf_8(tmp_path: Path) -> None:
    path = tmp_path / "textback.toml"
    path.write_bytes(b"timezone = 'x'\nregion = '\xff'\n")
    assert problems(path) == ["textback.toml:2: is not UTF-8; save it as UTF-8"]


def test_secret_from_systemds_credentials(write, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    credentials = tmp_path / "credentials"
    credentials.mkdir()
    (credentials / "given.password").write_text("fromsys")
    monkeypatch.setenv("CREDENTIALS_DIRECTORY", str(credentials))
    section = 'kind = "smpp"\nhost = "h"\nsystem_id = "x"\npassword_file = "given.password"'
    bridge = load(write(GOOD.replace('kind = "spool"', section))).sms["spool"]
    assert isinstance(bridge, Smpp)
    assert bridge.password.get_secret_value() == "fromsys"


def test_secret_that_everybody_may_read_is_warned_of(write, tmp_path: Path) -> None:
    path = write(EXAMPLE.read_text())
    assert warnings_about_secrets(path) == []
    (tmp_path / "smsc.password").chmod(0o644)
    assert [problem.key for problem in warnings_about_secrets(path)] == ["sms.primary.password_file"]
