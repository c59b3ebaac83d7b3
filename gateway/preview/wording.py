"""What messages leave empty, and what they promise that nobody keeps yet. PURE. Each finding is a dotted key and a sentence."""

import re
from collections.abc import Iterator, Mapping

from config.model import MERGE_FIELD, Config, Line

_SOMEBODY_TOLD = re.compile(
    r"\b(?:(?:has|have|had|was|were|is|are)\s+)?(?:been\s+)?(?:paged|paging|alerted|alerting|notified|notifying|dispatched)\b",
    re.IGNORECASE,
)
_VOICEMAIL_HEARD = re.compile(
    r"\b(?:got|received|heard|have)\s+your\s+(?:voice ?mail|voice message|message|recording)\b", re.IGNORECASE
)
_ALWAYS_KNOWN = ("known", "vip")
_NO_CALL = "in confirmations of STOP, START and HELP, which belong to no call"


def of_line(line: Line) -> Iterator[tuple[str, str]]:
    """What is wrong with the words of a line's messages."""
    text = line.text
    yield from _of_message(line, f"line.{line.name}.text.message", text.message, caller=None)
    for index, variant in enumerate(text.variant, start=1):
        if variant.message is not None:
            yield from _of_message(
                line, f"line.{line.name}.text.variant.{index}.message", variant.message, caller=variant.caller
            )


def of_confirmations(config: Config) -> Iterator[tuple[str, str]]:
    """What is wrong with the words of the confirmations of STOP, START and HELP."""
    empty = {"contact": _NO_CALL, "opens": _NO_CALL}
    for line in config.line.values():
        if not line.staff:
            empty.setdefault("staff", _no_staff(line))
    for name in ("opt_out_reply", "opt_in_reply", "help_reply"):
        for says in _emptied(getattr(config.consent, name), empty):
            yield f"consent.{name}", says


def _of_message(line: Line, key: str, message: str, *, caller: str | None) -> Iterator[tuple[str, str]]:
    empty = {}
    if not line.staff:
        empty["staff"] = _no_staff(line)
    if not line.hours:
        empty["opens"] = f": [line.{line.name}] has no hours; set them, or leave {{opens}} out"
    if caller not in _ALWAYS_KNOWN:
        empty["contact"] = "for callers who are not in the contacts; write {contact|there}"
    for says in (*_emptied(message, empty), *_in_vain(line, message)):
        yield key, says


def _no_staff(line: Line) -> str:
    return f': [line.{line.name}] has no staff; set staff = "…", or write {{staff|our team}}'


def _emptied(message: str, empty: Mapping[str, str]) -> Iterator[str]:
    """The fields without a fallback that have nothing to say; `empty` says of each why or when."""
    without = (match[1] for match in MERGE_FIELD.finditer(message) if not (match[2] or "").strip())
    for name in dict.fromkeys(without):
        if why := empty.get(name):
            yield f"{{{name}}} is empty{'' if why.startswith(':') else ' '}{why}"


def _in_vain(line: Line, message: str) -> Iterator[str]:
    if found := _SOMEBODY_TOLD.search(message):
        yield f"{found[0]!r}: nobody is told of calls yet (alerts are not in effect); promise only what your staff does"
    if line.arrives != "missed" and (found := _VOICEMAIL_HEARD.search(message)):
        yield f"{found[0]!r}: callers cannot leave any yet (voicemail is not in effect); say something else"
