"""`textback reload`: the running gateway loads its configuration again, whole or not at all, and says what came of it."""

import argparse
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from config.model import Config
from gateway.cli.ask import NoAnswer, answers, post
from gateway.cli.configuration import as_taken, file_of
from gateway.cli.given import about
from gateway.cli.say import complain, say, say_json

WITHIN_S = 60.0
"""Large calendars take a while; less than systemd waits for a reload (90 s)."""
SILENT_FOR_S = 2.0
"""After so long it is said what is waited for."""
ALIVE_WITHIN_S = 1.0


def add_to(commands: Any) -> None:
    """The command's parser."""
    parser = commands.add_parser("reload", help="have the gateway load its configuration again", description=about(__doc__))
    parser.add_argument("--json", action="store_true", help="as JSON, for programs")
    parser.set_defaults(command=reload)


def reload(options: argparse.Namespace) -> int:
    """0: it is in force; 1: it was refused, a file that it names cannot be used, or no gateway answers."""
    try:
        config = as_taken(options.config)
        with _waiting(config):
            tried = post(config, "/api/v1/reload", within=WITHIN_S)
    except NoAnswer as error:
        complain(f"textback: {error}")
        return error.status
    named, file = file_of(options.config), Path(tried["file"])
    is_another = named is not None and named.resolve() != file.resolve()
    is_good = not (tried["refused"] or tried["unusable"] or is_another)
    if options.json:
        refused = tried["refused"].split("\n") if tried["refused"] else []
        say_json({**tried, "refused": refused, "in_force": not refused, "is_another": is_another})
    else:
        _say(tried, file, is_another=is_another)
    return 0 if is_good else 1


def _say(tried: dict[str, Any], file: Path, *, is_another: bool) -> None:
    """What came of it, in words."""
    if is_another:
        complain(f"textback: the gateway runs with {file}, and has loaded that")
    if tried["refused"]:
        complain(*tried["refused"].split("\n"), "textback: the gateway keeps the configuration that it has")
        return
    say(f"{file} is in force")
    if tried["gone"]:
        sections = ", ".join(f"[{section}]" for section in tried["gone"])
        complain(
            f"textback: {sections} stood there before and count no more; write them again and reload, if that was not meant"
        )
    for unread in tried["unread"]:
        complain(f"textback: {unread} changes again and again; it counts when it has stayed as it is for some seconds")
    for fault in (*tried["unusable"], *tried["with_bad_rows"]):
        complain(f"textback: {fault['file']} {fault['detail']}; meanwhile {fault['meanwhile']}")


@contextmanager
def _waiting(config: Config) -> Iterator[None]:
    """What lasts is told."""
    telling = threading.Timer(SILENT_FOR_S, _tell_what_for, [config])
    telling.daemon = True
    telling.start()
    try:
        yield
    finally:
        telling.cancel()


def _tell_what_for(config: Config) -> None:
    if answers(config, within=ALIVE_WITHIN_S):
        does = "reads the configuration, and the contacts and calendars that it names"
    else:
        does = "does not answer at all: its process is stopped, or has too little of the machine"
    complain(f"textback: the gateway at {config.web.listen} {does}; waiting for it, {WITHIN_S:g} s at the most")
