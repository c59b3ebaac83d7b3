"""`textback check` says what is in effect where the file says nothing, and whence."""

import json
import subprocess
import sys
from pathlib import Path

import pytest

from config.load import ConfigError, load
from gateway.preview.by_default import by_default
from tests.preview.test_advice import GOOD, configured

TWILIO = '[sms.backup]\nkind = "twilio"\naccount_sid = "AC1"\nauth_token_file = "contacts.csv"\n'
KANNEL = '[sms.box]\nkind = "kannel"\nusername = "u"\npassword_file = "contacts.csv"\nper_second = "unlimited"\n'
SMPP = '[sms.primary]\nkind = "smpp"\nhost = "h"\nsystem_id = "x"\n'


def said(tmp_path: Path, text: str) -> dict[str, str]:
    return {advice.key: advice.says for advice in by_default(load(configured(tmp_path, text)))}


def consent(values: str, text: str = GOOD) -> str:
    return text.replace("[limits]", f"[consent]\n{values}\n[limits]")


IN_BRITAIN = GOOD.replace("+14155550100", "+442079460018").replace('region = "US"', 'region = "GB"')
WITH_CANADA = GOOD.replace("per_day = 100", 'per_day = 100\nregions = ["US", "CA", "GB"]')


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        (GOOD, "21:00-08:00 for callers of US; on the caller's clock; texts wait until they end"),
        (
            WITH_CANADA,
            "21:00-08:00 for callers of US; 21:30-09:00 for callers of CA; none for callers of GB; on the caller's clock",
        ),
        (IN_BRITAIN, "none for callers of GB: they are texted at any hour"),
        (consent('when_quiet = "skip"'), "on the caller's clock; no text is sent then"),
        (consent('when_quiet = "send"'), None),
        (consent('quiet_hours = "off"'), None),
        (consent('quiet_hours = "20:00-08:00"'), None),
    ],
)
def test_quiet_hours(tmp_path: Path, text: str, expected: str | None) -> None:
    found = said(tmp_path, text).get("consent.quiet_hours")
    assert found is None if expected is None else found is not None and expected in found, found


def test_what_is_set_is_not_repeated(tmp_path: Path) -> None:
    found = said(tmp_path, GOOD)
    assert found["line.front"] == 'ring_most = "5m", min_ring = "3s", same_call_within = "20s", sender = "+14155550100"'
    assert found["line.front.text"] == 'wait = "0s", once_per = "day", expires = "15m"'
    assert found["limits.regions"] == "callers of US and its territories are texted, no others"
    text = GOOD.replace("[line.front.text]\n", '[line.front.text]\nonce_per = "20m"\nwait = "5m"\nexpires = "1h"\n')
    text = text.replace(
        'business = "ABC"', 'business = "ABC"\nring_most = "15s"\nmin_ring = "1s"\nsame_call_within = "off"\nsender = "78787"'
    )
    found = said(tmp_path, text.replace("per_day = 100", 'per_day = 100\nregions = ["US"]'))
    assert set(found) == {"consent.quiet_hours"}


@pytest.mark.parametrize(
    "written",
    [
        '[line.front.text]\nmessage = "x {business} STOP"\nonce_per = "call"\nwait = "1m"\nexpires = "1h"',
        'text = { message = "x {business} STOP", once_per = "call", wait = "1m", expires = "1h" }',
        'text.message = "x {business} STOP"\ntext.once_per = "call"\ntext.wait = "1m"\ntext.expires = "1h"',
    ],
)
def test_however_a_key_is_written_it_is_set(tmp_path: Path, written: str) -> None:
    text = GOOD[: GOOD.index("[line.front.text]")] + written + "\n"
    assert "line.front.text" not in said(tmp_path, text)


def test_nobody_known_as_staff(tmp_path: Path) -> None:
    found = said(tmp_path, GOOD.replace('[contacts]\nfile = "contacts.csv"\n', ""))
    assert found["contacts"] == "none: staff who call in are texted like customers; [contacts] file names them"


@pytest.mark.parametrize("value", ["false", '"none"', '"21:00"', '""', "21", '["21:00-08:00"]', '"OFF"'])
def test_quiet_hours_that_are_none(tmp_path: Path, value: str) -> None:
    with pytest.raises(ConfigError, match=r'consent\.quiet_hours: .* such as "21:00-08:00", or "off"$'):
        load(configured(tmp_path, consent(f"quiet_hours = {value}")))


@pytest.mark.parametrize("value", ["0", "-1", "10001", "nan", "true", '"fast"', '"1.0"', "[1.0]"])
def test_pace_that_is_none(tmp_path: Path, value: str) -> None:
    with pytest.raises(ConfigError, match=r'sms\.primary\.per_second: .* such as 1\.0, or "unlimited"$'):
        load(configured(tmp_path, f"{GOOD}{SMPP}per_second = {value}\n"))


def test_pace_of_each_way_to_send(tmp_path: Path) -> None:
    found = said(tmp_path, GOOD + SMPP + TWILIO + KANNEL)
    paces = {key: says for key, says in found.items() if key.startswith("sms.")}
    assert paces == {
        "sms.primary.per_second": "1.0: one part of a text a second",
        "sms.backup.per_second": "1.0: one text a second",
    }


def test_check_shows_it_with_the_nearest_line(tmp_path: Path) -> None:
    path = configured(tmp_path, GOOD)
    command = [sys.executable, "-m", "gateway", "-c", str(path), "check"]
    shown = subprocess.run(command, capture_output=True, text=True, timeout=120, check=True).stdout
    assert "In effect by default:\n" in shown
    assert "textback.toml: consent.quiet_hours: 21:00-08:00 for callers of US" in shown
    assert 'textback.toml:15: line.front: ring_most = "5m", min_ring = "3s"' in shown
    found = json.loads(subprocess.run([*command, "--json"], capture_output=True, timeout=120, check=True).stdout)
    assert [one["key"] for one in found["by_default"]] == [
        "consent.quiet_hours",
        "limits.regions",
        "line.front",
        "line.front.text",
    ]
