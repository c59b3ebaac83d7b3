"""Kannel's sendsms interface (1.4): the text as body, everything else as X-Kannel headers. PURE.

Source: Kannel's user guide: sendsms, delivery reports, sms-service. It gives no id, so our key is in its dlr-url.
"""

import re
from collections.abc import Sequence
from datetime import timedelta
from urllib.parse import urlencode

from sms.alphabets import from_utf_16
from sms.http import wire
from sms.http.exchange import Hook, HookResponse, Request, Response
from sms.segments import Alphabet, encodable, segment
from sms.text import Accepted, Outcome, Receipt, ReceiptState, Refusal, Refused, Reply, Text, Unknown, Validity

_CODES = wire.Codes(who="Kannel")
_REFUSALS = wire.Wording(
    who="Kannel",
    meanings=(
        wire.meaning(r"not routable|denied by", Refusal.NO_ROUTE),
        wire.meaning(r"authorization failed", Refusal.CONFIGURATION, is_account=True),
        wire.meaning(r"^(sender|account|dlr-|coding|charset|validity|unsupported)", Refusal.CONFIGURATION),
    ),
)
"""Its statuses are few: 403 stands for a wrong password, and for a number that no SMSC of its takes."""
_WIDE = "2"
_CODECS = {"8-BIT": "latin-1", "GSM": "utf-8"}
"""Kannel's own names; what it calls GSM it has made UTF-8 of."""
VALID_AT_LEAST, VALID_AT_MOST = timedelta(minutes=1), timedelta(days=30)
_STATES = {
    "1": ReceiptState.DELIVERED,
    "2": ReceiptState.UNDELIVERED,
    "4": ReceiptState.ON_ITS_WAY,
    "8": ReceiptState.ON_ITS_WAY,
    "16": ReceiptState.UNDELIVERED,
}
"""The bits of a delivery report: delivered, failed, queued at Kannel, accepted by the SMSC, refused by the SMSC."""
_STAT = re.compile(r"\bstat:\s*(\w+)", re.IGNORECASE)
_WANTED = "19"
"""Of these: the ones that settle a text, 1 + 2 + 16."""


class Kannel:
    """One sendsms-user."""

    hook_answer = HookResponse()

    def __init__(self, *, url: str, user: str, password: str, smsc: str, hook_secret: str, receipt_url: str) -> None:
        self._url, self._user, self._password, self._smsc = url, user, password, smsc
        self._hook_secret, self._receipt_url = hook_secret, receipt_url

    def request(self, text: Text) -> Request:
        """POST; without coding 2 Kannel would write ? for what GSM-7 does not have."""
        cut = segment(text.body)
        headers = {
            "Content-Type": "text/plain; charset=UTF-8",
            "X-Kannel-Username": self._user,
            "X-Kannel-Password": self._password,
            "X-Kannel-From": text.sender,
            "X-Kannel-To": text.to,
            "X-Kannel-Coding": "2" if cut.alphabet is Alphabet.UCS_2 else "0",
            **({"X-Kannel-SMSC": self._smsc} if self._smsc else {}),
            **({"X-Kannel-Validity": str(_minutes(text.validity))} if text.validity else {}),
        }
        if self._receipt_url:
            wanted = urlencode({"key": text.key, "state": "%d", "to": "%p", "answer": "%A"}, safe="%")
            headers |= {"X-Kannel-DLR-Mask": _WANTED, "X-Kannel-DLR-Url": f"{self._receipt_url}?{wanted}"}
        return Request(url=self._url, headers=headers, body=cut.text.encode())

    def outcome(self, response: Response) -> Outcome:
        """202: sent on, or queued. There is no id."""
        said = response.body.decode("utf-8", "replace").strip()
        if response.status == 202:
            return Accepted(provider_ids=())
        if 400 <= response.status < 500:
            return _REFUSALS.refused(response, "", said) or _CODES.refused(response, "", said)
        if response.status == 503 and said and not said.startswith("<"):
            return Refused(kind=Refusal.TEMPORARY, code="503", detail=f"Kannel says 503: {wire.words_of(said)}")
        return Unknown(detail=f"Kannel answered {response.status}")

    def is_genuine(self, hook: Hook) -> bool:
        """Kannel signs nothing: the secret in the path."""
        return wire.knows_secret(hook, self._hook_secret)

    def read(self, hook: Hook, bridge: str) -> Sequence[Receipt | Reply]:
        """A receipt as our dlr-url asks for it; a reply as get-url is documented: `from`, `to`, `text`, `charset`, `coding`,
        `id`."""
        fields = wire.fields(hook)
        if hook.what == "receipt":
            key, state, to = wire.needed(fields, "key", "state", "to")
            return (_receipt(hook, bridge, key, state, to, fields.get("answer", "")),)
        (sender,) = wire.needed(fields, "from")
        if "text" not in fields:
            raise ValueError("text is missing")
        to, provider_id = fields.get("to", ""), fields.get("id", "")
        body = _body(wire.octets(hook, "text") or b"", fields.get("charset", ""), fields.get("coding", ""))
        return (wire.reply(hook, bridge, sender=sender, to=to, body=body, provider_id=provider_id),)


def _body(octets: bytes, charset: str, coding: str) -> str:
    """The octets in the charset that Kannel names (%C). A get-url of before, without one, passes UTF-16 on as well."""
    is_wide = charset.upper().startswith(("UTF-16", "UCS-2")) or (coding == _WIDE and not charset)
    if is_wide or (not charset and b"\0" in octets):
        return from_utf_16(octets)
    try:
        return encodable(octets.decode(_CODECS.get(charset.upper(), charset or "utf-8"), "replace"))
    except (LookupError, ValueError):  # no charset, or none of text
        return octets.decode("utf-8", "replace")


def _receipt(hook: Hook, bridge: str, key: str, state: str, to: str, answer: str) -> Receipt:
    """`answer` is what the SMSC wrote: of a failed text its receipt, with the reason in `stat`."""
    found = _STAT.search(answer)
    stat = found[1].upper() if found else ""
    return wire.receipt(
        hook,
        bridge,
        provider_id=key,
        to=to,
        state=_STATES.get(state),
        code=f"{state} {stat or answer}",
        key=key,
        is_expired=stat == "EXPIRED",
    )


def _minutes(validity: Validity) -> int:
    return validity.within(VALID_AT_LEAST, VALID_AT_MOST).minutes
