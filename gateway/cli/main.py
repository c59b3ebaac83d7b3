"""The command line: one parser, one function a command. Exit status 0: good; 1: the answer is no; 2: wrong use."""

import argparse
import errno
import importlib
import os
import signal
import sys
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

from config.problems import ConfigError
from gateway.cli.say import complain, tolerate_encodings
from gateway.cli.starting import how_to_start
from gateway.store.errors import NotStarted, StoreError

Command = Callable[[argparse.Namespace], int]
COMMANDS = {
    "run": ("run", "run the gateway"),
    "check": ("check", "check the configuration"),
    "reload": ("reload", "have the gateway load its configuration again"),
    "demo": ("demo", "see it work, on this machine alone"),
    "calls": ("show", "the newest calls, and whether each was texted"),
    "texts": ("show", "the newest texts and what became of them"),
    "replies": ("show", "what callers wrote"),
    "status": ("show", "how the running gateway is"),
    "healthy": ("healthy", "ask whether a gateway answers here, for health checks"),
    "numbers": ("numbers", "numbers that networks say cannot be texted"),
    "optout": ("optout", "callers who want no texts"),
    "explain": ("explain", "why a call was texted or not"),
    "simulate": ("simulate", "replay past calls through a configuration"),
    "call-test": ("call_test", "place a real test call"),
    "send-test": ("send_test", "send a test text, and see what becomes of it"),
}
"""The module of `gateway.cli` that adds each, and its line in the overview. A module is loaded only where its command is asked
for: what a gateway needs takes a second."""
LOG_NOTHING = frozenset(
    {"calls", "texts", "replies", "status", "numbers", "optout", "explain", "send-test", "healthy", "reload"}
)
"""Nor is what logs loaded for these."""


def main(arguments: Sequence[str] | None = None) -> int:
    """Run one command."""
    signal.signal(signal.SIGCHLD, signal.SIG_DFL)  # where it is ignored, nobody hears how a child of ours ended
    _open_what_is_closed()
    tolerate_encodings()
    try:
        try:
            return _run(sys.argv[1:] if arguments is None else arguments)
        finally:
            sys.stdout.flush()
    except BrokenPipeError:  # | head
        return _unheard(0)
    except OSError as error:
        if error.filename is not None or error.errno not in _NO_ROOM:
            raise
        complain(f"textback: the output cannot be written: {error.strerror}")
        return _unheard(1)


def _run(given: Sequence[str]) -> int:
    try:
        name = _command_in(given)
        if name == "run":
            signal.signal(signal.SIGHUP, signal.SIG_IGN)  # until the gateway listens for it
        is_known = name in COMMANDS and "--version" not in given
        options = (_parser(name) if is_known else _overview()).parse_args(given)
        if name not in LOG_NOTHING:
            _log_little()
        command: Command = options.command
        return command(options)
    except ConfigError as error:
        complain(*str(error).split("\n"))
        return 1
    except NotStarted as error:
        complain(f"textback: {error} ({how_to_start(None if options.config is None else Path(options.config))})")
        return 1
    except StoreError as error:
        complain(f"textback: {error}")
        return 1
    except KeyboardInterrupt:
        return 130


def _open_what_is_closed() -> None:
    """A stream that whoever started us has closed takes what is written and drops it; none is taken for the other."""
    for name in ("stdout", "stderr"):
        if getattr(sys, name) is None:
            setattr(sys, name, open(os.devnull, "w"))  # noqa: SIM115 — until the end


def _unheard(status: int) -> int:
    """What is not written yet goes nowhere; at its end the interpreter would complain of it."""
    os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
    return status


def _command_in(given: Sequence[str]) -> str | None:
    """The command's name; None where there is none."""
    rest = iter(given)
    for argument in rest:
        if argument == "-c":
            next(rest, None)
        elif not argument.startswith("-"):
            return argument
    return None


def _parser(name: str | None = None) -> argparse.ArgumentParser:
    """Of one command, or of all."""
    parser, commands = _empty()
    for module in dict.fromkeys(module for command, (module, _) in COMMANDS.items() if name in (command, None)):
        importlib.import_module(f"gateway.cli.{module}").add_to(commands)
    _let_name_configuration(commands)
    return parser


def _let_name_configuration(commands: Any) -> None:
    """After each command too, and after each of its actions; the last one counts."""
    for command in set(commands.choices.values()):
        command.add_argument("-c", dest="config", metavar="FILE", default=argparse.SUPPRESS, help=_CONFIG)
        for actions in _actions_of(command):
            _let_name_configuration(actions)


def _actions_of(command: argparse.ArgumentParser) -> list[Any]:
    return [action for action in command._actions if isinstance(action, argparse._SubParsersAction)]


def _overview() -> argparse.ArgumentParser:
    """Of no command: it knows their names, and the version."""
    parser, commands = _empty()
    parser.add_argument("--version", action="version", version=_version())
    for name, (_, says) in COMMANDS.items():
        commands.add_parser(name, help=says)
    return parser


def _empty() -> tuple[argparse.ArgumentParser, Any]:
    parser = argparse.ArgumentParser(prog="textback", description="Texts a caller back when their call was missed.")
    parser.add_argument("-c", dest="config", metavar="FILE", default=None, help=_CONFIG)
    return parser, parser.add_subparsers(required=True, metavar="COMMAND")


def _version() -> str:
    from importlib.metadata import version  # noqa: PLC0415 — reads mail's grammar in

    return f"textback {version('textback')}"


def _log_little() -> None:
    """Errors alone: a command says what it has to say itself."""
    from gateway.process import log  # noqa: PLC0415 — structlog is what takes time

    log.set_up(is_quiet=True)


_CONFIG = "the configuration (default /etc/textback/textback.toml, then ./textback.toml)"
_NO_ROOM = frozenset({errno.ENOSPC, errno.EDQUOT, errno.EFBIG, errno.EIO})
