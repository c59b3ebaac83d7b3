"""`textback calls`, `texts`, `status`: what happened, and how things are."""

import argparse
import json
import sys
import urllib.error
import urllib.request
from typing import Any

from config import load
from config.model import Config
from gateway.core.phone import written_for
from gateway.core.reason import IN_WORDS, Reason
from gateway.core.schedule import local
from gateway.store import calls, texts
from gateway.store.database import FILE, reading
from gateway.store.instants import read
from gateway.web.server import basic

ASK_WITHIN_S = 5.0


def add_to(commands: Any) -> None:
    """The commands' parsers."""
    for name, command, what in (("calls", show_calls, "the newest calls"), ("texts", show_texts, "the newest texts")):
        parser = commands.add_parser(name, help=f"show {what}", description=f"Show {what}, newest first.")
        parser.add_argument("-n", type=int, default=20, metavar="COUNT", help="how many (default 20)")
        parser.add_argument("--json", action="store_true", help="as JSON")
        parser.set_defaults(command=command)
    parser = commands.add_parser("status", help="how the running gateway is", description="How the running gateway is.")
    parser.add_argument("--json", action="store_true", help="as JSON")
    parser.set_defaults(command=show_status)


def show_calls(options: argparse.Namespace) -> int:
    """The newest calls."""
    config = load.load(load.find(options.config))
    with reading(config.data_dir / FILE) as db:
        rows = calls.newest(db, options.n)
    if options.json:
        print(json.dumps([call_json(row) for row in rows], indent=2))
        return 0
    if not rows:
        print("No calls yet.")
    for row in rows:
        what = row["outcome"] or "ringing"
        rang = f"{row['rang_seconds']:.1f} s" if row["rang_seconds"] is not None else ""
        end = _ending(row)
        print(
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
    config = load.load(load.find(options.config))
    with reading(config.data_dir / FILE) as db:
        rows = texts.newest(db, options.n)
    if options.json:
        print(json.dumps([text_json(row) for row in rows], indent=2))
        return 0
    if not rows:
        print("No texts yet.")
    for row in rows:
        at = when(row["queued_at"], row["line"], config)
        print(
            f"{row['id']:>6}  {at}  call {row['call']:<5} {row['recipient']:<16} {row['state']:<12} {row['bridge'] or '-':<10}"
        )
        print(f"        {row['body']}")
        if row["detail"]:
            print(f"        ({row['detail']})")
    return 0


def call_json(row: Any) -> dict[str, Any]:
    """One call for programs."""
    names = ("id", "line", "caller", "arrived_at", "rang_seconds", "outcome", "decision", "reason", "text", "trunk", "call_id")
    return {name: row[name] for name in names}


def text_json(row: Any) -> dict[str, Any]:
    """One text for programs."""
    names = ("id", "call", "line", "body", "segments", "state", "bridge", "provider_id", "attempts", "queued_at", "detail")
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
    config = load.load(load.find(options.config))
    status = _ask(config)
    if status is None:
        return 1
    if options.json:
        print(json.dumps(status, indent=2))
    else:
        _print(status, config)
    return 0 if status["agent"]["up"] and status["database"]["writable"] else 1


def _ask(config: Config) -> dict[str, Any] | None:
    """Ask the gateway that runs here; no proxy, whatever the environment says."""
    place = config.web.listen
    host = {"0.0.0.0": "127.0.0.1", "::": "::1"}.get(place.host, place.host)  # noqa: S104 — compared, not bound
    url = f"http://{f'[{host}]' if ':' in host else host}:{place.port}/api/v1/status"
    request = urllib.request.Request(url)
    if config.web.password is not None:
        request.add_header("Authorization", basic(config.web.password.get_secret_value()))
    try:
        opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))
        with opener.open(request, timeout=ASK_WITHIN_S) as answer:
            status: dict[str, Any] = json.load(answer)
            return status
    except urllib.error.HTTPError as error:
        print(f"textback: the gateway at {place} answered {error.code}; is its password_file another one?", file=sys.stderr)
    except (OSError, ValueError):
        print(f"textback: no gateway answers at {place}; start it with textback run", file=sys.stderr)
    return None


def _print(status: dict[str, Any], config: Config) -> None:
    agent = status["agent"]
    up = "up" if agent["up"] else "DOWN"
    print(f"Textback {status['version']}, configuration {status['config_hash']}")
    print(f"  calls     {up}, {agent['calls']} ringing now, {agent['max_calls']} at once at most; {agent['stack']}")
    if agent["strangers_refused"] or agent["malformed_refused"]:
        print(f"            refused: {agent['strangers_refused']} from strangers, {agent['malformed_refused']} malformed")
    for name, bridge in status["bridges"].items():
        state = "paused" if bridge["paused"] else "up" if bridge["up"] else "DOWN"
        print(f"  bridge    {name}: {state}; {bridge['detail']}")
    database = status["database"]
    print(f"  database  {'writable' if database['writable'] else database['detail']}")
    print(f"  texts     {status['queued']} queued, {status['unknown']} unknown")
    if status["config_hash"] != config.hash:
        print(f"  {config.path} has changed since the gateway started; restart it to put the changes into effect")
