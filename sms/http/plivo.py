"""Plivo's Message API (v1): JSON requests, form callbacks, V3 signatures. PURE.

Source: Plivo's documentation of the Message object, of messaging callbacks, of its error codes, and of V3 signatures.
"""

import base64
import hashlib
import hmac
from collections.abc import Sequence
from datetime import timedelta
from urllib.parse import parse_qs, urlsplit

from sms.http import wire
from sms.http.exchange import Hook, HookResponse, Request, Response
from sms.text import Accepted, Outcome, Receipt, ReceiptState, Refusal, Reply, Text, Unknown

_OPTED_OUT = frozenset({"200"})
_EXPIRED = frozenset({"420"})
_NUMBER_DEAD = frozenset({"50", "70"})
"""No valid destination; permanently out of reach."""
_BRIDGE_FAULT = frozenset({"40", "201", "900"})
"""The source number; from a toll-free number to Canada; no credit."""
_CODES = wire.Codes(who="Plivo")
_REFUSALS = wire.Wording(
    who="Plivo", meanings=(wire.meaning(r"\b(src|source|sender|powerpack|message_expiry)\b", Refusal.CONFIGURATION),)
)
VALID_AT_LEAST, VALID_AT_MOST = timedelta(seconds=5), timedelta(hours=3)
"""In Plivo's queue."""
_STATES = {
    "delivered": ReceiptState.DELIVERED,
    "read": ReceiptState.DELIVERED,
    "undelivered": ReceiptState.UNDELIVERED,
    "failed": ReceiptState.UNDELIVERED,
    "rejected": ReceiptState.UNDELIVERED,
}
_WORDS = {"optout": "STOP", "optin": "START", "help": "HELP"}
"""MessageIntent: what Plivo read in a reply."""


class Plivo:
    """One account."""

    hook_answer = HookResponse()

    def __init__(self, *, base_url: str, auth_id: str, auth_token: str, receipt_url: str) -> None:
        self._url = f"{base_url}/v1/Account/{auth_id}/Message/"
        self._authorization = wire.basic(auth_id, auth_token)
        self._token, self._receipt_url = auth_token, receipt_url

    def request(self, text: Text) -> Request:
        """POST, JSON, Basic."""
        members: dict[str, str | int] = {"src": text.sender, "dst": text.to, "text": text.body}
        if self._receipt_url:
            members |= {"url": wire.with_key(self._receipt_url, text.key), "method": "POST"}
        if text.validity:
            members["message_expiry"] = text.validity.within(VALID_AT_LEAST, VALID_AT_MOST).seconds
        return wire.json_request(self._url, members, Authorization=self._authorization)

    def outcome(self, response: Response) -> Outcome:
        """2xx with a message_uuid is a yes; a 4xx says why in `error`, without a code."""
        members = wire.json_object(response.body)
        found = wire.scalar(wire.at(members, "message_uuid", 0))
        if 200 <= response.status < 300 and found:
            return Accepted(provider_ids=(found,))
        if not 400 <= response.status < 500:
            return Unknown(detail=f"Plivo answered {response.status}")
        said = wire.scalar(members.get("error"))
        named = _REFUSALS.refused(response, "", said) if response.status == 400 else None
        return named or _CODES.refused(response, "", said)

    def is_genuine(self, hook: Hook) -> bool:
        """HMAC-SHA256 over URL, sorted fields and nonce, base64; several signatures may be given, with commas."""
        nonce = hook.headers.get("x-plivo-signature-v3-nonce", "")
        signed = f"{_signed_url(hook.url, bool(hook.body))}{_signed_fields(hook.body)}.{nonce}"
        expected = base64.b64encode(hmac.new(self._token.encode(), signed.encode(), hashlib.sha256).digest()).decode()
        shown = hook.headers.get("x-plivo-signature-v3", "").split(",")
        return bool(nonce) and any(wire.is_same(expected, one.strip()) for one in shown)

    def read(self, hook: Hook, bridge: str) -> Sequence[Receipt | Reply]:
        """A receipt has Status, a reply Text. A long text's parts share ParentMessageUUID, which is the id that we have."""
        form = wire.form(hook.body)
        (provider_id,) = wire.needed(form, "MessageUUID")
        to = wire.e164(form.get("To", ""))
        if form.get("Status") and hook.what == "receipt":
            error = form.get("ErrorCode", "")
            return (
                wire.receipt(
                    hook,
                    bridge,
                    provider_id=form.get("ParentMessageUUID") or provider_id,
                    to=to,
                    state=_STATES.get(form["Status"].lower()),
                    code=f"{form['Status']} {error}",
                    is_expired=error in _EXPIRED,
                    is_bridge_fault=error in _BRIDGE_FAULT,
                    is_number_dead=error in _NUMBER_DEAD,
                    is_opted_out=error in _OPTED_OUT,
                ),
            )
        if "Text" not in form:
            raise ValueError("neither a status nor a message")
        (sender,) = wire.needed(form, "From")
        word = _WORDS.get(form.get("MessageIntent", "").lower(), "")
        return (
            wire.reply(hook, bridge, sender=wire.e164(sender), to=to, body=form["Text"], provider_id=provider_id, word=word),
        )


def _signed_url(url: str, has_fields: bool) -> str:
    """The URL with its query sorted; before fields a dot ends the query."""
    split = urlsplit(url)
    pairs = parse_qs(split.query, keep_blank_values=True)
    query = "&".join(f"{name}={value}" for name in sorted(pairs) for value in sorted(pairs[name]))
    base = f"{split.scheme}://{split.netloc}{split.path}"
    if query or has_fields:
        base += f"?{query}"
    return f"{base}." if query and has_fields else base


def _signed_fields(body: bytes) -> str:
    fields = parse_qs(body.decode("utf-8", "replace"), keep_blank_values=True)
    return "".join(f"{name}{value}" for name in sorted(fields) for value in sorted(fields[name]))
