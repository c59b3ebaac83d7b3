"""Jasmin's HTTP API (0.9 and later): a form; its calls want to hear exactly `ACK/Jasmin`. PURE.

Source: Jasmin's documentation of the HTTP API's /send, of its delivery receipts, and of HTTP client connectors.
"""

import re
from collections.abc import Sequence
from datetime import timedelta

from sms.alphabets import from_utf_16
from sms.http import wire
from sms.http.exchange import Hook, HookResponse, Request, Response
from sms.segments import Alphabet, segment, ucs_2
from sms.text import Accepted, Outcome, Receipt, ReceiptState, Refusal, Reply, Text, Unknown

_CODES = wire.Codes(who="Jasmin")
_REFUSALS = wire.Wording(
    who="Jasmin",
    meanings=(
        wire.meaning(r"no route found|destination_address filter", Refusal.NO_ROUTE),
        wire.meaning(r"throughput exceeded|no bound connectors|interceptorpb not|^cannot send", Refusal.TEMPORARY),
        wire.meaning(r"authentication failure|cannot charge|cannot send mt messages", Refusal.CONFIGURATION, is_account=True),
        wire.meaning(r"content filter|argument \[to\]", Refusal.PERMANENT),
        wire.meaning(r"authorization failed|value filter|argument \[", Refusal.CONFIGURATION),
    ),
)
"""Its statuses say little: 403 stands for a password, the pace and the balance, 412 for no route and for no connector now."""
_SUCCESS = re.compile(r'Success "([^"]{1,128})"')
_ERROR = re.compile(r'Error "([^"]*)"?')
_STATES = {
    "DELIVRD": ReceiptState.DELIVERED,
    "EXPIRED": ReceiptState.UNDELIVERED,
    "DELETED": ReceiptState.UNDELIVERED,
    "UNDELIV": ReceiptState.UNDELIVERED,
    "REJECTD": ReceiptState.UNDELIVERED,
}
_UCS_2 = "8"
VALID_AT_LEAST, VALID_AT_MOST = timedelta(minutes=1), timedelta(days=30)


class Jasmin:
    """One user of its HTTP API."""

    hook_answer = HookResponse(body="ACK/Jasmin")

    def __init__(self, *, url: str, user: str, password: str, hook_secret: str, receipt_url: str) -> None:
        self._url, self._user, self._password = url, user, password
        self._hook_secret, self._receipt_url = hook_secret, receipt_url

    def request(self, text: Text) -> Request:
        """POST, form; what GSM-7 does not have goes as UCS-2 in hexadecimal."""
        form = {"username": self._user, "password": self._password, "to": text.to, "from": text.sender}
        cut = segment(text.body)
        if cut.alphabet is Alphabet.UCS_2:
            form |= {"coding": _UCS_2, "hex-content": ucs_2(cut.text).hex()}
        else:
            form |= {"coding": "0", "content": cut.text}
        if text.validity:
            form["validity-period"] = str(text.validity.within(VALID_AT_LEAST, VALID_AT_MOST).minutes)
        if self._receipt_url:
            callback = wire.with_key(self._receipt_url, text.key)
            form |= {"dlr": "yes", "dlr-level": "3", "dlr-method": "POST", "dlr-url": callback}
        return wire.form_request(self._url, form)

    def outcome(self, response: Response) -> Outcome:
        """200 `Success "id"`; an error names itself. One that it does not know itself (`Unknown error`) may come after the text
        has gone."""
        said = response.body.decode("utf-8", "replace").strip()
        if response.status == 200 and (found := _SUCCESS.match(said)):
            return Accepted(provider_ids=(found[1],))
        error = _ERROR.match(said)
        named = _REFUSALS.refused(response, "", error[1]) if error and 400 <= response.status < 600 else None
        if named is not None or 400 <= response.status < 500:
            return named or _CODES.refused(response, "", error[1] if error else said)
        return Unknown(detail=f"Jasmin answered {response.status}")

    def is_genuine(self, hook: Hook) -> bool:
        """Jasmin signs nothing: the secret in the path."""
        return wire.knows_secret(hook, self._hook_secret)

    def read(self, hook: Hook, bridge: str) -> Sequence[Receipt | Reply]:
        """A receipt has `message_status`; a reply has `content`, and `binary` where it is not GSM-7."""
        fields = wire.fields(hook)
        (provider_id,) = wire.needed(fields, "id")
        if "message_status" in fields:
            state = fields["message_status"]
            code = f"{state} {fields.get('err', '')}"
            known = ReceiptState.UNDELIVERED if _is_refusal(state) else _STATES.get(state)
            is_expired = state == "EXPIRED"
            return (wire.receipt(hook, bridge, provider_id=provider_id, to="", state=known, code=code, is_expired=is_expired),)
        (sender,) = wire.needed(fields, "from")
        if "content" not in fields:
            raise ValueError("content is missing")
        body = _wide(fields) if fields.get("coding") == _UCS_2 else fields["content"]
        return (wire.reply(hook, bridge, sender=sender, to=fields.get("to", ""), body=body, provider_id=provider_id),)


def _is_refusal(state: str) -> bool:
    """At level 1 the SMSC's own response: anything but ESME_ROK is its no."""
    return state.startswith("ESME_") and state != "ESME_ROK"


def _wide(fields: dict[str, str]) -> str:
    try:
        return from_utf_16(bytes.fromhex(fields.get("binary", ""))) or fields["content"]
    except ValueError:
        return fields["content"]
