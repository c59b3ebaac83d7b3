"""The command line: one parser, one function a command. Exit status 0: good; 1: the answer is no; 2: wrong use."""

import argparse
import os
import sys
from collections.abc import Callable, Sequence
from importlib.metadata import version

from config.problems import ConfigError
from gateway import log
from gateway.cli import call_test, check, demo, explain, healthy, numbers, run, send_test, show, simulate
from gateway.cli.say import complain, tolerate_encodings
from gateway.store.database import StoreError

Command = Callable[[argparse.Namespace], int]


def main(arguments: Sequence[str] | None = None) -> int:
    """Run one command."""
    options = _parser().parse_args(arguments)
    command: Command = options.command
    tolerate_encodings()
    log.set_up(is_quiet=True)
    try:
        return command(options)
    except ConfigError as error:
        complain(*str(error).split("\n"))
        return 1
    except StoreError as error:
        complain(f"textback: {error}")
        return 1
    except KeyboardInterrupt:
        return 130
    except BrokenPipeError:  # | head
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 0


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="textback", description="Texts a caller back when their call was missed.")
    parser.add_argument("--version", action="version", version=f"textback {version('textback')}")
    parser.add_argument("-c", dest="config", metavar="FILE", default=None, help=_CONFIG)
    commands = parser.add_subparsers(required=True, metavar="COMMAND")
    for module in (run, check, healthy, demo, show, numbers, explain, simulate, call_test, send_test):
        module.add_to(commands)
    for command in set(commands.choices.values()):
        command.add_argument("-c", dest="config", metavar="FILE", default=argparse.SUPPRESS, help=_CONFIG)
    return parser


_CONFIG = "the configuration (default /etc/textback/textback.toml, then ./textback.toml)"
