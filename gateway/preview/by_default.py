"""What is in effect where a configuration says nothing, of the keys that an admin should know of. PURE."""

from collections.abc import Iterator
from datetime import timedelta

from config.model import QUIET_HOURS, Config, Line, LineText, Smpp, Spool
from gateway.core.length import length
from gateway.core.phone import domestic
from gateway.preview.advice import Advice, texted_regions

_OF_A_LINE = ("min_ring", "same_call_within", "sender")
_OF_ITS_TEXT = ("wait", "once_per", "expires")


def by_default(config: Config) -> tuple[Advice, ...]:
    """Each with the dotted key that would change it."""
    found = [*_quiet_hours(config), *_regions(config)]
    if config.contacts is None:
        says = "none: staff who call in are texted like customers; [contacts] file names them"
        found.append(Advice(key="contacts", says=says))
    for name, way in config.sms.items():
        key = f"sms.{name}.per_second"
        if not isinstance(way, Spool) and not config.is_set(key):
            what = "part of a text" if isinstance(way, Smpp) else "text"
            found.append(Advice(key=key, says=f"{way.per_second}: one {what} a second"))
    for line in config.line.values():
        found += _unset(config, f"line.{line.name}", line, (_ring_time(line), *_OF_A_LINE))
        found += _unset(config, f"line.{line.name}.text", line.text, _OF_ITS_TEXT)
    return tuple(found)


def _ring_time(line: Line) -> str:
    """The key that says how long it rings."""
    return "ring_most" if line.arrives == "group" else "ring_seconds"


def _quiet_hours(config: Config) -> Iterator[Advice]:
    consent, regions = config.consent, texted_regions(config)
    if consent.quiet_hours is not None or consent.when_quiet == "send":
        return
    if not QUIET_HOURS.keys() & set(regions):
        says = f"none for callers of {', '.join(regions)}: they are texted at any hour"
    else:
        then = "texts wait until they end" if consent.when_quiet == "hold" else "no text is sent then"
        of_each = "; ".join(f"{_quiet_in(region)} for callers of {region}" for region in regions)
        says = f'{of_each}; on the caller\'s clock; {then}; "off" texts at any hour'
    yield Advice(key="consent.quiet_hours", says=says)


def _quiet_in(region: str) -> str:
    span = QUIET_HOURS.get(region)
    return str(span) if span else "none"


def _regions(config: Config) -> Iterator[Advice]:
    if not config.limits.regions:
        named = (f"{region} and its territories" if len(domestic(region)) > 1 else region for region in texted_regions(config))
        says = f"callers of {', '.join(named)} are texted, no others"
        yield Advice(key="limits.regions", says=says)


def _unset(config: Config, key: str, section: Line | LineText, names: tuple[str, ...]) -> Iterator[Advice]:
    """The keys of a section that are not set, as they would be written."""
    unset = [name for name in names if not config.is_set(f"{key}.{name}")]
    if unset:
        says = ", ".join(f"{name} = {_written(getattr(section, name))}" for name in unset)
        yield Advice(key=key, says=says)


def _written(value: object) -> str:
    """A value as it stands in a file."""
    if isinstance(value, timedelta):
        return f'"{length(value)}"'
    return f'"{value}"' if isinstance(value, str) else f"{value:g}" if isinstance(value, float) else str(value)
