"""Files that are broken as text: no TOML, no UTF-8, sections in the wrong brackets or without a name. Each is told with its line."""

from pathlib import Path

import pytest

from config.load import load
from config.problems import ConfigError
from tests.config.whole import lay_out, problems_of


@pytest.fixture(scope="module")
def path(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Where a configuration is written, beside all the files that it names."""
    return lay_out(tmp_path_factory.mktemp("broken"))


HEAD = 'timezone = "UTC"\nregion = "US"\n[trunk.pbx]\npeers = ["192.0.2.10"]\n[sms.a]\nkind = "spool"\n'
LINE = '[line.front]\nnumber = "+14155550100"\n'
TEXTS = [
    (b"", None, "timezone: is missing"),
    (b"\n\n", None, "region: is missing"),
    ("timezone", 1, "a line is a section in brackets, or key = value"),
    ("timezone =", 1, "Invalid value; a value is text in quotes"),
    ('timezone = "UTC', 1, "the closing quote is missing"),
    ('timezone = "UTC\nregion = "US"\n', 1, "the closing quote is missing"),
    ("timezone = 'UTC\nregion = 'US'\n", 1, "the closing quote is missing"),
    ("timezone = 'UTC", 1, "the closing quote is missing"),
    ('timezone = """UTC\n\n', 1, "the closing quote is missing"),
    ("timezone = '''UTC", 1, "the closing quote is missing"),
    ("timezone = UTC", 1, "a value is text in quotes"),
    ('timezone = “UTC”', 1, "a value is text in quotes"),
    ('region = "US"\ntimezone : "UTC"', 2, "a line is a section in brackets, or key = value"),
    ('time zone = "UTC"', 1, "a key is one word, or stands in quotes; a value stands behind ="),
    ("x = [1, 2", 1, "a comma is missing between two values, or the bracket ]"),
    ('x = ["US" "CA"]', 1, "a comma is missing between two values, or the bracket ]"),
    ('x = ["US"\n[sip]\n', 2, "a comma is missing between two values, or the bracket ]"),
    ("x = { a = 1 b = 2 }", 1, "a comma is missing between two values, or the bracket }"),
    ("x = { a = 1, }", 1, "no comma stands before }"),
    ('[sms.a]\nheaders = {\n  a = "x",\n}\n', 2, "what stands in { } stands on one line"),
    ("x = { a = 1,\n b = 2 }", 1, "what stands in { } stands on one line"),
    ("x = yes", 1, "a value is text in quotes, a number, true, false"),
    ("x = 08", 1, "a value is text in quotes"),
    ("x = 2026-13-45", 1, "a value is text in quotes"),
    ('x = "a\\d"', 1, r"in double quotes \ begins a sign"),
    (r'data_dir = "C:\textback\data"', 1, "write / instead, or put the text in single quotes"),
    (r'data_dir = "C:\users\x"', 1, "write / instead, or put the text in single quotes"),
    ("x = 1 y = 2", 1, "a value is text in quotes"),
    ("[sip", 1, "a section is its name in brackets, alone on its line"),
    ("[sip]]", 1, "a section is its name in brackets, alone on its line"),
    ("[]", 1, "a section is its name in brackets"),
    ("[a..b]", 1, "a section is its name in brackets"),
    ("[line.front desk]", 1, "a section is its name in brackets"),
    ('[web] listen = "x"', 1, "a section is its name in brackets, alone on its line"),
    (b"timezone = 'x'\nregion = '\xff'\n", 2, "is not UTF-8; save it as UTF-8"),
    ('timezone = "ü"'.encode("latin-1"), 1, "is not UTF-8; save it as UTF-8"),
    (HEAD.encode("utf-16"), 1, "is not UTF-8; save it as UTF-8"),
    (HEAD.encode("utf-16-le"), 1, "is not UTF-8 (perhaps UTF-16)"),
    (b"timezone = 'x'\n\0", 2, "is not UTF-8 (perhaps UTF-16), or is no text"),
    (b'timezone = "UTC"\rregion = "US"\r', 1, ""),
    ("x = " + "[" * 5000 + "]" * 5000, 1, "has more than 40 brackets within each other"),
    ("\nx = " + "[\n" * 5000 + "]" * 5000, 42, "has more than 40 brackets within each other"),
    ("x = " + "[" * 100 + "]" * 100, 1, "has more than 40 brackets within each other"),
    ("x = " + "{a=" * 3000 + "1" + "}" * 3000, 1, "has more than 40 brackets within each other"),
    ("\nx = " + "9" * 5000, 2, "holds a number that is too large"),
    ('region = "US"\n\nregion = "CA"\n', 3, "region: is there already in line 1; a key stands once"),
    ('[web]\nlisten = "x"\n[sip]\nlisten = [\n"y",\n]\nlisten = [\n"z",\n]\n', 7, "sip.listen: is there already in line 4"),
    ("x = { a = 1 }\nx = { a = 2 }", 2, "x: is there already in line 1"),
    ("x = { a = 1, a = 2 }", 1, "a key stands once, so remove one of them"),
    ("[sip]\n[web]\n[sip]\n", 3, "sip: is there already in line 1; a section stands once"),
    ("[line.front]\n[line.other]\n[line.front]\n", 3, "line.front: is there already in line 1"),
    ("x = 1\n[x]\n", 2, "x: is there already in line 1"),
    ("[x]\n[[x]]\n", 2, "x: is there already in line 1"),
    ("[x.y]\n[x]\ny = 1\n", 3, "x.y: is there already in line 1"),
    (
        "[line.x.text.variant]\nmissed = 1\n[line.x.text.variant]\nmissed = 2",
        3,
        "line.x.text.variant: stands here for the second time; each needs double brackets: [[line.x.text.variant]]",
    ),
    (HEAD + LINE + '[line.front.text.variant]\nmissed = 2\nmessage = "x"\n', 9, "double brackets: [[line.front.text.variant]]"),
    (HEAD + '[[line.front]]\nnumber = "+14155550100"\n', 7, "is written with single brackets, and stands once: [line.front]"),
    (HEAD + '[[line]]\nnumber = "+14155550100"\n', 7, "is written with single brackets, and stands once: [line.front-desk]"),
    (HEAD + LINE + "[[web]]\n", 9, "is written with single brackets, and stands once: [web]"),
    (HEAD + '[line]\nnumber = "+14155550100"\nbusiness = "x"\n', 8, "stands in [line], which needs a name; write [line.front-desk]"),
    (HEAD.replace("[sms.a]", "[sms]") + LINE, 6, "sms.kind: stands in [sms], which needs a name; write [sms.primary] above it"),
    (HEAD.replace("[trunk.pbx]", "[trunk]") + LINE, 4, "stands in [trunk], which needs a name; write [trunk.pbx]"),
    (HEAD + LINE + '[hours]\nmon-fri = "08:00-17:00"\n', 10, "stands in [hours], which needs a name; write [hours.office]"),
    (HEAD + LINE + '[alert]\nkind = "email"\n', 10, "stands in [alert], which needs a name; write [alert.owner]"),
    (HEAD + '[line.""]\nnumber = "+14155550100"\n', 7, "must not be empty"),
    (HEAD + f'[line.{"x" * 65}]\nnumber = "+14155550100"\n', 7, "is longer than 64 characters"),
    (HEAD + '[line."a\\nb"]\nnumber = "+14155550100"\n', 7, "has a control character (U+000A) in its name"),
    (HEAD + '[line."\\u0000"]\nnumber = "+14155550100"\n', 7, "has a control character (U+0000) in its name"),
    (HEAD, None, "line: is missing"),
    (
        HEAD + '[sms.b]\nkind = "http"\nurl = "https://x.example"\nbody = "form"\nfields = { to = ["{to}"], text = "{text}" }\n' + LINE,
        11,
        "to must be text or a number, in quotes: a form has nothing else (body)",
    ),
    ("sip = 5\n" + HEAD + LINE, 1, "sip: 5 must be a section of its own: [sip]"),
    ("line = 5\n" + HEAD, 1, "line: 5 must be a section of its own: [line.front-desk]"),
    (HEAD + "receipt = 5\n" + LINE, 7, "sms.a.receipt: is no key of this section"),
    (HEAD + '[trunk.b]\npeers = ["192.0.2.1"]\nregistrar = "sip:x"\n' + LINE, 7, "trunk.b: needs either peers"),
    (HEAD + '[line]\nfront = "+14155550100"\n', 8, "line.front: stands in [line], which needs a name"),
    (HEAD.replace("[sms.a]", "[sms.a]\n[sms.b]") + LINE, 5, "kind must be one of"),
    (HEAD + "[line.front]\n", 7, "line.front.number: is missing"),
    (HEAD.replace('[sms.a]\nkind = "spool"\n', "") + LINE, 5, "no text can go: there is no [sms.…] section"),
    (HEAD + LINE + "[line.other]\nnumber = '+14155550100'\n", 10, "is the number of [line.front] too"),
    (HEAD.replace("pbx", "call-test") + LINE, 3, "is the name of test calls' own trunk"),
    (HEAD + '[trunk.b]\npeers = ["192.0.2.10"]\n' + LINE, 8, "192.0.2.10 is a peer of [trunk.pbx] too"),
    (HEAD + LINE + '[line.frontt.text]\nwait = "5m"\n', 9, "line.frontt: stands only in [line.frontt.text]; did you mean [line.front.text]?"),
    (HEAD + '[sms.aaa.receipt]\nid = "x"\n[sms.aab]\nkind = "spool"\n' + LINE, 7, "did you mean [sms.aab.receipt]?"),
    (HEAD + LINE + '[line.other.text]\nwait = "5m"\n', 9, "line.other.number: is missing"),
    (HEAD + LINE + "[consent]\nper_day = 5\n", 10, "consent.per_day: is no key of this section; it belongs into [limits]"),
    (HEAD + LINE + 'message = "x"\n', 9, "it belongs into [line.front.text] or into [[line.front.text.variant]]"),
    (HEAD + LINE + '[limits]\nregion = "US"\n', 10, 'did you mean "regions"?'),
    (HEAD + LINE + "[consent]\nwatch = true\n", 10, "it belongs above the first section"),
    (HEAD + LINE + "[consent]\nsystem_id = 5\n", 10, "it belongs into [sms.NAME]"),
    ('per_day = 5\n' + HEAD + LINE, 1, "it belongs into [limits]"),
    (HEAD + LINE + "[line.front.txt]\n", 9, 'did you mean "text"?'),
    (HEAD + '[line."front.desk"]\nnumber = "+14155550100"\nbusines = "x"\n', 9, 'did you mean "business"?'),
    (HEAD + LINE + "[consnt]\n", 9, 'did you mean "consent"?'),
    (b"# " + b"x" * 5_000_001, None, "is larger than 5 MB"),
]  # fmt: skip


@pytest.mark.parametrize(("text", "line", "said"), TEXTS, ids=range(len(TEXTS)))
def test_broken_as_text(path: Path, text: str | bytes, line: int | None, said: str) -> None:
    path.write_bytes(text if isinstance(text, bytes) else text.encode())
    found = problems_of(path)
    place = f"{path}:{line}: " if line else f"{path}: "
    assert [str(problem) for problem in found if str(problem).startswith(place) and said in str(problem)], list(map(str, found))
    assert line is None or len(found) == 1, list(map(str, found))


GOOD_TEXTS = [
    ((HEAD + LINE).replace("\n", "\r\n").encode(), "Windows' line ends"),
    (b"\xef\xbb\xbf" + (HEAD + LINE).encode(), "Windows' mark in front of UTF-8"),
    ((HEAD + LINE).replace(" = ", "\t=\t").encode(), "tabs"),
    ((HEAD + LINE).replace("\n", "   # note\n").encode(), "notes"),
    ((HEAD + LINE).rstrip().encode(), "no end of the last line"),
    ((HEAD + LINE).replace("[line.front]", "[ line . 'front' ]").encode(), "space and quotes in a section's name"),
    (
        (HEAD + LINE + "[line.front.text]\nenabled = false\n").replace("[sms.a]\nkind = 'spool'", "").encode(),
        "nobody is texted",
    ),
]


@pytest.mark.parametrize(("content", "why"), GOOD_TEXTS)
def test_right_as_text(path: Path, content: bytes, why: str) -> None:
    path.write_bytes(content)
    assert problems_of(path) == (), why


def test_link_that_leads_to_itself(tmp_path: Path) -> None:
    (tmp_path / "loop.toml").symlink_to("loop.toml")
    with pytest.raises(ConfigError, match="it is a link that leads back to itself; let it point to the file"):
        load(tmp_path / "loop.toml")


def test_directory_instead_of_a_file(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="Is a directory; name the file that is in it with -c FILE"):
        load(tmp_path)


def test_working_directory_instead_of_a_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    for named in (".", ""):
        with pytest.raises(
            ConfigError, match=r"^\.: cannot be read: Is a directory; name the file that is in it with -c FILE$"
        ):
            load(Path(named))
