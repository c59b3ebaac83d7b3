"""`textback calls`, `texts`, `replies`, `status`: what happened, and how things are."""

import argparse
import json
from typing import Any

from config.model import Config
from gateway.cli import act, listed
from gateway.cli.ask import NoAnswer, get
from gateway.cli.configuration import for_looking
from gateway.cli.listed import Listing
from gateway.cli.say import complain, say, say_json
from gateway.cli.starting import how_to_reload
from gateway.cli.table import Column, Row
from gateway.cli.trace import detail_in_words, reason_in_words
from gateway.core.call import MISSED, Outcome
from gateway.core.delivery import TextState
from gateway.core.kind import TextKind
from gateway.core.schedule import local
from gateway.store import calls, replies, texts
from gateway.store.instants import read

RINGING = "ringing"
"""What stands for the outcome of a call that has none yet."""
_OUTCOMES = {word: (word,) for word in (RINGING, *map(str, Outcome))} | {"missed": tuple(sorted(MISSED))}
_CALLS = """The newest calls, and whether each was texted. textback explain CALL says why or why not. With done: what is still
held for the caller of a call that a person has dealt with is not sent."""
_TEXTS = """The newest texts and what became of them. With an action: decides about texts that are held (for a time, or for a
person) or whose fate is unknown (handed over, and the network never answered)."""
_STATUS = (
    "How the running gateway is: SIP, bridges, database, texts that wait for a person. Exit status 1: it would take no call."
)
_REPLIES = "What callers wrote, the newest first. STOP, START and HELP are answered by themselves."


def add_to(commands: Any) -> None:
    """The commands' parsers."""
    parser = commands.add_parser("calls", help="the newest calls, and whether each was texted", description=_CALLS)
    listed.add_options(parser, "calls", state_is=f"that ended so: {', '.join(_OUTCOMES)} (any that may be texted)")
    act.add_to(parser, "calls")
    parser.set_defaults(command=show_calls)
    parser = commands.add_parser("texts", help="the newest texts and what became of them", description=_TEXTS)
    listed.add_options(parser, "texts", state_is=f"that are in this state: {', '.join(TextState)}")
    act.add_to(parser, "texts")
    parser.set_defaults(command=show_texts)
    parser = commands.add_parser("replies", help="what callers wrote", description=_REPLIES)
    listed.add_options(parser, "replies", has_line=False)
    parser.set_defaults(command=show_replies)
    parser = commands.add_parser("status", help="how the running gateway is", description=_STATUS)
    parser.add_argument("--json", action="store_true", help="as JSON, for programs")
    parser.set_defaults(command=show_status)


def show_calls(options: argparse.Namespace) -> int:
    """0; 2 on wrong use."""
    return listed.show(_LISTED_CALLS, options)


def show_texts(options: argparse.Namespace) -> int:
    """0; 2 on wrong use."""
    return listed.show(_LISTED_TEXTS, options)


def show_replies(options: argparse.Namespace) -> int:
    """0; 2 on wrong use."""
    return listed.show(_LISTED_REPLIES, options)


def _call_row(row: Any, config: Config) -> Row:
    at_most = "up to " if row["outcome"] == Outcome.INTERRUPTED else ""  # nobody was there to see its end
    rang = f"{at_most}{row['rang_seconds']:.1f} s" if row["rang_seconds"] is not None else ""
    at = when(row["arrived_at"], row["line"], config)
    outcome = row["outcome"] or RINGING
    same = f" (same call as {row['same_call_as']})" if row["same_call_as"] is not None else ""
    return Row(cells=(str(row["id"]), at, row["line"] or "-", caller_of(row), outcome, rang, _ending(row) + same))


def _ending(row: Any) -> str:
    why = reason_in_words(row["reason"])
    if row["text"] is None:
        return "" if row["decision"] is None else f"no text: {why}"
    is_told = row["decision"] in (None, "send") or (row["decision"] == "hold" and row["text_state"] != TextState.HELD)
    return f"text {row['text']} {row['text_state']}" + ("" if is_told else f": {why}")


def _text_row(row: Any, config: Config) -> Row:
    at = when(row["queued_at"], row["line"], config)
    cells = (str(row["id"]), at, _source(row), row["recipient"], row["state"], row["bridge"] or "-")
    why = _held(row, config) if row["state"] == TextState.HELD else detail_in_words(row)
    return Row(cells=cells, notes=(row["body"], *([f"({why})"] if why else [])))


def _held(row: Any, config: Config) -> str:
    at = f"until {when(row['due_at'], row['line'], config)}" if row["due_at"] else "for a person"
    return f"held {at}: {reason_in_words(row['held_for'])}"


def _source(row: Any) -> str:
    if row["kind"] != TextKind.MISSED_CALL:
        return str(row["kind"])
    return f"call {row['call']}" if row["call"] is not None else "-"


def _reply_row(row: Any, config: Config) -> Row:
    wish = (row["wish"] or "").replace("_", " ")
    cells = (str(row["id"]), when(row["at"], None, config), row["sender"], row["recipient"], wish)
    return Row(cells=cells, notes=(row["body"],))


def call_json(row: Any) -> dict[str, Any]:
    """One call for programs."""
    names = (
        "id",
        "line",
        "caller",
        "caller_as_sent",
        "arrived_at",
        "rang_seconds",
        "outcome",
        "outcome_at",
        "decision",
        "reason",
        "text",
        "text_state",
        "done_at",
        "trunk",
        "call_id",
        "same_call_as",
    )
    return {**{name: row[name] for name in names}, "earlier_callers": json.loads(row["earlier_callers"])}


def text_json(row: Any) -> dict[str, Any]:
    """One text for programs. A variant counts from 1, as everywhere."""
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
        "expires_at",
        "settled_at",
        "detail",
        "held_for",
        "due_at",
        "kind",
    )
    return {
        "to": row["recipient"],
        "from": row["sender"],
        **{name: row[name] for name in names},
        "variant": None if row["variant"] is None else row["variant"] + 1,
        "is_test": row["kind"] == TextKind.TEST,
        "is_answer": row["kind"] == TextKind.CONFIRMATION,
    }


def reply_json(row: Any) -> dict[str, Any]:
    """One reply for programs."""
    names = ("id", "body", "at", "bridge", "wish")
    return {"from": row["sender"], "to": row["recipient"], **{name: row[name] for name in names}}


def caller_of(row: Any) -> str:
    """The caller for people: the number as every command takes it, or what the trunk sent in its place."""
    return row["caller"] or row["caller_as_sent"] or "withheld"


def when(instant: str, line: str | None, config: Config) -> str:
    """An instant on the wall clock of the line, with the zone."""
    settings = config.line.get(line or "")
    return local(read(instant), settings.timezone if settings else config.timezone).strftime("%a %Y-%m-%d %H:%M:%S %Z")


_AT = Column(title="TIME", width=len("Mon 2026-11-23 14:05:09 CST"))
_LISTED_CALLS = Listing(
    what="calls",
    columns=(
        Column(title="CALL", width=5, is_number=True),
        _AT,
        Column(title="LINE", width=10),
        Column(title="CALLER", width=12),
        Column(title="OUTCOME", width=len(Outcome.ANSWERED_ELSEWHERE)),
        Column(title="RANG", width=6, is_number=True),
        Column(title="TEXT"),
    ),
    selected=calls.selected,
    row=_call_row,
    as_json=call_json,
    states=_OUTCOMES,
)
_LISTED_TEXTS = Listing(
    what="texts",
    columns=(
        Column(title="TEXT", width=5, is_number=True),
        _AT,
        Column(title="FOR", width=len("call 12345")),
        Column(title="TO", width=12),
        Column(title="STATE", width=len(TextState.UNDELIVERED)),
        Column(title="BRIDGE", width=7),
    ),
    selected=texts.selected,
    row=_text_row,
    as_json=text_json,
    states={state.value: (state.value,) for state in TextState},
)
_LISTED_REPLIES = Listing(
    what="replies",
    columns=(
        Column(title="REPLY", width=5, is_number=True),
        _AT,
        Column(title="FROM", width=12),
        Column(title="TO", width=12),
        Column(title="WISH"),
    ),
    selected=replies.selected,
    row=_reply_row,
    as_json=reply_json,
)


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
    refused = [agent[f"{what}_refused"] for what in ("strangers", "malformed", "stack")]
    if any(refused):
        last = f"; the last malformed: {agent['last_malformed']}" if agent["last_malformed"] else ""
        say("            refused: {} from strangers, {} malformed, {} by the SIP stack{}".format(*refused, last))
    if requests := agent["requests_refused"]:
        say(f"            refused: {requests} requests that nobody here takes; the last: {agent['last_request_refused']}")
    if agent["up"] and not agent["rings_every_offer"]:
        say("            this SIP stack is ready-made: who offers it encrypted audio, fax or unknown codecs alone is busy;")
        say("            script/build-pjsua2 builds one that rings every call")
    for name, bridge in status["bridges"].items():
        state = "paused" if bridge["paused"] else "up" if bridge["up"] else "DOWN"
        say(f"  bridge    {name}: {'; '.join(said for said in (state, bridge['detail']) if said)}")
    database = status["database"]
    say(f"  database  {'; '.join(said for said in ('writable' if database['writable'] else '', database['detail']) if said)}")
    if database["calls_kept"]:
        wait = "1 call waits" if database["calls_kept"] == 1 else f"{database['calls_kept']} calls wait"
        say(f"            {wait} in the reserve until the database can be written")
    say(f"  texts     {status['queued']} queued, {status['held']} held, {status['unknown']} unknown")
    if status["unknown"]:
        say("            unknown: handed over without an answer; textback texts resend ID, or settle ID if it went")
    if status["held_for_a_person"]:
        say(f"            {status['held_for_a_person']} held for a person: textback texts release ID, or drop ID")
    for fault in status["files_unusable"]:
        say(f"  file      {fault['file']} {fault['detail']}; meanwhile {fault['meanwhile']}")
    if status["reload_error"]:
        say("  The configuration was not loaded again:", *(f"    {line}" for line in status["reload_error"].split("\n")))
    elif status["config_hash"] != config.hash:
        say(f"  {config.path} has changed since the gateway started; load it with {how_to_reload(config.path)}")
