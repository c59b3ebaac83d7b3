"""Bandwidth's Messaging API (v2): JSON; its calls bear a user name and a password of ours. PURE.

Source: Bandwidth's documentation of messages and their list, of errors, and of webhooks (arrays, repeated for 24 h).
"""

import json
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from typing import Any
from urllib.parse import urlencode

from sms.http import wire
from sms.http.exchange import Hook, HookResponse, Request, Response
from sms.text import Accepted, Outcome, Receipt, ReceiptState, Refusal, Refused, Reply, Text, Unknown

_OPTED_OUT = frozenset({"4775"})
_NUMBER_DEAD = frozenset({"4303", "4720", "4721"})
"""No number; no such destination, or a landline; on the deactivation list."""
_EXPIRED = frozenset({"4360"})
_TOLL_FREE = ("+1800", "+1833", "+1844", "+1855", "+1866", "+1877", "+1888")
_BARS_TOLL_FREE = frozenset({"4720"})
"""From a toll-free number also: a subscriber who takes no texts of such numbers."""
_NOBODY_KNOWS = frozenset({"9902"})
"""`message-failed` because no carrier's receipt came in two hours: it may have been delivered."""
_OURS = "our settings"
"""In the place of a code, of which the answers have none: a field that the configuration fills."""
_CODES = wire.Codes(
    who="Bandwidth",
    opted_out=_OPTED_OUT,
    number_dead=_NUMBER_DEAD,
    permanent=frozenset({"4301", "4406", "4470", "4770"}),
    account=frozenset({"4493"}),
    configuration=frozenset(
        {
            *("4302", "4403", "4405", "4407", "4452", "4481", "4740", "4773", "4774", "4791", "4792", "4793", "4795"),
            *("4001", "4421", "4431", "4432", "4433"),
            _OURS,
        }
    ),
    temporary=frozenset({"4780", "4781", "4785", "5600"}),
)
VALID_AT_LEAST, VALID_AT_MOST = timedelta(minutes=1), timedelta(days=30)
"""An instant that has passed by their clock refuses the text, so that ours may differ by a minute."""
_STATES = {"message-delivered": ReceiptState.DELIVERED, "message-failed": ReceiptState.UNDELIVERED}


class Bandwidth:
    """One account and one of its applications."""

    hook_answer = HookResponse()

    def __init__(
        self, *, base_url: str, account: str, application: str, user: str, password: str, hook_user: str, hook_password: str
    ) -> None:
        self._url = f"{base_url}/api/v2/users/{account}/messages"
        self._application = application
        self._authorization = wire.basic(user, password)
        self._hook_authorization = wire.basic(hook_user, hook_password) if hook_password else ""

    def request(self, text: Text) -> Request:
        """POST, JSON, Basic. The tag comes back with the receipt."""
        members = {"applicationId": self._application, "from": text.sender, "to": [text.to], "text": text.body, "tag": text.key}
        if text.validity:
            members["expiration"] = text.validity.within(VALID_AT_LEAST, VALID_AT_MOST).instant
        return wire.json_request(self._url, members, Authorization=self._authorization)

    def outcome(self, response: Response) -> Outcome:
        """202 with an id is a yes. Their own 5xx says that nothing was sent; one of something in between does not."""
        members = wire.json_object(response.body)
        found = wire.scalar(members.get("id"))
        if 200 <= response.status < 300 and found:
            return Accepted(provider_ids=(found,))
        said = wire.scalar(members.get("description"))
        if 400 <= response.status < 500:
            return _CODES.refused(response, wire.scalar(members.get("errorCode")) or _field_of_ours(members), said)
        if response.status >= 500 and members.get("type") and said:
            return Refused(
                kind=Refusal.TEMPORARY,
                code=str(response.status),
                detail=f"Bandwidth says {response.status}: {wire.words_of(said)}",
            )
        return Unknown(detail=f"Bandwidth answered {response.status}")

    def is_genuine(self, hook: Hook) -> bool:
        """The Basic credentials that its application was given for our webhooks."""
        return bool(self._hook_authorization) and wire.is_same(self._hook_authorization, hook.headers.get("authorization", ""))

    def read(self, hook: Hook, bridge: str) -> Sequence[Receipt | Reply]:
        """An array of events."""
        try:
            events = json.loads(hook.body)
        except (ValueError, RecursionError):
            events = None
        if not isinstance(events, list):
            raise ValueError("not an array of events")
        return [said for event in events for said in _of_event(event, hook, bridge)]

    # --- a text whose answer was lost (CanLookUp) ---

    def look_up(self, text: Text, since: datetime) -> Request:
        """The list of messages from this number to that one since an instant."""
        wanted = {"sourceTn": text.sender, "destinationTn": text.to, "fromDateTime": _instant(since), "limit": "50"}
        return Request(url=f"{self._url}?{urlencode(wanted)}", headers={"Authorization": self._authorization}, method="GET")

    def found(self, response: Response, text: Text, since: datetime) -> Outcome | None:
        """The list shows no bodies, so it says something only where one outbound message alone was taken since."""
        messages = wire.json_object(response.body).get("messages") if response.status == 200 else None
        ids = [
            wire.scalar(wire.at(one, "messageId"))
            for one in (messages if isinstance(messages, list) else [])
            if wire.scalar(wire.at(one, "messageDirection")).upper() == "OUTBOUND"
            and wire.at(one, "sourceTn") == text.sender
            and wire.at(one, "destinationTn") == text.to
            and wire.scalar(wire.at(one, "receiveTime")) >= _instant(since)
        ]
        return wire.the_only(ids)


def _instant(at: datetime) -> str:
    """As Bandwidth writes it, in whole seconds, so that the order of words is the order in time: `2026-11-23T14:05:09.000Z`."""
    return f"{at.astimezone(UTC):%Y-%m-%dT%H:%M:%S}.000Z"


def _of_event(event: object, hook: Hook, bridge: str) -> Sequence[Receipt | Reply]:
    kind, message = wire.scalar(wire.at(event, "type")), wire.at(event, "message")
    if not isinstance(message, dict):
        raise ValueError("message is missing")
    (provider_id,) = wire.needed(message, "id")
    to = wire.scalar(wire.at(event, "to"))
    if kind == "message-received":
        (sender,) = wire.needed(message, "from")
        body = wire.scalar(message.get("text"))
        owner = to or wire.scalar(message.get("owner"))
        return (wire.reply(hook, bridge, sender=sender, to=owner, body=body, provider_id=provider_id),)
    if kind not in _STATES:
        return ()
    error = wire.scalar(wire.at(event, "errorCode"))
    return (
        wire.receipt(
            hook,
            bridge,
            provider_id=provider_id,
            to=to or wire.scalar(wire.at(message, "to", 0)),
            state=None if error in _NOBODY_KNOWS else _STATES[kind],
            code=f"{kind} {error}",
            is_expired=error in _EXPIRED,
            is_bridge_fault=_CODES.is_bridge_fault(error),
            key=wire.scalar(message.get("tag")),
            is_number_dead=error in _NUMBER_DEAD and not (error in _BARS_TOLL_FREE and _is_toll_free(message)),
            is_opted_out=error in _OPTED_OUT,
        ),
    )


def _field_of_ours(members: dict[str, Any]) -> str:
    names = [wire.scalar(wire.at(one, "fieldName")) for one in members.get("fieldErrors") or [] if isinstance(one, dict)]
    return _OURS if any(name in ("from", "applicationId", "expiration", "tag") for name in names) else ""


def _is_toll_free(message: dict[str, Any]) -> bool:
    return wire.scalar(message.get("from")).startswith(_TOLL_FREE)
