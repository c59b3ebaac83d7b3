"""`textback call-test`: places a real SIP call to the gateway that runs here, and shows what came of it.

The call takes the way of every call: it rings, is journalled and decided, and its caller is texted like any other. Without
`--from` the caller is withheld and nobody is texted.
"""

import argparse
import asyncio
import time
from typing import Any

from config.model import Config, Line
from gateway.calls.trial_call import CannotCall, Heard, TrialCall, place
from gateway.cli import given
from gateway.cli.ask import NoAnswer, get, token_of
from gateway.cli.configuration import for_looking
from gateway.cli.explain import as_json, in_words
from gateway.cli.given import about
from gateway.cli.say import complain, say, say_json, say_now
from gateway.core.call import ring_time
from gateway.store import calls, texts
from gateway.store.reading import FILE, reading
from sip.call.refusals import OUT_OF_ORDER

SETTLED_WITHIN_S = 5.0
ANSWERS_WITHIN_S = 0.9
"""A gateway that runs says within so long that it rings."""
_HANG_UP = "hang up after so long (default: wait out the ring; of a group, ring_seconds)"
_SAID_BY_NOBODY = frozenset({("ended", 487), ("ended", 408)})
"""What our own side makes of a call that was never answered."""
_NOT_JOURNALLED = "The gateway has not journalled this call: it came from no trunk, or was malformed."
_TURNED_AWAY = "The gateway takes no calls now: it is stopping, or can write calls down nowhere. /readyz and the log say which."


def add_to(commands: Any) -> None:
    """The command's parser."""
    parser = commands.add_parser("call-test", help="place a real test call", description=about(__doc__))
    parser.add_argument("--line", metavar="NAME", help="which line to call (default: the first)")
    parser.add_argument("--from", dest="caller", metavar="NUMBER", help="call as this number, which is then texted")
    parser.add_argument(
        "--hang-up",
        type=float,
        metavar="SECONDS",
        help=_HANG_UP,
    )
    parser.add_argument("--json", action="store_true", help="as JSON, for programs: all that was heard, and the call's story")
    parser.set_defaults(command=call_test)


def call_test(options: argparse.Namespace) -> int:
    """0: the call rang and was journalled; 1: it was not."""
    config = for_looking(options.config)
    try:
        line = _line(config, options.line)
        caller = given.caller(options.caller, config)
    except ValueError as error:
        complain(f"textback: {error}")
        return 2
    try:
        get(config, "/api/v1/status")
        call = TrialCall(
            dialled=line.number,
            caller=caller,
            hang_up_after=_hang_up_after(options.hang_up, line),
            give_up_after=ring_time(line).total_seconds() + 10,
            token=token_of(config),
        )
        return asyncio.run(_call_as_json(config, line, call) if options.json else _call(config, line, call))
    except (CannotCall, NoAnswer) as error:
        complain(f"textback: {error}")
        return 1


def _hang_up_after(asked: float | None, line: Line) -> float | None:
    """A ring group's ring is ended by whoever calls: here by us, after `ring_seconds`."""
    return float(line.ring_seconds) if asked is None and line.arrives == "group" else asked


def _line(config: Config, name: str | None) -> Line:
    if name is None:
        return next(iter(config.line.values()))
    if name not in config.line:
        raise ValueError(f"there is no line {name}; the lines are {', '.join(config.line)}")
    return config.line[name]


async def _call(config: Config, line: Line, call: TrialCall) -> int:
    say_now(f"Calling {line.name} ({line.number}) as {call.caller or 'a withheld number'} …")
    heard: Heard | None = None
    is_answered = False
    async with place(config, call) as events:
        async for heard in events:
            is_answered = is_answered or (heard.event, heard.status) not in _SAID_BY_NOBODY
            words = heard_in_words(heard) if is_answered else "we hung up; nothing had answered"
            say_now(f"  {heard.after:7.3f} s  {words}")
    if heard is None:
        return 1
    if not is_answered:
        say(_unanswered(config, heard))
        return 1
    story = await _story(config, heard.call_id)
    say(*(in_words(*story, config) if story else [_without_story(heard)]))
    return 0 if story else 1


async def _call_as_json(config: Config, line: Line, call: TrialCall) -> int:
    heard: list[Heard] = []
    async with place(config, call) as events:
        async for one in events:
            heard.append(one)
    is_answered = any((one.event, one.status) not in _SAID_BY_NOBODY for one in heard)
    story = await _story(config, heard[-1].call_id) if is_answered else None
    says = (
        ""
        if story
        else _without_story(heard[-1])
        if is_answered
        else _unanswered(config, heard[-1])
        if heard
        else "nothing was heard"
    )
    say_json(
        {
            "line": line.name,
            "dialled": call.dialled,
            "caller": call.caller,
            "heard": [{"event": one.event, "status": one.status, "after": one.after} for one in heard],
            "says": says,
            "story": as_json(*story, config) if story else None,
        }
    )
    return 0 if story else 1


def _without_story(last: Heard) -> str:
    return _TURNED_AWAY if last.status == OUT_OF_ORDER else _NOT_JOURNALLED


def _unanswered(config: Config, last: Heard) -> str:
    if last.after < ANSWERS_WITHIN_S:
        return "We hung up before anybody could answer; --hang-up takes more seconds."
    return (
        f"The gateway runs, and nobody answers calls at {config.sip.listen[0]}: was sip.listen changed since it"
        " started (restart it), or is a firewall between? textback status shows how the SIP agent is."
    )


def heard_in_words(heard: Heard) -> str:
    """What the caller's phone would show."""
    match heard.event, heard.status:
        case "ringing", _:
            return f"it rings ({heard.status})"
        case "answered", _:
            return "answered"
        case "ended", 487:
            return "we hung up (487)"
        case "ended", 480:
            return "the gateway ended the ring: nobody answered (480)"
        case "ended", 408:
            return "no answer from the gateway at all (408)"
        case _:
            return f"ended with status {heard.status}"


async def _story(config: Config, call_id: str) -> tuple[Any, list[Any], list[Any]] | None:
    """Wait for the outcome and the text's settling: call, decisions and texts; None where the call was not journalled."""
    until = time.monotonic() + SETTLED_WITHIN_S
    while True:
        with reading(config.data_dir / FILE) as db:
            call = calls.by_call_id(db, call_id)
            sent = texts.of_call(db, call["id"]) if call else []
            decisions = calls.decisions(db, call["id"]) if call else []
        is_settled = decisions and all(text["state"] not in ("queued", "sending") for text in sent)
        if is_settled or time.monotonic() > until:
            return (call, decisions, sent) if call else None
        await asyncio.sleep(0.05)
