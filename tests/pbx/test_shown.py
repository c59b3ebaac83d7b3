"""What docs/pbx.md shows is what script/pbx ran with."""

import re
from pathlib import Path

import pytest

HERE = Path(__file__).parent
SHOWN = re.findall(r"^ *```\w*\n(.*?)^ *```$", (HERE.parents[1] / "docs/pbx.md").read_text(), re.DOTALL | re.MULTILINE)
FILES = {path.name: path.read_text() for path in HERE.iterdir() if path.suffix in (".conf", ".cfg")}


def unindented(text: str) -> str:
    return "".join(f"\n{line.strip()}" for line in text.splitlines()) + "\n"


@pytest.mark.parametrize("shown", SHOWN)
def test_each_block_is_some_lines_of_a_file_that_a_pbx_was_started_with(shown: str) -> None:
    assert any(unindented(shown) in unindented(text) for text in FILES.values())


def test_every_kind_of_file_is_shown() -> None:
    from_files = {name for name, text in FILES.items() for shown in SHOWN if unindented(shown) in unindented(text)}
    assert from_files >= {"extensions.conf", "kamailio.cfg", "pjsip.conf", "queues.conf", "sip.conf"}
