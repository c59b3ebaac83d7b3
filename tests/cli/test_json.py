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
OF_A_GATEWAY: dict[str, tuple[tuple[str, ...], ...]] = {
    "status": (("status",),),
    "healthy": (("healthy",),),
    "reload": (("reload",),),
    "send_test": (("send-test", "+14155550123"),),
    "call_test": (("call-test", "--from", "+14155550123"),),
    "done": (
        ("calls", "done", "1", "999"),
        ("texts", "release", "--held"),
        ("texts", "release", "999"),
        ("texts", "drop", "1", "999"),
        ("texts", "drop", "--held"),
        ("texts", "resend", "999"),
        ("texts", "settle", "999"),
    ),
    "done_of_number": (
        ("optout", "add", "+14155550124"),
        ("optout", "remove", "+14155550124", "--reason", "asked"),
        ("optout", "remove", "+14155550124", "--reason", "asked"),
        ("numbers", "forget", "+14155550124"),
    ),
}
"""What is asked of a running gateway, one after the other."""
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


def test_what_a_gateway_does_has_its_shape(gateway: Start) -> None:
    """And is told on standard output alone, also what it does not do: `done` is what the exit status says."""
    running = gateway()
    told: dict[str, list[Any]] = {}
    for definition, asked in OF_A_GATEWAY.items():
        for command in asked:
            done = running.cli(*command, "--json")
            answer = json.loads(done.stdout)
            valid(definition)(answer)
            assert done.stderr == "", command
            told.setdefault(definition, []).append(answer)
            good = {"done": lambda it: all(one["done"] for one in it), "done_of_number": lambda it: it["done"]}
            assert done.returncode == (0 if good.get(definition, lambda _: True)(answer) else 1), command
    assert told["healthy"][0]["healthy"]
    assert told["reload"][0]["in_force"]
    assert [one["event"] for one in told["call_test"][0]["heard"]] == ["ringing", "ended"]
    assert told["call_test"][0]["story"]["decision"] == "send"
    assert [(one["id"], one["done"], one["says"]) for one in told["done"][0]] == [
        (1, True, "call 1 is done; no text was held for its caller"), (999, False, "there is no call 999")
    ]  # fmt: skip
    assert [one["done"] for one in told["done_of_number"]] == [True, True, False, False]
    whole = running.path.read_text()
    running.path.write_text(whole.replace("min_ring", "min_rong"))
    refused = json.loads(running.cli("reload", "--json").stdout)
    running.path.write_text(whole)
    valid("reload")(refused)
    assert (refused["in_force"], len(refused["refused"])) == (False, 1)
    running.stop()
    nobody = json.loads(running.cli("healthy", "--json").stdout)
    valid("healthy")(nobody)
    assert not nobody["healthy"]
    alone = json.loads(running.cli("optout", "add", "+14155550125", "--json").stdout)
    valid("done_of_number")(alone)
    assert alone["done"]


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
    of_commands = commands.run(path, *((name, "--help") for name in names))
    actions = {
        name: re.findall(r"^    (\S+)", answer.out, re.MULTILINE) for name, answer in zip(names, of_commands, strict=True)
    }
    asked = [(name,) for name in names] + [(name, action) for name in names for action in actions[name]]
    told = commands.run(path, *((*command, "--help") for command in asked))
    with_json = {command for command, answer in zip(asked, told, strict=True) if "--json" in answer.out}
    tried = {
        (command[0], *(word for word in command[1:2] if word in actions[command[0]]))
        for some in (*ASKED.values(), *OF_A_GATEWAY.values())
        for command in some
    }
    assert with_json == tried
    assert set(asked) - with_json == {("run",), ("demo",), ("numbers",), ("optout",)}


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
