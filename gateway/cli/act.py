"""What a person has the running gateway do with calls and texts: `texts release`, `drop`, `resend`, `settle`, `calls done`."""

import argparse
from datetime import UTC, datetime, timedelta
from typing import Any

from config.model import Config
from config.values import duration
from gateway.cli.ask import NoAnswer, post
from gateway.cli.configuration import for_looking
from gateway.cli.say import complain, say

ACTIONS = {
    "calls": {"done": "a person has dealt with the call: what is held for its caller is not sent"},
    "texts": {
        "release": "let a held text go past the limits",
        "drop": "cancel a text that is held or queued",
        "resend": "send a text whose fate is unknown, at the risk of a second one",
        "settle": "a text whose fate was unknown did go",
    },
}
_OF_MANY = ("release", "drop")


def add_to(parser: Any, name: str) -> None:
    """The actions of `calls` or `texts`."""
    actions = parser.add_subparsers(metavar="ACTION", required=False)
    for action, says in ACTIONS[name].items():
        acting = actions.add_parser(action, help=says, description=says.capitalize() + ".")
        is_of_many = action in _OF_MANY
        acting.add_argument("ids", nargs="*" if is_of_many else "+", type=int, metavar="ID")
        if is_of_many:
            acting.add_argument("--held", action="store_true", help="all that is held, instead of IDs")
            acting.add_argument("--line", metavar="NAME", help="with --held: of this line alone")
            acting.add_argument("--since", type=_length, metavar="LENGTH", help="with --held: of calls since then: 2h, 3d")
        acting.set_defaults(command=_act_on_many if is_of_many else _act, path=f"/api/v1/{name}", action=action)


def _length(text: str) -> timedelta:
    try:
        return duration(text)
    except ValueError as error:
        raise argparse.ArgumentTypeError(str(error)) from None


def _act_on_many(options: argparse.Namespace) -> int:
    """0: done; 1: nothing is held, or not all could be done; 2: wrong use."""
    if options.held == bool(options.ids) or (not options.held and (options.line or options.since)):
        complain(f"textback: {options.action} wants either IDs or --held, which --line and --since may narrow")
        return 2
    if not options.held:
        return _act(options)
    since = datetime.now(UTC) - options.since if options.since is not None else None
    chosen = {"line": options.line, "since": since.isoformat() if since else None}
    return 0 if _do(for_looking(options.config), f"{options.path}/{options.action}", chosen) else 1


def _act(options: argparse.Namespace) -> int:
    """0: all done; 1: not all."""
    config = for_looking(options.config)
    done = [_do(config, f"{options.path}/{one}/{options.action}") for one in options.ids]
    return 0 if all(done) else 1


def _do(config: Config, path: str, body: dict[str, Any] | None = None) -> bool:
    try:
        say(post(config, path, body)["said"])
    except NoAnswer as error:
        complain(f"textback: {error}")
        return False
    return True
