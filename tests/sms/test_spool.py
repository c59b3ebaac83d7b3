"""The spool keeps every text in its file, as many as there is room for at once, and says when there is more."""

import asyncio
import json
from dataclasses import replace
from pathlib import Path

from sms.spool import AT_ONCE, FILE, SpoolBridge
from sms.text import Accepted, NotSent
from tests.sms.test_pace import Waking, hand_over_all
from tests.sms.test_smpp_bridge import TEXT, stop


def kept(directory: Path) -> list[str]:
    """The keys in the file."""
    return [json.loads(line)["key"] for line in (directory / FILE).read_text().splitlines()]


async def test_more_texts_than_room_are_all_written_once(tmp_path: Path) -> None:
    bridge, sink = SpoolBridge("primary", tmp_path), Waking()
    running = asyncio.create_task(bridge.run(sink))
    texts = [replace(TEXT, key=str(number)) for number in range(AT_ONCE * 2 + 1)]
    outcomes = await hand_over_all(bridge, sink, texts)
    assert outcomes == [Accepted(provider_ids=(text.key,)) for text in texts]
    assert sorted(kept(tmp_path)) == sorted(text.key for text in texts)
    await stop(running)


async def test_beyond_the_room_nothing_is_written(tmp_path: Path) -> None:
    bridge = SpoolBridge("primary", tmp_path)
    outcomes = await asyncio.gather(*(bridge.submit(TEXT) for _ in range(AT_ONCE + 1)))
    assert [type(outcome) for outcome in outcomes] == [Accepted] * AT_ONCE + [NotSent]
    assert len(kept(tmp_path)) == AT_ONCE


async def test_a_file_that_cannot_be_written_is_said(tmp_path: Path) -> None:
    (tmp_path / FILE).mkdir()
    bridge = SpoolBridge("primary", tmp_path)
    assert await bridge.submit(TEXT) == NotSent(detail=f"{tmp_path / FILE} cannot be written: Is a directory")
    assert "Is a directory" in bridge.health().detail
