"""The entries of a decision's trace, for people and with their place in the configuration."""

import json
from typing import Any

from config.model import Config
from gateway.core.delivery import TextState
from gateway.core.reason import IN_WORDS, Reason

_KEYS = ("rule", "saw", "verdict", "config")


def entries_of(trace: str) -> list[dict[str, str]]:
    """The entries of a trace as it stands in the database, each with all of its keys."""
    return [{key: str(entry.get(key, "")) for key in _KEYS} for entry in json.loads(trace)]


def placed(entry: dict[str, str], config: Config) -> dict[str, str]:
    """The entry with its key's file and line."""
    return {**entry, "config": f"{entry['config']} ({config.where(entry['config'])})"} if entry["config"] else entry


def entry_in_words(entry: dict[str, str]) -> str:
    """`+` nothing against a text, `x` it stopped or held it."""
    mark = "+" if entry["verdict"] == "pass" else "x"
    return f"  {mark} {entry['rule']:<20} {entry['saw']:<44} {entry['config']}".rstrip()


def reason_in_words(reason: str | None) -> str:
    """One clause for people; a word of another version's stands for itself."""
    return IN_WORDS[Reason(reason)] if reason in set(Reason) else reason or "nothing was decided"


def detail_in_words(text: Any) -> str:
    """What was said of a text: by a network, or by a decision, which leaves its reason alone there."""
    is_decided = text["state"] in (TextState.CANCELLED, TextState.EXPIRED)
    return reason_in_words(text["detail"]) if is_decided and text["detail"] else text["detail"]
