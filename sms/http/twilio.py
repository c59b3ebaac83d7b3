"""Twilio's Messages API (2010-04-01): requests, answers, status callbacks, inbound messages, signatures. PURE.

Source: Twilio's documentation of the Message resource, of its error codes, and of request validation (X-Twilio-Signature).
"""

import base64
import hashlib
import hmac
import json
from datetime import timedelta
from urllib.parse import parse_qsl, urlencode

from sms.http.exchange import Answer, Hook, HookAnswer, Request
from sms.text import Accepted, Outcome, Receipt, ReceiptState, Refusal, Refused, Reply, Text, Unknown

_OPTED_OUT = frozenset({21610})
_PERMANENT = frozenset({21211, 21214, 21217, 21265, 21408, 21612, 21614, 21617, 21635, 30004, 30005, 30006})
_NUMBER_DEAD = frozenset({21211, 21217, 21614})
"""Invalid, or no mobile number."""
_LANDLINE = "30006"
"""In a status callback: landline or unreachable carrier."""
_CONFIGURATION = frozenset({20003, 20404, 21212, 21603, 21606, 21659, 21660, 21661, 21703, 30032, 30034})
"""Account, sender, or its registration."""
_TEMPORARY = frozenset({14107, 20429, 21611, 30001, 30022, 63038})
_STATES = {
    "delivered": ReceiptState.DELIVERED,
    "read": ReceiptState.DELIVERED,
    "undelivered": ReceiptState.UNDELIVERED,
    "failed": ReceiptState.UNDELIVERED,
}


class Twilio:
    """One account. `receipt_url` is empty where Twilio cannot reach us."""

    hook_answer = HookAnswer(content_type="text/xml", body="<Response/>")

    def __init__(self, *, base_url: str, account_sid: str, auth_token: str, receipt_url: str = "") -> None:
        self._url = f"{base_url.rstrip('/')}/2010-04-01/Accounts/{account_sid}/Messages.json"
        self._account = account_sid
        self._token = auth_token
        self._receipt_url = receipt_url

    def request(self, text: Text) -> Request:
        """POST, form-encoded, Basic authentication (RFC 7617)."""
        form = {"To": text.to, "From": text.sender, "Body": text.body}
        if self._receipt_url:
            form["StatusCallback"] = self._receipt_url
        credentials = base64.b64encode(f"{self._account}:{self._token}".encode()).decode()
        headers = {"Authorization": f"Basic {credentials}", "Content-Type": "application/x-www-form-urlencoded"}
        return Request(url=self._url, headers=headers, body=urlencode(form).encode())

    def outcome(self, answer: Answer) -> Outcome:
        """201 with a sid is a yes; a 4xx is a no of some kind; anything else leaves it open."""
        told = _json(answer.body)
        sid = told.get("sid")
        if 200 <= answer.status < 300 and isinstance(sid, str):
            return Accepted(provider_ids=(sid,))
        if not 400 <= answer.status < 500:
            return Unknown(detail=f"Twilio answered {answer.status}")
        found = told.get("code")
        code = found if isinstance(found, int) else None
        said = str(told.get("message", ""))[:200] or f"HTTP {answer.status}"
        return Refused(
            kind=_kind(answer.status, code),
            code=str(code or answer.status),
            detail=f"Twilio says {code or answer.status}: {said}",
            retry_after=_retry_after(answer),
            is_number_dead=code in _NUMBER_DEAD,
        )

    def is_genuine(self, hook: Hook) -> bool:
        """HMAC-SHA1 over the public URL and the sorted form fields, base64, in X-Twilio-Signature."""
        fields = sorted(parse_qsl(hook.body.decode("utf-8", "replace"), keep_blank_values=True))
        signed = hook.url + "".join(name + value for name, value in fields)
        expected = base64.b64encode(hmac.new(self._token.encode(), signed.encode(), hashlib.sha1).digest())
        return hmac.compare_digest(expected, hook.headers.get("x-twilio-signature", "").encode("utf-8", "replace"))

    def read(self, hook: Hook, bridge: str) -> Receipt | Reply | None:
        """A status callback has MessageStatus; an inbound message has Body and From."""
        form = dict(parse_qsl(hook.body.decode("utf-8", "replace"), keep_blank_values=True))
        sid = form.get("MessageSid") or form.get("SmsSid")
        if not sid:
            raise ValueError("MessageSid is missing")
        if "MessageStatus" in form:
            state = _STATES.get(form["MessageStatus"], ReceiptState.ON_ITS_WAY)
            code = f"{form['MessageStatus']} {form.get('ErrorCode', '')}".strip()
            return Receipt(
                bridge=bridge,
                provider_id=sid,
                to=form.get("To") or None,
                state=state,
                code=code[:64],
                at=hook.at,
                is_number_dead=form.get("ErrorCode") == _LANDLINE,
            )
        if "From" not in form or "Body" not in form:
            raise ValueError("neither a status nor a message")
        return Reply(bridge=bridge, sender=form["From"], to=form.get("To", ""), body=form["Body"], at=hook.at)


def _kind(status: int, code: int | None) -> Refusal:
    for kind, codes in (
        (Refusal.OPTED_OUT, _OPTED_OUT),
        (Refusal.PERMANENT, _PERMANENT),
        (Refusal.CONFIGURATION, _CONFIGURATION),
        (Refusal.TEMPORARY, _TEMPORARY),
    ):
        if code in codes:
            return kind
    if status in (401, 403, 404):
        return Refusal.CONFIGURATION
    return Refusal.TEMPORARY if status == 429 else Refusal.PERMANENT


def _retry_after(answer: Answer) -> timedelta | None:
    value = next((value for name, value in answer.headers.items() if name.lower() == "retry-after"), "")
    return timedelta(seconds=min(int(value), 3600)) if value.isascii() and value.isdecimal() else None


def _json(body: bytes) -> dict[str, object]:
    try:
        told = json.loads(body)
    except ValueError:
        return {}
    return told if isinstance(told, dict) else {}
