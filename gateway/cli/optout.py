"""`textback optout list | add NUMBER | remove NUMBER`: who gets no texts, and what a caller said of it by phone."""

import argparse
from collections.abc import Callable
from dataclasses import asdict
from datetime import UTC, datetime
from typing import Any

from config.model import E164, Config
from gateway import sentences
from gateway.cli.ask import NoAnswer, NobodyThere, post
from gateway.cli.configuration import for_looking
from gateway.cli.say import complain, say, say_json, say_of_number
from gateway.cli.show import when
from gateway.core.phone import read_number
from gateway.process.data_dir import CannotStart, while_none_runs
from gateway.store import StoreConnection, consent, optouts
from gateway.store.alone import writing
from gateway.store.consent import Entry
from gateway.store.instants import written
from gateway.store.reading import FILE, reading

ABOUT = (
    "Who gets no texts, and what a caller said of it by phone. It counts at once and for every line, also for texts that wait."
    " Without a running gateway it is written into the database itself."
)
Alone = Callable[[StoreConnection, datetime], str]
"""What is done without a gateway; the sentence about it."""


class _Refused(Exception):
    """It cannot be done; the sentence says why."""


def add_to(commands: Any) -> None:
    """The command's parser."""
    parser = commands.add_parser("optout", help="callers who want no texts", description=ABOUT)
    actions = parser.add_subparsers(metavar="ACTION", required=True)
    listing = actions.add_parser("list", help="who gets no texts", description="The newest first, with who said so and how.")
    listing.add_argument("number", metavar="NUMBER", nargs="?", help="all that this caller ever wanted, instead")
    listing.add_argument("--json", action="store_true", help="as JSON: [{number, wish, at, source, line, note, words}]")
    listing.set_defaults(command=show)
    adding = actions.add_parser("add", help="send a caller no more texts", description="At once, and for every line.")
    adding.add_argument("number", metavar="NUMBER", help="as it is dialled in the office, or with + and country code")
    adding.add_argument("--line", metavar="NAME", help="where it was said, for the record")
    adding.add_argument("--note", default="", metavar="WORDS", help='how, for the record: "said so by phone"')
    adding.add_argument("--json", action="store_true", help="as JSON, for programs")
    adding.set_defaults(command=add)
    removing = actions.add_parser("remove", help="text a caller again", description="Only where the caller wants that.")
    removing.add_argument("number", metavar="NUMBER", help="as it is dialled in the office, or with + and country code")
    removing.add_argument("--reason", required=True, type=_words, metavar="WORDS", help="why, for the record")
    removing.add_argument("--json", action="store_true", help="as JSON, for programs")
    removing.set_defaults(command=remove)


def show(options: argparse.Namespace) -> int:
    """0; 2 on wrong use."""
    config = for_looking(options.config)
    number = _number(options.number, config) if options.number is not None else None
    if options.number is not None and number is None:
        return 2
    with reading(config.data_dir / FILE) as db:
        found = consent.of_number(db, number) if number is not None else consent.opted_out(db)
    if options.json:
        say_json([{**asdict(entry), "at": written(entry.at)} for entry in found])
        return 0
    if not found:
        say(f"{number} has never said anything about texts." if number is not None else "Nobody has opted out.")
    for entry in found:
        say(_in_words(entry, config))
    return 0


def _in_words(entry: Entry, config: Config) -> str:
    wish = entry.wish.value.replace("_", " ")
    line = f" on {entry.line}" if entry.line else ""
    said = entry.note or entry.words or ""
    return f"{entry.number:<16}  {wish:<7}  {when(written(entry.at), None, config)}  {entry.source}{line}  {said}".rstrip()


def add(options: argparse.Namespace) -> int:
    """0; 1 where it could not be kept; 2 on wrong use."""
    config = for_looking(options.config)
    number, line, note = _number(options.number, config), options.line, options.note
    if line is not None and line not in config.line:
        complain(f"textback: there is no line {line}; the lines are {', '.join(config.line)}")
        return 2
    if number is None:
        return 2

    def alone(db: StoreConnection, now: datetime) -> str:
        return sentences.opted_out(number, optouts.opt_out(db, number, now, optouts.BY_A_PERSON, line=line, note=note))

    return _do(config, "add", {"number": number, "line": line, "note": note}, alone, as_json=options.json)


def remove(options: argparse.Namespace) -> int:
    """0; 1 where the number is not opted out, or it could not be kept; 2 on wrong use."""
    config = for_looking(options.config)
    number, reason = _number(options.number, config), options.reason
    if number is None:
        return 2

    def alone(db: StoreConnection, now: datetime) -> str:
        undone = optouts.opt_in(db, number, now, reason)
        if undone is None:
            raise _Refused(sentences.not_opted_out(number))
        return sentences.opted_in(number, undone)

    return _do(config, "remove", {"number": number, "reason": reason}, alone, as_json=options.json)


def _do(config: Config, action: str, body: dict[str, Any], alone: Alone, *, as_json: bool) -> int:
    """By the running gateway, which then knows at once; where none runs, without it."""
    status = 0
    try:
        try:
            says = post(config, f"/api/v1/optouts/{action}", body)["said"]
        except NobodyThere:
            with while_none_runs(config.data_dir), writing(config.data_dir / FILE) as db:
                says = alone(db, datetime.now(UTC))
    except (NoAnswer, CannotStart, _Refused) as error:
        status, says = 1, str(error)
    say_of_number(body["number"], says, status=status, as_json=as_json)
    return status


def _number(given: str, config: Config) -> E164 | None:
    number = read_number(given, config.region)
    if number is None:
        complain(f"textback: {given} is no telephone number, neither in {config.region} nor with + and country code")
    return number


def _words(text: str) -> str:
    if not text.strip():
        raise argparse.ArgumentTypeError("must say why")
    return text
