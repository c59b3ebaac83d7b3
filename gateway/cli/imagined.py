"""Why a call that has not happened would be texted or not: the same rules, on what is known of the caller today."""

import argparse
import sqlite3
from dataclasses import asdict
from datetime import UTC, datetime, timedelta

from config.model import Config, Line
from gateway.cli.say import complain, say, say_json
from gateway.cli.steps import placed, step_in_words
from gateway.core.call import Outcome
from gateway.core.decision import Decision, Send, decide, word_of
from gateway.core.reason import IN_WORDS
from gateway.core.schedule import zone
from gateway.knowledge import Knowledge
from gateway.ruling import Ruling
from gateway.store.calls import Arrival, Ended, Ending
from gateway.store.errors import NoDatabase
from gateway.store.opening import migrate
from gateway.store.reading import FILE, reading


def explain(options: argparse.Namespace, config: Config) -> int:
    """0; 2 on wrong use."""
    line = config.line.get(options.line or "")
    if line is None:
        known = ", ".join(config.line)
        complain(f"textback: explain wants a CALL, or --line NAME --from NUMBER; the lines are {known}")
        return 2
    try:
        at = _instant(options.at, line)
    except ValueError as error:
        complain(f"textback: --at: {error}; write 2026-12-24T18:30")
        return 2
    ruling = Ruling(Knowledge().directory(config, at))
    ended = _ended(options, line, ruling, at)
    decision = _decide(ruling, ended, line, config)
    trace = [placed(asdict(step), config) for step in decision.trace]
    body = ""
    if isinstance(decision, Send) and ended.arrival.caller is not None:
        body = ruling.render(line, decision.variant, ended.arrival.caller, at, ended.ending.at).text
    if options.json:
        say_json({"decision": word_of(decision), "reason": decision.reason, "trace": trace, "text": body})
        return 0
    what = {"send": "would be texted", "hold": "would wait", "skip": "would not be texted"}[word_of(decision)]
    say(f"Such a call {what}, because {IN_WORDS[decision.reason]} ({decision.reason}):")
    say(*map(step_in_words, trace))
    if body:
        say("The text:", f"  {body}")
    return 0


def _instant(text: str | None, line: Line) -> datetime:
    if text is None:
        return datetime.now(UTC)
    at = datetime.fromisoformat(text)
    return (at if at.tzinfo else at.replace(tzinfo=zone(line.timezone))).astimezone(UTC)


def _ended(options: argparse.Namespace, line: Line, ruling: Ruling, at: datetime) -> Ended:
    outcome = Outcome(options.outcome)
    rang = timedelta(seconds=line.ring_seconds)
    arrival = Arrival(
        key="imagined",
        call_id="imagined",
        trunk=line.trunks[0],
        source="",
        line=line.name,
        caller=ruling.directory.caller(options.caller),
        caller_as_sent=options.caller,
        caller_name="",
        caller_header="",
        dialled=(line.number,),
        diversions=(),
        verstat="",
        arrived_at=at,
    )
    return Ended(id=0, arrival=arrival, ending=Ending(outcome=outcome, at=at, rang=rang))


def _decide(ruling: Ruling, ended: Ended, line: Line, config: Config) -> Decision:
    try:
        with reading(config.data_dir / FILE) as db:
            return decide(ruling.case(db, ended, line, ended.ending.at))
    except NoDatabase:
        empty = sqlite3.connect(":memory:")
        empty.row_factory = sqlite3.Row
        migrate(empty, config.data_dir / FILE)
        try:
            return decide(ruling.case(empty, ended, line, ended.ending.at))
        finally:
            empty.close()
