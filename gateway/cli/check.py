"""`textback check`: everything that is wrong with a configuration, what to think about, and what does nothing yet."""

import argparse
import contextlib
import os
from collections.abc import Iterator, Sequence
from dataclasses import asdict
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from config import load
from config.exceptions import regions_of
from config.model import Config
from config.problems import ConfigError, Problem
from config.public_holidays import name_of
from gateway.cli.given import about
from gateway.cli.say import complain, say, say_json
from gateway.core.schedule import local
from gateway.office.directory import Directory
from gateway.office.knowledge import BY_ROWS, Knowledge
from gateway.preview import past_calls
from gateway.preview.advice import LongestMessage, advise, messages
from gateway.preview.by_default import by_default
from gateway.preview.closed_days import ClosedDay, coming
from gateway.preview.timetable import week
from gateway.process import descriptors


def add_to(commands: Any) -> None:
    """The command's parser."""
    parser = commands.add_parser("check", help="check the configuration", description=about(__doc__))
    parser.add_argument("--week", action="store_true", help="show which message goes when, for the coming seven days")
    parser.add_argument("--holidays", action="store_true", help="list the closed days of the coming twelve months, and whence")
    parser.add_argument("--strict", action="store_true", help="warnings count as errors")
    parser.add_argument("--json", action="store_true", help="as JSON: {errors, warnings, by_default, not_in_effect …}")
    parser.set_defaults(command=check)


def check(options: argparse.Namespace) -> int:
    """0: good; 1: errors, or with --strict warnings."""
    path = load.find(options.config)
    errors: tuple[Problem, ...] = ()
    warnings: list[Problem] = []
    unset: list[Problem] = []
    past: list[Problem] = []
    later: list[Problem] = []
    config: Config | None = None
    try:
        config = load.load(path)
    except ConfigError as error:
        errors = error.problems
    now, knowledge = datetime.now(UTC), Knowledge(tells=False)
    if config is not None:
        errors = tuple(_about_files(config, now, knowledge))
        warnings = load.warnings_about_secrets(path)
        warnings += [load.problem(config, advice.key, advice.says) for advice in advise(config, now, knowledge)]
        warnings += [load.problem(config, "web.listen", says) for says in _about_this_machine()]
        warnings += [load.problem(config, key, says) for key, says in _only_roots(config)]
        unset = [load.problem(config, advice.key, advice.says) for advice in by_default(config)]
        past = [load.problem(config, advice.key, advice.says) for advice in past_calls.of_journal(config, now)]
        later = load.not_in_effect(path)
    if options.json:
        groups: dict[str, Sequence[Problem]] = {
            "errors": errors,
            "warnings": warnings,
            "by_default": unset,
            "by_past_calls": past,
            "not_in_effect": later,
        }
        shown: dict[str, Any] = {name: [asdict(problem) for problem in group] for name, group in groups.items()}
        if config is not None:
            shown["messages"] = [_message_json(message) for line in config.line.values() for message in messages(line, config)]
        if config is not None and options.holidays:
            shown["holidays"] = [_closed_json(day, config) for day in coming(config, knowledge.calendars(config, now), now)]
        say_json(shown)
    else:
        told = {"Warnings": warnings, "In effect by default": unset, "By past calls": past, "Not in effect yet": later}
        _print(errors, told, config, is_strict=options.strict)
        if options.week and config is not None:
            _print_week(config, knowledge.directory(config, now), now)
        if options.holidays and config is not None:
            _print_holidays(config, coming(config, knowledge.calendars(config, now), now))
    return 1 if errors or (options.strict and warnings) else 0


def _about_files(config: Config, now: datetime, knowledge: Knowledge) -> Iterator[Problem]:
    """Contacts and calendars that cannot be used as they are: the gateway runs all the same, but not as the office means it."""
    for fault in knowledge.directory(config, now).faults:
        if fault.meanwhile in BY_ROWS:
            continue  # a warning for each row
        yield load.problem(
            config, fault.key, f"{fault.file} {fault.detail}; in the running gateway meanwhile {fault.meanwhile}"
        )


def _about_this_machine() -> Iterator[str]:
    """What stands in no file: of whoever runs this, as a service usually has it too."""
    most = descriptors.at_most()
    if most < descriptors.ENOUGH:
        yield (
            f"no more than {most} files and connections may be open at once here; where the gateway has as few, it takes"
            f" fewer connections: allow {descriptors.ENOUGH} (LimitNOFILE= of its service, ulimit -Hn)"
        )


def _only_roots(config: Config) -> Iterator[tuple[str, str]]:
    """The key of each file that root reads and the service's user does not."""
    for key, path in _named_by(config) if os.geteuid() == 0 else ():
        with contextlib.suppress(OSError):  # told elsewhere
            if path.stat().st_uid == 0 and not path.stat().st_mode & 0o004:
                yield (
                    key,
                    f"only root can read {path}, and the service is not root; it holds no secrets, so run: chmod 644 {path}",
                )


def _named_by(config: Config) -> Iterator[tuple[str, Path]]:
    yield "", config.path
    if config.contacts is not None:
        yield "contacts.file", Path(config.contacts.file)
    for name, hours in config.hours.items():
        for index, holiday in enumerate(hours.holidays):
            if holiday.endswith(".ics"):
                yield f"hours.{name}.holidays.{index}", config.path.parent / holiday


def _print(errors: tuple[Problem, ...], groups: dict[str, list[Problem]], config: Config | None, *, is_strict: bool) -> None:
    for problem in errors:
        complain(problem)
    for title, group in groups.items():
        if group:
            say(f"{title}:")
            for problem in group:
                say(f"  {problem}")
    if config is None:
        count = len(errors)
        complain(f"{count} error{'s' if count != 1 else ''}; nothing was changed.")
        return
    say("Messages, each at its longest:")
    for line in config.line.values():
        for message in messages(line, config):
            when = f" ({message.conditions})" if message.conditions else ""
            size = f"{len(message.cut.parts)} segment{'s' if len(message.cut.parts) > 1 else ''}"
            say(f"  {message.key}{when}: {size}, {len(message.cut.text)} characters, {message.cut.alphabet.value}")
            say(f"    {message.cut.text}")
    lines = ", ".join(f"{line.name} {line.number}" for line in config.line.values())
    if errors:
        files = f"{len(errors)} file{'s' if len(errors) != 1 else ''}"
        complain(
            f"{config.path} itself is good (configuration {config.hash}), {files} that it names cannot be used. Lines: {lines}"
        )
        return
    warnings = groups["Warnings"]
    if is_strict and warnings:
        why = f"{len(warnings)} warning{'s count as errors' if len(warnings) != 1 else ' counts as an error'}"
        complain(f"{config.path}: not good by --strict: {why}. Without --strict it is good (configuration {config.hash}).")
        return
    say(f"{config.path}: good (configuration {config.hash}). Lines: {lines}")


def _message_json(message: LongestMessage) -> dict[str, Any]:
    cut = message.cut
    return {
        "key": message.key,
        "conditions": message.conditions,
        "longest": cut.text,
        "segments": len(cut.parts),
        "alphabet": cut.alphabet.value,
    }


def _print_week(config: Config, directory: Directory, now: datetime) -> None:
    for line in config.line.values():
        say(f"{line.name}: what a new caller's first missed call gets ({line.timezone}):")
        day = ""
        for stretch in week(line, directory, now):
            start, end = local(stretch.start, line.timezone), local(stretch.end, line.timezone)
            shown = f"{start:%a %Y-%m-%d}"
            until = "24:00" if end.date() != start.date() else f"{end:%H:%M}"
            say(f"  {shown if shown != day else '':<14}  {start:%H:%M}-{until}  {stretch.says}")
            day = shown


def _print_holidays(config: Config, days: list[ClosedDay]) -> None:
    for name in config.hours:
        own = [day for day in days if day.hours == name]
        closed = len({day.day for day in own if not day.is_open})
        of = "; ".join(f"{region} is {name_of(region)}" for region in regions_of(config.hours[name]))
        whose = f" ({of})" if of else ""
        say(f"[hours.{name}] is closed on {closed} day{'' if closed == 1 else 's'} in the coming twelve months{whose}:")
        for day in own:
            what = "open: " if day.is_open else ""
            say(f"  {day.day:%a %Y-%m-%d}  {day.times:<11}  {what}{_named(day)} ({day.whence}, {_where(day, config)})")


def _named(day: ClosedDay) -> str:
    return f"{day.name} – {day.also}" if day.also else day.name


def _closed_json(day: ClosedDay, config: Config) -> dict[str, Any]:
    return {**asdict(day), "day": day.day.isoformat(), "where": _where(day, config)}


def _where(day: ClosedDay, config: Config) -> str:
    line = load.problem(config, day.key, "").line
    return f"{config.path.name}:{line}"
