"""A provider that the configuration describes (`kind = "http"`): what to send, how answers and calls read. PURE."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import timedelta
from typing import Any
from urllib.parse import quote

from sms.http import wire
from sms.http.exchange import Hook, HookResponse, Request, Response
from sms.text import Accepted, Outcome, Receipt, ReceiptState, Reply, Text, Unknown

_CODES = wire.Codes(who="the provider")
_NUMBERS = ("{validity_seconds}", "{validity_minutes}")
"""Alone in a value they are numbers, as JSON tells them from text."""
VALID_AT_LEAST, VALID_AT_MOST = timedelta(minutes=1), timedelta(days=30)
KEPT_FOR_S = 3 * 86400
"""For a text that never expires: as long as networks keep one."""


@dataclass(frozen=True, slots=True, kw_only=True)
class HookFields:
    """Where a call says what: paths of keys and places, joined by dots. An empty path is not there."""

    id: str = ""
    key: str = ""
    sender: str = ""
    to: str = ""
    text: str = ""
    state: str = ""
    delivered: frozenset[str] = frozenset()
    undelivered: frozenset[str] = frozenset()


@dataclass(frozen=True, slots=True, kw_only=True)
class Description:
    """`[sms.NAME]` of kind http."""

    url: str
    headers: Mapping[str, str]
    body: str
    """`json` or `form`."""
    fields: Mapping[str, Any]
    id: str
    accepted: frozenset[int]
    refused: frozenset[int]
    temporary: frozenset[int]
    secret: str
    hook_secret: str
    hook_answer: str
    receipt_url: str
    receipt: HookFields
    inbound: HookFields


class Described:
    """One description. In it `{to}`, `{to_digits}`, `{sender}`, `{sender_digits}`, `{text}`, `{key}`, `{secret}`,
    `{receipt_url}`, `{validity_seconds}`, `{validity_minutes}` and `{expires_at}` stand for their values."""

    def __init__(self, description: Description) -> None:
        self._is = description
        self.hook_answer = HookResponse(body=description.hook_answer)

    def request(self, text: Text) -> Request:
        """POST, as described."""
        values = {
            "to": text.to,
            "to_digits": text.to.removeprefix("+"),
            "sender": text.sender,
            "sender_digits": text.sender.removeprefix("+"),
            "text": text.body,
            "key": text.key,
            "secret": self._is.secret,
            "receipt_url": wire.with_key(self._is.receipt_url, text.key),
            **_validity(text),
        }
        filled = _filled(self._is.fields, values)
        headers = {name: str(_filled(value, values)) for name, value in self._is.headers.items()}
        url = _filled(self._is.url, {name: quote(value, safe="") for name, value in values.items()})
        if self._is.body == "json":
            return wire.json_request(url, filled, **headers)
        return wire.form_request(url, {name: wire.scalar(value) for name, value in filled.items()}, **headers)

    def outcome(self, response: Response) -> Outcome:
        """By the status alone; a status that is not named leaves it open, but for those that say that we may not send."""
        if response.status in self._is.accepted:
            found = _at(_content(response.body), self._is.id)
            if self._is.id and not found:
                return Unknown(detail=f"the provider answered {response.status} without {self._is.id}")
            return Accepted(provider_ids=(found[:128],) if found else ())
        if response.status in self._is.temporary:
            return wire.Codes(who="the provider", temporary=frozenset({str(response.status)})).refused(
                response, str(response.status), ""
            )
        if response.status in self._is.refused or response.status in (401, 403):
            return _CODES.refused(response, "", "")
        return Unknown(detail=f"the provider answered {response.status}, which the configuration does not name")

    def is_genuine(self, hook: Hook) -> bool:
        """The secret in the path."""
        return wire.knows_secret(hook, self._is.hook_secret)

    def read(self, hook: Hook, bridge: str) -> Sequence[Receipt | Reply]:
        """A receipt or a reply, as the path says."""
        members = {**hook.query, **_content(hook.body)}
        if hook.what == "receipt":
            calls = self._is.receipt
            state = _needed(members, calls.state)
            known = ReceiptState.DELIVERED if state in calls.delivered else None
            known = ReceiptState.UNDELIVERED if state in calls.undelivered else known
            key = _at(members, calls.key) or hook.query.get("key", "")
            provider_id = _at(members, calls.id) or key
            if not provider_id:
                raise ValueError(f"{calls.id or 'the id'} is missing")
            to = _at(members, calls.to)
            return (wire.receipt(hook, bridge, provider_id=provider_id, to=to, state=known, code=state, key=key),)
        calls = self._is.inbound
        sender, body = _needed(members, calls.sender), _needed(members, calls.text)
        to, provider_id = _at(members, calls.to), _at(members, calls.id)
        return (wire.reply(hook, bridge, sender=sender, to=to, body=body, provider_id=provider_id),)


def _validity(text: Text) -> dict[str, str]:
    if text.validity is None:
        return {"validity_seconds": str(KEPT_FOR_S), "validity_minutes": str(KEPT_FOR_S // 60), "expires_at": ""}
    clamped = text.validity.within(VALID_AT_LEAST, VALID_AT_MOST)
    return {
        "validity_seconds": str(clamped.seconds),
        "validity_minutes": str(clamped.minutes),
        "expires_at": clamped.instant,
    }


def _filled(template: Any, values: Mapping[str, str]) -> Any:
    """The template with its placeholders replaced, however deep; a value never becomes a placeholder itself."""
    if template in _NUMBERS:
        return int(values[template[1:-1]])
    if isinstance(template, str):
        parts = template.split("{")
        ends = [part.partition("}") for part in parts[1:]]
        return parts[0] + "".join(
            (values[name] + rest) if closed and name in values else "{" + name + closed + rest for name, closed, rest in ends
        )
    if isinstance(template, Mapping):
        return {name: _filled(value, values) for name, value in template.items()}
    if isinstance(template, list | tuple):
        return [_filled(value, values) for value in template]
    return template


def _content(body: bytes) -> dict[str, Any]:
    """JSON where it is that, else a form."""
    try:
        members = json.loads(body)
    except (ValueError, RecursionError):
        return dict(wire.form(body))
    return members if isinstance(members, dict) else {"": members}


def _at(members: Any, path: str) -> str:
    steps = [int(step) if step.isdecimal() else step for step in path.split(".")]
    return wire.scalar(wire.at(members, *steps)) if path else ""


def _needed(members: Any, path: str) -> str:
    found = _at(members, path)
    if not found:
        raise ValueError(f"{path or 'what was described'} is missing")
    return found
