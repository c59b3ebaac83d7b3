"""The log: one line an event, to standard error; journald or Docker keeps it. Values are key=value; a terminal gets colour, the
journal each line's priority and no second time.

Nothing that only tells may end or delay what does: lines go through a bounded queue to a thread of their own. Where nobody
takes them (a pipe that is not read, a full disk), lines are dropped, and their number is told when lines are taken again.
"""

import atexit
import contextlib
import logging
import os
import queue
import select
import sys
import threading
import time
from typing import TextIO

import structlog
from structlog.types import EventDict, WrappedLogger

from gateway.core.shown import shown
from gateway.process import journald
from sms.masking import without_numbers

QUEUE = 10_000
"""Lines that wait at most; about 2 MB."""
LAST_LINES_WITHIN_S = 1.0


class Writer:
    """Writes lines to a descriptor in a daemon thread. `msg` never blocks and never raises."""

    def __init__(self, descriptor: int, *, at_most: int = QUEUE) -> None:
        self._descriptor = descriptor
        self._is_journal = journald.is_journal(descriptor)
        self._lines: queue.Queue[bytes] = queue.Queue(at_most)
        self._dropped = 0
        self._lock = threading.Lock()
        threading.Thread(target=self._work, name="log", daemon=True).start()

    def msg(self, line: str) -> None:
        """Take a line (structlog's and logging's one entrance)."""
        try:
            self._lines.put_nowait(line.encode(errors="backslashreplace") + b"\n")
        except queue.Full:
            self._drop()

    debug = info = warning = error = critical = exception = log = fatal = msg

    def flush(self, seconds: float = LAST_LINES_WITHIN_S) -> None:
        """Wait until everything is written, so long at the most."""
        until = time.monotonic() + seconds
        while self._lines.unfinished_tasks and time.monotonic() < until:
            time.sleep(0.005)

    def _work(self) -> None:
        while True:
            line = self._lines.get()
            if not self._wrote(line):
                self._drop()
            elif self._dropped:
                self._tell_dropped()
            self._lines.task_done()

    def _tell_dropped(self) -> None:
        with self._lock:
            dropped, self._dropped = self._dropped, 0
        line = f'level=error event=log_lines_dropped count={dropped} detail="nobody took the log"'
        if not self._wrote(f"{journald.with_priority('error', line) if self._is_journal else line}\n".encode()):
            with self._lock:
                self._dropped += dropped

    def _drop(self) -> None:
        with self._lock:
            self._dropped += 1

    def _wrote(self, line: bytes) -> bool:
        """False where the line, or the rest of it, cannot be written: the pipe is closed, the disk is full."""
        try:
            while line:
                line = line[self._write(line) :]
        except OSError:
            return False
        return True

    def _write(self, line: bytes) -> int:
        try:
            return os.write(self._descriptor, line)
        except BlockingIOError:  # somebody else made our standard error non-blocking
            select.select([], [self._descriptor], [])
            return 0


class _Handler(logging.Handler):
    """What libraries say by `logging` goes the same way."""

    def emit(self, record: logging.LogRecord) -> None:
        with contextlib.suppress(Exception):
            structlog.get_logger().log(
                record.levelno, "library_said", logger=record.name, text=record.getMessage(), exc_info=record.exc_info
            )


_OTHERS_WORDS = ("detail", "error", "why", "text", "exception")
"""Keys that may quote what a network, a library or a stranger said, phone numbers included."""


def _without_numbers(_: WrappedLogger, __: str, event: EventDict) -> EventDict:
    """Whoever reads the log is told no whole phone number."""
    for key in _OTHERS_WORDS:
        if isinstance(event.get(key), str):
            event[key] = without_numbers(event[key])
    return event


def _harmless(_: WrappedLogger, __: str, event: EventDict) -> EventDict:
    """For a terminal: strangers' words are text and move no cursor; a traceback keeps its lines."""
    return {key: shown(value) if isinstance(value, str) and key != "exception" else value for key, value in event.items()}


def set_up(*, is_verbose: bool = False, is_quiet: bool = False) -> Writer:
    """Configure structlog and logging for the whole process; what writes the lines."""
    writer = Writer(sys.stderr.fileno())
    atexit.register(writer.flush)
    level = logging.ERROR if is_quiet else logging.DEBUG if is_verbose else logging.INFO
    logging.basicConfig(level=max(level, logging.WARNING), handlers=[_Handler()], force=True)
    structlog.configure(
        processors=[
            structlog.processors.add_log_level,
            structlog.processors.format_exc_info,
            _without_numbers,
            *_rendering(sys.stderr),
        ],
        wrapper_class=structlog.make_filtering_bound_logger(level),
        logger_factory=lambda *_: writer,
        cache_logger_on_first_use=False,
    )
    return writer


def _rendering(stream: TextIO) -> list[structlog.types.Processor]:
    if stream.isatty():
        clock = structlog.processors.TimeStamper(fmt="%H:%M:%S", utc=False)
        return [clock, _harmless, structlog.dev.ConsoleRenderer(colors=True, pad_event_to=24)]
    if journald.is_journal(stream.fileno()):
        return [lambda _, __, event: journald.with_priority(event["level"], _one_line(event))]
    return [structlog.processors.TimeStamper(fmt="iso", utc=True), lambda _, __, event: _one_line(event)]


_logfmt = structlog.processors.LogfmtRenderer(key_order=["timestamp", "level", "event"], drop_missing=True, bool_as_flag=False)


def _one_line(event: EventDict) -> str:
    return shown(str(_logfmt(None, "", event)))
