"""`textback explain CALL`: why a text was or was not sent, rule by rule."""

import argparse
import json
import sys
from typing import Any

from config import load
from config.model import Config
from gateway.cli.show import call_json, caller_of, text_json, when
from gateway.core.reason import IN_WORDS, Reason
from gateway.store import calls, texts
from gateway.store.database import FILE, reading

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


def add_to(commands: Any) -> None:
    """The command's parser."""
    parser = commands.add_parser("explain", help="why a text was or was not sent", description=__doc__)
    parser.add_argument("call", metavar="CALL", help="the call's number in textback calls, its SIP Call-ID, or last")
    parser.add_argument("--json", action="store_true", help="as JSON: {decision, reason, trace, call, texts}")
    parser.set_defaults(command=explain)


def explain(options: argparse.Namespace) -> int:
    """0; 1 where there is no such call."""
    config = load.load(load.find(options.config))
    with reading(config.data_dir / FILE) as db:
        call = _find(db, options.call)
        if call is None:
            print(f"textback: there is no call {options.call}; textback calls lists them", file=sys.stderr)
            return 1
        decisions = calls.decisions(db, call["id"])
        sent = texts.of_call(db, call["id"])
    if options.json:
        print(json.dumps(_as_json(call, decisions, sent, config), indent=2))
    else:
        print("\n".join(in_words(call, decisions, sent, config)))
    return 0


def _find(db: Any, wanted: str) -> Any:
    if wanted == "last":
        newest = calls.newest(db, 1)
        return newest[0] if newest else None
    return calls.one(db, int(wanted)) if wanted.isdecimal() and len(wanted) < 18 else calls.by_call_id(db, wanted)


def _as_json(call: Any, decisions: list[Any], sent: list[Any], config: Config) -> dict[str, Any]:
    newest = decisions[-1] if decisions else None
    return {
        "decision": newest["decision"] if newest else None,
        "reason": newest["reason"] if newest else None,
        "trace": _trace(newest, config) if newest else [],
        "call": call_json(call),
        "texts": [text_json(text) for text in sent],
    }


def _trace(decision: Any, config: Config) -> list[dict[str, str]]:
    """The steps with the key's place in the file, where the file is still the one that was decided by."""
    is_same_file = decision["config_hash"] == config.hash
    return [
        {**step, "config": f"{step['config']} ({config.where(step['config'])})" if is_same_file else step["config"]}
        if step["config"]
        else step
        for step in json.loads(decision["trace"])
    ]


def in_words(call: Any, decisions: list[Any], sent: list[Any], config: Config) -> list[str]:
    """The whole story of one call, line by line."""
    told = [
        f"Call {call['id']}, {when(call['arrived_at'], call['line'], config)}: {caller_of(call, config)}"
        f" called {call['line'] or 'no line of ours'}",
        f"  by trunk {call['trunk']} ({call['source']}); caller read from {call['caller_header'] or 'nothing'}",
        f"  {_how_it_ended(call)}",
    ]
    for decision in decisions:
        words = IN_WORDS[Reason(decision["reason"])]
        told.append(f"{'Text' if decision['decision'] == 'send' else 'No text'}, because {words} ({decision['reason']}):")
        for step in _trace(decision, config):
            mark = "+" if step["verdict"] == "pass" else "x"
            told.append(f"  {mark} {step['rule']:<20} {step['saw']:<44} {step['config']}".rstrip())
        if decision["config_hash"] != config.hash:
            told.append(f"  decided by configuration {decision['config_hash']}; the file has changed since")
    for text in sent:
        detail = f" ({text['detail']})" if text["detail"] else ""
        told.append(f"Text {text['id']} to {text['recipient']}: {text['state']} by {text['bridge'] or 'no bridge yet'}{detail}")
        told.append(f"  {text['body']}")
    return told


def _how_it_ended(call: Any) -> str:
    words = OUTCOME_IN_WORDS[call["outcome"]]
    rang = f"rang {call['rang_seconds']:.1f} s; " if call["rang_seconds"] else ""
    reason = f"; Reason: {call['sip_reason']}" if call["sip_reason"] else ""
    outcome = f" ({call['outcome']})" if call["outcome"] else ""
    return f"{rang}{words}{outcome}{reason}"
