"""Who hears what happened, in order: the log, the metrics, what has something to do by it, the watch over bridges at fault."""

import asyncio

from gateway.process import metrics
from gateway.process.log_lines import LogLines
from gateway.process.publisher import Publisher
from gateway.process.wake_ups import WakeUps
from gateway.texts.bridge_faults import BridgeFaults


def publisher(log_lines: LogLines, queue_changed: asyncio.Event, holds_changed: asyncio.Event) -> Publisher:
    """A publisher that they all listen to."""
    wake_ups = WakeUps(queue=queue_changed, holds=holds_changed)
    made = Publisher(log_lines.hear, metrics.hear, wake_ups.hear)
    made.listen(BridgeFaults(made.publish).hear)
    return made
