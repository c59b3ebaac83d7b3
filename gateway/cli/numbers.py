"""`textback numbers list | forget NUMBER`: numbers that networks said cannot be texted, and forgetting one of them."""

import argparse
from datetime import UTC, datetime
from typing import Any

from config.values import number
from gateway.cli.ask import NoAnswer, post
from gateway.cli.configuration import for_looking
from gateway.cli.say import complain, say, say_json
from gateway.cli.show import when
from gateway.store import undeliverable
from gateway.store.instants import written
from gateway.store.reading import FILE, reading
from gateway.store.undeliverable import Known


def add_to(commands: Any) -> None:
    """The command's parser."""
    parser = commands.add_parser("numbers", help="numbers that cannot be texted", description=__doc__)
    actions = parser.add_subparsers(metavar="ACTION", required=True)
    listing = actions.add_parser("list", help="what networks have said of numbers", description="The newest first.")
    listing.add_argument("--json", action="store_true", help="as JSON: [{number, is_dead, refusals, last_at, source}]")
    listing.set_defaults(command=show)
    forgetting = actions.add_parser("forget", help="text a number again", description="What is known of a number is dropped.")
    forgetting.add_argument("number", metavar="NUMBER", help="with + and country code")
    forgetting.set_defaults(command=forget)


def show(options: argparse.Namespace) -> int:
    """0."""
    config = for_looking(options.config)
    with reading(config.data_dir / FILE) as db:
        found = undeliverable.known(db, datetime.now(UTC))
    if options.json:
        say_json([_as_json(one) for one in found])
        return 0
    if not found:
        say("No network has said of a number that it cannot be texted.")
    for one in found:
        refusals = f"{one.refusals} refusal{'' if one.refusals == 1 else 's'}"
        what = "not texted" if one.is_dead else "texted still"
        say(f"{one.number:<16}  {what:<12}  {refusals:<11}  {when(written(one.last_at), None, config)}  {one.source}")
    return 0


def forget(options: argparse.Namespace) -> int:
    """0; 1 where nothing is known of the number; 2 on wrong use."""
    config = for_looking(options.config)
    try:
        wanted = number(options.number)
    except ValueError as error:
        complain(f"textback: {error}")
        return 2
    try:
        say(post(config, "/api/v1/numbers/forget", {"number": wanted})["said"])
    except NoAnswer as error:
        complain(f"textback: {error}")
        return 1
    return 0


def _as_json(one: Known) -> dict[str, Any]:
    return {
        "number": one.number,
        "is_dead": one.is_dead,
        "refusals": one.refusals,
        "last_at": written(one.last_at),
        "source": one.source,
    }
