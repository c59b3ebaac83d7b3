"""`textback explain CALL`: why a text was or was not sent, rule by rule."""

import argparse
import json
from typing import Any

from config.model import Config
from gateway.cli import given
from gateway.cli.configuration import for_looking
from gateway.cli.given import WITHHELD, as_argument
from gateway.cli.in_force import tell_of_another
from gateway.cli.say import complain, say, say_json
from gateway.cli.show import call_json, caller_of, text_json, when
from gateway.cli.trace import detail_in_words, entries_of, entry_in_words, placed, reason_in_words
from gateway.core.call import Outcome
from gateway.process.data_dir import LAST_GOOD
from gateway.store import calls, texts
from gateway.store.reading import FILE, reading
from gateway.store.selection import Selection
from sip.call.refusals import OUT_OF_ORDER, WHY

OUTCOME_IN_WORDS = {
    None: "it is still ringing",
    "answered_here": "it was answered here",
    "answered_elsewhere": "another phone answered it",
    "abandoned": "the caller hung up while it rang",
    "no_answer": "nobody answered in time",
    "busy": "more calls came at once than can be rung",
    "refused": "the number dialled is no line of this gateway",
    "interrupted": "the gateway stopped while it rang",
}
_DECIDED = {"send": "Text", "hold": "Held", "skip": "No text"}
_HEADERS = "P-Asserted-Identity, Remote-Party-ID, From, Privacy, Request-URI, P-Called-Party-ID, To, Diversion, History-Info"
_IMAGINED = ("line", "caller", "at", "rang", "outcome")
"""Options of a call that has not happened."""
_ABOUT = """Why a call was texted or not, rule by rule, with the place in the configuration that each rule goes by. Or why a
call that has not happened would be: with --line, --from, --at, --rang or --outcome, on what is known of its caller then. Or,
with --header, which number is read from what a trunk sends, by which keys, and whose it is."""


def add_to(commands: Any) -> None:
    """The command's parser."""
    parser = commands.add_parser("explain", help="why a call was texted or not", description=_ABOUT)
    parser.add_argument("call", metavar="CALL", nargs="?", help="its number in textback calls, its SIP Call-ID, or last")
    parser.add_argument("--line", metavar="NAME", help="of a call that has not happened: to this line (default: the only one),")
    parser.add_argument(
        "--from", dest="caller", metavar="NUMBER", help=f"from this number (default: {min(WITHHELD)}, that is withheld),"
    )
    parser.add_argument("--at", metavar="TIME", help="at this time of the line's clock, 2026-12-24T18:30 (default: now),")
    parser.add_argument(
        "--rang",
        type=as_argument(given.length),
        metavar="SECONDS",
        help="ringing for so long (default: as long as the line rings),",
    )
    parser.add_argument("--outcome", metavar="OUTCOME", help=f"ending so (default: no_answer): {', '.join(Outcome)}")
    parser.add_argument(
        "--header",
        action="append",
        metavar="HEADER",
        help=f"what is read from a header of an INVITE, 'From: <sip:9…@pbx>' (may be given several times; {_HEADERS}),",
    )
    parser.add_argument("--trunk", metavar="NAME", help="with --header: that came by this trunk (default: the only one)")
    parser.add_argument("--json", action="store_true", help="as JSON, for programs")
    parser.set_defaults(command=explain)


def explain(options: argparse.Namespace) -> int:
    """0; 1 where there is no such call; 2 on wrong use."""
    config = for_looking(options.config)
    if options.header is not None or options.trunk is not None:
        return _explain_headers(options, config)
    if config.path.name != LAST_GOOD:  # else that was told
        tell_of_another(config.path)
    is_imagined = any(getattr(options, name) is not None for name in _IMAGINED)
    if is_imagined == (options.call is not None):
        complain("textback: explain wants either a CALL, or --from NUMBER and what else a call that has not happened would be")
        return 2
    if is_imagined:
        from gateway.cli import imagined  # noqa: PLC0415 — calendars and holidays, which a call of the past needs no more

        return imagined.explain(options, config)
    return _explain(options, config)


def _explain_headers(options: argparse.Namespace, config: Config) -> int:
    if not options.header or any(getattr(options, name) is not None for name in ("call", *_IMAGINED)):
        complain("textback: explain takes --header (and --trunk) alone: it is about what is read, not about a call")
        return 2
    from gateway.cli import headers  # noqa: PLC0415 — contacts, which a call of the past needs no more

    return headers.explain(options, config)


def _explain(options: argparse.Namespace, config: Config) -> int:
    with reading(config.data_dir / FILE) as db:
        call = _find(db, options.call)
        if call is None:
            none = "there are no calls yet" if options.call == "last" else f"there is no call {options.call}"
            complain(f"textback: {none}; textback calls lists them")
            return 1
        decisions = calls.decisions(db, call["id"])
        sent = texts.of_call(db, call["id"])
    if options.json:
        say_json(as_json(call, decisions, sent, config))
    else:
        say(*in_words(call, decisions, sent, config))
    return 0


def _find(db: Any, wanted: str) -> Any:
    if wanted == "last":
        return next(iter(calls.selected(db, Selection(limit=1))), None)
    is_id = wanted.isascii() and wanted.isdecimal() and len(wanted) <= 18
    return (calls.one(db, int(wanted)) if is_id else None) or calls.by_call_id(db, wanted)


def as_json(call: Any, decisions: list[Any], sent: list[Any], config: Config) -> dict[str, Any]:
    """The whole story of one call for programs: the newest decision beside all of them, oldest first."""
    decided = [
        {
            "at": decision["at"],
            "decision": decision["decision"],
            "reason": decision["reason"],
            "trace": _trace(decision, config),
            "config_hash": decision["config_hash"],
        }
        for decision in decisions
    ]
    newest = decided[-1] if decided else {"decision": None, "reason": None, "trace": []}
    return {
        **{name: newest[name] for name in ("decision", "reason", "trace")},
        "decisions": decided,
        "call": call_json(call),
        "texts": [text_json(text) for text in sent],
    }


def _trace(decision: Any, config: Config) -> list[dict[str, str]]:
    """The entries with the key's place in the file, where the file is still the one that was decided by."""
    is_same_file = decision["config_hash"] == config.hash
    return [placed(entry, config) if is_same_file else entry for entry in entries_of(decision["trace"])]


def in_words(call: Any, decisions: list[Any], sent: list[Any], config: Config) -> list[str]:
    """The whole story of one call, line by line."""
    lines = [
        f"Call {call['id']}, {when(call['arrived_at'], call['line'], config)}: {caller_of(call)}"
        f" called {call['line'] or 'no line of ours'}",
        f"  by trunk {call['trunk']} ({call['source']}); caller read from {call['caller_header'] or 'nothing'}{_as_sent(call)}",
        *(_earlier_in_words(one, call, config) for one in json.loads(call["earlier_callers"])),
        f"  {_how_it_ended(call)}",
    ]
    if call["same_call_as"] is not None:
        lines.append(f"  the same call as {call['same_call_as']}, which was rung again")
    for decision in decisions:
        what = _DECIDED.get(decision["decision"], decision["decision"])
        at = when(decision["at"], call["line"], config)
        lines.append(f"{at}: {what}, because {reason_in_words(decision['reason'])} ({decision['reason']}):")
        lines += [entry_in_words(entry) for entry in _trace(decision, config)]
        if decision["config_hash"] != config.hash:
            lines.append(f"  decided by configuration {decision['config_hash']}; the file has changed since")
    for text in sent:
        detail = f" ({detail_in_words(text)})" if text["detail"] else ""
        by = f" by {text['bridge']}" if text["bridge"] else ""
        lines.append(f"Text {text['id']} to {text['recipient']}: {text['state']}{by}{detail}")
        lines.append(f"  {text['body']}")
    return lines


def _as_sent(call: Any) -> str:
    """What the trunk wrote, where it was read as another number."""
    return f", sent as {call['caller_as_sent']}" if call["caller"] and call["caller_as_sent"] != call["caller"] else ""


def _earlier_in_words(earlier: dict[str, str | None], call: Any, config: Config) -> str:
    who = earlier["caller"] or earlier["as_sent"] or "withheld"
    return f"  until {when(earlier['until'] or '', call['line'], config)} the caller was {who}, read from {earlier['header']}"


def _refused_in_words(call: Any) -> str:
    """Of a call that the SIP stack refused by itself; empty of others."""
    status = call["sip_reason"].removeprefix("SIP;cause=")
    is_busy = call["outcome"] == Outcome.BUSY and status != "486"
    is_refused = call["outcome"] == Outcome.REFUSED and call["line"]
    if not status.isdecimal() or not (is_busy or is_refused):
        return ""
    if is_refused and int(status) == OUT_OF_ORDER:
        return "the gateway stopped before it rang, so that it was sent again or went elsewhere"
    why = WHY.get(int(status))
    return f"the SIP stack {'could not take' if is_busy else 'refused'} its INVITE{f': {why}' if why else ''}"


def _how_it_ended(call: Any) -> str:
    words = _refused_in_words(call) or OUTCOME_IN_WORDS.get(call["outcome"], "it ended")
    at_most = "at most " if call["outcome"] == Outcome.INTERRUPTED else ""
    rang = f"rang {at_most}{call['rang_seconds']:.1f} s; " if call["rang_seconds"] else ""
    reason = f"; Reason: {call['sip_reason']}" if call["sip_reason"] else ""
    outcome = f" ({call['outcome']})" if call["outcome"] else ""
    return f"{rang}{words}{outcome}{reason}"
