"""`textback check`: everything that is wrong with a configuration, what to think about, and what does nothing yet."""

import argparse
import json
import sys
from dataclasses import asdict
from typing import Any

from config import load
from config.model import Config
from config.problems import ConfigError, Problem
from gateway.advice import advise


def add_to(commands: Any) -> None:
    """The command's parser."""
    parser = commands.add_parser("check", help="check the configuration", description=__doc__)
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
        warnings += [load.problem(config, advice.key, advice.says) for advice in advise(config)]
        later = load.not_in_effect(path)
    if options.json:
        groups = {"errors": errors, "warnings": warnings, "not_in_effect": later}
        print(json.dumps({name: [asdict(problem) for problem in group] for name, group in groups.items()}, indent=2))
    else:
        _print(errors, warnings, later, config)
    return 1 if errors or (options.strict and warnings) else 0


def _print(errors: tuple[Problem, ...], warnings: list[Problem], later: list[Problem], config: Config | None) -> None:
    for problem in errors:
        print(problem, file=sys.stderr)
    for title, group in (("Warnings", warnings), ("Not in effect yet", later)):
        if group:
            print(f"{title}:")
            for problem in group:
                print(f"  {problem}")
    if config is None:
        count = len(errors)
        print(f"{count} error{'s' if count != 1 else ''}; nothing was changed.", file=sys.stderr)
        return
    lines = ", ".join(f"{line.name} {line.number}" for line in config.line.values())
    print(f"{config.path}: good (configuration {config.hash}). Lines: {lines}")
