"""Whose fault a refusal is, for every kind of bridge: the account's, the number's, the text's, the moment's, or nobody's who
could be named. From the providers' documentation, and for Jasmin and Kannel from their source."""

import json
from pathlib import Path
from typing import Any

import pytest

from config.bridges import KINDS
from sms.http.exchange import Hook, Response
from sms.smpp import status
from sms.text import Receipt, Refusal, Refused, Unknown
from tests.sms.provider_settings import SECTIONS, provider
from tests.sms.test_providers import NOW, TEXT, bandwidth, said, telnyx

ACCOUNT, DESTINATION, NUMBER, TEXT_ITSELF, MOMENT, NO_ROUTE, OPTED_OUT = (
    "account", "destination", "number", "text", "moment", "no route", "opted out",
)  # fmt: skip
"""What a refusal is about. `destination`: what the account lacks for this text alone, its sender or where it goes."""


def about(refused: Refused) -> str:
    """The refusal in one word."""
    if refused.is_number_dead:
        assert refused.kind is Refusal.PERMANENT
        return NUMBER
    if refused.kind is Refusal.CONFIGURATION:
        return ACCOUNT if refused.is_account else DESTINATION
    assert not refused.is_account
    return {
        Refusal.PERMANENT: TEXT_ITSELF,
        Refusal.TEMPORARY: MOMENT,
        Refusal.NO_ROUTE: NO_ROUTE,
        Refusal.OPTED_OUT: OPTED_OUT,
    }[refused.kind]


def code(kind: str, value: int | str, words: str = "") -> str:
    """An answer's body with a code of the provider's, as it writes it."""
    match kind:
        case "telnyx":
            return json.dumps({"errors": [{"code": str(value), "title": words}]})
        case "vonage":
            return json.dumps({"messages": [{"status": str(value), "error-text": words}]})
        case "bandwidth":
            return json.dumps({"type": "refused", "errorCode": value, "description": words})
        case _:
            return json.dumps({"code": value, "message": words, "text": words})


CODES: dict[tuple[str, int], dict[str, tuple[int, ...]]] = {
    ("twilio", 400): {
        OPTED_OUT: (21610,),
        NUMBER: (21211, 21614),
        TEXT_ITSELF: (21602, 21617, 30007),
        MOMENT: (21611, 14107, 30001, 30022),
        ACCOUNT: (20003, 20005, 10001, 90010, 30002),
        DESTINATION: (
            21408, 21608, 21612, 21910, 21606, 21603, 21212, 21659, 21660, 21661, 21703, 21705, 21609, 21624, 90007, 30016,
            30032, 30034, 572002, 572005,
        ),
    },
    ("telnyx", 400): {
        NUMBER: (40001, 40310),
        TEXT_ITSELF: (40009, 40012, 40302, 40316, 40322),
        MOMENT: (10011, 40006, 40011, 40014, 40016, 40018, 40318),
        ACCOUNT: (10009, 10010, 20002, 20006, 20012, 20013, 20014, 20016, 20017, 20100, 40311, 40312, 40313, 40314),
        DESTINATION: (
            10001, 10039, 20015, 40010, 40013, 40100, 40150, 40151, 40301, 40305, 40306, 40308, 40309, 40315, 40319, 40320, 40321,
            40329,
        ),
    },
    ("bandwidth", 400): {
        OPTED_OUT: (4775,),
        NUMBER: (4303, 4720, 4721),
        TEXT_ITSELF: (4301, 4406, 4470, 4770),
        MOMENT: (4780, 4781, 4785, 5600),
        ACCOUNT: (4493,),
        DESTINATION: (
            4001, 4302, 4403, 4405, 4407, 4421, 4431, 4432, 4433, 4452, 4481, 4740, 4773, 4774, 4791, 4792, 4793, 4795,
        ),
    },
    ("vonage", 200): {
        OPTED_OUT: (101,),
        NUMBER: (33,),
        TEXT_ITSELF: (3, 6, 7, 12),
        MOMENT: (1, 5, 10, 13),
        ACCOUNT: (4, 8, 9, 11, 14, 32),
        DESTINATION: (15, 16, 19, 22, 23, 29),
    },
}  # fmt: skip

WORDS: list[tuple[str, int, str, str]] = [
    ("twilio", 403, code("twilio", 21408), DESTINATION),
    ("signalwire", 401, "", ACCOUNT),
    ("signalwire", 422, code("signalwire", "21408"), DESTINATION),
    ("telnyx", 403, code("telnyx", 40300, "Blocked due to STOP message"), OPTED_OUT),
    ("telnyx", 400, code("telnyx", 40300), OPTED_OUT),
    ("telnyx", 403, code("telnyx", 40300, "The from number is not assigned to a messaging profile"), DESTINATION),
    ("bandwidth", 400, '{"type": "request-validation", "fieldErrors": [{"fieldName": "from"}]}', DESTINATION),
    ("bandwidth", 400, '{"type": "request-validation", "fieldErrors": [{"fieldName": "applicationId"}]}', DESTINATION),
    ("bandwidth", 400, '{"type": "request-validation", "fieldErrors": [{"fieldName": "expiration"}]}', DESTINATION),
    ("bandwidth", 400, '{"type": "request-validation", "fieldErrors": [{"fieldName": "to[0]"}]}', TEXT_ITSELF),
    ("bandwidth", 403, '{"type": "forbidden"}', ACCOUNT),
    ("vonage", 200, code("vonage", 3, "Invalid from param"), DESTINATION),
    ("vonage", 200, code("vonage", 3, "Invalid to param"), TEXT_ITSELF),
    ("plivo", 400, '{"error": "src is not a valid phone number"}', DESTINATION),
    ("plivo", 400, '{"error": "dst is not a valid phone number"}', TEXT_ITSELF),
    ("plivo", 401, "", ACCOUNT),
    ("plivo", 402, "", ACCOUNT),
    ("plivo", 429, "", MOMENT),
    ("sinch", 400, '{"code": "syntax_invalid_parameter_format", "text": "Invalid recipient in to"}', TEXT_ITSELF),
    ("sinch", 400, '{"code": "syntax_constraint_violation", "text": "The from number is not allowed"}', DESTINATION),
    ("sinch", 402, '{"code": "insufficient_credit"}', ACCOUNT),
    ("sinch", 403, '{"code": "forbidden"}', ACCOUNT),
    ("sinch", 429, "", MOMENT),
    ("android", 400, '{"message": "invalid phone number"}', TEXT_ITSELF),
    ("android", 400, '{"message": "no suitable device found"}', DESTINATION),
    ("android", 401, "", ACCOUNT),
    ("android", 503, '{"message": "message queue limit exceeded"}', MOMENT),
    ("kannel", 403, "Authorization failed for sendsms", ACCOUNT),
    ("kannel", 403, "Not routable. Do not try again.", NO_ROUTE),
    ("kannel", 403, "Number(s) has/have been denied by white- and/or black-lists.", NO_ROUTE),
    ("kannel", 400, "Sender missing and no global set, rejected", DESTINATION),
    ("kannel", 400, "Validity field misformed, rejected", DESTINATION),
    ("kannel", 400, "Missing receiver number, rejected", TEXT_ITSELF),
    ("kannel", 503, "Temporal failure, try again later.", MOMENT),
    ("jasmin", 403, 'Error "Authentication failure for username:textback"', ACCOUNT),
    ("jasmin", 403, 'Error "User throughput exceeded"', MOMENT),
    ("jasmin", 403, 'Error "Cannot charge submit_sm, check RouterPB log file for details"', ACCOUNT),
    ("jasmin", 412, 'Error "No route found"', NO_ROUTE),
    ("jasmin", 412, 'Error "Failover route has no bound connectors"', MOMENT),
    ("jasmin", 400, 'Error "Authorization failed for user [u] (Cannot send MT messages)."', ACCOUNT),
    ("jasmin", 400, 'Error "Authorization failed for user [u] (Long content not authorized)."', DESTINATION),
    ("jasmin", 400, 'Error "Authorization failed for user [u] (Setting validity period not authorized)."', DESTINATION),
    ("jasmin", 400, 'Error "Value filter failed for user [u] (source_address filter mismatch)."', DESTINATION),
    ("jasmin", 400, 'Error "Value filter failed for user [u] (destination_address filter mismatch)."', NO_ROUTE),
    ("jasmin", 400, 'Error "Value filter failed for user [u] (content filter mismatch)."', TEXT_ITSELF),
    ("jasmin", 400, 'Error "Argument [to] has an invalid value: [12]."', TEXT_ITSELF),
    ("jasmin", 400, 'Error "Argument [validity-period] is unknown."', DESTINATION),
    ("jasmin", 500, 'Error "Cannot send submit_sm, check SMPPClientManagerPB log file for details"', MOMENT),
    ("jasmin", 503, 'Error "InterceptorPB not connected !"', MOMENT),
    ("http", 401, "", ACCOUNT),
    ("http", 403, "", ACCOUNT),
    ("http", 400, "", TEXT_ITSELF),
    ("http", 429, "", MOMENT),
]  # fmt: skip
TABLE = [
    (kind, http_status, code(kind, one), word)
    for (kind, http_status), words in CODES.items()
    for word, codes in words.items()
    for one in codes
] + WORDS


def outcome(kind: str, directory: Path, http_status: int, body: str) -> Any:
    return provider(kind, directory).outcome(Response(status=http_status, headers={}, body=body.encode()))


def test_every_provider_has_a_table() -> None:
    assert {kind for kind, *_ in TABLE} == set(SECTIONS) == set(KINDS) - {"smpp", "spool"}


@pytest.mark.parametrize(("kind", "http_status", "body", "word"), TABLE)
def test_whose_fault_a_refusal_is(tmp_path: Path, kind: str, http_status: int, body: str, word: str) -> None:
    found = outcome(kind, tmp_path, http_status, body)
    assert isinstance(found, Refused)
    assert about(found) == word


@pytest.mark.parametrize(
    ("kind", "http_status", "body"),
    [
        ("jasmin", 500, 'Error "Unknown error: list index out of range"'),
        ("jasmin", 503, "<html>Service unavailable</html>"),
        ("kannel", 503, ""),
        ("android", 503, "<html>Service unavailable</html>"),
    ],
)
def test_answers_that_may_come_after_the_text_went_are_unknown(tmp_path: Path, kind: str, http_status: int, body: str) -> None:
    assert isinstance(outcome(kind, tmp_path, http_status, body), Unknown)


SMPP = {
    ACCOUNT: (0x04, 0x0D, 0x0E, 0x0F),
    DESTINATION: (
        0x02, 0x03, 0x05, 0x06, 0x07, 0x0A, 0x15, 0x33, 0x40, 0x43, 0x48, 0x49, 0x50, 0x51, 0x53, 0x54, 0x61, 0x62, 0x63, 0xC0,
        0xC1, 0xC2, 0xC3, 0xC4,
    ),
    NO_ROUTE: (0x0B, 0x0410, 0x04FF),
    TEXT_ITSELF: (0x01, 0x65, 0x66, 0xFE),
    MOMENT: (0x08, 0x14, 0x45, 0x58, 0x64, 0xFF),
}  # fmt: skip


@pytest.mark.parametrize(("command_status", "word"), [(one, word) for word, codes in SMPP.items() for one in codes])
def test_whose_fault_a_command_status_is(command_status: int, word: str) -> None:
    found = status.refused(command_status)
    assert about(found) == word
    assert found.code == f"0x{command_status:08X}"


# --- what a receipt says of the number ---


def landline(sender: str, error: str = "30006") -> dict[str, str]:
    return {
        "MessageSid": "1",
        "MessageStatus": "undelivered",
        "To": TEXT.to,
        "ErrorCode": error,
        **({"From": sender} if sender else {}),
    }


@pytest.mark.parametrize(
    ("kind", "told", "is_dead"),
    [
        ("twilio", landline("+14155550100"), True),
        ("twilio", landline(""), True),
        ("twilio", landline("72345"), False),
        ("twilio", landline("ABC HVAC"), False),
        ("twilio", landline("72345", "21614"), True),
        ("signalwire", landline("72345"), False),
        ("bandwidth", [{"type": "message-failed", "to": TEXT.to, "errorCode": 4720, "message": {"id": "1", "from": "+18005550100"}}], False),
        ("bandwidth", [{"type": "message-failed", "to": TEXT.to, "errorCode": 4720, "message": {"id": "1", "from": "+14155550100"}}], True),
        ("bandwidth", [{"type": "message-failed", "to": TEXT.to, "errorCode": 4721, "message": {"id": "1", "from": "+18005550100"}}], True),
    ],
)  # fmt: skip
def test_what_only_the_sender_cannot_reach_is_not_dead(tmp_path: Path, kind: str, told: Any, is_dead: bool) -> None:
    (found,) = said(kind, tmp_path, "receipt", told)
    assert isinstance(found, Receipt)
    assert found.is_number_dead is is_dead


@pytest.mark.parametrize(
    ("words", "is_opted_out"), [("Blocked due to STOP message", True), ("", True), ("Invalid sender", False)]
)
def test_telnyx_says_in_words_whether_40300_was_a_stop(tmp_path: Path, words: str, is_opted_out: bool) -> None:
    told = telnyx("message.finalized", "delivery_failed", "40300")
    told["data"]["payload"]["errors"] = [{"code": "40300", "title": words}]
    hook = Hook(url="", headers={}, body=json.dumps(told).encode(), at=NOW)
    (found,) = provider("telnyx", tmp_path).read(hook, "primary")
    assert isinstance(found, Receipt)
    assert found.is_opted_out is is_opted_out


@pytest.mark.parametrize(
    ("kind", "told", "is_fault"),
    [
        ("twilio", landline("+14155550100", "30034"), True),
        ("twilio", landline("+14155550100", "30002"), True),
        ("twilio", landline("+14155550100", "30003"), False),
        ("telnyx", telnyx("message.finalized", "delivery_failed", "40010"), True),
        ("telnyx", telnyx("message.finalized", "delivery_failed", "40008"), False),
        ("bandwidth", bandwidth("message-failed", errorCode=4774), True),
        ("bandwidth", bandwidth("message-failed", errorCode=4750), False),
        ("plivo", {"MessageUUID": "u1", "Status": "failed", "ErrorCode": "40", "To": "14155550123"}, True),
        ("plivo", {"MessageUUID": "u1", "Status": "failed", "ErrorCode": "80", "To": "14155550123"}, False),
    ],
)
def test_receipt_may_blame_the_account(tmp_path: Path, kind: str, told: Any, is_fault: bool) -> None:
    """The text was accepted, and then the sender turns out not to be registered: too late for another bridge, so it is told."""
    (found,) = said(kind, tmp_path, "receipt", told)
    assert isinstance(found, Receipt)
    assert found.is_bridge_fault is is_fault
