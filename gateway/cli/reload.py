"""`textback reload`: the running gateway loads its configuration again, whole or not at all, and says what came of it."""

import argparse
from pathlib import Path
from typing import Any

from gateway.cli.ask import NoAnswer, post
from gateway.cli.configuration import as_taken, file_of
from gateway.cli.given import about
from gateway.cli.say import complain, say, say_json

WITHIN_S = 60.0
"""Large calendars take a while; less than systemd waits for a reload (90 s)."""


def add_to(commands: Any) -> None:
    """The command's parser."""
    parser = commands.add_parser("reload", help="have the gateway load its configuration again", description=about(__doc__))
    parser.add_argument("--json", action="store_true", help="as JSON, for programs")
    parser.set_defaults(command=reload)


def reload(options: argparse.Namespace) -> int:
    """0: it is in force; 1: it was refused, a file that it names cannot be used, or no gateway answers."""
    try:
        tried = post(as_taken(options.config), "/api/v1/reload", within=WITHIN_S)
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
    for fault in (*tried["unusable"], *tried["with_bad_rows"]):
        complain(f"textback: {fault['file']} {fault['detail']}; meanwhile {fault['meanwhile']}")
