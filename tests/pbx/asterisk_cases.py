"""Every case of Asterisk's table, run."""

import asyncio
import time
from contextlib import ExitStack
from pathlib import Path

from tests.pbx.asterisk import Asterisk
from tests.pbx.asterisk_table import CASES, PHONES, Case
from tests.pbx.seen import Seen, Verdict, journal_of
from tests.peers.gateway import PATIENCE_S, RunningGateway
from tests.peers.handset import Handsets, Placed

APART_S = 0.1
"""Between one call and the next: all ring at once, none waits for another's beginning."""


def verdicts(tree: Path, running: RunningGateway, *, is_old: bool, first: int) -> tuple[str, list[Verdict]]:
    """Every case, through an Asterisk with PJSIP or with chan_sip; callers are numbered from `first`. Its version comes with them."""
    return asyncio.run(_verdicts(tree, running, is_old=is_old, first=first))


async def _verdicts(tree: Path, running: RunningGateway, *, is_old: bool, first: int) -> tuple[str, list[Verdict]]:
    phones = await Handsets(PHONES).open()
    places = {"THIS-SERVER:5060": f"127.0.0.1:{running.sip_port}", "PHONES:5060": f"127.0.0.1:{phones.port}"}
    with ExitStack() as started:
        started.callback(phones.close)
        asterisk = Asterisk(tree, places=places, is_old=is_old)
        started.callback(asterisk.stop)
        asterisk.start()
        await _wait_until_reached(asterisk, is_old=is_old)
        cases = {f"+1415555{first + n}": case for n, case in enumerate(CASES) if not (is_old and case.is_of_pjsip)}
        calls = (_place(phones, asterisk.port, case, caller, n) for n, (caller, case) in enumerate(cases.items()))
        placed = dict(zip(cases, await asyncio.gather(*calls), strict=True))
        await asyncio.to_thread(running.wait_until_all_have_ended)
        await asyncio.to_thread(running.wait_until_no_text_is_under_way)
        found = [_verdict(running, asterisk, case, caller, placed[caller], is_old=is_old) for caller, case in cases.items()]
        return asterisk.version, [*found, _reachable(asterisk, is_old=is_old)]


async def _place(phones: Handsets, port: int, case: Case, caller: str, number: int) -> Placed:
    await asyncio.sleep(number * APART_S)
    return await phones.call(
        port, case.exten, caller=caller, hang_up_after=case.hang_up_after, stays=case.stays, body=case.body
    )


def _verdict(running: RunningGateway, asterisk: Asterisk, case: Case, caller: str, call: Placed, *, is_old: bool) -> Verdict:
    seen = Seen(name=case.name, pbx=f"{call.final} {asterisk.told(caller)}", journal=journal_of(running, caller))
    expected = Seen(name=case.name, pbx=case.told_by(is_old=is_old), journal=case.journal_of(is_old=is_old))
    return Verdict(seen=case.compared(seen), expected=expected, is_untrue=case.is_untrue or (is_old and case.is_untrue_of_old))


async def _wait_until_reached(asterisk: Asterisk, *, is_old: bool) -> None:
    """Until `qualify` has found us: an Asterisk that has only just begun may miss the answer, and asks again every five seconds."""
    until = time.monotonic() + PATIENCE_S
    while not _are_reached(asterisk.contacts(), is_old=is_old):
        assert time.monotonic() < until, asterisk.contacts()
        await asyncio.sleep(0.5)


def _reachable(asterisk: Asterisk, *, is_old: bool) -> Verdict:
    """`qualify` asks by OPTIONS, over UDP and over TCP."""
    words = asterisk.contacts()
    seen = Seen(name="qualify", pbx="reachable" if _are_reached(words, is_old=is_old) else words, journal=())
    return Verdict(seen=seen, expected=Seen(name="qualify", pbx="reachable", journal=()))


def _are_reached(contacts: str, *, is_old: bool) -> bool:
    asked = ("Status       :",) if is_old else ("textback/", "over-tcp/")
    lines = [line for line in contacts.splitlines() if any(word in line for word in asked)]
    return len(lines) == len(asked) and all(("OK" if is_old else "Avail") in line for line in lines)
