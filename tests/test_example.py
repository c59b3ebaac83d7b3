"""The example and the README's configuration are as their words say: defaults are the program's, and `check` has nothing to add."""

import re
import textwrap
import tomllib
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated, Any

import pytest
from pydantic import BaseModel, TypeAdapter
from pydantic.fields import FieldInfo

from config import load
from config.model import QUIET_HOURS, Alert, Config, Hours, Line, LineText, Smpp, Trunk, Twilio, Variant
from gateway.preview.advice import advise

ROOT = Path(__file__).parent.parent
EXAMPLE = (ROOT / "config/textback.example.toml").read_text()
NOW = datetime(2026, 11, 23, 18, tzinfo=UTC)
SECRETS = {"smsc.password": "secret", "twilio.token": "secret", "carrier.password": "secret", "web.password": "secret"}
CLOSURES = """\
BEGIN:VCALENDAR
VERSION:2.0
PRODID:test
BEGIN:VEVENT
UID:1
DTSTAMP:20261101T000000Z
DTSTART;VALUE=DATE:20261231
SUMMARY:Closed
END:VEVENT
END:VCALENDAR
"""

MODELS: dict[str, type[BaseModel]] = {
    "": Config,
    "trunk.carrier": Trunk,
    "trunk.pbx": Trunk,
    "sms.primary": Smpp,
    "sms.backup": Twilio,
    "hours.office": Hours,
    "line.front-desk": Line,
    "line.front-desk.text": LineText,
    "line.front-desk.text.variant": Variant,
    "alert.owner": Alert,
}
"""Of the sections whose model is not that of a field of `Config`."""
OWN = {
    "trunk": {"registrar", "username", "peers"},
    "hours": {"mon-fri", "sat", "holidays"},
    "line": {"business", "staff", "hours", "greeting", "campaign", "message", "missed"},
}
"""What an office has of its own: its value in the example is plainly no default. So are the names of files."""
DERIVED = {
    "line.timezone": "the office's",
    "line.trunks": "all of them",
    "line.sms": "all of them, in the file's order",
    "line.sender": "the line's number",
    "sms.callback_url": "web.public_url",
    "sms.source_ton": "1 for a number, 3 for a short code, 5 for a name",
    "sms.source_npi": "1 for a number, 0 for a short code or a name",
    "sms.tls_ca": "the system's authorities",
    "limits.regions": "the line's own country",
    "consent.quiet_hours": "by the caller's country: "
    + ", ".join(f"{region} {QUIET_HOURS[region].start:%H:%M}-{QUIET_HOURS[region].end:%H:%M}" for region in ("US", "CA"))
    + ", others none",
}
"""Defaults that are no value of their own but come from elsewhere, in the example's words."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Shown:
    """One key as the example shows it."""

    line: int
    section: str
    key: str
    value: Any
    comment: str

    @property
    def kind(self) -> str:
        return self.section.partition(".")[0]

    @property
    def field(self) -> FieldInfo | None:
        """Its field in the model; None where the key is one of a family (`mon-fri`)."""
        model = MODELS.get(self.section) or type(getattr(Config.model_construct(), self.section, None))
        if self.section == "contacts":
            return None
        assert issubclass(model, BaseModel), self
        return model.model_fields.get(self.key.removesuffix("_file")) or model.model_fields.get(self.key)

    @property
    def is_default(self) -> bool:
        field = self.field
        assert field is not None, self
        annotation: Any = Annotated[field.annotation, *field.metadata] if field.metadata else field.annotation
        adapter: TypeAdapter[Any] = TypeAdapter(annotation)
        return bool(adapter.validate_python(self.value) == field.get_default(call_default_factory=True))

    @property
    def claim(self) -> str | None:
        """What its comment says that the default is."""
        found = re.search(r"default: ([^;]+)", self.comment)
        return found[1].strip() if found else None


def parts(line: str) -> list[str]:
    """A line cut at each `;` outside quotes; the last part is its comment, or empty."""
    code = re.match(r'(?:"[^"]*"|[^"#])*', line)
    assert code is not None
    return [*(piece.strip() for piece in re.findall(r'(?:"[^"]*"|[^";])+', code[0])), line[code.end() + 1 :].strip()]


def shown() -> Iterator[Shown]:
    section = ""
    for number, line in enumerate(EXAMPLE.splitlines(), start=1):
        if header := re.match(r"(# )?\[+([\w.-]+)\]+", line):
            section = "(commented out)" if header[1] else header[2]
        elif section != "(commented out)" and re.match(r"(# )?[\w-]+\s*=\s", line):
            *pairs, comment = parts(line.removeprefix("# "))
            for pair in pairs:
                ((key, value),) = tomllib.loads(pair).items()
                yield Shown(line=number, section=section, key=key, value=value, comment=comment)


SHOWN = list(shown())


@pytest.mark.parametrize("one", SHOWN, ids=lambda one: f"{one.line}-{one.section}.{one.key}")
def test_what_is_shown_is_the_default_or_says_what_is(one: Shown) -> None:
    field = one.field
    name = f"{one.kind}.{one.key}"
    if name in DERIVED:
        assert one.claim == DERIVED[name]
        return
    is_own = one.key in OWN.get(one.kind, ()) or one.key.endswith("_file") or one.section == "contacts"
    if field is None or (field.is_required() and one.claim is None) or is_own:
        return
    if one.claim is None:
        assert one.is_default, f"{one.key} = {one.value!r} reads like the default, which is {field.get_default()!r}"
        return
    default = field.get_default(call_default_factory=True)
    assert not one.is_default, f"{one.key}: the value is the default; there is nothing to say"
    if one.claim.startswith("none"):
        assert not default
    else:
        assert Shown(**{**_values(one), "value": tomllib.loads(f"x = {one.claim}")["x"]}).is_default, one


def _values(one: Shown) -> dict[str, Any]:
    return {name: getattr(one, name) for name in ("line", "section", "key", "value", "comment")}


@pytest.mark.parametrize(
    "section", [*MODELS, *(name for name in Config.model_fields if name in EXAMPLE and name not in MODELS)]
)
def test_every_key_is_shown(section: str) -> None:
    model = MODELS.get(section) or type(getattr(Config.model_construct(), section, None))
    if not issubclass(model, BaseModel):
        return
    kind = section.partition(".")[0] if not section.endswith("variant") else section
    seen = {one.key.removesuffix("_file") for one in SHOWN if one.section.startswith(kind)}
    seen |= {match for line in EXAMPLE.splitlines() if line.startswith("# ") for match in re.findall(r"(\w+) = ", line)}
    missing = set(model.model_fields) - seen - {"name", "week", *Config.model_fields, "variant", "text"}
    assert not missing, f"[{section}] has {missing} too"


def _warnings(directory: Path, text: str) -> list[str]:
    for name, content in {**SECRETS, "closures.ics": CLOSURES, "contacts.csv": "+14155550199,Mike,staff\n"}.items():
        (directory / name).write_text(content)
        (directory / name).chmod(0o600)
    path = directory / "textback.toml"
    path.write_text(text)
    found = [f"{advice.key}: {advice.says}" for advice in advise(load.load(path), NOW)]
    return found + [str(problem) for problem in load.warnings_about_secrets(path)]


PLACEHOLDERS = [
    "sms.primary.host: smsc.carrier.example is the example's placeholder; write your provider's own host",
    "trunk.carrier.registrar: sip.carrier.example is the example's placeholder; write your provider's own host",
    "line.front-desk.campaign: CXXXXXX is the example's placeholder; write the campaign's own id, or leave the key out",
]
"""What nobody but the reader can write."""


def test_nothing_to_warn_of_in_the_example_but_its_placeholders(tmp_path: Path) -> None:
    assert _warnings(tmp_path, EXAMPLE) == PLACEHOLDERS
    replaced = EXAMPLE.replace("carrier.example", "carrier.net").replace("CXXXXXX", "CQ7F3KA")
    assert _warnings(tmp_path, replaced) == []


def test_nothing_to_warn_of_in_the_readme_but_its_placeholders(tmp_path: Path) -> None:
    (block,) = re.findall(r"```toml\n(.*?)```", (ROOT / "README.md").read_text(), re.DOTALL)
    assert _warnings(tmp_path, textwrap.dedent(block)) == [PLACEHOLDERS[0], PLACEHOLDERS[2]]
