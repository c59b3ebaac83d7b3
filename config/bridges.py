"""`[sms.NAME]`: the ways to hand texts to a network. The SMSC and the spool are here, the HTTP providers in `providers.py`."""

from datetime import timedelta
from typing import Annotated, Literal

from pydantic import BaseModel, Field, SecretStr, StringConstraints, field_validator, model_validator

from config.addresses import Host, NamedFile
from config.providers import (
    PER_SECOND,
    STRICT,
    Android,
    Bandwidth,
    Described,
    Expiring,
    Http,
    Jasmin,
    Kannel,
    Plivo,
    SignalWire,
    Sinch,
    Telnyx,
    Twilio,
    Vonage,
)
from config.values import Decimal, Flag, Pace, SomeTime, Whole
from config.written import Misplaced

__all__ = [
    "KINDS", "STRICT", "Android", "Bandwidth", "BridgeSettings", "Described", "Expiring", "Http", "Jasmin", "Kannel", "Plivo",
    "SignalWire", "Sinch", "Smpp", "Spool", "Telnyx", "Twilio", "Vonage",
]  # fmt: skip


Ascii = Annotated[str, StringConstraints(pattern=r"^[ -~]*$")]
"""What SMPP takes for an account (§5.2): printable ASCII."""


class Spool(BaseModel):
    """Keeps texts in `data_dir/spool.jsonl` and sends nothing."""

    model_config = STRICT
    kind: Literal["spool"]
    cost_per_segment: Decimal = Field(default=0, ge=0, le=1000)


class Smpp(BaseModel):
    """A bind to a carrier's SMSC (SMPP 3.4)."""

    model_config = STRICT
    kind: Literal["smpp"]
    cost_per_segment: Decimal = Field(default=0, ge=0, le=1000)
    host: Host
    port: Whole = Field(default=2775, ge=1, le=65535)
    system_id: Ascii = Field(min_length=1, max_length=15)
    password: SecretStr = Field(default=SecretStr(""), max_length=8)
    system_type: Ascii = Field(default="", max_length=12)
    service_type: Ascii = Field(default="", max_length=5)
    bind: Literal["transceiver", "transmitter"] = "transceiver"
    tls: Flag = False
    tls_ca: NamedFile | None = None
    """A file of certificates to trust instead of the system's."""
    window: Whole = Field(default=10, ge=1, le=1000)
    """Texts under way without an answer; of each, one part at a time."""
    per_second: Pace = PER_SECOND
    """Parts of texts a second at most; None: as fast as the SMSC answers."""
    long_texts: Literal["udh", "sar", "payload"] = "udh"
    """How the parts of a long text are tied together, or that it goes whole (`message_payload`)."""
    source_ton: Whole | None = Field(default=None, ge=0, le=6)
    """None: 1 (international) for a number, 3 for a short code, 5 (alphanumeric) for a name."""
    source_npi: Whole | None = Field(default=None, ge=0, le=18)
    dest_ton: Whole = Field(default=1, ge=0, le=6)
    dest_npi: Whole = Field(default=1, ge=0, le=18)
    receipts: Flag = True
    validity: Literal["relative", "absolute", "none"] = "relative"
    """How the SMSC is told until when a text is wanted (SMPP 3.4 §7.1.1)."""
    connect_timeout: SomeTime = timedelta(seconds=10)
    response_timeout: SomeTime = timedelta(seconds=15)
    enquire_link: SomeTime = timedelta(seconds=30)
    reconnect_most: SomeTime = timedelta(seconds=60)
    """Attempts to bind follow each other after 1 s, 2 s, 4 s … up to this."""

    @field_validator("password")
    @classmethod
    def _is_ascii(cls, value: SecretStr) -> SecretStr:
        if not value.get_secret_value().isascii():
            raise ValueError("has letters that SMPP has not; ask the carrier for a password of letters A to Z and digits")
        return value

    @model_validator(mode="after")
    def _trusts_by_tls(self) -> "Smpp":
        if self.tls_ca is not None and not self.tls:
            key = "tls" if "tls" in self.model_fields_set else "tls_ca"
            raise Misplaced(key, "tls_ca is of no use without TLS; say tls = true, or leave tls_ca out")
        return self


BridgeSettings = Annotated[
    Spool | Smpp | Twilio | SignalWire | Telnyx | Bandwidth | Vonage | Plivo | Sinch | Android | Kannel | Jasmin | Described,
    Field(discriminator="kind"),
]

KINDS: dict[str, type[BaseModel]] = {
    "smpp": Smpp,
    "spool": Spool,
    "twilio": Twilio,
    "signalwire": SignalWire,
    "telnyx": Telnyx,
    "bandwidth": Bandwidth,
    "vonage": Vonage,
    "plivo": Plivo,
    "sinch": Sinch,
    "android": Android,
    "kannel": Kannel,
    "jasmin": Jasmin,
    "http": Described,
}
