"""Reading the configuration: what is right comes out whole, and all that is wrong is told at once, with its line."""

import os
import subprocess
import sys
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
        "textback.toml:6: sip.listen.1: '0.0.0.0' must be an address and a port, such as \"127.0.0.1:8080\"",
        "textback.toml:8: trunk.pbx.peers.1: '192.0.2.10/24' has host bits set;"
        ' write an address such as "192.0.2.10" or a network such as "198.51.100.0/28"',
        'textback.toml:9: trunk.both: needs either peers = ["192.0.2.10"] (a PBX or carrier that sends calls by its address)'
        ' or registrar = "sip:…" (an account)',
        "textback.toml:12: sms.a.system_id: is missing, and there is no default for it",
        'textback.toml:15: sms.a.system_idd: is no key of this section; did you mean "system_id"?',
        "textback.toml:16: sms.a.password: must not stand in this file; write it into a file of its own"
        ' and say password_file = "…"',
        'textback.toml:18: sms.b.kind: \'smp\' must be one of "spool", "smpp", "twilio", "signalwire", "telnyx", "bandwidth", "vonage",'
        ' "plivo", "sinch", "android", "kannel", "jasmin", "http"; did you mean "smpp"?',
        'textback.toml:21: line.front.trunks: there is no [trunk.pbxx]; did you mean "pbx"?',
        "textback.toml:23: line.front.ring_seconds: 900 must be less than or equal to 180",
        'textback.toml:25: line.front.text.mesage: is no key of this section; did you mean "message"?',
        'textback.toml:26: line.front.text.once_per: \'week\' must be "call", "day", or a length of time such as "20m" or "24h"',
        'textback.toml:27: line.front.text.message: there is no merge field {bussiness}; did you mean "business"?',
        "textback.toml:27: line.front.text.message: a brace belongs to no merge field; there are {business} {staff} {number}"
        " {caller} {contact} {time} {day} {opens}, with a fallback: {contact|there}",
        "textback.toml:28: line.front.text.variant.1: needs either a message, or send = false",
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
            "sms.spool.url: 'sms.example.com' must be an address like https://sms.example.com",
        ),
        (
            ('kind = "spool"', 'kind = "http"\nurl = "https://sms.example.com"\nfields = {to = "{to}"}'),
            "sms.spool.fields: must say where {text} goes, or every text would be the same",
        ),
        (
            (
                'kind = "spool"',
                'kind = "http"\nurl = "https://sms.example.com"\nrefused = 200\nfields = {to = "{to}", text = "{text}"}',
            ),
            "sms.spool.refused: status 200 stands in two of accepted, refused and temporary",
        ),
        (
            (
                'kind = "spool"',
                'kind = "kannel"\nusername = "u"\npassword_file = "carrier.password"\nhook_secret_file = "smsc.password"',
            ),
            "sms.spool.hook_secret_file: what smsc.password holds must be 16 to 200 letters",
        ),
        (
            ('kind = "spool"', 'kind = "telnyx"\napi_key_file = "smsc.password"\npublic_key_file = "smsc.password"'),
            "sms.spool.public_key_file: what smsc.password holds must be the account's public key as Telnyx shows it",
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
            "sms.spool.fields: there is no {txt}; there are {to}, {to_digits}",
        ),
        (
            (
                'kind = "spool"',
                'kind = "http"\nurl = "https://sms.example.com"\nheaders = {A = "{secret}"}\nfields = {to = "{to}", text = "{text}"}',
            ),
            "sms.spool.headers: {secret} is used, but secret_file does not name",
        ),
        (("[line.front]", "[line.other]\nnumber = '+14155550100'\n[line.front]"), "is the number of [line.other] too"),
        (('[trunk.pbx]\npeers = ["192.0.2.10"]', ""), "line.front: no calls can come: there is no [trunk.…] section"),
        (
            ('region = "US"', 'region = "US"\n[web]\nlisten = "0.0.0.0:8080"'),
            "web.listen: is no loopback address, so a password",
        ),
        (('region = "US"', 'region = "US"\n[sip]\nlisten = ["tls:0.0.0.0:5061"]'), "tls cannot be listened on yet"),
        (("[line.front]", '[line.front]\nring_seconds = "20s"'), "line.front.ring_seconds: '20s' must be a valid number"),
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
    assert problems(path) == ["textback.toml:10: sms.spool.password_file: what smsc.password holds is longer than 8 characters"]


def test_no_file_at_all(tmp_path: Path) -> None:
    assert problems(tmp_path / "none.toml")[0].startswith("none.toml: cannot be read: No such file")


def test_not_utf_8(tmp_path: Path) -> None:
    path = tmp_path / "textback.toml"
    path.write_bytes(b"timezone = 'x'\nregion = '\xff'\n")
    assert problems(path) == ["textback.toml:2: is not UTF-8; save it as UTF-8"]


def section(secret: str) -> str:
    """A bridge whose password is in that file."""
    return GOOD.replace('kind = "spool"', f'kind = "smpp"\nhost = "h"\nsystem_id = "x"\npassword_file = "{secret}"')


def password(path: Path) -> str:
    """What was read as the bridge's password."""
    bridge = load(path).sms["spool"]
    assert isinstance(bridge, Smpp)
    return bridge.password.get_secret_value()


@pytest.fixture
def credentials(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The directory in which systemd gives a service its secrets."""
    directory = tmp_path / "credentials"
    directory.mkdir()
    monkeypatch.setenv("CREDENTIALS_DIRECTORY", str(directory))
    return directory


@pytest.mark.parametrize("given", ["given.password", "secrets_given.password"])
@pytest.mark.parametrize("named", ["given.password", "secrets/given.password", "/etc/textback/secrets/given.password"])
def test_secret_from_systemds_credentials(write, credentials: Path, named: str, given: str) -> None:
    """Given alone, or as a file of the directory that the unit gives whole."""
    (credentials / given).write_text("fromsys")
    assert password(write(section(named))) == "fromsys"


def test_secret_that_systemd_gave_comes_before_the_file_beside(write, credentials: Path) -> None:
    (credentials / "smsc.password").write_text("fromsys")
    assert password(write(section("smsc.password"))) == "fromsys"


def test_file_that_is_named_whole_comes_before_a_namesake_of_systemds(write, credentials: Path, tmp_path: Path) -> None:
    (credentials / "smsc.password").write_text("fromsys")
    assert password(write(section(f"{tmp_path}/smsc.password"))) == "secret"


def test_secret_in_the_directory_secrets(write, tmp_path: Path) -> None:
    (tmp_path / "secrets").mkdir()
    (tmp_path / "secrets" / "inside.password").write_text("inside")
    assert password(write(section("inside.password"))) == "inside"


def test_secret_that_is_nowhere(write, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = write(section("no.password"))
    assert "there is no file no.password; write the secret into it" in problems(path)[0]
    (tmp_path / "secrets").mkdir()
    assert "there is no file secrets/no.password; write the secret into it" in problems(path)[0]
    monkeypatch.setenv("CREDENTIALS_DIRECTORY", str(tmp_path))
    said = "systemd gave no secret no.password at the start; write it into secrets/no.password and restart the service"
    assert said in problems(path)[0]


WITHOUT_ROOTS_RIGHTS = (
    ["setpriv", "--bounding-set=-dac_override,-dac_read_search", "--inh-caps=-dac_override,-dac_read_search"]
    if os.geteuid() == 0
    else []
)
"""For root too a file's mode counts then, as for the service's user."""


def checked(path: Path, credentials: Path) -> subprocess.CompletedProcess[str]:
    """`textback check` as somebody for whom a file's mode counts, with systemd's credentials."""
    command = [*WITHOUT_ROOTS_RIGHTS, sys.executable, "-m", "gateway", "-c", str(path), "check"]
    environment = {**os.environ, "CREDENTIALS_DIRECTORY": str(credentials)}
    return subprocess.run(command, capture_output=True, text=True, timeout=60, check=False, env=environment)


def test_secret_beside_that_cannot_be_read_is_passed_over_for_systemds(write, credentials: Path, tmp_path: Path) -> None:
    path = write(section("smsc.password"))
    (tmp_path / "smsc.password").chmod(0)
    done = checked(path, credentials)
    assert f"{tmp_path}/smsc.password cannot be read: Permission denied" in done.stderr
    (credentials / "smsc.password").write_text("fromsys")
    done = checked(path, credentials)
    assert (done.returncode, done.stderr) == (0, "")


def test_configuration_that_cannot_be_read(write, credentials: Path) -> None:
    path = write(GOOD)
    path.chmod(0)
    said = f"{path}: cannot be read: Permission denied; chmod 644 lets the gateway's user read it\n"
    assert checked(path, credentials).stderr.startswith(said)


def test_directory_secrets_that_cannot_be_entered(write, credentials: Path, tmp_path: Path) -> None:
    closed = tmp_path / "secrets"
    closed.mkdir(mode=0)
    path = write(section("given.password"))
    assert "systemd gave no secret given.password" in checked(path, credentials).stderr
    (credentials / "secrets_given.password").write_text("fromsys")
    assert checked(path, credentials).returncode == 0
    closed.chmod(0o700)


def test_data_directory_within_one_that_cannot_be_entered(write, credentials: Path, tmp_path: Path) -> None:
    """Whoever may only read the configuration can have it checked."""
    (tmp_path / "closed" / "inner").mkdir(parents=True)
    path = write(GOOD.replace('"data"', '"closed/inner/data"'))
    (tmp_path / "closed").chmod(0)
    done = checked(path, credentials)
    (tmp_path / "closed").chmod(0o700)
    assert (done.returncode, done.stderr) == (0, "")


def test_secret_that_everybody_may_read_is_warned_of(write, tmp_path: Path) -> None:
    path = write(EXAMPLE.read_text())
    tmp_path.chmod(0o755)
    assert warnings_about_secrets(path) == []
    (tmp_path / "smsc.password").chmod(0o644)
    assert [problem.key for problem in warnings_about_secrets(path)] == ["sms.primary.password_file"]
    tmp_path.chmod(0o700)
    assert warnings_about_secrets(path) == []
