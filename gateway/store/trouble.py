"""That the database cannot be written: told once when it begins and once when it is over."""

import time

import structlog


class Trouble:
    """Whether the database can be written now; `sentence` is empty while it can."""

    def __init__(self) -> None:
        self.sentence = ""
        self.refused = 0
        """Steps that heard of it and were not kept waiting."""
        self._since = 0.0
        self._log = structlog.get_logger()

    def begin(self, sentence: str) -> None:
        """It cannot be written; told once, however often it is tried."""
        if not self.sentence:
            self._since, self.refused = time.monotonic(), 0
            self._log.error("database_not_writable", error=sentence, calls="are kept until it can be written again")
        self.sentence = sentence

    def end(self, waited: int) -> None:
        """It was written: so many steps had waited for it."""
        if self.sentence:
            self.sentence, lasted = "", time.monotonic() - self._since
            self._log.warning(
                "database_writable_again", after_s=round(lasted, 1), steps_waited=waited, steps_refused=self.refused
            )
