"""What systemd's journal takes on standard error: each line with its priority in front, `<4>` (sd-daemon(3)).

`journalctl -p warning` then shows what is amiss. Lines without a priority, such as what the interpreter says when it dies, get
the unit's `SyslogLevel`. Standard library alone.
"""

import os

PRIORITIES = {"debug": 7, "info": 6, "warning": 4, "error": 3, "critical": 2}
"""By structlog's names of levels (syslog(3))."""


def is_journal(descriptor: int) -> bool:
    """Does this descriptor lead to the journal? `JOURNAL_STREAM` names the one that does (systemd.exec(5))."""
    try:
        status = os.fstat(descriptor)
    except OSError:
        return False
    return os.environ.get("JOURNAL_STREAM") == f"{status.st_dev}:{status.st_ino}"


def with_priority(level: str, line: str) -> str:
    """The line as the journal takes it."""
    return f"<{PRIORITIES.get(level, PRIORITIES['info'])}>{line}"
