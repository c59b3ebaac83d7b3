"""Phone numbers do not get into logs by way of what networks say; codes and ids do."""

import re
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from structlog.testing import capture_logs

from sms.http.bridge import HookRefused
from sms.http.exchange import Response
from sms.masking import without_numbers
from sms.smpp import deliver, receipt
from sms.smpp.pdu import Splitter
from sms.text import Refused
from tests.peers.faulty_smsc import FaultySmsc, deliver_sm
from tests.sms.provider_settings import provider
from tests.sms.test_providers import NOW
from tests.sms.test_smpp_bridge import KeepingSink, bound, until


@pytest.mark.parametrize(
    ("said", "shown"),
    [
        ("+14155550123", "•••23"),
        ("The 'To' number +14155550123 is not valid.", "The 'To' number •••23 is not valid."),
        ("to=14155550123&from=14155550100", "to=•••23&from=•••00"),
        ("0014155550123 01114155550123", "•••23 •••23"),
        ("+1 (415) 555-0123", "•••23"),
        ("(415) 555-0123, ext 7", "•••23, ext 7"),
        ("415.555.0123", "•••23"),
        ("+49 30 901820", "•••20"),
        ("+33.1.42.68.53.00", "•••00"),
        ("tel:+1-415-555-0123;x", "tel:•••23;x"),
        ("+14155550123 and +14155550124", "•••23 and •••24"),
        ("+14155550123 +14155550124", "•••23 •••24"),
        ("14155550123 14155550124", "•••23 •••24"),
        ("415 555 0123 415 555 0124", "•••15 •••55 •••23 •••15 •••55 •••24"),
        ("%2B14155550123", "•••23"),
        ("+1\u00a0415\u00a0555\u201101\u201123", "•••23"),
        ("٠١٢٣٤٥٦٧٨٩", "•••٨٩"),
        ("1234567", "•••67"),
        ("123456", "123456"),
        ("123456789012345", "•••45"),
        ("1234567890123456", "1234567890123456"),
        ("0x0000000B", "0x0000000B"),
        ("the SMSC says 0x00000045: submit failed", "the SMSC says 0x00000045: submit failed"),
        ("21610", "21610"),
        ("UNDELIV err:011", "UNDELIV err:011"),
        ("SM0123456789abcdef0123456789abcdef", "SM0123456789abcdef0123456789abcdef"),
        ("a97d4e8a-6047-4e2b-be48-fb96b33b5642", "a97d4e8a-6047-4e2b-be48-fb96b33b5642"),
        ("text 17 of 20, line 3", "text 17 of 20, line 3"),
        ("Connect call failed ('192.0.2.10', 2775)", "Connect call failed ('192.0.2.10', 2775)"),
        ("198.51.100.255:8080 (192.0.2.10)", "198.51.100.255:8080 (192.0.2.10)"),
        ("2026-11-24 08:18:02", "2026-11-24 08:18:02"),
        ("429 Too Many Requests (20429)", "429 Too Many Requests (20429)"),
        ("", ""),
    ],
)
def test_table(said: str, shown: str) -> None:
    assert without_numbers(said) == shown
    assert without_numbers(shown) == shown


@given(
    before=st.sampled_from(["", "to ", "number:", "'", "to=", "(", "\n"]),
    after=st.sampled_from(["", " is not valid", ".", "'", ")", ",7", "\n"]),
    groups=st.lists(st.text("0123456789", min_size=1, max_size=5), min_size=1, max_size=6).filter(
        lambda groups: 8 <= sum(map(len, groups)) <= 15 and not (len(groups) == 4 and max(map(len, groups)) < 4)
    ),
    between=st.sampled_from(["", " ", "-", ") "]),
)
def test_no_number_is_ever_shown_whole(before: str, after: str, groups: list[str], between: str) -> None:
    """However it is written and wherever it stands."""
    shown = without_numbers(f"{before}+{between.join(groups)}{after}")
    assert len(re.sub(r"\D", "", shown.removesuffix(after))) <= 2


SAYS = "cannot send to +14155550123"


@pytest.mark.parametrize(
    ("kind", "status", "body"),
    [
        ("twilio", 400, f'{{"code": 21211, "message": "{SAYS}"}}'),
        ("telnyx", 400, f'{{"errors": [{{"code": "40310", "detail": "{SAYS}"}}]}}'),
        ("bandwidth", 400, f'{{"type": "x", "description": "{SAYS}"}}'),
        ("bandwidth", 500, f'{{"type": "x", "description": "{SAYS}"}}'),
        ("vonage", 200, f'{{"messages": [{{"status": "3", "error-text": "{SAYS}"}}]}}'),
        ("plivo", 400, f'{{"error": "{SAYS}"}}'),
        ("sinch", 400, f'{{"code": "+14155550123", "text": "{SAYS}"}}'),
        ("android", 400, f'{{"message": "{SAYS}"}}'),
        ("kannel", 400, SAYS),
        ("kannel", 503, SAYS),
        ("jasmin", 412, f'Error "{SAYS}"'),
        ("jasmin", 500, f'Error "{SAYS}"'),
    ],
)
def test_refusals_show_no_number(tmp_path: Path, kind: str, status: int, body: str) -> None:
    outcome = provider(kind, tmp_path).outcome(Response(status=status, headers={}, body=body.encode()))
    assert isinstance(outcome, Refused)
    assert "cannot send to •••23" in outcome.detail
    assert "5550123" not in outcome.code + outcome.detail


def test_receipts_and_refused_hooks_show_no_number() -> None:
    (one,) = Splitter().feed(deliver_sm(1, b"id:1 stat:UNDELIV err:14155550123", esm_class=4))
    assert receipt.read(deliver.read(one), "primary", NOW).code == "UNDELIV err:•••23"
    assert str(HookRefused(400, "14155550123 is missing")) == "•••23 is missing"


async def test_what_the_store_says_of_a_reply_is_logged_without_its_number() -> None:
    class Full(KeepingSink):
        async def reply(self, reply: object) -> None:
            raise OSError("no room for +14155550123")

    smsc = await FaultySmsc().start()
    with capture_logs() as logged:
        async with bound(smsc, sink=Full()):
            smsc.links[0].writer.write(deliver_sm(1, b"STOP"))
            await until(lambda: smsc.responses)
    (found,) = [entry for entry in logged if entry["event"] == "delivery_not_stored"]
    assert found["error"] == "no room for •••23"
