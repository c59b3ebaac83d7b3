"""What the documents show is what the program takes."""

import re
from pathlib import Path

import pytest

from config import load
from config.bridges import KINDS
from tests.sms.provider_settings import REST, TELNYX_KEY

ROOT = Path(__file__).parent.parent
SHOWN = re.findall(r"```toml\n(.*?)```", (ROOT / "docs/providers.md").read_text(), re.DOTALL)


@pytest.mark.parametrize("shown", [block for block in SHOWN if "[sms." in block])
def test_every_way_to_send_is_shown_as_it_works(tmp_path: Path, shown: str) -> None:
    for name in re.findall(r'_file\s*= "([^"]+)"', shown):
        is_key = name == "telnyx.public"
        (tmp_path / name).write_text(TELNYX_KEY if is_key else "0123456789abcdef"[: 8 if "smsc" in name else 16])
    path = tmp_path / "textback.toml"
    path.write_text(REST + shown)
    assert load.load(path).line["front-desk"].sms == ("primary",)


def test_every_kind_is_shown() -> None:
    kinds = set(re.findall(r'^kind\s*= "(\w+)"', "\n".join(SHOWN), re.MULTILINE))
    assert kinds == set(KINDS) - {"spool"}
