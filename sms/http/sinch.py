"""Sinch's SMS API (xms v1): JSON batches of one. PURE.

Source: Sinch's documentation of batches, delivery reports, inbounds, and callback signatures (X-Sinch-Webhook-Signature).
"""

import base64
import hashlib
import hmac
from collections.abc import Sequence
from datetime import timedelta

from sms.http import wire
from sms.http.exchange import Hook, HookResponse, Request, Response
from sms.text import Accepted, Outcome, Receipt, ReceiptState, Refusal, Reply, Text, Unknown

_CODES = wire.Codes(
    who="Sinch",
    permanent=frozenset({"syntax_invalid_json", "syntax_invalid_parameter_format", "syntax_constraint_violation"}),
    account=frozenset({"unauthorized", "missing_api_token", "forbidden", "insufficient_credit"}),
)
_REFUSALS = wire.Wording(
    who="Sinch", meanings=(wire.meaning(r"\b(from|sender|originator|expire_at|callback_url)\b", Refusal.CONFIGURATION),)
)
_EXPIRED = frozenset({"406"})
VALID_AT_LEAST, VALID_AT_MOST = timedelta(minutes=1), timedelta(days=3)
"""An instant that has passed by their clock ends the text, so that ours may differ by a minute."""
_STATES = {
    "Delivered": ReceiptState.DELIVERED,
    "Aborted": ReceiptState.UNDELIVERED,
    "Cancelled": ReceiptState.UNDELIVERED,
    "Deleted": ReceiptState.UNDELIVERED,
    "Expired": ReceiptState.UNDELIVERED,
    "Failed": ReceiptState.UNDELIVERED,
    "Rejected": ReceiptState.UNDELIVERED,
}


class Sinch:
    """One service plan. Calls are signed with `signing_key`, or else the secret in the path stands for the signature."""

    hook_answer = HookResponse()

    def __init__(
        self, *, base_url: str, service_plan: str, api_token: str, signing_key: str, hook_secret: str, receipt_url: str
    ) -> None:
        self._url = f"{base_url}/xms/v1/{service_plan}/batches"
        self._token, self._signing_key, self._hook_secret = api_token, signing_key, hook_secret
        self._receipt_url = receipt_url

    def request(self, text: Text) -> Request:
        """POST, JSON, Bearer; the reference comes back with the report."""
        members = {"from": text.sender, "to": [text.to], "body": text.body, "client_reference": text.key}
        if self._receipt_url:
            members |= {"delivery_report": "per_recipient", "callback_url": self._receipt_url}
        if text.validity:
            members["expire_at"] = text.validity.within(VALID_AT_LEAST, VALID_AT_MOST).instant
        return wire.json_request(self._url, members, Authorization=f"Bearer {self._token}")

    def outcome(self, response: Response) -> Outcome:
        """201 with an id is a yes."""
        members = wire.json_object(response.body)
        found = wire.scalar(members.get("id"))
        if 200 <= response.status < 300 and found:
            return Accepted(provider_ids=(found,))
        if not 400 <= response.status < 500:
            return Unknown(detail=f"Sinch answered {response.status}")
        code, said = wire.scalar(members.get("code")), wire.scalar(members.get("text"))
        named = _REFUSALS.refused(response, code, said) if response.status == 400 else None
        return named or _CODES.refused(response, code, said)

    def is_genuine(self, hook: Hook) -> bool:
        """HMAC-SHA256 of `body.nonce.timestamp`, base64, at most five minutes old; or the secret in the path."""
        if not self._signing_key:
            return wire.knows_secret(hook, self._hook_secret)
        nonce = hook.headers.get("x-sinch-webhook-signature-nonce", "")
        timestamp = hook.headers.get("x-sinch-webhook-signature-timestamp", "")
        signed = hook.body + f".{nonce}.{timestamp}".encode("utf-8", "replace")
        expected = base64.b64encode(hmac.new(self._signing_key.encode(), signed, hashlib.sha256).digest()).decode()
        shown = hook.headers.get("x-sinch-webhook-signature", "")
        return wire.is_fresh(timestamp, hook.at) and wire.is_same(expected, shown)

    def read(self, hook: Hook, bridge: str) -> Sequence[Receipt | Reply]:
        """`recipient_delivery_report_sms` is a receipt, `mo_text` a reply."""
        members = wire.json_object(hook.body)
        match members.get("type"):
            case "mo_text":
                provider_id, sender = wire.needed(members, "id", "from")
                to, body = wire.e164(wire.scalar(members.get("to"))), wire.scalar(members.get("body"))
                sender = wire.e164(sender)
                return (wire.reply(hook, bridge, sender=sender, to=to, body=body, provider_id=provider_id),)
            case "recipient_delivery_report_sms":
                provider_id, state, to = wire.needed(members, "batch_id", "status", "recipient")
                error = wire.scalar(members.get("code"))
                return (
                    wire.receipt(
                        hook,
                        bridge,
                        provider_id=provider_id,
                        to=wire.e164(to),
                        state=_STATES.get(state),
                        code=f"{state} {error}",
                        key=wire.scalar(members.get("client_reference")),
                        is_expired=state == "Expired" or error in _EXPIRED,
                    ),
                )
            case str():
                return ()
            case _:
                raise ValueError("type is missing")
