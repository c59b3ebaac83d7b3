"""Why a call that has not happened would be texted or not: the same rules, on what was known of the caller at that time."""

import argparse
from collections.abc import Iterator
from dataclasses import asdict
from datetime import UTC, datetime

from config.model import E164, Config, Line
from gateway.cli import given
from gateway.cli.given import WITHHELD, WrongUse
from gateway.cli.known import directory_now
from gateway.cli.say import complain, say, say_json
from gateway.cli.show import when
from gateway.cli.trace import entry_in_words, placed
from gateway.core.call import Outcome, ring_time
from gateway.core.decision import Decision, Hold, Send, Skip, decide
from gateway.core.decision import word_of as word
from gateway.core.reason import IN_WORDS
from gateway.decisions.drafts import message_of
from gateway.decisions.ruling import Ruling
from gateway.store.as_it_was import reading_as_it_was
from gateway.store.calls import Arrival, Ended, Ending
from gateway.store.instants import written
from gateway.store.reading import FILE


def explain(options: argparse.Namespace, config: Config) -> int:
    """0; 2 on wrong use."""
    now = datetime.now(UTC)
    try:
        line = _line(options.line, config)
        at = given.instant(options.at, line.timezone, now) if options.at else now
        ended = _ended(options, line, config, at)
    except (ValueError, WrongUse) as error:
        complain(f"textback: {error}")
        return 2
    ruling = Ruling(directory_now(config, at))
    with reading_as_it_was(config.data_dir / FILE, at) as db:
        decision = decide(ruling.case(db, ended, line, at))
    body = _body(ruling, ended, line, decision)
    if options.json:
        say_json(_as_json(decision, body, config))
    else:
        say(*_in_words(decision, body, line, config))
    return 0


def _line(name: str | None, config: Config) -> Line:
    """The line of that name, or the only one."""
    if name is None and len(config.line) == 1:
        return next(iter(config.line.values()))
    if name is None:
        raise WrongUse(f"explain wants --line NAME, because there are several: {', '.join(config.line)}")
    if name not in config.line:
        raise WrongUse(given.unknown_line(name, config.line))
    return config.line[name]


def _ended(options: argparse.Namespace, line: Line, config: Config, at: datetime) -> Ended:
    """The call, at the instant."""
    as_sent = options.caller if options.caller and options.caller.strip().lower() not in WITHHELD else None
    outcome = Outcome(given.choice(options.outcome or "no_answer", list(Outcome), "outcome"))
    rang = options.rang if options.rang is not None else ring_time(line)
    arrival = Arrival(
        key="imagined",
        call_id="imagined",
        trunk=line.trunks[0],
        source="",
        line=line.name,
        caller=_number(as_sent, config),
        caller_as_sent=as_sent,
        caller_name="",
        caller_header="",
        dialled=(line.number,),
        diversions=(),
        verstat="",
        arrived_at=at,
    )
    return Ended(id=0, arrival=arrival, ending=Ending(outcome=outcome, at=at, rang=rang))


def _number(as_sent: str | None, config: Config) -> E164 | None:
    """None also for what is no number: trunks send extensions and names, and the rules have a word for it."""
    try:
        return given.number(as_sent, config) if as_sent else None
    except ValueError:
        return None


def _body(ruling: Ruling, ended: Ended, line: Line, decision: Decision) -> str:
    """What the caller would read, as it stands at the instant."""
    if isinstance(decision, Skip) or ended.arrival.caller is None:
        return ""
    at = ended.ending.at
    message = message_of(ruling.directory, line, decision.variant, caller=ended.arrival.caller, called_at=at, now=at)
    return message.segmented.text


def _as_json(decision: Decision, body: str, config: Config) -> dict[str, object]:
    until = decision.until if isinstance(decision, Hold) else None
    return {
        "decision": word(decision),
        "reason": decision.reason,
        "until": written(until) if until else None,
        "trace": [placed(asdict(entry), config) for entry in decision.trace],
        "text": body,
    }


def _in_words(decision: Decision, body: str, line: Line, config: Config) -> Iterator[str]:
    yield f"Such a call {_what(decision, line, config)}, because {IN_WORDS[decision.reason]} ({decision.reason}):"
    yield from (entry_in_words(placed(asdict(entry), config)) for entry in decision.trace)
    if body:
        yield "The text, chosen again when its time comes:" if isinstance(decision, Hold) else "The text:"
        yield f"  {body}"


def _what(decision: Decision, line: Line, config: Config) -> str:
    match decision:
        case Send():
            return "would be texted"
        case Hold(until=until):
            return f"would wait {f'until {when(written(until), line.name, config)}' if until else 'for a person'}"
        case Skip():
            return "would not be texted"
