"""What the providers' files share: credentials and bodies as octets, answers and calls read tolerantly, secrets. PURE."""

import base64
import hmac
import json
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Any
from urllib.parse import parse_qsl, urlencode, urlsplit

from sms.http.exchange import Hook, Request, Response
from sms.masking import without_numbers
from sms.segments import encodable
from sms.text import NOT_IN_TIME, Accepted, Receipt, ReceiptState, Refusal, Refused, Reply

FRESH_WITHIN = timedelta(minutes=5)
"""A signed call may be so old, or so far ahead of our clock."""
RETRY_AFTER_MOST_S = 3600
CODE_AT_MOST = 64
WORDS_AT_MOST = 200

# --- requests ---


def basic(user: str, password: str) -> str:
    """An Authorization header (RFC 7617)."""
    return "Basic " + base64.b64encode(f"{user}:{password}".encode()).decode()


def form_request(url: str, fields: Mapping[str, str], /, **headers: str) -> Request:
    """A form, UTF-8 (`application/x-www-form-urlencoded`)."""
    return Request(
        url=url, headers={"Content-Type": "application/x-www-form-urlencoded", **headers}, body=urlencode(fields).encode()
    )


def json_request(url: str, members: Mapping[str, Any], /, **headers: str) -> Request:
    """A JSON object."""
    return Request(url=url, headers={"Content-Type": "application/json", **headers}, body=json.dumps(members).encode())


def with_key(url: str, key: str) -> str:
    """A webhook's address that gives the text's key back."""
    return f"{url}{'&' if '?' in url else '?'}{urlencode({'key': key})}" if url else ""


# --- answers ---


def json_object(body: bytes) -> dict[str, Any]:
    """A JSON object; an empty one where it is none."""
    try:
        found = json.loads(body)
    except (ValueError, RecursionError):
        return {}
    return found if isinstance(found, dict) else {}


def at(found: Any, *path: str | int) -> Any:
    """What stands at a path of keys and places, or None."""
    for step in path:
        if isinstance(found, dict) and isinstance(step, str):
            found = found.get(step)
        elif isinstance(found, list) and isinstance(step, int) and -len(found) <= step < len(found):
            found = found[step]
        else:
            return None
    return found


def scalar(found: Any) -> str:
    """A string or a number as a string that can be written down; anything else is empty."""
    return encodable(str(found)) if isinstance(found, str | int | float) and not isinstance(found, bool) else ""


def words_of(said: object) -> str:
    """A provider's own words as they may be logged: no phone number, and no more than a few lines."""
    return without_numbers(encodable(str(said or "")))[:WORDS_AT_MOST]


def the_only(ids: Sequence[str]) -> Accepted | None:
    """The message that must be the text; where there are several one may be an earlier text's, and that says nothing."""
    return Accepted(provider_ids=(ids[0],)) if len(ids) == 1 and ids[0] else None


def header(response: Response, name: str) -> str:
    """A header by its name in lower case."""
    return next((value for key, value in response.headers.items() if key.lower() == name), "")


@dataclass(frozen=True, slots=True, kw_only=True)
class Codes:
    """Which of a provider's codes means which refusal; what is not named goes by the HTTP status."""

    who: str
    opted_out: frozenset[str] = frozenset()
    permanent: frozenset[str] = frozenset()
    account: frozenset[str] = frozenset()
    """Whatever we send: credentials, funds, a suspended account."""
    configuration: frozenset[str] = frozenset()
    """What the account lacks for this text: its sender, the country that it goes to."""
    temporary: frozenset[str] = frozenset()
    no_route: frozenset[str] = frozenset()
    number_dead: frozenset[str] = frozenset()
    """Also permanent: this number can never be texted."""

    def is_bridge_fault(self, code: str) -> bool:
        """Does this code blame our account or our sender?"""
        return code in self.account or code in self.configuration

    def refused(self, response: Response, code: str, said: object) -> Refused:
        """A definite no."""
        shown = code or str(response.status)
        words = words_of(said) or f"HTTP {response.status}"
        named = self._kind(code)
        return Refused(
            kind=named or _by_status(response.status),
            code=without_numbers(shown[:CODE_AT_MOST]),
            detail=f"{self.who} says {without_numbers(shown)}: {words}",
            retry_after=_retry_after(response),
            is_number_dead=code in self.number_dead,
            is_account=code in self.account or (named is None and response.status in (401, 402, 403)),
        )

    def _kind(self, code: str) -> Refusal | None:
        """By the code; None where it is not named."""
        for kind, codes in (
            (Refusal.OPTED_OUT, self.opted_out),
            (Refusal.PERMANENT, self.permanent | self.number_dead),
            (Refusal.CONFIGURATION, self.account | self.configuration),
            (Refusal.TEMPORARY, self.temporary),
            (Refusal.NO_ROUTE, self.no_route),
        ):
            if code and code in codes:
                return kind
        return None


def _by_status(status: int) -> Refusal:
    if status in (401, 402, 403, 404, 405, 407):
        return Refusal.CONFIGURATION
    return Refusal.TEMPORARY if status in (408, 425, 429) else Refusal.PERMANENT


@dataclass(frozen=True, slots=True, kw_only=True)
class Wording:
    """For providers that give no code, or one for many things: the first pattern that is found in their words says what is
    meant. The second member says whether it is the whole account's."""

    who: str
    meanings: tuple[tuple[re.Pattern[str], Refusal, bool], ...]

    def refused(self, response: Response, code: str, said: str) -> Refused | None:
        """A definite no, or None where the words are not known."""
        for pattern, kind, is_account in self.meanings:
            if pattern.search(said):
                found = Codes(who=self.who).refused(response, code, said)
                return replace(found, kind=kind, is_account=is_account)
        return None


def meaning(words: str, kind: Refusal, *, is_account: bool = False) -> tuple[re.Pattern[str], Refusal, bool]:
    """One row of a `Wording`."""
    return re.compile(words, re.IGNORECASE), kind, is_account


def _retry_after(response: Response) -> timedelta | None:
    value = header(response, "retry-after")
    return timedelta(seconds=min(int(value), RETRY_AFTER_MOST_S)) if value.isascii() and value.isdecimal() else None


# --- calls ---


def fields(hook: Hook) -> dict[str, str]:
    """The fields of a form or of the query; of both, the form's count."""
    return {**hook.query, **form(hook.body)}


def form(body: bytes) -> dict[str, str]:
    """The fields of a form."""
    return dict(parse_qsl(body.decode("utf-8", "replace"), keep_blank_values=True))


def octets(hook: Hook, name: str) -> bytes | None:
    """A field as it came, before anybody took it for UTF-8: of the form, else of the address."""
    for written in (hook.body.decode("latin-1"), urlsplit(hook.url).query):
        found = dict(parse_qsl(written, keep_blank_values=True, encoding="latin-1"))
        if name in found:
            return found[name].encode("latin-1")
    return None


def needed(found: Mapping[str, Any], *names: str) -> list[str]:
    """Fields that must be there; `ValueError` names the first that is not."""
    for name in names:
        if not isinstance(found.get(name), str | int) or found[name] == "":
            raise ValueError(f"{name} is missing")
    return [encodable(str(found[name])) for name in names]


def is_same(expected: str, shown: str) -> bool:
    """Compared in constant time, whatever a stranger sends."""
    return hmac.compare_digest(expected.encode(), shown.encode("utf-8", "replace"))


def knows_secret(hook: Hook, secret: str) -> bool:
    """For providers that sign nothing: is the secret part of the path right? Never where none is configured."""
    return bool(secret) and is_same(secret, hook.secret)


def is_fresh(timestamp: str, now: datetime) -> bool:
    """Seconds since 1970, close enough to our clock: an old call cannot be played back."""
    if not (timestamp.isascii() and timestamp.isdecimal() and len(timestamp) <= 11):
        return False
    return abs(int(timestamp) - now.timestamp()) <= FRESH_WITHIN.total_seconds()


def e164(number: str) -> str:
    """The number of a provider that leaves out the plus and always writes the country code."""
    digits = number.strip().removeprefix("+")
    return "+" + digits if digits.isascii() and digits.isdecimal() and len(digits) > 6 else number.strip()


def receipt(
    hook: Hook,
    bridge: str,
    *,
    provider_id: str,
    to: str,
    state: ReceiptState | None,
    code: str,
    key: str = "",
    is_number_dead: bool = False,
    is_opted_out: bool = False,
    is_of_part: bool = False,
    is_expired: bool = False,
    is_bridge_fault: bool = False,
) -> Receipt:
    """A receipt; a state that nobody knows says nothing."""
    code = " ".join(code.split()) + (f": {NOT_IN_TIME}" if is_expired else "")
    return Receipt(
        bridge=bridge,
        provider_id=provider_id[:128],
        to=to.strip() or None,
        state=state or ReceiptState.ON_ITS_WAY,
        code=without_numbers(code)[:CODE_AT_MOST],
        at=hook.at,
        key=key or hook.query.get("key", ""),
        is_number_dead=is_number_dead,
        is_opted_out=is_opted_out,
        is_of_part=is_of_part,
        is_bridge_fault=is_bridge_fault,
    )


def reply(hook: Hook, bridge: str, *, sender: str, to: str, body: str, provider_id: str, word: str = "") -> Reply:
    """A whole reply."""
    provider_id = provider_id[:128]
    return Reply(bridge=bridge, sender=sender.strip(), to=to.strip(), body=body, at=hook.at, provider_id=provider_id, word=word)
