"""From the configuration's `[sms.NAME]` to a bridge."""

from pathlib import Path

from config.bridges import Bridge as Settings
from config.bridges import Smpp, Spool, Twilio
from sms.http import twilio
from sms.http.bridge import HttpBridge
from sms.smpp.bridge import SmppBridge
from sms.spool import SpoolBridge
from sms.text import Bridge


def build_bridge(name: str, settings: Settings, data_dir: Path, public_url: str) -> Bridge | None:
    """The bridge of one section, or None where its kind cannot send yet."""
    match settings:
        case Spool():
            return SpoolBridge(name, data_dir)
        case Smpp():
            return SmppBridge(name, settings)
        case Twilio():
            provider = twilio.Twilio(
                base_url=settings.base_url,
                account_sid=settings.account_sid,
                auth_token=settings.auth_token.get_secret_value(),
                receipt_url=f"{public_url.rstrip('/')}/hooks/{name}/receipt" if public_url else "",
            )
            return HttpBridge(name, settings, provider)
        case _:
            return None
