"""What a configuration may say and most likely does not mean: warnings of `textback check` that need nothing but its values."""

from collections.abc import Iterator
from datetime import timedelta
from ipaddress import ip_network
from itertools import combinations

from config.hours import DAYS, days
from config.model import Config, Hours, Line, Span

LONGEST_PAST_MIDNIGHT = timedelta(hours=12)
SMALLEST_V4, SMALLEST_V6 = 8, 32
"""Networks larger than these are no office's and no carrier's."""
SHORTEST_OF_A_PBX, STEP_OF_A_PBX = 10, 5
"""Seconds: PBXs ring 15, 20, 25, 30 …, as their admins count."""
SHORTEST_OF_A_GROUP = timedelta(seconds=30)
LATER_THAN_A_PBX = 2
"""Seconds in which a CANCEL has come, whatever the network."""
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
    for line in config.line.values():
        yield from _who_ends_the_ring(line, config)


def _who_ends_the_ring(line: Line, config: Config) -> Iterator[tuple[str, str]]:
    """Where phones ring beside the gateway, whoever ends the ring first decides what became of the call."""
    key, rings = f"line.{line.name}", line.ring_seconds
    if line.arrives != "group" and config.is_set(f"{key}.ring_most"):
        yield f"{key}.ring_most", f'does nothing with arrives = "{line.arrives}": ring_seconds counts; say arrives = "group"'
    if line.arrives == "group" and line.ring_most < SHORTEST_OF_A_GROUP:
        says = (
            f"{line.ring_most.total_seconds():g} s is shorter than groups ring: whom a phone answers after that is texted;"
            " it is only for a PBX that never ends the ring, so take minutes"
        )
        yield f"{key}.ring_most", says
    trunks = [config.trunk[name] for name in line.trunks]
    ignoring = [trunk.name for trunk in trunks if trunk.answered_elsewhere == "ignore"]
    if line.arrives == "group" and ignoring:
        says = (
            f"the CANCEL says whether a phone of the group answered, but [trunk.{ignoring[0]}] has answered_elsewhere ="
            ' "ignore", so every call that a phone answers is texted; say "trust" there'
        )
        yield f"{key}.arrives", says
    may_be_the_pbxs = rings >= SHORTEST_OF_A_PBX and rings % STEP_OF_A_PBX == 0
    if line.arrives == "ringing" and may_be_the_pbxs and any(trunk.peers for trunk in trunks):
        says = (
            f"{rings:g} s may be the PBX's ring time too: then we end it in the moment in which it gives up its phones, and"
            ' whom one of them answers just then is texted. If phones ring beside the gateway: arrives = "group". If none do,'
            f" or if the PBX ends its ring after {rings:g} s: ring_seconds = {rings + LATER_THAN_A_PBX:g} ({rings:g} +"
            f" {LATER_THAN_A_PBX}) lets it end first"
        )
        yield f"{key}.ring_seconds", says


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
