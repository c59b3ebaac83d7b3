"""The log: one line an event, to standard error; journald or Docker keeps it. Values are key=value; a terminal gets colour."""

import logging
import sys

import structlog


def set_up(*, is_verbose: bool = False, is_quiet: bool = False) -> None:
    """Configure structlog for the whole process."""
    logging.getLogger("aiohttp.server").setLevel(logging.CRITICAL)  # what strangers send is answered, not logged
    level = logging.ERROR if is_quiet else logging.DEBUG if is_verbose else logging.INFO
    is_terminal = sys.stderr.isatty()
    renderer: structlog.types.Processor = (
        structlog.dev.ConsoleRenderer(colors=True, pad_event_to=24)
        if is_terminal
        else structlog.processors.LogfmtRenderer(key_order=["timestamp", "level", "event"], bool_as_flag=False)
    )
    structlog.configure(
        processors=[
            structlog.processors.add_log_level,
            structlog.processors.TimeStamper(fmt="%H:%M:%S" if is_terminal else "iso", utc=not is_terminal),
            structlog.processors.format_exc_info,
            renderer,
        ],
        wrapper_class=structlog.make_filtering_bound_logger(level),
        logger_factory=structlog.WriteLoggerFactory(file=sys.stderr),
        cache_logger_on_first_use=False,
    )
