"""`textback numbers list | forget NUMBER`: numbers that networks said cannot be texted, and forgetting one of them."""

import argparse
from datetime import UTC, datetime
from typing import Any

from config.model import Config
from gateway.cli import given
from gateway.cli.ask import NoAnswer, post
from gateway.cli.configuration import for_looking
from gateway.cli.say import complain, say, say_json, say_of_number
from gateway.cli.show import when
from gateway.cli.table import Column, Row, table
from gateway.store import undeliverable
from gateway.store.instants import written
from gateway.store.reading import FILE, reading
from gateway.store.undeliverable import NumberReport

_ABOUT = """Numbers of which a network said that they cannot be texted: landlines, numbers out of service. They are not tried
again for 180 days, unless one is forgotten, because somebody has a new phone."""
_COLUMNS = (
    Column(title="NUMBER", width=12),
    Column(title="NOW", width=len("texted still")),
    Column(title="REFUSALS", is_number=True),
    Column(title="LAST", width=len("Mon 2026-11-23 14:05:09 CST")),
    Column(title="SAID BY"),
)


def add_to(commands: Any) -> None:
    """The command's parser."""
    parser = commands.add_parser("numbers", help="numbers that networks say cannot be texted", description=_ABOUT)
    actions = parser.add_subparsers(metavar="ACTION", required=True)
    listing = actions.add_parser("list", help="what networks have said of numbers", description="The newest first.")
    listing.add_argument("--json", action="store_true", help="as JSON, for programs")
    listing.set_defaults(command=show)
    forgetting = actions.add_parser(
        "forget",
        help="text a number again",
        description="What is known of a number is dropped; its next missed call is texted.",
    )
    forgetting.add_argument("number", metavar="NUMBER", help="with + and country code, or as the office's region writes it")
    forgetting.add_argument("--json", action="store_true", help="as JSON, for programs")
    forgetting.set_defaults(command=forget)


def show(options: argparse.Namespace) -> int:
    """0."""
    config = for_looking(options.config)
    with reading(config.data_dir / FILE) as db:
        found = undeliverable.known(db, datetime.now(UTC))
    if options.json:
        say_json([_as_json(one) for one in found])
    elif not found:
        complain("No network has said of a number that it cannot be texted.")
    else:
        rows = [_row(one, config) for one in found]
        listed = table(_COLUMNS, rows)
        say(*listed.titles, *listed.lines(rows))
    return 0


def _row(one: NumberReport, config: Config) -> Row:
    what = "not texted" if one.is_dead else "texted still"
    return Row(cells=(one.number, what, str(one.refusals), when(written(one.last_at), None, config), one.source))


def forget(options: argparse.Namespace) -> int:
    """0; 1 where nothing is known of the number; 2 on wrong use."""
    config = for_looking(options.config)
    try:
        wanted = given.number(options.number, config)
    except ValueError as error:
        complain(f"textback: {error}")
        return 2
    status, says = 0, ""
    try:
        says = post(config, "/api/v1/numbers/forget", {"number": wanted})["said"]
    except NoAnswer as error:
        status, says = error.status, str(error)
    say_of_number(wanted, says, status=status, as_json=options.json)
    return status


def _as_json(one: NumberReport) -> dict[str, Any]:
    return {
        "number": one.number,
        "is_dead": one.is_dead,
        "refusals": one.refusals,
        "last_at": written(one.last_at),
        "source": one.source,
    }
