"""`textback check`: everything that is wrong with a configuration, what to think about, and what does nothing yet."""

import argparse
import os
from collections.abc import Iterator
from dataclasses import asdict
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from config import load
from config.model import Config
from config.problems import ConfigError, Problem
from gateway import descriptors
from gateway.advice import Message, advise, messages
from gateway.cli.say import complain, say, say_json
from gateway.core.schedule import local
from gateway.knowledge import Knowledge
from gateway.timetable import week


def add_to(commands: Any) -> None:
    """The command's parser."""
    parser = commands.add_parser("check", help="check the configuration", description=__doc__)
    parser.add_argument("--week", action="store_true", help="show which message goes when, for the coming seven days")
    parser.add_argument("--strict", action="store_true", help="warnings count as errors")
    parser.add_argument("--json", action="store_true", help="as JSON: {errors, warnings, not_in_effect}")
    parser.set_defaults(command=check)


def check(options: argparse.Namespace) -> int:
    """0: good; 1: errors, or with --strict warnings."""
    path = load.find(options.config)
    errors: tuple[Problem, ...] = ()
    warnings: list[Problem] = []
    later: list[Problem] = []
    config: Config | None = None
    try:
        config = load.load(path)
    except ConfigError as error:
        errors = error.problems
    if config is not None:
        warnings = load.warnings_about_secrets(path)
        warnings += [load.problem(config, advice.key, advice.says) for advice in advise(config, datetime.now(UTC))]
        warnings += [load.problem(config, "web.listen", says) for says in _about_this_machine()]
        warnings += [load.problem(config, "", says) for says in _about_the_file(path)]
        later = load.not_in_effect(path)
    if options.json:
        groups = {"errors": errors, "warnings": warnings, "not_in_effect": later}
        shown: dict[str, Any] = {name: [asdict(problem) for problem in group] for name, group in groups.items()}
        if config is not None:
            shown["messages"] = [_message_json(message) for line in config.line.values() for message in messages(line, config)]
        say_json(shown)
    else:
        _print(errors, warnings, later, config)
        if options.week and config is not None:
            _print_week(config)
    return 1 if errors or (options.strict and warnings) else 0


def _about_this_machine() -> Iterator[str]:
    """What stands in no file: of whoever runs this, as a service usually has it too."""
    most = descriptors.at_most()
    if most < descriptors.ENOUGH:
        yield (
            f"no more than {most} files and connections may be open at once here; where the gateway has as few, it takes"
            f" fewer connections: allow {descriptors.ENOUGH} (LimitNOFILE= of its service, ulimit -Hn)"
        )


def _about_the_file(path: Path) -> Iterator[str]:
    """Root reads everything; the service's user does not."""
    if os.geteuid() == 0 and path.stat().st_uid == 0 and not path.stat().st_mode & 0o004:
        yield f"only root can read this file, and the service is not root; it holds no secrets, so run: chmod 644 {path}"


def _print(errors: tuple[Problem, ...], warnings: list[Problem], later: list[Problem], config: Config | None) -> None:
    for problem in errors:
        complain(problem)
    for title, group in (("Warnings", warnings), ("Not in effect yet", later)):
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
    say(f"{config.path}: good (configuration {config.hash}). Lines: {lines}")


def _message_json(message: Message) -> dict[str, Any]:
    cut = message.cut
    return {
        "key": message.key,
        "conditions": message.conditions,
        "longest": cut.text,
        "segments": len(cut.parts),
        "alphabet": cut.alphabet.value,
    }


def _print_week(config: Config) -> None:
    now = datetime.now(UTC)
    directory = Knowledge().directory(config, now)
    for line in config.line.values():
        say(f"{line.name}: what a new caller's first missed call gets ({line.timezone}):")
        day = ""
        for stretch in week(line, directory, now):
            start, end = local(stretch.start, line.timezone), local(stretch.end, line.timezone)
            shown = f"{start:%a %Y-%m-%d}"
            until = "24:00" if end.date() != start.date() else f"{end:%H:%M}"
            say(f"  {shown if shown != day else '':<14}  {start:%H:%M}-{until}  {stretch.says}")
            day = shown
