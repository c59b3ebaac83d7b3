"""A bridge of every provider's kind, built from a configuration file as an admin would write it."""

import tomllib
from pathlib import Path
from typing import Any

from config import load
from config.bridges import Http
from sms.http.exchange import Provider
from sms.http.providers import provider_of
from tests.peers.settings import unpaced

TELNYX_KEY = "11qYAYKxCrfVS/7TyWQHOg7hcvPapiMlrwIaaPcHURo="
"""The public key of RFC 8032's first test vector."""
SECRET = "an-unguessable-secret"
RECEIPT_URL = "https://office.example/hooks/primary/receipt"

SECTIONS = {
    "twilio": 'account_sid = "AC1"\nauth_token_file = "s"\nbase_url = "{url}"',
    "signalwire": 'project_id = "P1"\napi_token_file = "s"\nsigning_key_file = "k"\nbase_url = "{url}/"',
    "telnyx": 'api_key_file = "s"\npublic_key_file = "telnyx"\nmessaging_profile = "MP"\nbase_url = "{url}"',
    "bandwidth": 'account_id = "9"\napplication_id = "APP"\nusername = "u"\npassword_file = "s"\nhook_password_file = "k"\n'
    'base_url = "{url}"',
    "vonage": 'api_key_file = "s"\napi_secret_file = "s"\nsigning_key_file = "k"\nbase_url = "{url}"',
    "plivo": 'auth_id = "MA1"\nauth_token_file = "s"\nbase_url = "{url}"',
    "sinch": 'service_plan_id = "SP"\napi_token_file = "s"\nsigning_key_file = "k"\nbase_url = "{url}"',
    "android": 'username = "u"\npassword_file = "s"\nsigning_key_file = "k"\nsim = 2\nurl = "{url}/3rdparty/v1/messages"',
    "kannel": 'username = "u"\npassword_file = "s"\nhook_secret_file = "h"\nsmsc = "out"\nurl = "{url}/cgi-bin/sendsms"',
    "jasmin": 'username = "u"\npassword_file = "s"\nhook_secret_file = "h"\nurl = "{url}/send"',
    "http": """secret_file = "s"
hook_secret_file = "h"
url = "{url}/v1/send?ref={{key}}"
headers = {{ X-Api-Key = "{{secret}}" }}
fields = {{ message = {{ to = ["{{to_digits}}"], from = "{{sender}}", text = "{{text}}" }}, callback = "{{receipt_url}}" }}
id = "data.0.id"
accepted = [200, 202]
refused = 400
temporary = [429, 503]
hook_answer = "OK"

[sms.primary.receipt]
id = "event.id"
to = "event.to"
state = "event.state"
delivered = "done"
undelivered = ["lost", "late"]

[sms.primary.inbound]
id = "id"
sender = "from.number"
to = "to"
text = "text"
""",
}
SECRETS = {"s": "S3CRET", "k": "signing", "h": SECRET, "telnyx": TELNYX_KEY}
REST = """
timezone = "UTC"
region = "US"
[trunk.pbx]
peers = ["192.0.2.1"]
[line.front-desk]
number = "+14155550100"
business = "ABC"
"""


def settings_of(kind: str, directory: Path, url: str = "http://127.0.0.1:1", more: str = "") -> Http:
    """The settings of `[sms.primary]`."""
    for name, secret in SECRETS.items():
        (directory / name).write_text(secret + "\n")
    section = SECTIONS[kind].format(url=url)
    path = directory / "textback.toml"
    path.write_text(f'{REST}\n[sms.primary]\nkind = "{kind}"\n{unpaced(more)}\n{section}\n')
    assert tomllib.loads(path.read_text())
    settings: Any = load.load(path).sms["primary"]
    assert isinstance(settings, Http)
    return settings


def provider(kind: str, directory: Path) -> Provider:
    """The provider of a kind, which can reach us."""
    return provider_of(settings_of(kind, directory), RECEIPT_URL)
