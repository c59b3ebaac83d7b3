"""What docs/pbx.md shows is what script/pbx ran with."""

import re
from pathlib import Path

import pytest

from tests.pbx import asterisk_table, kamailio

HERE = Path(__file__).parent
DOCUMENT = (HERE.parents[1] / "docs/pbx.md").read_text()
SHOWN = re.findall(r"^ *```\w*\n(.*?)^ *```$", DOCUMENT, re.DOTALL | re.MULTILINE)
FILES = {path.name: path.read_text() for path in HERE.iterdir() if path.suffix in (".conf", ".cfg")}


def unindented(text: str) -> str:
    return "".join(f"\n{line.strip()}" for line in text.splitlines()) + "\n"


@pytest.mark.parametrize("shown", SHOWN)
def test_each_block_is_some_lines_of_a_file_that_a_pbx_was_started_with(shown: str) -> None:
    assert any(unindented(shown) in unindented(text) for text in FILES.values())


def test_every_kind_of_file_is_shown() -> None:
    from_files = {name for name, text in FILES.items() for shown in SHOWN if unindented(shown) in unindented(text)}
    assert from_files >= {"extensions.conf", "kamailio.cfg", "pjsip.conf", "queues.conf", "sip.conf"}


def test_what_final_answers_are_to_each_is_as_it_was_measured() -> None:
    rows = re.findall(r"^\| (\d{3}) \| (.*?) \| (.*?) \| (\d{3}).*? \| \w+ \|$", DOCUMENT, re.MULTILINE)
    passed_on = {case.told[0]: case.final for case in kamailio.CASES if case.route == "ANSWER"}
    measured = {status: (*map(_as_shown, both), str(passed_on[status])) for status, both in asterisk_table.STATUSES.items()}
    assert {int(status): tuple(cells) for status, *cells in rows} == measured


def _as_shown(told: str) -> str:
    final, _, rest = told.partition(" ")
    return f"{rest}, {final}"
