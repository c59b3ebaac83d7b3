"""`textback send-test --line NAME NUMBER`: sends what that line would send now, as a test, and says what became of it."""

import argparse
import time
from collections.abc import Callable, Iterator
from typing import Any

from config.model import Config
from gateway.cli import given
from gateway.cli.ask import NoAnswer, get, post
from gateway.cli.configuration import for_looking
from gateway.cli.given import as_argument
from gateway.cli.say import complain, say_json, say_now, spin, stop_spinning
from gateway.cli.show import text_json, when
from gateway.store import texts
from gateway.store.reading import FILE, reading

LOOK_EVERY_S = 0.1
_WORDS = {
    "queued": "waits for a bridge",
    "sending": "handed over, waiting for the network's answer",
    "accepted": "the network has accepted it; waiting for the receipt",
    "delivered": "delivered: the phone has it",
    "undelivered": "the network could not deliver it",
    "refused": "the network refused it",
    "unknown": "handed over, and the network gave no answer: it may have gone",
    "expired": "no bridge could send it in time",
    "cancelled": "cancelled",
}
_GOOD = ("accepted", "delivered")
_OVER = frozenset({"delivered", "undelivered", "refused", "unknown", "expired", "cancelled"})
_ABOUT = """Sends what a line would send now, as a test, to whatever number you give, and says what the bridge and the network
say of it. It counts for nobody: not for once_per, not for the limits. Exit status 0: accepted or delivered; 1: refused,
unknown, or still waiting at the end."""


def add_to(commands: Any) -> None:
    """The command's parser."""
    parser = commands.add_parser("send-test", help="send a test text, and see what becomes of it", description=_ABOUT)
    parser.add_argument(
        "number", metavar="NUMBER", help="whom to send it to: with + and country code, or as the office writes it"
    )
    parser.add_argument("--line", metavar="NAME", help="whose message (default: the first line)")
    parser.add_argument("--variant", type=as_argument(given.count), metavar="N", help="this variant's message, counted from 1")
    parser.add_argument("--wait", type=float, default=20, metavar="SECONDS", help="for the receipt, at most (default 20)")
    parser.add_argument("--json", action="store_true", help="as JSON, for programs: the text as it is at the end")
    parser.set_defaults(command=send_test)


def send_test(options: argparse.Namespace) -> int:
    """0: accepted or delivered; 1: not; 2: wrong use."""
    config = for_looking(options.config)
    line = options.line or next(iter(config.line))
    try:
        to = given.number(options.number, config)
    except ValueError as error:
        complain(f"textback: {error}")
        return 2
    variant = None if options.variant is None else options.variant - 1
    try:
        text = post(config, "/api/v1/send-test", {"line": line, "to": to, "variant": variant})["text"]
    except NoAnswer as error:
        complain(f"textback: {error}")
        return error.status
    return _follow(config, text, options.wait, as_json=options.json)


def _follow(config: Config, text: int, seconds: float, *, as_json: bool) -> int:
    """Tell of the text until it has come to its end, or as JSON what it is then; the exit status."""
    tell: Callable[..., None] = _nothing if as_json else say_now
    until, told, turn = time.monotonic() + seconds, "", 0
    while True:
        with reading(config.data_dir / FILE) as db:
            row = texts.shown(db, text)
        if row is None:
            complain(f"textback: text {text} is no longer in {config.data_dir / FILE}; was the file replaced?")
            return 1
        if not told:
            count = f"{row['segments']} segment{'s' if row['segments'] > 1 else ''}"
            tell(f"Test text {text} to {row['recipient']}, {count}:", f"  {row['body']}")
        if (now := _standing(row)) != told:
            told = now
            stop_spinning()
            tell(told)
        if row["state"] in _OVER or time.monotonic() > until:
            break
        turn += 1
        spin(turn)
        time.sleep(LOOK_EVERY_S)
    stop_spinning()
    if as_json:
        say_json(text_json(row))
    else:
        complain(*_not_over(row, config))
    return 0 if row["state"] in _GOOD else 1


def _nothing(*_: str) -> None:
    """Said of what is told at its end alone."""


def _standing(row: Any) -> str:
    """Where it is, and what was last said of it."""
    detail = f" ({row['detail']})" if row["detail"] else ""
    if row["state"] == "queued" and detail:
        return f"it was not taken{detail}"
    bridge = f", by {row['bridge']}" if row["bridge"] else ""
    return f"{_WORDS[row['state']]}{bridge}{detail}"


def _not_over(row: Any, config: Config) -> Iterator[str]:
    """What there is to say of a text that has not come to its end."""
    match row["state"]:
        case "accepted":
            yield "No receipt yet; that is usual with some networks. textback texts shows it when it comes."
        case "sending":
            yield "The network has not answered yet; textback texts shows what it says."
        case "queued":
            yield from _of_bridges(config, row["line"])
            at = when(row["expires_at"], row["line"], config)
            yield f"It has not gone, and is tried again until {at}; textback texts drop {row['id']} ends that."


def _of_bridges(config: Config, line: str) -> Iterator[str]:
    """What keeps the bridges of a line from taking texts."""
    try:
        bridges = get(config, "/api/v1/status")["bridges"]
    except NoAnswer as error:
        yield f"textback: {error}"
        return
    for name in config.line[line].sms:
        how = bridges.get(name, {"up": False, "paused": False, "detail": "not in the running configuration"})
        if how["paused"] or not how["up"]:
            yield f"{name} is {'paused' if how['paused'] else 'down'}{': ' if how['detail'] else ''}{how['detail']}"
