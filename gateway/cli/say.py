"""All that the command line prints. Whatever a line is made of, it stays one line, and a terminal obeys nothing in it."""

import contextlib
import io
import json
import sys
from typing import Any

from gateway.core.shown import shown
from gateway.process import journald


def say(*lines: str) -> None:
    """Lines for people, on standard output."""
    for line in lines:
        print(shown(line))


def say_now(*lines: str) -> None:
    """`say` for what happens while somebody watches, also through a pipe."""
    say(*lines)
    sys.stdout.flush()


def say_json(value: Any) -> None:
    """For programs. DEL is the one control character that JSON lets stand as it is."""
    print(json.dumps(value, indent=2).replace("\x7f", "\\u007f"))


def say_json_line(value: Any) -> None:
    """For programs that read while something happens: one value a line, at once."""
    print(json.dumps(value).replace("\x7f", "\\u007f"), flush=True)


def say_of_number(number: str, says: str, *, status: int, as_json: bool) -> None:
    """What became of something that was asked about a number; `status` is the command's."""
    if as_json:
        say_json({"number": number, "done": status == 0, "says": says})
    elif status == 0:
        say(says)
    else:
        complain(f"textback: {says}")


def complain(*lines: object) -> None:
    """Lines for people, on standard error; in the journal they are errors."""
    for line in lines:
        text = shown(str(line))
        print(journald.with_priority("error", text) if _leads_to_journal() else text, file=sys.stderr)


def _leads_to_journal() -> bool:
    try:
        return journald.is_journal(sys.stderr.fileno())
    except (OSError, ValueError):  # no file at all: a test's, or closed
        return False


def counted(count: int, what: str) -> str:
    """`1 text`, `2 texts`."""
    return f"{count} {what}{'' if count == 1 else 's'}"


def spin(turn: int) -> None:
    """On a terminal: something is under way."""
    if sys.stderr.isatty():
        print("\r" + "|/-\\"[turn % 4], end="", file=sys.stderr, flush=True)


def stop_spinning() -> None:
    """Before the next line."""
    if sys.stderr.isatty():
        print("\r \r", end="", file=sys.stderr, flush=True)


def show_progress(number: int, count: int) -> None:
    """A bar on standard error; the last call clears it."""
    if not sys.stderr.isatty():
        return
    done = number * 40 // count
    bar = f"\r[{'#' * done}{'.' * (40 - done)}] {number} of {count}"
    print(bar if number < count else "\r" + " " * 70 + "\r", end="", file=sys.stderr, flush=True)


def tolerate_encodings() -> None:
    """A terminal that knows no umlauts gets them escaped, and no command ends because of them."""
    for stream in (sys.stdout, sys.stderr):
        with contextlib.suppress(AttributeError, io.UnsupportedOperation):
            stream.reconfigure(errors="backslashreplace")  # type: ignore[union-attr]
