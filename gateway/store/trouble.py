"""That the database cannot be written: told once when it begins and once when it is over."""

import time
from datetime import UTC, datetime, timedelta

import structlog

from gateway.core.facts import DatabaseNotWritable, DatabaseWritableAgain


class Trouble:
    """Whether the database can be written now; `sentence` is empty while it can. In the log it says so by itself, because no
    event loop may be there any more to publish it."""

    def __init__(self) -> None:
        self.sentence = ""
        self.refused = 0
        """Steps that heard of it and were not kept waiting."""
        self._since = 0.0
        self._log = structlog.get_logger()

    def begin(self, sentence: str) -> DatabaseNotWritable | None:
        """It cannot be written; told once, however often it is tried. None: that was known."""
        had_trouble = bool(self.sentence)
        self.sentence = sentence
        if had_trouble:
            return None
        self._since, self.refused = time.monotonic(), 0
        self._log.error("database_not_writable", error=sentence, calls="are kept until it can be written again")
        return DatabaseNotWritable(at=datetime.now(UTC), error=sentence)

    def end(self, waited: int) -> DatabaseWritableAgain | None:
        """It was written: so many steps had waited for it. None: there was no trouble."""
        if not self.sentence:
            return None
        self.sentence, lasted = "", time.monotonic() - self._since
        self._log.warning("database_writable_again", after_s=round(lasted, 1), steps_waited=waited, steps_refused=self.refused)
        return DatabaseWritableAgain(at=datetime.now(UTC), lasted=timedelta(seconds=lasted))
