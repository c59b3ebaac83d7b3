"""What a person has the running gateway do with calls and texts: `texts release`, `drop`, `resend`, `settle`, `calls done`."""

import argparse
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from config.model import Config
from gateway.cli import given
from gateway.cli.ask import NoAnswer, post
from gateway.cli.configuration import for_looking
from gateway.cli.given import WHEN, as_argument
from gateway.cli.say import complain, say, say_json


@dataclass(frozen=True, slots=True, kw_only=True)
class Action:
    """What an admin reads of one, in a line and at more length."""

    says: str
    about: str
    is_of_many: bool = False


ACTIONS = {
    "calls": {
        "done": Action(
            says="a person has dealt with the call",
            about="A person has dealt with the call (called back, say): what is still held for its caller is not sent.",
        ),
    },
    "texts": {
        "release": Action(
            says="let held texts go",
            about="Let held texts go past the limits. The other rules are asked once more: a text whose caller has said STOP"
            " or got through meanwhile is cancelled, and one that comes in quiet hours stays held. Exit status 1: not all go.",
            is_of_many=True,
        ),
        "drop": Action(
            says="cancel texts that are held or queued",
            about="Cancel texts that are held or queued. What was handed over to a network cannot be called back.",
            is_of_many=True,
        ),
        "resend": Action(
            says="send texts again whose fate is unknown",
            about="Send texts again that were handed over and never answered for. The caller may get a second one: look at your"
            " provider's log first. Not to a caller who has said STOP, got through or written since.",
        ),
        "settle": Action(
            says="texts whose fate was unknown did go",
            about="Texts that were handed over and never answered for did go, as your provider's log says; they count as sent.",
        ),
    },
}


def add_to(parser: Any, name: str) -> None:
    """The actions of `calls` or `texts`."""
    actions = parser.add_subparsers(metavar="ACTION", required=False)
    for word, action in ACTIONS[name].items():
        acting = actions.add_parser(word, help=action.says, description=action.about)
        acting.add_argument(
            "ids",
            nargs="*" if action.is_of_many else "+",
            type=as_argument(given.identity),
            metavar="ID",
            help=f"its number in textback {name}",
        )
        if action.is_of_many:
            acting.add_argument("--held", action="store_true", help="all that is held, instead of IDs")
            acting.add_argument("--line", metavar="NAME", help="with --held: of this line alone")
            acting.add_argument("--since", metavar="TIME", help=f"with --held: of calls since then, {WHEN}")
        acting.add_argument("--json", action="store_true", default=argparse.SUPPRESS, help="as JSON, for programs")
        acting.set_defaults(command=_act_on_many if action.is_of_many else _act, path=f"/api/v1/{name}", action=word)


def _act_on_many(options: argparse.Namespace) -> int:
    """0: done; 1: nothing is held, or not all could be done; 2: wrong use."""
    if options.held == bool(options.ids) or (not options.held and (options.line or options.since)):
        complain(f"textback: {options.action} wants either IDs or --held, which --line and --since may narrow")
        return 2
    if not options.held:
        return _act(options)
    config = for_looking(options.config)
    try:
        since = given.instant(options.since, config.timezone, datetime.now(UTC)) if options.since else None
    except ValueError as error:
        complain(f"textback: --since: {error}")
        return 2
    chosen = {"line": options.line, "since": since.isoformat() if since else None}
    return _tell([_do(config, f"{options.path}/{options.action}", None, chosen)], as_json=options.json)


def _act(options: argparse.Namespace) -> int:
    """0: all done; 1: not all."""
    config = for_looking(options.config)
    told = (_do(config, f"{options.path}/{one}/{options.action}", one) for one in options.ids)
    return _tell(told, as_json=options.json)


@dataclass(frozen=True, slots=True, kw_only=True)
class _Told:
    """What the gateway says of one thing that was asked."""

    id: int | None
    """None: it was about many."""
    status: int
    """0; 1: not done, or not all; 2: it makes no sense."""
    says: str
    but: str = ""
    """What could not be done of it."""


def _do(config: Config, path: str, one: int | None, body: dict[str, Any] | None = None) -> _Told:
    try:
        done = post(config, path, body)
    except NoAnswer as error:
        return _Told(id=one, status=error.status, says=str(error))
    but = done.get("but") or ""
    return _Told(id=one, status=1 if but else 0, says=done["said"], but=but)


def _tell(told: Iterable[_Told], *, as_json: bool) -> int:
    """Each as soon as it is known, or all of them as JSON; the exit status."""
    heard = []
    for one in told:
        heard.append(one)
        if not as_json:
            _in_words(one)
    if as_json:
        say_json([{"id": one.id, "done": one.status == 0, "says": one.says, "but": one.but} for one in heard])
    return max(one.status for one in heard)


def _in_words(told: _Told) -> None:
    is_refused = bool(told.status) and not told.but
    (complain if is_refused else say)(f"textback: {told.says}" if is_refused else told.says)
    if told.but:
        complain(f"textback: {told.but}")
