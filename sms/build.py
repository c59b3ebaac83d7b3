"""From the configuration's `[sms.NAME]` to a bridge."""

from pathlib import Path
from urllib.parse import quote

from config.bridges import BridgeSettings, Smpp, Spool
from sms.http.bridge import HttpBridge
from sms.http.providers import provider_of
from sms.smpp.bridge import SmppBridge
from sms.spool import SpoolBridge
from sms.text import Bridge


def build_bridge(name: str, settings: BridgeSettings, data_dir: Path, public_url: str) -> Bridge:
    """The bridge of one section. `public_url` is where providers reach our webhooks; empty where they cannot."""
    match settings:
        case Spool():
            return SpoolBridge(name, data_dir)
        case Smpp():
            return SmppBridge(name, settings)
        case _:
            reached_at = (settings.callback_url or public_url).rstrip("/")
            secret = settings.hook_secret.get_secret_value()
            receipt_url = (
                f"{reached_at}/hooks/{quote(name, safe='')}/receipt{f'/{secret}' if secret else ''}" if reached_at else ""
            )
            return HttpBridge(name, settings, provider_of(settings, receipt_url), reached_at)
