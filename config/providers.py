"""`[sms.NAME]` for the providers with an HTTP API, one model a kind. Secrets stand in files, named by `KEY_file`."""

import base64
import binascii
import re
from datetime import timedelta
from typing import Annotated, ClassVar, Literal

from pydantic import BaseModel, ConfigDict, Field, SecretStr, StringConstraints, field_validator, model_validator

from config.addresses import HeaderName, Identity, TemplateValue, Url
from config.values import Decimal, OneOrMore, Pace, Peer, SomeTime, Whole
from config.written import Misplaced

STRICT = ConfigDict(extra="forbid", frozen=True, arbitrary_types_allowed=True)
Word = Annotated[str, StringConstraints(min_length=1, max_length=200)]
Few = Annotated[str, StringConstraints(max_length=200)]
"""As `Word`, and it may be empty."""
Login = Annotated[str, StringConstraints(min_length=1, max_length=200, pattern=r"^[^:]*$")]
"""A user's name; its password stands behind a colon (RFC 7617)."""
NO_SECRET = SecretStr("")
PER_SECOND = 1.0
"""What the smallest 10DLC campaigns may send in the US: 75 parts a minute at AT&T (message class T). An SMSC or a provider
that is sent more than was agreed throttles, or drops what it has accepted."""


class Http(BaseModel):
    """What every provider's bridge has."""

    model_config = STRICT
    VERIFIED_BY: ClassVar[tuple[str, ...]] = ("hook_secret",)
    """The secrets, any of which verifies the provider's calls; without one they are all refused."""
    cost_per_segment: Decimal = Field(default=0, ge=0, le=1000)
    window: Whole = Field(default=10, ge=1, le=1000)
    """Requests under way at once."""
    per_second: Pace = PER_SECOND
    """Requests a second at most, each of which is a text, however long; None: as fast as the provider answers."""
    connect_timeout: SomeTime = timedelta(seconds=10)
    response_timeout: SomeTime = timedelta(seconds=30)
    callback_url: Url | None = None
    """Where this provider reaches our webhooks; None: `web.public_url`."""
    hook_from: Annotated[tuple[Peer, ...], OneOrMore] = ()
    """The addresses and networks that may call the webhooks; empty: any."""
    hook_secret: SecretStr = NO_SECRET
    """Stands in the webhooks' path; providers that sign nothing need it."""

    @field_validator("hook_secret")
    @classmethod
    def _fits_a_path(cls, value: SecretStr) -> SecretStr:
        secret = value.get_secret_value()
        if secret and not (16 <= len(secret) <= 200 and all(c.isascii() and (c.isalnum() or c in "-_.~") for c in secret)):
            raise ValueError("must be 16 to 200 letters, digits, - or _, because it stands in an address")
        return value


class Expiring(Http):
    """A provider that can be told until when a text is wanted."""

    validity: bool = True
    """Tell it."""


class Twilio(Expiring):
    """Twilio's Messages API."""

    kind: Literal["twilio"]
    VERIFIED_BY: ClassVar[tuple[str, ...]] = ("auth_token",)
    account_sid: Identity
    auth_token: SecretStr
    base_url: Url = "https://api.twilio.com"


class SignalWire(Expiring):
    """SignalWire's Compatibility API; `base_url` is the space's address."""

    kind: Literal["signalwire"]
    VERIFIED_BY: ClassVar[tuple[str, ...]] = ("signing_key",)
    base_url: Url
    project_id: Identity
    api_token: SecretStr
    signing_key: SecretStr = NO_SECRET


class Telnyx(Http):
    """Telnyx's Messaging API."""

    kind: Literal["telnyx"]
    VERIFIED_BY: ClassVar[tuple[str, ...]] = ("public_key",)
    api_key: SecretStr
    public_key: SecretStr = NO_SECRET
    """The account's, base64: verifies the webhooks."""
    messaging_profile: Few = ""
    base_url: Url = "https://api.telnyx.com"

    @field_validator("public_key")
    @classmethod
    def _is_a_key(cls, value: SecretStr) -> SecretStr:
        try:
            length = len(base64.b64decode(value.get_secret_value(), validate=True))
        except binascii.Error:
            length = -1
        if length not in (0, 32):
            raise ValueError("must be the account's public key as Telnyx shows it: 44 characters, base64")
        return value


class Bandwidth(Expiring):
    """Bandwidth's Messaging API."""

    kind: Literal["bandwidth"]
    VERIFIED_BY: ClassVar[tuple[str, ...]] = ("hook_password",)
    account_id: Identity
    application_id: Word
    username: Login
    password: SecretStr
    hook_username: Login = "textback"
    hook_password: SecretStr = NO_SECRET
    """With `hook_username`: what the application shows at our webhooks."""
    base_url: Url = "https://messaging.bandwidth.com"


class Vonage(Expiring):
    """Vonage's SMS API."""

    kind: Literal["vonage"]
    VERIFIED_BY: ClassVar[tuple[str, ...]] = ("signing_key", "hook_secret")
    api_key: SecretStr
    api_secret: SecretStr
    signing_key: SecretStr = NO_SECRET
    signature_method: Literal["md5hash", "md5", "sha1", "sha256", "sha512"] = "sha256"
    """As the account is set; md5hash is the plain hash, the others are HMACs."""
    base_url: Url = "https://rest.nexmo.com"


class Plivo(Expiring):
    """Plivo's Message API."""

    kind: Literal["plivo"]
    VERIFIED_BY: ClassVar[tuple[str, ...]] = ("auth_token",)
    auth_id: Identity
    auth_token: SecretStr
    base_url: Url = "https://api.plivo.com"


class Sinch(Expiring):
    """Sinch's SMS API; `base_url` names the region."""

    kind: Literal["sinch"]
    VERIFIED_BY: ClassVar[tuple[str, ...]] = ("signing_key", "hook_secret")
    service_plan_id: Identity
    api_token: SecretStr
    signing_key: SecretStr = NO_SECRET
    base_url: Url = "https://us.sms.api.sinch.com"


class Android(Expiring):
    """SMS Gateway for Android (capcom6): a phone of the office."""

    kind: Literal["android"]
    VERIFIED_BY: ClassVar[tuple[str, ...]] = ("signing_key",)
    username: Login
    password: SecretStr
    signing_key: SecretStr = NO_SECRET
    sim: Whole | None = Field(default=None, ge=1, le=3)
    url: Url = "https://api.sms-gate.app/3rdparty/v1/messages"


class Kannel(Expiring):
    """A Kannel smsbox."""

    kind: Literal["kannel"]
    username: Word
    password: SecretStr
    smsc: Few = ""
    url: Url = "http://127.0.0.1:13013/cgi-bin/sendsms"


class Jasmin(Expiring):
    """A Jasmin gateway."""

    kind: Literal["jasmin"]
    username: Word
    password: SecretStr
    url: Url = "http://127.0.0.1:1401/send"
    validity: bool = False
    """It writes its own wall clock as if it were UTC: only where it is."""


class HookPaths(BaseModel):
    """Where a call of the provider says what; paths like `data.to.0.number`."""

    model_config = STRICT
    id: Few = ""
    to: Few = ""


class ReceiptPaths(HookPaths):
    """`[sms.NAME.receipt]`."""

    state: Word
    key: Few = ""
    delivered: Annotated[tuple[Word, ...], OneOrMore]
    undelivered: Annotated[tuple[Word, ...], OneOrMore]


class InboundPaths(HookPaths):
    """`[sms.NAME.inbound]`."""

    sender: Word
    text: Word


Status = Annotated[int, Field(strict=True, ge=200, le=599)]
PLACEHOLDERS = (
    *("to", "to_digits", "sender", "sender_digits", "text", "key", "secret", "receipt_url"),
    *("validity_seconds", "validity_minutes", "expires_at"),
)


class Described(Http):
    """Any provider that takes a POST, described here."""

    kind: Literal["http"]
    url: Url
    headers: dict[HeaderName, str] = Field(default_factory=dict)
    body: Literal["json", "form"] = "json"
    fields: dict[str, TemplateValue]
    """The body, with `{to}`, `{sender}`, `{text}`, `{key}`, `{secret}` … where their values go."""
    secret: SecretStr = NO_SECRET
    id: Few = ""
    """Where the answer holds the text's id: `data.id`; empty: it gives none."""
    accepted: Annotated[tuple[Status, ...], Field(min_length=1), OneOrMore] = (200, 201, 202)
    refused: Annotated[tuple[Status, ...], OneOrMore] = (400, 422)
    temporary: Annotated[tuple[Status, ...], OneOrMore] = (429,)
    receipt: ReceiptPaths | None = None
    inbound: InboundPaths | None = None
    hook_answer: str = Field(default="", max_length=10000)
    """What a call of the provider is answered with."""

    @model_validator(mode="after")
    def _is_whole(self) -> "Described":
        named = repr((self.fields, self.url))
        for name in ("{text}", "{to"):
            if name not in named:
                whole = f"{name.rstrip('}')}}}"
                raise Misplaced("fields", f"must say where {whole} goes, or every text would be the same")
        if "{text}" in repr(self.headers):
            raise Misplaced("headers", "have one line each, so {text} must not stand there")
        nested = [name for name, value in self.fields.items() if isinstance(value, bool | list | dict)]
        if self.body == "form" and nested:
            raise Misplaced("fields", f"{nested[0]} must be text or a number, in quotes: a form has nothing else (body)")
        for key in ("fields", "url", "headers"):
            self._knows_placeholders(key)
        twice = set(self.accepted) & {*self.refused, *self.temporary} or set(self.refused) & set(self.temporary)
        if twice:
            key = "temporary" if min(twice) in self.temporary else "refused"
            raise Misplaced(key, f"status {min(twice)} stands in two of accepted, refused and temporary; let it stand in one")
        return self

    def _knows_placeholders(self, key: str) -> None:
        for name in re.findall(r"{(\w+)}", repr(getattr(self, key))):
            if name not in PLACEHOLDERS:
                known = ", ".join(f"{{{known}}}" for known in PLACEHOLDERS)
                raise Misplaced(key, f"there is no {{{name}}}; there are {known}")
            if name == "secret" and not self.secret.get_secret_value():
                raise Misplaced(key, "{secret} is used, but secret_file does not name a file that holds it")
