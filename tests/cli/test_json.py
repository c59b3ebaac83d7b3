"""What commands say with --json is what docs/output.schema.json says, whatever stands in the database."""

import json
import re
import sqlite3
from collections.abc import Callable
from pathlib import Path
from typing import Any

import fastjsonschema
import pytest

from gateway.store.database import migrate
from tests.cli import histories
from tests.peers import commands
from tests.web.wire import Start

SCHEMA = json.loads((Path(__file__).parents[2] / "docs/output.schema.json").read_text())
NOT_RUN_HERE = {"status"}
ASKED: dict[str, tuple[tuple[str, ...], ...]] = {
    "calls": (("calls",), ("calls", "-n", "2")),
    "texts": (("texts",), ("texts", "-n", "2")),
    "replies": (("replies",),),
    "numbers": (("numbers", "list"),),
    "optouts": (("optout", "list"), ("optout", "list", "+14155551502")),
    "explain": (("explain", "last"), ("explain", "1"), ("explain", "2")),
    "imagined": (("explain", "--from", "+14155550123"), ("explain", "--outcome", "answered_here")),
    "headers": (
        ("explain", "--header", "From: <sip:95550123@x>", "--header", "To: <sip:+14155550100@x>"),
        ("explain", "--header", "From: <sip:anonymous@x>"),
        ("explain", "--header", "To: <sip:1@x>"),
    ),
    "check": (("check",), ("check", "--holidays")),
    "simulate": (("simulate", "--since", "100000d"),),
}
"""By definition: what is asked, each with --json."""
HOURS = '[hours.office]\nmon-fri = "08:00-17:00"\nholidays = ["US", "2026-12-24"]\n'


def valid(definition: str) -> Callable[[Any], Any]:
    """The check of one definition."""
    checked: Callable[[Any], Any] = fastjsonschema.compile({**SCHEMA, "$ref": f"#/definitions/{definition}"})
    return checked


def filled(tmp_path: Path, history: str) -> None:
    """A database in a directory."""
    path = tmp_path / "textback.db"
    if history == "odd":
        histories.odd(path)
        return
    db = sqlite3.connect(path, isolation_level=None)
    db.row_factory = sqlite3.Row
    migrate(db, path)
    if history == "full":
        histories.full(db)
    db.close()


@pytest.mark.parametrize("history", ["empty", "full", "odd"])
def test_every_answer_has_its_documented_shape(tmp_path: Path, history: str) -> None:
    filled(tmp_path, history)
    asked = [(definition, (*command, "--json")) for definition, some in ASKED.items() for command in some]
    path = commands.configured(tmp_path, HOURS)
    done = commands.run(path, *(command for _, command in asked))
    for (definition, command), answer in zip(asked, done, strict=True):
        if history == "empty" and definition in ("explain", "simulate"):
            assert (answer.status, answer.out) == (1, ""), command
            continue
        assert (answer.status, answer.err) == (0, ""), command
        valid(definition)(answer.json)


def test_errors_of_a_configuration_have_their_shape(tmp_path: Path) -> None:
    path = commands.configured(tmp_path, 'ring_secondz = 3\n[alert.me]\nkind = "email"\nto = "a@b.example"')
    (answer,) = commands.run(path, ("check", "--json"))
    assert answer.status == 1
    valid("check")(answer.json)


def test_status_has_its_shape(gateway: Start) -> None:
    valid("status")(json.loads(gateway().cli("status", "--json").stdout))


def test_schema_takes_nothing_else() -> None:
    """An integer for a boolean, a time without its zone, a field that is missing: each is refused."""
    number = {
        "number": "+1", "is_dead": True, "refusals": 0, "last_at": "2026-11-23T14:05:09.123Z", "source": "spool"
    }  # fmt: skip
    valid("numbers")([number])
    for wrong in ({"is_dead": 1}, {"last_at": "2026-11-23T14:05:09"}, {"more": 1}):
        with pytest.raises(fastjsonschema.JsonSchemaValueException):
            valid("numbers")([{**number, **wrong}])
    with pytest.raises(fastjsonschema.JsonSchemaValueException):
        valid("numbers")([{name: value for name, value in number.items() if name != "source"}])


def test_no_command_with_json_is_left_out(tmp_path: Path) -> None:
    path = commands.configured(tmp_path)
    (helped,) = commands.run(path, ("--help",))
    names = re.findall(r"^    (\S+)", helped.out, re.MULTILINE)
    asked = [(name,) for name in names] + [("numbers", "list"), ("optout", "list")]
    told = commands.run(path, *((*command, "--help") for command in asked))
    with_json = {command for command, answer in zip(asked, told, strict=True) if "--json" in answer.out}
    tried = {tuple(word for word in command if word in (*names, "list")) for some in ASKED.values() for command in some}
    assert with_json == tried | {(name,) for name in NOT_RUN_HERE}


def test_all_are_said_and_variants_count_from_one(tmp_path: Path) -> None:
    filled(tmp_path, "full")
    calls, texts, few = commands.run(
        commands.configured(tmp_path), ("calls", "--json"), ("texts", "--json"), ("texts", "-n", "3", "--json")
    )
    assert isinstance(calls.json, list)
    assert isinstance(texts.json, list)
    assert isinstance(few.json, list)
    assert [call["id"] for call in calls.json] == list(range(23, 0, -1))
    assert {text["variant"] for text in texts.json} == {None, 2}
    assert [text["is_test"] for text in texts.json if text["call"] is None] == [False, True]
    assert len(few.json) == 3
