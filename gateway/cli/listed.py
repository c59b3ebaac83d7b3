"""Lists of what happened: chosen by time, line, caller and state; once, or as it goes on happening (`--follow`)."""

import argparse
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from typing import Any

from config.model import Config
from gateway.cli import given
from gateway.cli.configuration import for_looking
from gateway.cli.given import WHEN, WITHHELD, WrongUse, as_argument
from gateway.cli.say import complain, say_json, say_json_line, say_now
from gateway.cli.table import Column, Row, Table, table
from gateway.store import StoreConnection
from gateway.store.reading import FILE, reading
from gateway.store.selection import Caller, Selection

USUALLY = 20
LOOK_EVERY_S = 0.5
WATCHED = 500
"""`--follow` sees what changes in so many of the newest."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Listing:
    """One kind of list: what it holds, where that is found, and how one of them is shown."""

    what: str
    columns: tuple[Column, ...]
    selected: Callable[[StoreConnection, Selection], list[Any]]
    row: Callable[[Any, Config], Row]
    as_json: Callable[[Any], dict[str, Any]]
    states: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    """What `--state` takes, and which states each word stands for."""


def add_options(parser: Any, what: str, *, state_is: str = "", has_line: bool = True) -> None:
    """What chooses among calls, texts or replies."""
    parser.add_argument(
        "-n", type=as_argument(given.count), metavar="COUNT", help=f"how many (default {USUALLY}; with --json or times: all)"
    )
    parser.add_argument("--since", metavar="TIME", help=f"not before: {WHEN}")
    parser.add_argument("--until", metavar="TIME", help="before this time; a day is meant to its end")
    if has_line:
        parser.add_argument("--line", metavar="NAME", help="of this line")
    parser.add_argument("--caller", metavar="NUMBER", help="of this caller; anonymous: who showed no number")
    if state_is:
        parser.add_argument("--state", metavar="STATE", help=state_is)
    parser.add_argument("--follow", action="store_true", help=f"go on showing {what} as they come and change, until Ctrl-C")
    parser.add_argument("--json", action="store_true", help="as JSON, for programs; with --follow one a line")


def show(listing: Listing, options: argparse.Namespace) -> int:
    """0; 2 on wrong use."""
    config = for_looking(options.config)
    try:
        selection = _selection(listing, options, config, datetime.now(UTC))
        if options.follow:
            return _follow(listing, selection, config, is_json=options.json)
        rows = _rows(listing, replace(selection, limit=selection.limit and selection.limit + 1), config)
    except WrongUse as error:
        complain(f"textback: {error}")
        return 2
    shown = rows[: selection.limit]
    if options.json:
        say_json([listing.as_json(row) for row in shown])
    elif not rows:
        complain(f"No {listing.what}{' yet' if selection == Selection(limit=USUALLY) else ' like that'}.")
    else:
        told = [listing.row(row, config) for row in shown]
        _tell(table(listing.columns, told), told)
        if len(rows) > len(shown) and options.n is None:
            complain(f"The newest {USUALLY}; -n COUNT or --since TIME shows more.")
    return 0


def _tell(listed: Table, rows: list[Row]) -> None:
    say_now(*listed.titles, *listed.lines(rows))


def _selection(listing: Listing, options: argparse.Namespace, config: Config, now: datetime) -> Selection:
    if options.follow and options.until:
        raise WrongUse("--follow shows what comes; --until makes no sense with it")
    try:
        since = given.instant(options.since, config.timezone, now) if options.since else None
        until = given.instant(options.until, config.timezone, now, is_end=True) if options.until else None
        state = getattr(options, "state", None)
        states = listing.states[given.choice(state, list(listing.states), "state")] if state is not None else ()
    except ValueError as error:
        raise WrongUse(str(error)) from None
    if since is not None and until is not None and since >= until:
        raise WrongUse(f"--since {options.since} is no earlier than --until {options.until}; turn them round")
    is_all = options.json or since is not None or until is not None
    return Selection(
        since=since,
        until=until,
        line=getattr(options, "line", None),
        caller=_caller(options.caller, config) if options.caller is not None else None,
        states=states,
        limit=options.n or (None if is_all else USUALLY),
    )


def _caller(text: str, config: Config) -> Caller:
    """A number however it is written, or whatever else a trunk may have sent: an extension, a name."""
    if text.strip().lower() in WITHHELD:
        return Caller(number=None, as_sent=None)
    try:
        return Caller(number=given.number(text, config), as_sent=text)
    except ValueError:
        return Caller(number=text, as_sent=text)


def _rows(listing: Listing, selection: Selection, config: Config) -> list[Any]:
    """The newest first; `WrongUse` for a line or a caller that neither the configuration nor any row knows."""
    with reading(config.data_dir / FILE) as db:
        rows = listing.selected(db, selection)
        if rows:
            return rows
        is_known = selection.line is None or selection.line in config.line
        if not is_known and not listing.selected(db, Selection(line=selection.line, limit=1)):
            raise WrongUse(given.unknown_line(str(selection.line), config.line))
        if not listing.selected(db, Selection(caller=selection.caller, limit=1)):
            _refuse_no_number(selection.caller, listing, config)
        return rows


def _refuse_no_number(caller: Caller | None, listing: Listing, config: Config) -> None:
    if caller is None or caller.as_sent is None:
        return
    try:
        given.number(caller.as_sent, config)
    except ValueError as error:
        raise WrongUse(f"{error}, or as textback {listing.what} shows it") from None


def _follow(listing: Listing, selection: Selection, config: Config, *, is_json: bool) -> int:
    """The newest ones, oldest first; then each that comes, and again each that changes."""
    rows = _rows(listing, replace(selection, limit=WATCHED), config)
    seen = {row["id"]: listing.as_json(row) for row in rows}
    first = list(reversed(rows[: selection.limit or USUALLY]))
    listed = table(listing.columns, [listing.row(row, config) for row in first])
    if not is_json:
        say_now(*listed.titles)
    _tell_more(listing, listed, first, config, is_json=is_json)
    while True:
        time.sleep(LOOK_EVERY_S)
        rows = _rows(listing, replace(selection, limit=None, above=max(seen, default=0) - WATCHED), config)
        changed = [row for row in reversed(rows) if seen.get(row["id"]) != listing.as_json(row)]
        _tell_more(listing, listed, changed, config, is_json=is_json)
        seen |= {row["id"]: listing.as_json(row) for row in changed}


def _tell_more(listing: Listing, listed: Table, rows: list[Any], config: Config, *, is_json: bool) -> None:
    for row in rows:
        if is_json:
            say_json_line(listing.as_json(row))
        else:
            say_now(*listed.lines([listing.row(row, config)]))
