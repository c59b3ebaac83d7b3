"""What an agent writes to standard error, as lines of the gateway's log, bounded in length and in number a second."""

import time

import structlog

LINE_AT_MOST = 2000
"""Bytes of a line that are logged; the rest is counted."""
LINES_A_SECOND = 50
"""Lines beyond these are counted and not logged."""


class AgentLog:
    """Takes the octets as they come. `last_line` is the newest."""

    def __init__(self) -> None:
        self._log = structlog.get_logger()
        self._line = bytearray()
        self._cut = 0
        self._second, self._lines, self._unlogged = time.monotonic(), 0, 0
        self.last_line = ""

    def feed(self, octets: bytes) -> None:
        """Take what came."""
        *ended, begun = octets.split(b"\n")
        for piece in ended:
            self._add(piece)
            self._end_line()
        self._add(begun)

    def close(self) -> None:
        """The agent is gone: log its last line, also one without a newline, and one beyond the limit of this second."""
        self._say_unlogged()
        self._lines = 0
        self._end_line()

    def _add(self, piece: bytes) -> None:
        room = LINE_AT_MOST - len(self._line)
        self._line += piece[:room]
        self._cut += max(0, len(piece) - room)

    def _end_line(self) -> None:
        text = self._line.decode(errors="replace").rstrip()
        if self._cut:
            text += f" … (cut: {self._cut} bytes more)"
        self._line.clear()
        self._cut = 0
        if text:
            self.last_line = text
            self._say(text)

    def _say(self, text: str) -> None:
        if (now := time.monotonic()) - self._second >= 1:
            self._say_unlogged()
            self._second, self._lines = now, 0
        self._lines += 1
        if self._lines <= LINES_A_SECOND:
            self._log.warning("agent_said", text=text)
        else:
            self._unlogged += 1

    def _say_unlogged(self) -> None:
        if self._unlogged:
            self._log.warning("agent_said_more", lines=self._unlogged, why=f"more than {LINES_A_SECOND} lines a second")
            self._unlogged = 0
