"""What a case showed: the PBX's words, our journal's, and whether that is right. The table that script/pbx prints."""

import json
from dataclasses import dataclass
from typing import Any

from gateway.core.delivery import TextState
from gateway.store import calls
from gateway.store.database import reading
from gateway.store.selection import Selection
from tests.pbx.transfers import caller_of
from tests.peers.gateway import RunningGateway

LINES = """\
[line.group]
number = "+14155550105"
business = "ABC HVAC"
arrives = "group"
ring_most = "{ring_most}"
min_ring = "0s"
same_call_within = "{same_call_within}"
[line.group.text]
once_per = "call"
[line.queue]
number = "+14155550107"
business = "ABC HVAC"
arrives = "group"
ring_most = "{ring_most}"
min_ring = "0s"
same_call_within = "20s"
[line.queue.text]
wait = "4s"
once_per = "call"
[line.forwarded]
number = "+14155550106"
business = "ABC HVAC"
arrives = "missed"
ring_seconds = 1
[line.forwarded.text]
once_per = "call"
"""
"""Beside `front-desk`, +14155550100, which rings for a second by itself."""


def listening(port: int) -> str:
    """The gateway's sockets, as its configuration."""
    return f'["udp:127.0.0.1:{port}", "tcp:127.0.0.1:{port}"]'


def lines(*, ring_most: str = "10s", same_call_within: str = "off") -> str:
    """The lines as the gateway's configuration."""
    return LINES.format(ring_most=ring_most, same_call_within=same_call_within)


@dataclass(frozen=True, kw_only=True)
class Journalled:
    """A call as the journal has it."""

    line: str | None
    outcome: str
    reason: str | None = None
    """The decision's; None where nobody decided."""
    said: str = ""
    """What the Reason header of its CANCEL said, or the status that we gave."""
    texted: bool = False
    diverted: str = ""
    """By whom, and why: what Diversion or History-Info said."""

    def __str__(self) -> str:
        words = f"{self.outcome} ({self.reason or 'no decision'})"
        also = (self.said, self.diverted and f"diverted by {self.diverted}", "texted" if self.texted else "")
        return ", ".join([words, *filter(None, also)])


@dataclass(frozen=True, kw_only=True)
class Seen:
    """What came of one case."""

    name: str
    pbx: str
    """What the PBX told the caller, or wrote down."""
    journal: tuple[Journalled, ...]


@dataclass(frozen=True, kw_only=True)
class Verdict:
    """A case beside what was expected of it."""

    seen: Seen
    expected: Seen
    is_untrue: bool = False
    """It is as docs/pbx.md says, and not as it was: the PBX does not tell."""

    @property
    def is_right(self) -> bool:
        """Did all come as expected?"""
        return self.seen == self.expected


def journal_of(running: RunningGateway, caller: str) -> tuple[Journalled, ...]:
    """All calls of a caller, and those of the phone that transfers them, in order, once each has its decision and no text is under way."""
    with reading(running.database) as db:
        rows = list(reversed(calls.selected(db, Selection())))
    return tuple(_journalled(row) for row in rows if caller in (row["caller"], caller_of(row["caller_as_sent"] or "")))


_GONE = frozenset({TextState.ACCEPTED, TextState.DELIVERED})


def _journalled(row: Any) -> Journalled:
    diversions = json.loads(row["diversions"])
    return Journalled(
        line=row["line"],
        outcome=row["outcome"],
        reason=row["reason"],
        said=row["sip_reason"],
        texted=row["text_state"] in _GONE,
        diverted=", ".join(f"{diversion['number']} ({diversion['reason']})" for diversion in diversions),
    )


def table(verdicts: list[Verdict]) -> list[str]:
    """The lines to print: what is not as expected stands below its case."""
    found = []
    for verdict in verdicts:
        seen = verdict.seen
        words = "; ".join(map(str, seen.journal)) or "no call"
        word = "WRONG " if not verdict.is_right else "untold" if verdict.is_untrue else "right "
        found.append(f"{word}  {seen.name:<46}  {seen.pbx:<34}  {words}")
        if not verdict.is_right:
            expected = verdict.expected
            found.append(f"        expected: {expected.pbx}; {'; '.join(map(str, expected.journal)) or 'no call'}")
    return found
