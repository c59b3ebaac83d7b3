"""Vonage's SMS API: a form; the answer is always 200 and its `messages` say what became of each part. PURE.

Source: Vonage's documentation of the SMS API, of its error and receipt codes, of signed webhooks, and of opted-out numbers.
"""

import hashlib
import hmac
from collections.abc import Sequence
from dataclasses import replace
from datetime import timedelta

from sms.http import wire
from sms.http.exchange import Hook, HookResponse, Request, Response
from sms.segments import Alphabet, segment
from sms.text import Accepted, Outcome, Part, Receipt, ReceiptState, Refusal, Reply, Text, Unknown

_CODES = wire.Codes(
    who="Vonage",
    opted_out=frozenset({"101"}),
    number_dead=frozenset({"33"}),
    permanent=frozenset({"2", "3", "6", "7", "12", "34", "103"}),
    account=frozenset({"4", "8", "9", "11", "14", "32"}),
    configuration=frozenset({"15", "16", "19", "20", "22", "23", "29", "102"}),
    temporary=frozenset({"1", "5", "10", "13"}),
)
_REFUSALS = wire.Wording(
    who="Vonage", meanings=(wire.meaning(r"\b(from|sender|callback|ttl|status-report-req)\b", Refusal.CONFIGURATION),)
)
"""Status 3, invalid parameters, may be of any of them."""
_OPTED_OUT = "9"
"""As a receipt's err-code: the number asked for no more messages of this sender."""
_NUMBER_DEAD = frozenset({"3"})
"""Absent subscriber, permanent."""
VALID_AT_LEAST, VALID_AT_MOST = timedelta(seconds=20), timedelta(days=7)
_STATES = {
    "delivered": ReceiptState.DELIVERED,
    "expired": ReceiptState.UNDELIVERED,
    "failed": ReceiptState.UNDELIVERED,
    "rejected": ReceiptState.UNDELIVERED,
}


class Vonage:
    """One account. Calls are signed with `signing_key`, or else the secret in the path stands for the signature."""

    hook_answer = HookResponse()

    def __init__(
        self,
        *,
        base_url: str,
        api_key: str,
        api_secret: str,
        signing_key: str,
        signature_method: str,
        hook_secret: str,
        receipt_url: str,
    ) -> None:
        self._url = f"{base_url}/sms/json"
        self._key, self._secret = api_key, api_secret
        self._signing_key, self._method, self._hook_secret = signing_key, signature_method, hook_secret
        self._receipt_url = receipt_url

    def request(self, text: Text) -> Request:
        """POST, form; the credentials are fields of it."""
        cut = segment(text.body)
        form = {
            "api_key": self._key,
            "api_secret": self._secret,
            "from": text.sender.removeprefix("+"),
            "to": text.to.removeprefix("+"),
            "text": cut.text,
            "type": "unicode" if cut.alphabet is Alphabet.UCS_2 else "text",
            "client-ref": text.key,
        }
        if self._receipt_url:
            form |= {"status-report-req": "true", "callback": self._receipt_url}
        if text.validity:
            form["ttl"] = str(text.validity.within(VALID_AT_LEAST, VALID_AT_MOST).seconds * 1000)
        return wire.form_request(self._url, form)

    def outcome(self, response: Response) -> Outcome:
        """All parts "0": yes. The first refused: no. Some of them: nobody can say what the phone shows."""
        messages = wire.json_object(response.body).get("messages")
        if not isinstance(messages, list) or not messages:
            if 400 <= response.status < 500:
                return _CODES.refused(response, "", "")
            return Unknown(detail=f"Vonage answered {response.status} without messages")
        states = [wire.scalar(wire.at(one, "status")) for one in messages]
        ids = tuple(wire.scalar(wire.at(one, "message-id")) for one in messages)
        if all(state == "0" for state in states):
            return Accepted(provider_ids=ids if any(ids) else ())
        if any(state == "0" for state in states):
            taken = tuple(one if state == "0" else "" for one, state in zip(ids, states, strict=True))
            detail = f"Vonage took {states.count('0')} of {len(states)} parts"
            return Unknown(detail=detail, provider_ids=taken, parts=len(states))
        said = wire.scalar(wire.at(messages, 0, "error-text"))
        named = _REFUSALS.refused(response, states[0], said) if states[0] == "3" else None
        return named or _CODES.refused(response, states[0], said)

    def is_genuine(self, hook: Hook) -> bool:
        """`sig` over the other fields, sorted, within five minutes of `timestamp`; or the secret in the path."""
        if not self._signing_key:
            return wire.knows_secret(hook, self._hook_secret)
        fields = _fields(hook)
        shown = fields.pop("sig", "").lower()
        return wire.is_fresh(fields.get("timestamp", ""), hook.at) and wire.is_same(self._signature(fields), shown)

    def read(self, hook: Hook, bridge: str) -> Sequence[Receipt | Reply]:
        """A receipt has `status` and `err-code`; a reply has `text`, and `concat-…` where it is a part."""
        fields = _fields(hook)
        provider_id, sender = wire.needed(fields, "messageId", "msisdn")
        sender, to = wire.e164(sender), wire.e164(fields.get("to", ""))
        if "status" in fields:
            return (
                wire.receipt(
                    hook,
                    bridge,
                    provider_id=provider_id,
                    to=sender,
                    state=_STATES.get(fields["status"]),
                    code=f"{fields['status']} {fields.get('err-code', '')}",
                    key=fields.get("client-ref", ""),
                    is_number_dead=fields.get("err-code") in _NUMBER_DEAD,
                    is_opted_out=fields.get("err-code") == _OPTED_OUT and fields["status"] in ("failed", "rejected"),
                    is_of_part=True,
                    is_expired=fields["status"] == "expired",
                ),
            )
        if "text" not in fields:
            raise ValueError("neither a status nor a text")
        reply = wire.reply(hook, bridge, sender=sender, to=to, body=fields["text"], provider_id=provider_id)
        return (replace(reply, part=_part(fields)),)

    def _signature(self, fields: dict[str, str]) -> str:
        """Each field as `&name=value`, their own & and = made harmless."""
        signed = "".join(f"&{name}={fields[name].replace('&', '_').replace('=', '_')}" for name in sorted(fields))
        if self._method == "md5hash":
            return hashlib.md5((signed + self._signing_key).encode()).hexdigest()  # noqa: S324 — the account's setting, not ours
        return hmac.new(self._signing_key.encode(), signed.encode(), self._method).hexdigest()


def _fields(hook: Hook) -> dict[str, str]:
    """A form, a query or JSON, as the account is set."""
    if hook.headers.get("content-type", "").startswith("application/json"):
        found = wire.json_object(hook.body).items()
        return {name: "true" if value is True else wire.scalar(value) for name, value in found}
    return wire.fields(hook)


def _part(fields: dict[str, str]) -> Part | None:
    numbers = [fields.get(f"concat-{name}", "") for name in ("part", "total")]
    if fields.get("concat") != "true" or not all(one.isascii() and one.isdecimal() for one in numbers):
        return None
    reference = int.from_bytes(hashlib.sha256(fields.get("concat-ref", "").encode()).digest()[:4])
    return Part(reference=reference, number=int(numbers[0]), total=int(numbers[1]))
