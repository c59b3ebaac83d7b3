"""From the configuration's `[sms.NAME]` to a bridge."""

from pathlib import Path

from config.bridges import Bridge as Settings
from config.bridges import Smpp, Spool
from sms.smpp.bridge import SmppBridge
from sms.spool import SpoolBridge
from sms.text import Bridge


def build_bridge(name: str, settings: Settings, data_dir: Path) -> Bridge | None:
    """The bridge of one section, or None where its kind cannot send yet."""
    match settings:
        case Spool():
            return SpoolBridge(name, data_dir)
        case Smpp():
            return SmppBridge(name, settings)
        case _:
            return None
