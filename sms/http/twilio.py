"""Twilio's Messages API (2010-04-01), and SignalWire's, which is the same but for its addresses and its signing key. PURE.

Sources: Twilio's documentation of the Message resource, of its error codes, and of request validation (X-Twilio-Signature);
SignalWire's of the Compatibility API and of webhook security (X-SignalWire-Signature).
"""

import base64
import hashlib
import hmac
import re
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from email.utils import parsedate_to_datetime
from urllib.parse import parse_qsl, urlencode

from sms.http import wire
from sms.http.exchange import Hook, HookResponse, Request, Response
from sms.text import Accepted, Outcome, Receipt, ReceiptState, Reply, Text, Unknown

_OPTED_OUT = frozenset({"21610"})
_EXPIRED = frozenset({"30036"})
_NO_MOBILE = frozenset({"21614"})
_LANDLINE = frozenset({"30006"})
"""In a status callback: a landline; from a short code or a name also a carrier that such a sender does not reach."""
_STATES = {
    "delivered": ReceiptState.DELIVERED,
    "read": ReceiptState.DELIVERED,
    "undelivered": ReceiptState.UNDELIVERED,
    "failed": ReceiptState.UNDELIVERED,
    "canceled": ReceiptState.UNDELIVERED,
}
_CONFIGURATION = frozenset(
    {
        *("21212", "21603", "21606", "21609", "21659", "21660", "21661", "21703", "21705", "21910", "30016", "30032", "30034"),
        *("21408", "21608", "21612", "572002", "572005"),
        *("21624", "30045", "90007", "90014"),
    }
)
"""The sender or the address of our webhook; a country or a number that the account may not text; the validity."""
LOOK_BACK = timedelta(seconds=10)
"""Their clock and ours may differ so much."""
SHORT_CODE_AT_MOST = 8
VALID_AT_LEAST, VALID_AT_MOST = timedelta(seconds=6), timedelta(hours=10)
"""In Twilio's queue; it advises more than five seconds."""


def codes(who: str) -> wire.Codes:
    """Twilio's error codes by what they mean here."""
    return wire.Codes(
        who=who,
        opted_out=_OPTED_OUT,
        permanent=frozenset({"21214", "21265", "21602", "21617", "21635", "30004", "30005", "30006", "30007"}),
        number_dead=frozenset({"21211", "21217", "21614"}),
        account=frozenset({"10001", "10002", "20003", "20005", "20006", "20404", "30002", "90010"}),
        configuration=_CONFIGURATION,
        temporary=frozenset({"14107", "20429", "21611", "30001", "30022", "63038"}),
    )


class Twilio:
    """One account. `receipt_url` is empty where it cannot reach us, `signing_key` where calls cannot be verified."""

    hook_answer = HookResponse(content_type="text/xml", body="<Response/>")

    def __init__(
        self,
        *,
        messages_url: str,
        account: str,
        token: str,
        signing_key: str,
        receipt_url: str = "",
        who: str = "Twilio",
        signature_header: str = "x-twilio-signature",
        valid_at_most: timedelta = VALID_AT_MOST,
    ) -> None:
        self._url, self._account, self._signing_key = messages_url, account, signing_key
        self._authorization = wire.basic(account, token)
        self._receipt_url = receipt_url
        self._codes = codes(who)
        self._signature_header = signature_header
        self._valid_at_most = valid_at_most

    def request(self, text: Text) -> Request:
        """POST, form-encoded, Basic authentication (RFC 7617)."""
        form = {"To": text.to, "From": text.sender, "Body": text.body}
        if text.validity:
            form["ValidityPeriod"] = str(text.validity.within(VALID_AT_LEAST, self._valid_at_most).seconds)
        if self._receipt_url:
            form["StatusCallback"] = wire.with_key(self._receipt_url, text.key)
        return wire.form_request(self._url, form, Authorization=self._authorization)

    def outcome(self, response: Response) -> Outcome:
        """201 with a sid is a yes; a 4xx is a no of some kind; anything else leaves it open."""
        members = wire.json_object(response.body)
        sid = wire.scalar(members.get("sid"))
        if 200 <= response.status < 300 and sid:
            return Accepted(provider_ids=(sid,))
        if not 400 <= response.status < 500:
            return Unknown(detail=f"{self._codes.who} answered {response.status}")
        return self._codes.refused(response, wire.scalar(members.get("code")), members.get("message"))

    def is_genuine(self, hook: Hook) -> bool:
        """HMAC-SHA1 over the public URL and the sorted form fields, base64. The URL counts with its port and without."""
        if not self._signing_key:
            return False
        fields = sorted(set(parse_qsl(hook.body.decode("utf-8", "replace"), keep_blank_values=True)))
        signed = "".join(name + value for name, value in fields)
        shown = hook.headers.get(self._signature_header, "")
        return any(wire.is_same(self._signature(url + signed), shown) for url in _with_and_without_port(hook.url))

    def read(self, hook: Hook, bridge: str) -> Sequence[Receipt | Reply]:
        """A status callback has MessageStatus; an inbound message has Body and From."""
        form = wire.form(hook.body)
        sid = form.get("MessageSid") or form.get("SmsSid")
        if not sid:
            raise ValueError("MessageSid is missing")
        if "MessageStatus" in form:
            error = form.get("ErrorCode", "")
            return (
                wire.receipt(
                    hook,
                    bridge,
                    provider_id=sid,
                    to=form.get("To", ""),
                    state=_STATES.get(form["MessageStatus"]),
                    code=f"{form['MessageStatus']} {error}",
                    is_expired=error in _EXPIRED,
                    is_bridge_fault=self._codes.is_bridge_fault(error),
                    is_number_dead=error in _NO_MOBILE or (error in _LANDLINE and _is_from_a_number(form.get("From", ""))),
                    is_opted_out=error in _OPTED_OUT,
                ),
            )
        if "From" not in form or "Body" not in form:
            raise ValueError("neither a status nor a message")
        to, word = form.get("To", ""), form.get("OptOutType", "")
        return (wire.reply(hook, bridge, sender=form["From"], to=to, body=form["Body"], provider_id=sid, word=word),)

    # --- a text whose answer was lost (CanLookUp) ---

    def look_up(self, text: Text, since: datetime) -> Request:
        """The list of messages to this number on that day and later."""
        wanted = {"To": text.to, "From": text.sender, "DateSent>": f"{since - LOOK_BACK:%Y-%m-%d}", "PageSize": "50"}
        return Request(url=f"{self._url}?{urlencode(wanted)}", headers={"Authorization": self._authorization}, method="GET")

    def found(self, response: Response, text: Text, since: datetime) -> Outcome | None:
        """The one outbound message with our body that was made since; two could be an earlier text's, so they say nothing."""
        messages = wire.json_object(response.body).get("messages") if response.status == 200 else None
        sids = [
            wire.scalar(wire.at(one, "sid"))
            for one in (messages if isinstance(messages, list) else [])
            if wire.at(one, "body") == text.body
            and wire.scalar(wire.at(one, "direction")).startswith("outbound")
            and _made_since(wire.scalar(wire.at(one, "date_created")), since - LOOK_BACK)
        ]
        return wire.the_only(sids)

    def _signature(self, signed: str) -> str:
        return base64.b64encode(hmac.new(self._signing_key.encode(), signed.encode(), hashlib.sha1).digest()).decode()


def _is_from_a_number(sender: str) -> bool:
    """No short code and no name; one that is not said is the line's number."""
    return not sender or (sender.startswith("+") and len(sender) > SHORT_CODE_AT_MOST)


def _with_and_without_port(url: str) -> tuple[str, str]:
    """Twilio signs a URL with its standard port or without it; which, depends on the kind of call."""
    found = re.fullmatch(r"(https?)://([^/:?]+)(:\d+)?(.*)", url, re.DOTALL)
    if found is None:
        return url, url
    scheme, host, port, rest = found.groups()
    standard = ":443" if scheme == "https" else ":80"
    return f"{scheme}://{host}{port or standard}{rest}", f"{scheme}://{host}{'' if port in (None, standard) else port}{rest}"


def _made_since(date: str, since: datetime) -> bool:
    """An RFC 2822 date that is not before an instant."""
    try:
        made = parsedate_to_datetime(date)
    except ValueError:
        return False
    return (made if made.tzinfo else made.replace(tzinfo=UTC)) >= since.replace(microsecond=0)
