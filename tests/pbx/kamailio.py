"""Kamailio's cases: forks, one after the other, forwarding, two gateways; with `local_cancel_reason` and without."""

import asyncio
from collections.abc import Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path

from tests.pbx.seen import Journalled, Seen, Verdict, journal_of
from tests.peers.gateway import RunningGateway
from tests.peers.handset import OFFER, Final, Handsets, Placed
from tests.peers.kamailio import Kamailio
from tests.peers.ports import free_sip_port

GROUP, FORWARDED, DESK, NO_LINE = "+14155550105", "+14155550106", "+14155550100", "+14155550199"
T38 = OFFER.partition("m=audio")[0] + "m=image 18004 udptl t38\r\na=T38FaxVersion:0\r\n"
SILENT = {'modparam("tm", "local_cancel_reason", 1)': 'modparam("tm", "local_cancel_reason", 0)'}
TAKEN = Journalled(
    line="group", outcome="answered_elsewhere", reason="not_missed", said='SIP;cause=200;text="Call completed elsewhere"'
)
ABANDONED = Journalled(line="group", outcome="abandoned", reason="missed_call", texted=True)
DECLINED = Journalled(line="group", outcome="abandoned", reason="missed_call", said="SIP;cause=603", texted=True)


def unanswered(line: str, diverted: str = "") -> Journalled:
    """The ring that we ended, with 480."""
    return Journalled(line=line, outcome="no_answer", reason="missed_call", texted=True, diverted=diverted)


@dataclass(frozen=True, kw_only=True)
class Case:
    """One call, the route that Kamailio sends it by, and what is to come of it."""

    name: str
    route: str
    dialled: str = GROUP
    phone: str = ""
    hang_up_after: float | None = None
    headers: tuple[str, ...] = ()
    body: str = OFFER
    is_silent: bool = False
    """Without `local_cancel_reason`."""
    is_untrue: bool = False
    """Nobody tells us that the call was answered, and the caller is texted."""
    final: int = 0
    """What the caller gets; where it hangs up, 487."""
    told: tuple[int, ...] = ()
    """What Kamailio's failure routes saw."""
    journal: tuple[Journalled, ...] = ()


_FORKS = (
    Case(name="a phone of the fork answers", route="GROUP", phone="takes", final=200, journal=(TAKEN,)),
    Case(name="a phone of the fork declines", route="GROUP", phone="declines", final=603, told=(603,), journal=(DECLINED,)),
    Case(name="a phone of the fork is busy, then the caller hangs up", route="GROUP", phone="busy", hang_up_after=1, final=486, told=(486,), journal=(ABANDONED,)),
    Case(name="the caller hangs up", route="GROUP", phone="rings", hang_up_after=0.5, final=487, told=(487,), journal=(ABANDONED,)),
    Case(name="fr_inv_timer runs out", route="SHORT", phone="rings", final=408, told=(408,), journal=(ABANDONED,)),
)  # fmt: skip
_TWICE = (
    Case(name="the gateway twice in a fork, the caller hangs up", route="TWICE", phone="rings", hang_up_after=0.5, final=482, told=(482,), journal=(ABANDONED,)),
    Case(name="the gateway twice in a fork, a phone answers", route="TWICE", phone="takes", final=200, journal=(TAKEN,)),
    Case(name="the gateway twice in a fork, and it gives up", route="TWICE", dialled=DESK, phone="busy", final=480, told=(480,), journal=(unanswered("front-desk"),)),
)  # fmt: skip
_SILENT = (
    Case(name="a phone answers, no local_cancel_reason", route="GROUP", phone="takes", final=200, journal=(ABANDONED,), is_silent=True, is_untrue=True),
    Case(name="a phone declines, no local_cancel_reason", route="GROUP", phone="declines", final=603, told=(603,), journal=(ABANDONED,), is_silent=True),
    Case(name="the caller hangs up, no local_cancel_reason", route="GROUP", phone="rings", hang_up_after=0.5, final=487, told=(487,), journal=(ABANDONED,), is_silent=True),
)  # fmt: skip
_OTHERS = (
    Case(name="the gateway first, then a phone, which answers", route="GATEWAY_FIRST", dialled=DESK, phone="takes", final=200, told=(480,), journal=(unanswered("front-desk"),), is_untrue=True),
    Case(name="a phone first, then the gateway", route="PHONE_FIRST", dialled=FORWARDED, phone="rings", final=480, told=(408, 480), journal=(unanswered("forwarded"),)),
    Case(name="a phone first, the caller hangs up there", route="PHONE_FIRST", dialled=FORWARDED, phone="rings", hang_up_after=0.5, final=487, told=(487,)),
    Case(name="a phone's 302 to the gateway", route="FORWARDS", dialled=FORWARDED, phone="forwards", final=480, told=(480,), journal=(unanswered("forwarded"),)),
    Case(name="Diversion by the script", route="DIVERSION", dialled=NO_LINE, final=480, told=(480,), journal=(unanswered("forwarded", "+14155550106 (no-answer)"),)),
    Case(name="History-Info by the script", route="HISTORY", dialled=NO_LINE, final=480, told=(480,), journal=(unanswered("forwarded", "+14155550106 (deflection)"),)),
    Case(name="Expires by the script", route="EXPIRES", final=487, told=(487,), journal=(unanswered("group"),)),
    Case(name="two gateways, the first says 503", route="TWO_FULL", dialled=DESK, final=480, told=(503, 480), journal=(unanswered("front-desk"),)),
    Case(name="two gateways, the first is gone", route="TWO_GONE", dialled=DESK, final=480, told=(408, 480), journal=(unanswered("front-desk"),)),
    Case(name="a number of no line", route="ALONE", dialled=NO_LINE, final=404, told=(404,), journal=(Journalled(line=None, outcome="refused", reason="no_line", said="SIP;cause=404"),)),
)  # fmt: skip
_REFUSED = Journalled(line="front-desk", outcome="refused", reason="not_missed", said="SIP;cause=481")
_PASSED_ON = (
    Case(name="a fax's offer, T.38 alone", route="ALONE", dialled=DESK, body=T38, final=480, told=(480,), journal=(unanswered("front-desk"),)),
    Case(name="no offer at all", route="ALONE", dialled=DESK, body="", final=480, told=(480,), journal=(unanswered("front-desk"),)),
    Case(name="Replaces of a call that is not ours", route="ALONE", dialled=DESK, headers=("Replaces: somebody@pbx.example;to-tag=1;from-tag=2", "Require: replaces"), final=481, told=(481,), journal=(_REFUSED,)),
)  # fmt: skip
STATUSES = (480, 486, 408, 404, 503, 487, 603)
_ANSWERS = tuple(
    Case(
        name=f"{status} of a raw answerer",
        route="ANSWER",
        phone=f"says-{status}",
        final=500 if status == 503 else status,
        told=(status,),
    )
    for status in STATUSES
)
CASES = (*_FORKS, *_TWICE, *_SILENT, *_OTHERS, *_PASSED_ON, *_ANSWERS)


def verdicts(directory: Path, running: RunningGateway, cases: Sequence[Case] = CASES) -> list[Verdict]:
    """Every case at once, through two Kamailios; and what was expected."""
    return asyncio.run(_verdicts(directory, running, cases))


async def _verdicts(directory: Path, running: RunningGateway, cases: Sequence[Case]) -> list[Verdict]:
    phones = await Handsets(_phones(running.sip_port)).open()
    places = {
        "THIS-SERVER:5060": f"127.0.0.1:{running.sip_port}",
        "OTHER-SERVER:5060": f"127.0.0.1:{running.sip_port}",
        "PHONES:5060": f"127.0.0.1:{phones.port}",
        "NOBODY:5060": f"127.0.0.1:{free_sip_port()}",
    }
    with ExitStack() as started:
        started.callback(phones.close)
        kamailios = []
        for is_silent in (False, True):
            kamailios.append(_kamailio(directory / f"kamailio{is_silent:d}", places, is_silent=is_silent))
            started.callback(kamailios[-1].stop)
            kamailios[-1].start()
        calls = {case: (f"+1415555{number:04}", kamailios[case.is_silent]) for number, case in enumerate(cases, start=5000)}
        placed = await asyncio.gather(*(_place(phones, kamailio, case, caller) for case, (caller, kamailio) in calls.items()))
        await asyncio.to_thread(running.wait_until_all_have_ended)
        await asyncio.to_thread(running.wait_until_no_text_is_under_way)
        return [
            _verdict(running, case, caller, call, kamailio)
            for (case, (caller, kamailio)), call in zip(calls.items(), placed, strict=True)
        ]


def _phones(gateway: int) -> dict[str, Final]:
    to_gateway = f"Contact: <sip:voicemail@127.0.0.1:{gateway}>"
    return {
        "takes": Final(status=200, after=1),
        "declines": Final(status=603, after=0.5),
        "busy": Final(status=486, after=0.2),
        "rings": Final(),
        "forwards": Final(status=302, after=0.2, headers=(to_gateway,)),
        **{f"says-{status}": Final(status=status) for status in STATUSES},
        "full": Final(status=503, after=0, headers=("Retry-After: 30",)),
    }


def _kamailio(directory: Path, places: dict[str, str], *, is_silent: bool) -> Kamailio:
    directory.mkdir()
    return Kamailio(directory, places=places, changes=SILENT if is_silent else None)


async def _place(phones: Handsets, kamailio: Kamailio, case: Case, caller: str) -> Placed:
    headers = (f"X-Case: {case.route}", f"X-Phone: {case.phone}", *case.headers)
    return await phones.call(
        kamailio.port, case.dialled, caller=caller, headers=headers, hang_up_after=case.hang_up_after, body=case.body
    )


def _verdict(running: RunningGateway, case: Case, caller: str, call: Placed, kamailio: Kamailio) -> Verdict:
    seen = Seen(name=case.name, pbx=_words(call.final, kamailio.told(caller)), journal=journal_of(running, caller))
    return Verdict(
        seen=seen,
        expected=Seen(name=case.name, pbx=_words(case.final, case.told), journal=case.journal),
        is_untrue=case.is_untrue,
    )


def _words(final: int, told: Sequence[int]) -> str:
    branches = f", after {' and '.join(map(str, told))} of its branches" if told else ""
    return f"{final} to the caller{branches}"
