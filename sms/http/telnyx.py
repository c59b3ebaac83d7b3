"""Telnyx's Messaging API (v2): JSON, Ed25519 signatures. PURE; the curve's arithmetic is the cryptography package's.

Source: Telnyx's documentation of sending messages, of the messaging webhooks and their signatures, and of its error codes.
"""

import base64
import binascii
from collections.abc import Callable, Sequence
from dataclasses import replace

from sms.http import wire
from sms.http.exchange import Hook, HookResponse, Request, Response
from sms.text import Accepted, Outcome, Receipt, ReceiptState, Reply, Text, Unknown

_OPTED_OUT = frozenset({"40300"})
_EXPIRED = frozenset({"40005", "40014"})
_NUMBER_DEAD = frozenset({"40001", "40310"})
"""A landline or no route to it; no number."""
_ACCOUNT = frozenset(
    {
        *("10009", "10010", "20002", "20006", "20012", "20013", "20014", "20016", "20017", "20100"),
        *("40311", "40312", "40313", "40314"),
    }
)
"""The key, the account and its funds; the messaging profile."""
_CONFIGURATION = frozenset(
    {
        *("10001", "40010", "40013", "40100", "40150", "40151", "40305", "40306", "40307", "40308", "40315", "40320", "40321"),
        *("10039", "20015", "40300", "40301", "40309", "40319", "40329"),
    }
)
"""The sender; where the account, or this sender, may send."""
_CODES = wire.Codes(
    who="Telnyx",
    number_dead=_NUMBER_DEAD,
    permanent=frozenset({"40008", "40009", "40012", "40302", "40316", "40322", "10002", "10016"}),
    account=_ACCOUNT,
    configuration=_CONFIGURATION,
    temporary=frozenset({"10011", "40006", "40011", "40014", "40016", "40018", "40318"}),
)
_STOP_CODES = replace(_CODES, opted_out=_OPTED_OUT)
_STATES = {
    "delivered": ReceiptState.DELIVERED,
    "sending_failed": ReceiptState.UNDELIVERED,
    "delivery_failed": ReceiptState.UNDELIVERED,
    "expired": ReceiptState.UNDELIVERED,
}


def _checker(public_key: bytes) -> Callable[[bytes, bytes], bool]:
    """Tells whether a signature is this key's, of some octets; `ValueError` where it is no key."""
    from cryptography.exceptions import InvalidSignature  # noqa: PLC0415 — the library takes a while, and few use Telnyx
    from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey  # noqa: PLC0415

    key = Ed25519PublicKey.from_public_bytes(public_key)

    def is_signed(signature: bytes, octets: bytes) -> bool:
        try:
            key.verify(signature, octets)
        except InvalidSignature:
            return False
        return True

    return is_signed


class Telnyx:
    """One API key. `public_key` is the account's, base64; `ValueError` where it is none."""

    hook_answer = HookResponse()

    def __init__(self, *, base_url: str, api_key: str, public_key: str, profile: str, receipt_url: str) -> None:
        self._url = f"{base_url}/v2/messages"
        self._key, self._profile, self._receipt_url = api_key, profile, receipt_url
        self._is_signed = _checker(base64.b64decode(public_key)) if public_key else None

    def request(self, text: Text) -> Request:
        """POST, JSON, Bearer. A sender that is a name needs the messaging profile."""
        members = {"from": text.sender, "to": text.to, "text": text.body}
        if self._profile:
            members["messaging_profile_id"] = self._profile
        if self._receipt_url:
            members["webhook_url"] = wire.with_key(self._receipt_url, text.key)
        return wire.json_request(self._url, members, Authorization=f"Bearer {self._key}")

    def outcome(self, response: Response) -> Outcome:
        """2xx with `data.id` is a yes; a 4xx names its code in `errors`."""
        members = wire.json_object(response.body)
        found = wire.scalar(wire.at(members, "data", "id"))
        if 200 <= response.status < 300 and found:
            return Accepted(provider_ids=(found,))
        if not 400 <= response.status < 500:
            return Unknown(detail=f"Telnyx answered {response.status}")
        error = wire.at(members, "errors", 0)
        said = wire.scalar(wire.at(error, "detail")) or wire.scalar(wire.at(error, "title"))
        codes = _STOP_CODES if _is_stop(error) else _CODES
        return codes.refused(response, wire.scalar(wire.at(error, "code")), said)

    def is_genuine(self, hook: Hook) -> bool:
        """Ed25519 over `timestamp|body`, at most five minutes old."""
        timestamp = hook.headers.get("telnyx-timestamp", "")
        if self._is_signed is None or not wire.is_fresh(timestamp, hook.at):
            return False
        try:
            signature = base64.b64decode(hook.headers.get("telnyx-signature-ed25519", ""), validate=True)
        except (binascii.Error, ValueError):
            return False
        return self._is_signed(signature, f"{timestamp}|".encode() + hook.body)

    def read(self, hook: Hook, bridge: str) -> Sequence[Receipt | Reply]:
        """`message.finalized` and `message.sent` are receipts, `message.received` is a reply."""
        data = wire.json_object(hook.body).get("data")
        payload = wire.at(data, "payload")
        if not isinstance(payload, dict):
            raise ValueError("data.payload is missing")
        (provider_id,) = wire.needed(payload, "id")
        to = wire.scalar(wire.at(payload, "to", 0, "phone_number"))
        match wire.at(data, "event_type"):
            case "message.received":
                sender = wire.scalar(wire.at(payload, "from", "phone_number"))
                body = wire.scalar(payload.get("text"))
                return (wire.reply(hook, bridge, sender=sender, to=to, body=body, provider_id=provider_id),)
            case "message.sent" | "message.finalized":
                state = wire.scalar(wire.at(payload, "to", 0, "status"))
                first = wire.at(payload, "errors", 0)
                error = wire.scalar(wire.at(first, "code"))
                return (
                    wire.receipt(
                        hook,
                        bridge,
                        provider_id=provider_id,
                        to=to,
                        state=_STATES.get(state),
                        code=f"{state} {error}",
                        is_expired=error in _EXPIRED or state == "expired",
                        is_bridge_fault=_CODES.is_bridge_fault(error) and not (error in _OPTED_OUT and _is_stop(first)),
                        is_number_dead=error in _NUMBER_DEAD,
                        is_opted_out=error in _OPTED_OUT and _is_stop(first),
                    ),
                )
            case _:
                return ()


def _is_stop(error: object) -> bool:
    """40300 is a STOP unless its words speak of something else."""
    words = f"{wire.scalar(wire.at(error, 'title'))} {wire.scalar(wire.at(error, 'detail'))}".lower()
    return not words.strip() or any(word in words for word in ("stop", "block rule", "opted out"))
