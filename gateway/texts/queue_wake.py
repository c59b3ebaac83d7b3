"""What has the outbox look at the queue."""

import asyncio


class QueueWake:
    """Used on the event loop only. A look takes a transaction, and each answer of a bridge makes room: most find nothing."""

    def __init__(self) -> None:
        self.event = asyncio.Event()
        """Set: the queue is to be looked at."""
        self.is_empty = False
        """The last look found no text left. Whoever queues one, or returns one to the queue, sets the event."""

    def room_came(self) -> None:
        """A bridge may take texts again, or more of them."""
        if not self.is_empty:
            self.event.set()
