"""A phone of the office as the bridge: SMS Gateway for Android (capcom6), by cloud, private server, or the phone itself. PURE.

Source: the project's documentation of the API, of its webhooks and of their signing. It alone dedupes by our key.
"""

import hashlib
import hmac
from collections.abc import Sequence
from datetime import datetime, timedelta

from sms.http import wire
from sms.http.exchange import Hook, HookResponse, Request, Response
from sms.text import Accepted, Outcome, Receipt, ReceiptState, Refusal, Reply, Text, Unknown

_WHO = "the phone's gateway"
_CODES = wire.Codes(who=_WHO)
_REFUSALS = wire.Wording(
    who=_WHO,
    meanings=(wire.meaning(r"queue", Refusal.TEMPORARY), wire.meaning(r"\b(device|sim)", Refusal.CONFIGURATION)),
)
"""503: the phone has not fetched what waits for it. 400: no phone is registered, or none that may be used."""
VALID_AT_LEAST, VALID_AT_MOST = timedelta(seconds=5), timedelta(days=30)
_STATES = {
    "sms:sent": ReceiptState.ON_ITS_WAY,
    "sms:delivered": ReceiptState.DELIVERED,
    "sms:failed": ReceiptState.UNDELIVERED,
}


class Android:
    """One phone. The sender is the phone's own number whatever the line says; `sim` chooses among several."""

    hook_answer = HookResponse()

    def __init__(self, *, url: str, user: str, password: str, signing_key: str, sim: int | None) -> None:
        self._url = url
        self._authorization = wire.basic(user, password)
        self._signing_key, self._sim = signing_key, sim

    def request(self, text: Text) -> Request:
        """POST, JSON, Basic."""
        members = {
            "id": text.key,
            "textMessage": {"text": text.body},
            "phoneNumbers": [text.to],
            "withDeliveryReport": True,
            **({"simNumber": self._sim} if self._sim else {}),
            **({"ttl": text.validity.within(VALID_AT_LEAST, VALID_AT_MOST).seconds} if text.validity else {}),
        }
        return wire.json_request(self._url, members, Authorization=self._authorization)

    def outcome(self, response: Response) -> Outcome:
        """202 is a yes; so is 409, which says that it has our id already."""
        members = wire.json_object(response.body)
        if 200 <= response.status < 300 and members.get("id") and members.get("state") != "Failed":
            return Accepted(provider_ids=(wire.scalar(members["id"]),))
        if response.status == 409:
            return Accepted(provider_ids=())
        said = wire.scalar(members.get("message"))
        named = _REFUSALS.refused(response, "", said) if response.status in (400, 503) else None
        if named is None and not 400 <= response.status < 500:
            return Unknown(detail=f"{_WHO} answered {response.status}")
        return named or _CODES.refused(response, "", said)

    # --- a text whose answer was lost (CanLookUp) ---

    def look_up(self, text: Text, since: datetime) -> Request:
        """The message with our id."""
        return Request(url=f"{self._url}/{text.key}", headers={"Authorization": self._authorization}, method="GET")

    def found(self, response: Response, text: Text, since: datetime) -> Outcome | None:
        """200 with our id: the phone's gateway has it."""
        return (
            Accepted(provider_ids=(text.key,))
            if response.status == 200 and wire.json_object(response.body).get("id") == text.key
            else None
        )

    def is_genuine(self, hook: Hook) -> bool:
        """HMAC-SHA256 of body and timestamp, hexadecimal, at most five minutes old."""
        timestamp = hook.headers.get("x-timestamp", "")
        signed = hook.body + timestamp.encode("utf-8", "replace")
        expected = hmac.new(self._signing_key.encode(), signed, hashlib.sha256).hexdigest()
        shown = hook.headers.get("x-signature", "").lower()
        return bool(self._signing_key) and wire.is_fresh(timestamp, hook.at) and wire.is_same(expected, shown)

    def read(self, hook: Hook, bridge: str) -> Sequence[Receipt | Reply]:
        """`sms:received` is a reply; `sms:sent`, `sms:delivered` and `sms:failed` are receipts by our own key."""
        members = wire.json_object(hook.body)
        event, payload = members.get("event"), members.get("payload")
        if not isinstance(event, str) or not isinstance(payload, dict):
            raise ValueError("event or payload is missing")
        number = wire.scalar(payload.get("sender")) or wire.scalar(payload.get("phoneNumber"))
        if event == "sms:received":
            (body,) = wire.needed(payload, "message")
            to = wire.scalar(payload.get("recipient"))
            (provider_id,) = wire.needed(members, "id")
            return (wire.reply(hook, bridge, sender=number, to=to, body=body, provider_id=provider_id),)
        if event not in _STATES:
            return ()
        (key,) = wire.needed(payload, "messageId")
        to = wire.scalar(payload.get("recipient")) or wire.scalar(payload.get("phoneNumber"))
        reason = wire.scalar(payload.get("reason"))
        return (
            wire.receipt(
                hook,
                bridge,
                provider_id=key,
                to=to,
                state=_STATES[event],
                code=f"{event} {reason}",
                key=key,
                is_expired="ttl expired" in reason.lower(),
            ),
        )
