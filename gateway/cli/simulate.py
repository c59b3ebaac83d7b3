"""`textback simulate`: replays past calls through a configuration, and shows what would be different. Sends nothing.

The calls are those of the journal, or of another system's call records (--csv).
"""

import argparse
from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from config import load
from config.model import Config
from config.values import any_length
from gateway.cli.given import about, choice, unknown_line
from gateway.cli.known import directory_now
from gateway.cli.say import complain, counted, say, say_json, show_progress
from gateway.cli.show import when
from gateway.core.reason import IN_WORDS
from gateway.core.schedule import local
from gateway.decisions.ruling import Ruling
from gateway.office.directory import Directory
from gateway.office.knowledge import Knowledge
from gateway.preview import past_calls
from gateway.preview.records import FORMATS, Columns, Recorded, from_csv, from_journal
from gateway.preview.simulation import FromCallers, Replayed, Simulation
from gateway.store import consent, replies
from gateway.store.errors import NoDatabase
from gateway.store.reading import FILE, reading

SHOWN_AT_MOST = 20
_THE_FIRST = datetime(1970, 1, 1, tzinfo=UTC)
"""No call is older."""
PROGRESS_EVERY = 500


def add_to(commands: Any) -> None:
    """The command's parser."""
    parser = commands.add_parser("simulate", help="replay past calls through a configuration", description=about(__doc__))
    parser.add_argument("--since", metavar="LENGTH", help="how far back: 24h, 30d (default 30d, of --csv all)")
    parser.add_argument("--csv", metavar="FILE", help="call records of another system instead of the journal")
    parser.add_argument("--format", metavar="FORMAT", help=f"whose records these are: {', '.join(sorted(FORMATS))}")
    for name, what in (("at", "time"), ("caller", "caller"), ("dialled", "dialled number"), ("outcome", "outcome")):
        parser.add_argument(f"--{name}", metavar="COLUMN", help=f"the column of the {what}")
    parser.add_argument("--call", metavar="COLUMN", default="", help="the column that the rows of one call share")
    parser.add_argument("--rang", metavar="COLUMN", default="", help="the column of the seconds that it rang")
    parser.add_argument("--line", metavar="NAME", help="the line of calls whose dialled number is that of none")
    parser.add_argument(
        "--json", action="store_true", help="as JSON: {calls, texts, held, changed, segments, cost, reasons, unread …}"
    )
    parser.set_defaults(command=simulate)


def simulate(options: argparse.Namespace) -> int:
    """0; 1 where there is nothing to replay, or rows could not be read; 2 on wrong use."""
    config = load.load(load.find(options.config), has_secrets=False)
    now = datetime.now(UTC)
    directory = directory_now(config, now)
    try:
        since = _since(options, now)
        columns = _columns(options)
        _check_line(options.line, config)
        recorded: list[Recorded] = []
        problems: list[str] = []
        if columns is not None:
            recorded, problems = from_csv(Path(options.csv), columns, directory, options.line)
            recorded = [one for one in recorded if one.call.arrived_at >= since]
        else:
            with reading(config.data_dir / FILE) as db:
                recorded = from_journal(db, since, directory)
    except OSError as error:
        complain(f"textback: {options.csv} cannot be read: {error.strerror}")
        return 2
    except ValueError as error:
        complain(f"textback: {error}")
        return 2
    complain(*problems[:SHOWN_AT_MOST])
    if len(problems) > SHOWN_AT_MOST:
        complain(f"… and {counted(len(problems) - SHOWN_AT_MOST, 'more row')} that cannot be read (--json shows all)")
    if not recorded:
        complain("textback: there are no calls to replay")
        return 1
    then = Knowledge(tells=False).directory(config, recorded[-1].call.arrived_at)  # with the holidays of that time
    simulation = Simulation(Ruling(_with_contacts(then)), _from_callers(config))
    replayed = list(_with_progress(simulation.replay(recorded), len(recorded)))
    _tell(replayed, recorded, problems, config, is_json=options.json)
    return 1 if problems else 0


def _since(options: argparse.Namespace, now: datetime) -> datetime:
    """However long ago that is."""
    if options.since is None and options.csv is not None:
        return _THE_FIRST
    try:
        return max(now - any_length(options.since or "30d"), _THE_FIRST)
    except OverflowError:
        return _THE_FIRST
    except ValueError as error:
        raise ValueError(f"--since {error}") from None


def _with_contacts(directory: Directory) -> Directory:
    """A simulation does not wait for a file: where the contacts are not known, every caller is a stranger."""
    return replace(directory, contacts_unknown="")


def _check_line(line: str | None, config: Config) -> None:
    if line is not None and line not in config.line:
        raise ValueError(unknown_line(line, config.line))


def _columns(options: argparse.Namespace) -> Columns | None:
    if options.format is not None:
        choice(options.format, sorted(FORMATS), "format")
    if options.csv is None:
        return None
    if options.format is not None:
        return FORMATS[options.format]
    if not (options.at and options.caller and options.dialled and options.outcome):
        raise ValueError("--csv wants --format, or the columns: --at --caller --dialled --outcome")
    return Columns(
        at=options.at,
        caller=options.caller,
        dialled=(options.dialled,),
        outcome=options.outcome,
        rang=options.rang,
        call=(options.call,) if options.call else (),
    )


def _from_callers(config: Config) -> FromCallers:
    try:
        with reading(config.data_dir / FILE) as db:
            return FromCallers(wishes=consent.everything(db), replies=replies.instants(db))
    except NoDatabase:
        return FromCallers()


def _with_progress(replayed: Iterable[Replayed], count: int) -> Iterator[Replayed]:
    for number, one in enumerate(replayed, start=1):
        if count > PROGRESS_EVERY and (number % PROGRESS_EVERY == 0 or number == count):
            show_progress(number, count)
        yield one


def _tell(replayed: list[Replayed], recorded: list[Recorded], problems: list[str], config: Config, *, is_json: bool) -> None:
    texts = [one for one in replayed if one.decision == "send"]
    changed = [one for one in replayed if one.is_changed]
    reasons = Counter(one.reason.value for one in replayed)
    summary: dict[str, Any] = {
        "calls": len(recorded),
        "texts": len(texts),
        "texts_logged": sum(one.decision == "send" for one in recorded),
        "held": sum(one.decision == "hold" for one in replayed),
        "changed": [_change(one) for one in changed],
        "segments": sum(one.segments for one in texts),
        "cost": round(sum(one.cost for one in texts), 4),
        "reasons": dict(reasons.most_common()),
        "unread": problems,
        "advice": [f"{one.key}: {one.says}" for one in past_calls.of_texts(past_calls.of_replay(replayed, recorded), config)],
    }
    if is_json:
        say_json(summary)
        return
    first, last = (local(one.call.arrived_at, config.timezone) for one in (recorded[0], recorded[-1]))
    say(f"{counted(len(recorded), 'call')} from {first:%Y-%m-%d} to {last:%Y-%m-%d} through {config.path} ({config.hash}):")
    cost = f", {summary['cost']:.2f} by cost_per_segment" if summary["cost"] else ""
    say(
        f"  {counted(len(texts), 'text')}, {counted(summary['segments'], 'segment')}{cost}; {summary['held']} held for a person"
    )
    for reason, count in reasons.most_common():
        say(f"  {count:>7}  {reason:<16} {IN_WORDS[next(one.reason for one in replayed if one.reason.value == reason)]}")
    for says in summary["advice"]:
        say(f"  {says}")
    if any(one.decision for one in recorded):
        say(f"{len(changed)} would be decided otherwise than they were{':' if changed else '.'}")
    for one in changed[:SHOWN_AT_MOST]:
        at = when(one.recorded.call.arrived_at.isoformat(), one.recorded.line, config)
        before = f"{one.recorded.decision}, {one.recorded.reason}"
        say(f"  call {one.recorded.name:>6}  {at}  {before} → {one.decision}, {one.reason.value}")
    if len(changed) > SHOWN_AT_MOST:
        say(f"  … and {len(changed) - SHOWN_AT_MOST} more (--json shows all)")


def _change(one: Replayed) -> dict[str, str | int]:
    name = one.recorded.name
    return {
        "call": int(name) if name.isdecimal() else name,
        "was": f"{one.recorded.decision} {one.recorded.reason}",
        "would_be": f"{one.decision} {one.reason.value}",
    }
