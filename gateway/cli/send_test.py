"""`textback send-test --line NAME NUMBER`: sends what that line would send now, as a test, and says what became of it.

The text counts for nobody: not for once_per, not for the limits. It waits for the network's answer and then for the receipt.
"""

import argparse
import time
from typing import Any

from config.model import Config
from config.values import number
from gateway.cli.ask import NoAnswer, post
from gateway.cli.configuration import for_looking
from gateway.cli.say import complain, say, say_now, spin, stop_spinning
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


def add_to(commands: Any) -> None:
    """The command's parser."""
    parser = commands.add_parser("send-test", help="send a test text", description=__doc__)
    parser.add_argument("number", metavar="NUMBER", help="whom to send it to, with + and country code")
    parser.add_argument("--line", metavar="NAME", help="whose message (default: the first line)")
    parser.add_argument("--variant", type=int, metavar="N", help="this variant's message, counted from 1")
    parser.add_argument("--wait", type=float, default=20, metavar="SECONDS", help="for the receipt, at most (default 20)")
    parser.set_defaults(command=send_test)


def send_test(options: argparse.Namespace) -> int:
    """0: accepted or delivered; 1: not."""
    config = for_looking(options.config)
    line = options.line or next(iter(config.line))
    try:
        to = number(options.number)
    except ValueError as error:
        complain(f"textback: {error}")
        return 2
    variant = None if options.variant is None else options.variant - 1
    try:
        text = post(config, "/api/v1/send-test", {"line": line, "to": to, "variant": variant})["text"]
    except NoAnswer as error:
        complain(f"textback: {error}")
        return 1
    return _follow(config, text, options.wait)


def _follow(config: Config, text: int, seconds: float) -> int:
    until, told, turn = time.monotonic() + seconds, "", 0
    while True:
        with reading(config.data_dir / FILE) as db:
            row = texts.one(db, text)
        if row is None:
            return 1
        if not told:
            count = f"{row['segments']} segment{'s' if row['segments'] > 1 else ''}"
            say(f"Test text {text} to {row['recipient']}, {count}:", f"  {row['body']}")
        if row["state"] != told:
            told = row["state"]
            stop_spinning()
            detail = f" ({row['detail']})" if row["detail"] else ""
            bridge = f", by {row['bridge']}" if row["bridge"] else ""
            say_now(f"{_WORDS[told]}{bridge}{detail}")
        if told in _OVER or time.monotonic() > until:
            break
        turn += 1
        spin(turn)
        time.sleep(LOOK_EVERY_S)
    stop_spinning()
    if told not in _OVER:
        say("No receipt yet; that is usual with some networks. textback texts shows it when it comes.")
    return 0 if told in _GOOD else 1
