"""What a configuration may say and most likely does not mean: warnings of `textback check` that need nothing but its values."""

from collections.abc import Iterator
from datetime import timedelta
from ipaddress import ip_network
from itertools import combinations

from config.hours import DAYS, days
from config.model import Config, Hours, Span

LONGEST_PAST_MIDNIGHT = timedelta(hours=12)
SMALLEST_V4, SMALLEST_V6 = 8, 32
"""Networks larger than these are no office's and no carrier's."""
_DAY = timedelta(days=1)
_WEEK = 7 * _DAY
_DAY_NAMES = ("Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday")


def of(config: Config) -> Iterator[tuple[str, str]]:
    """A dotted key and what to think about."""
    for name, trunk in config.trunk.items():
        for index, peer in enumerate(trunk.peers, start=1):
            if _is_half_the_world(peer):
                says = (
                    f"{peer} lets anybody on the internet place calls that are texted; name your PBX's or carrier's addresses"
                )
                yield f"trunk.{name}.peers.{index}", says
    for name, hours in config.hours.items():
        yield from _backwards(f"hours.{name}", hours)
        if (shared := overlap(hours)) is not None:
            yield f"hours.{name}", shared


def _is_half_the_world(peer: str) -> bool:
    if "/" not in peer:
        return False
    network = ip_network(peer)
    return network.prefixlen < (SMALLEST_V4 if network.version == 4 else SMALLEST_V6)


def _backwards(key: str, hours: Hours) -> Iterator[tuple[str, str]]:
    for names, spans in hours.week.items():
        for span in spans:
            length = _length(span)
            if span.end <= span.start and LONGEST_PAST_MIDNIGHT < length < _DAY:
                says = (
                    f"{span} is open past midnight, {length.total_seconds() / 3600:g} h long; "
                    f'if the day was meant, turn it around: "{span.end:%H:%M}-{span.start:%H:%M}"'
                )
                yield f"{key}.{names}", says


def overlap(hours: Hours) -> str | None:
    """The first two spans of a week that share time, with their days, in a sentence."""
    week = [
        (index, span)
        for index in range(len(DAYS))
        for names, spans in hours.week.items()
        if index in days(names)
        for span in spans
    ]
    for (day, first), (other_day, second) in combinations(week, 2):
        if _share_time((day, first), (other_day, second)):
            one, other = sorted([(day, str(first)), (other_day, str(second))])
            also = "" if day == other_day else f"{_DAY_NAMES[other[0]]} "
            return f"on {_DAY_NAMES[one[0]]} {one[1]} and {also}{other[1]} overlap; write them as one"
    return None


def _share_time(one: tuple[int, Span], other: tuple[int, Span]) -> bool:
    """On the circle of a week."""
    (start, length), (other_start, other_length) = _placed(*one), _placed(*other)
    return (other_start - start) % _WEEK < length or (start - other_start) % _WEEK < other_length


def _placed(day: int, span: Span) -> tuple[timedelta, timedelta]:
    return day * _DAY + timedelta(hours=span.start.hour, minutes=span.start.minute), _length(span)


def _length(span: Span) -> timedelta:
    minutes = (span.end.hour - span.start.hour) * 60 + span.end.minute - span.start.minute
    return timedelta(minutes=minutes) if minutes > 0 else _DAY + timedelta(minutes=minutes)
