"""`textback calls`, `texts`, `status`: what happened, and how things are."""

import argparse
from typing import Any

from config.model import Config
from gateway.cli import act
from gateway.cli.ask import NoAnswer, get
from gateway.cli.configuration import for_looking
from gateway.cli.say import complain, say, say_json
from gateway.core.phone import written_for
from gateway.core.reason import IN_WORDS, Reason
from gateway.core.schedule import local
from gateway.store import calls, replies, texts
from gateway.store.instants import read
from gateway.store.reading import FILE, reading


def add_to(commands: Any) -> None:
    """The commands' parsers."""
    for name, command, what in (("calls", show_calls, "the newest calls"), ("texts", show_texts, "the newest texts")):
        parser = commands.add_parser(name, help=f"show {what}", description=f"Show {what}, newest first.")
        parser.add_argument("-n", type=positive, default=20, metavar="COUNT", help="how many (default 20)")
        parser.add_argument("--json", action="store_true", help="as JSON")
        act.add_to(parser, name)
        parser.set_defaults(command=command)
    parser = commands.add_parser(
        "replies", help="show what callers wrote", description="Show what callers wrote, newest first."
    )
    parser.add_argument("-n", type=positive, default=20, metavar="COUNT", help="how many (default 20)")
    parser.add_argument("--json", action="store_true", help="as JSON")
    parser.set_defaults(command=show_replies)
    parser = commands.add_parser("status", help="how the running gateway is", description="How the running gateway is.")
    parser.add_argument("--json", action="store_true", help="as JSON")
    parser.set_defaults(command=show_status)


def positive(text: str) -> int:
    """A count for argparse."""
    if not text.isdecimal() or not 0 < int(text) < 10**9:
        raise argparse.ArgumentTypeError(f"{text!r} must be a whole number above 0")
    return int(text)


def show_calls(options: argparse.Namespace) -> int:
    """The newest calls."""
    config = for_looking(options.config)
    with reading(config.data_dir / FILE) as db:
        rows = calls.newest(db, options.n)
    if options.json:
        say_json([call_json(row) for row in rows])
        return 0
    if not rows:
        say("No calls yet.")
    for row in rows:
        what = row["outcome"] or "ringing"
        rang = f"{row['rang_seconds']:.1f} s" if row["rang_seconds"] is not None else ""
        end = _ending(row)
        say(
            f"{row['id']:>6}  {when(row['arrived_at'], row['line'], config)}  {row['line'] or '-':<14}"
            f" {caller_of(row, config):<18} {what:<18} {rang:>7}  {end}"
        )
    return 0


def _ending(row: Any) -> str:
    if row["decision"] is None:
        return ""
    return f"text {row['text']}" if row["text"] is not None else f"no text: {IN_WORDS[Reason(row['reason'])]}"


def show_texts(options: argparse.Namespace) -> int:
    """The newest texts."""
    config = for_looking(options.config)
    with reading(config.data_dir / FILE) as db:
        rows = texts.newest(db, options.n)
    if options.json:
        say_json([text_json(row) for row in rows])
        return 0
    if not rows:
        say("No texts yet.")
    for row in rows:
        at = when(row["queued_at"], row["line"], config)
        say(f"{row['id']:>6}  {at}  {_source(row):<10} {row['recipient']:<16} {row['state']:<12} {row['bridge'] or '-':<10}")
        say(f"        {row['body']}")
        if row["state"] == "held":
            at = f"until {when(row['due_at'], row['line'], config)}" if row["due_at"] else "for a person"
            say(f"        (held {at}: {row['held_for']})")
        elif row["detail"]:
            say(f"        ({row['detail']})")
    return 0


def _source(row: Any) -> str:
    return "test" if row["is_test"] else "answer" if row["is_answer"] else f"call {row['call']}"


def show_replies(options: argparse.Namespace) -> int:
    """The newest replies."""
    config = for_looking(options.config)
    with reading(config.data_dir / FILE) as db:
        rows = replies.newest(db, options.n)
    if options.json:
        names = {
            "id": "id",
            "from": "sender",
            "to": "recipient",
            "body": "body",
            "at": "at",
            "bridge": "bridge",
            "wish": "wish",
        }
        say_json([{shown: row[name] for shown, name in names.items()} for row in rows])
        return 0
    if not rows:
        say("No replies yet.")
    for row in rows:
        wish = f"  [{row['wish'].replace('_', ' ')}]" if row["wish"] else ""
        say(f"{row['id']:>6}  {when(row['at'], None, config)}  {row['sender']:<16} to {row['recipient']}{wish}")
        say(f"        {row['body']}")
    return 0


def call_json(row: Any) -> dict[str, Any]:
    """One call for programs."""
    names = ("id", "line", "caller", "arrived_at", "rang_seconds", "outcome", "decision", "reason", "text", "trunk", "call_id")
    return {name: row[name] for name in names}


def text_json(row: Any) -> dict[str, Any]:
    """One text for programs."""
    names = (
        "id",
        "call",
        "line",
        "body",
        "segments",
        "state",
        "bridge",
        "provider_id",
        "attempts",
        "queued_at",
        "detail",
        "held_for",
        "due_at",
        "variant",
        "is_test",
        "is_answer",
    )
    return {"to": row["recipient"], **{name: row[name] for name in names}}


def caller_of(row: Any, config: Config) -> str:
    """The caller for people."""
    if row["caller"]:
        line = config.line.get(row["line"] or "")
        return written_for(row["caller"], line.number if line else None)
    return row["caller_as_sent"] or "withheld"


def when(instant: str, line: str | None, config: Config) -> str:
    """An instant on the wall clock of the line."""
    settings = config.line.get(line or "")
    return local(read(instant), settings.timezone if settings else config.timezone).strftime("%a %Y-%m-%d %H:%M:%S")


def show_status(options: argparse.Namespace) -> int:
    """0: the gateway runs and would take a call; 1: it does not."""
    config = for_looking(options.config)
    try:
        status = get(config, "/api/v1/status")
    except NoAnswer as error:
        complain(f"textback: {error}")
        return 1
    if options.json:
        say_json(status)
    else:
        _print(status, config)
    return 0 if status["agent"]["up"] and status["database"]["writable"] else 1


def _print(status: dict[str, Any], config: Config) -> None:
    agent = status["agent"]
    up = "up" if agent["up"] else "DOWN"
    say(f"Textback {status['version']}, process {status['pid']}, configuration {status['config_hash']}")
    say(f"  calls     {up}, {agent['calls']} ringing now, {agent['max_calls']} at once at most; {agent['stack']}")
    if agent["strangers_refused"] or agent["malformed_refused"]:
        say(f"            refused: {agent['strangers_refused']} from strangers, {agent['malformed_refused']} malformed")
    for name, bridge in status["bridges"].items():
        state = "paused" if bridge["paused"] else "up" if bridge["up"] else "DOWN"
        say(f"  bridge    {name}: {'; '.join(said for said in (state, bridge['detail']) if said)}")
    database = status["database"]
    say(f"  database  {'writable' if database['writable'] else database['detail']}")
    if database["calls_kept"]:
        say(f"            {database['calls_kept']} calls wait in the reserve until they can be written")
    say(f"  texts     {status['queued']} queued, {status['held']} held, {status['unknown']} unknown")
    if status["unknown"]:
        say("            unknown: handed over without an answer; textback texts resend ID, or settle ID if it went")
    if status["held_for_a_person"]:
        say(f"            {status['held_for_a_person']} held for a person: textback texts release ID, or drop ID")
    if status["reload_error"]:
        say("  The configuration was not loaded again:", *(f"    {line}" for line in status["reload_error"].split("\n")))
    if status["config_hash"] != config.hash:
        how = f"systemctl reload textback (or kill -HUP {status['pid']})"
        say(f"  {config.path} has changed since the gateway started; load it with {how}")
