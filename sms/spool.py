"""The embedded bridge: keeps every text in a file and sends nothing. For the demo, and for a dry run."""

import asyncio
import json
import os
from datetime import UTC, datetime
from pathlib import Path

from sms.text import Accepted, Health, NotSent, Outcome, Sink, Text

FILE = "spool.jsonl"
AT_ONCE = 64


class SpoolBridge:
    """Appends one JSON object a text to `data_dir/spool.jsonl`, flushed to the disk before it says accepted."""

    def __init__(self, name: str, data_dir: Path) -> None:
        self.name = name
        self._path = data_dir / FILE
        self._sink: Sink | None = None
        self._under_way = 0
        self._trouble = ""

    async def run(self, sink: Sink) -> None:
        """Nothing to keep up."""
        self._sink = sink
        sink.bridge_changed(self.name)
        await asyncio.Event().wait()

    def room(self) -> int:
        """What is not being written yet."""
        return AT_ONCE - self._under_way

    def health(self) -> Health:
        """Up, unless the last text could not be written."""
        return Health(up=True, detail=self._trouble or f"keeps texts in {self._path} and sends nothing")

    async def submit(self, text: Text) -> Outcome:
        """Write it down."""
        if self._under_way >= AT_ONCE:
            return NotSent(detail="no room: other texts are being written")
        self._under_way += 1
        try:
            return await asyncio.to_thread(self._append, text)
        finally:
            self._under_way -= 1
            if self._sink is not None:
                self._sink.bridge_changed(self.name)

    def ask(self, text: Text, since: datetime) -> None:
        """Nobody is there to be asked; the file shows it."""

    def _append(self, text: Text) -> Outcome:
        at = datetime.now(UTC).isoformat(timespec="milliseconds")
        line = json.dumps(
            {"at": at, "key": text.key, "to": text.to, "from": text.sender, "body": text.body}, ensure_ascii=False
        )
        try:
            descriptor = os.open(self._path, os.O_WRONLY | os.O_CREAT | os.O_APPEND | os.O_CLOEXEC, 0o600)
            try:
                os.write(descriptor, line.encode() + b"\n")
                os.fdatasync(descriptor)
            finally:
                os.close(descriptor)
        except OSError as error:
            self._trouble = f"{self._path} cannot be written: {error.strerror}"
            return NotSent(detail=self._trouble)
        self._trouble = ""
        return Accepted(provider_ids=(text.key,))
