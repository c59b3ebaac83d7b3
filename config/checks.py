"""What must hold between the parts of a configuration, and which of its keys this version does not act on yet."""

from collections.abc import Iterator
from typing import Any

from config import exceptions, sockets, variants
from config.model import MERGE_FIELD, MERGE_FIELDS, Config, Trunk
from config.problems import Finder, Problem, did_you_mean
from config.reserved import CALL_TEST

_REFERENCES = (("trunks", "trunk"), ("sms", "sms"))


def references(document: dict[str, Any], finder: Finder) -> list[Problem]:
    """Names of sections and merge fields that do not exist. Works on what was read, so that it adds to other errors."""
    found: list[Problem] = []
    for name, line in _tables(document, "line"):
        for key, section in _REFERENCES:
            named = line.get(key)
            names = [named] if isinstance(named, str) else named if isinstance(named, list) else []
            for one in dict.fromkeys(one for one in names if isinstance(one, str)):
                found += _reference(document, finder, f"line.{name}.{key}", section, one)
        if isinstance(line.get("hours"), str):
            found += _reference(document, finder, f"line.{name}.hours", "hours", line["hours"])
    for name, trunk in _tables(document, "trunk"):
        if isinstance(trunk.get("default_line"), str):
            found += _reference(document, finder, f"trunk.{name}.default_line", "line", trunk["default_line"])
    for key, message in _messages(document):
        found += [finder.problem(key, says) for says in faults_of(message)]
    return found


def _reference(document: dict[str, Any], finder: Finder, key: str, section: str, named: str) -> list[Problem]:
    known = [name for name, _ in _tables(document, section)]
    if named in known:
        return []
    if not named:
        return [finder.problem(key, f"must not be empty{did_you_mean(named, known)}")]
    return [finder.problem(key, f"there is no [{section}.{named}]{did_you_mean(named, known)}")]


def whole(config: Config, finder: Finder) -> list[Problem]:
    """What only the whole, well-formed configuration can get wrong."""
    found = list(_lines(config, finder))
    found += [finder.problem(f"hours.{name}.{key}", says) for name, key, says in exceptions.faults_of(config)]
    if not config.web.listen.is_loopback and config.web.password is None:
        says = 'is no loopback address, so a password is needed: write one into a file and say password_file = "…"'
        found.append(finder.problem("web.listen", says))
    found += [finder.problem(key, says) for key, says in sockets.faults_of(config)]
    for name, trunk in config.trunk.items():
        if name == CALL_TEST:
            found.append(finder.problem(f"trunk.{name}", "is the name of test calls' own trunk; give this one another name"))
        found += _peers_of_others(f"trunk.{name}", trunk, config, finder)
    return found


def _peers_of_others(key: str, trunk: Trunk, config: Config, finder: Finder) -> Iterator[Problem]:
    """A call belongs to one trunk, so an address does."""
    for index, peer in enumerate(trunk.peers, start=1):
        first = next(name for name, other in config.trunk.items() if peer in other.peers)
        if first != trunk.name:
            yield finder.problem(f"{key}.peers.{index}", f"{peer} is a peer of [trunk.{first}] too; an address has one trunk")


def _lines(config: Config, finder: Finder) -> Iterator[Problem]:
    numbers: dict[str, str] = {}
    for name, line in config.line.items():
        key = f"line.{name}"
        other = numbers.setdefault(line.number, name)
        if other != name:
            yield finder.problem(f"{key}.number", f"is the number of [line.{other}] too; a number has one line")
        if not line.trunks:
            why = "name a trunk here, or leave the key out for all" if config.trunk else "there is no [trunk.…] section"
            yield finder.problem(f"{key}.trunks" if config.trunk else key, f"no calls can come: {why}")
        if not line.sms and line.text.enabled:
            why = "name a bridge here, or leave the key out for all" if config.sms else "there is no [sms.…] section"
            says = f"no text can go: {why}; or say enabled = false in [{key}.text]"
            yield finder.problem(f"{key}.sms" if config.sms else key, says)
        rings, key_of_it = line.ring_seconds, "ring_seconds"
        if line.arrives == "group":
            rings, key_of_it = line.ring_most.total_seconds(), "ring_most"
        if line.arrives != "missed" and "min_ring" in line.model_fields_set and line.min_ring.total_seconds() > rings:
            says = (
                f"is more than the {rings:g} s that it rings ({key_of_it}), so nobody who hung up would be texted;"
                ' write less, or a variant with outcome = "abandoned" and send = false'
            )
            yield finder.problem(f"{key}.min_ring", says)
        for place, says in variants.faults_of(line):
            yield finder.problem(f"{key}.text.{place}", says)


def _messages(document: dict[str, Any]) -> Iterator[tuple[str, str]]:
    """Every message that a file holds, with its key."""
    consent = document.get("consent")
    for name in ("opt_out_reply", "opt_in_reply", "help_reply"):
        if isinstance(consent, dict) and isinstance(consent.get(name), str):
            yield f"consent.{name}", consent[name]
    for name, line in _tables(document, "line"):
        text = line.get("text")
        if not isinstance(text, dict):
            continue
        variants = text.get("variant")
        tables = {f"line.{name}.text": text}
        for index, variant in enumerate(variants if isinstance(variants, list) else [], start=1):
            tables[f"line.{name}.text.variant.{index}"] = variant
        for key, table in tables.items():
            if isinstance(table, dict) and isinstance(table.get("message"), str):
                yield f"{key}.message", table["message"]


def faults_of(message: str) -> Iterator[str]:
    """Merge fields that do not exist, and braces that are none."""
    for match in MERGE_FIELD.finditer(message):
        if match[1] not in MERGE_FIELDS:
            yield f"there is no merge field {{{match[1]}}}{did_you_mean(match[1], MERGE_FIELDS)}"
    left = MERGE_FIELD.sub("", message)
    if "{" in left or "}" in left:
        known = " ".join(f"{{{name}}}" for name in MERGE_FIELDS)
        yield f"a brace belongs to no merge field; there are {known}, with a fallback: {{contact|there}}"
    if not MERGE_FIELD.sub("", message).strip() and not MERGE_FIELD.search(message):
        yield "is empty"


# --- what is read and not acted on yet --------------------------------------------------------------------------------

_WHOLE_SECTIONS = {
    "alert": "alerts (what they would tell is in the log and in textback status)",
    "retention": "nothing is deleted yet",
}
_KEYS = {
    "sip.stun": "STUN",
    "sip.tls_certificate": "SIP over TLS",
    "sip.tls_key": "SIP over TLS",
}
_LINE_KEYS: dict[str, Any] = {"phones": [], "then": "reject", "greeting": None}
"""With the value that means what happens anyway."""
_LATER = "read and checked, not in effect yet"


def not_in_effect(document: dict[str, Any]) -> Iterator[tuple[str, str]]:
    """Every key of a file that is accepted and does nothing yet, with what is said of it."""
    for section, what in _WHOLE_SECTIONS.items():
        if section in document:
            yield section, f"{_LATER}: {what}"
    for key, what in _KEYS.items():
        section, _, name = key.partition(".")
        if isinstance(document.get(section), dict) and name in document[section]:
            yield key, f"{_LATER}: {what}"
    for name, trunk in _tables(document, "trunk"):
        if "registrar" in trunk:
            yield f"trunk.{name}", f"{_LATER}: accounts are not registered, so no calls come from here"
    for name, line in _tables(document, "line"):
        for key, harmless in _LINE_KEYS.items():
            if key in line and line[key] != harmless:
                yield f"line.{name}.{key}", _LATER


def _tables(document: dict[str, Any], section: str) -> list[tuple[str, dict[str, Any]]]:
    tables = document.get(section)
    return [(n, t) for n, t in tables.items() if isinstance(t, dict)] if isinstance(tables, dict) else []
