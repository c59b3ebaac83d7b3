"""What past calls advise: of the journal for `textback check`, of a replay for `textback simulate`."""

from collections import defaultdict
from collections.abc import Collection, Iterable, Iterator, Mapping
from contextlib import suppress
from datetime import datetime, timedelta

from config.model import E164, Config
from gateway.core.call import ANSWERED
from gateway.core.callers import Sent, of_trunk
from gateway.core.hindsight import Texted, of_wait
from gateway.preview.advice import Advice
from gateway.preview.records import Recorded
from gateway.preview.simulation import Replayed
from gateway.store.errors import StoreError
from gateway.store.hindsight import callers, texted
from gateway.store.reading import FILE, reading

LOOKED_BACK = timedelta(days=30)


def of_journal(config: Config, now: datetime) -> tuple[Advice, ...]:
    """By the texts and callers of the last 30 days; none where there is no database that can be read."""
    with suppress(StoreError), reading(config.data_dir / FILE) as db:
        since = now - LOOKED_BACK
        return (*of_callers(callers(db, since), config), *of_texts(texted(db, since), config))
    return ()


def of_callers(sent: Mapping[str, Collection[Sent]], config: Config) -> tuple[Advice, ...]:
    """Of each trunk that the configuration has, as it would read them."""
    lines = {line.number: line.name for line in config.line.values()}
    found = ((name, of_trunk(sent.get(name, ()), trunk, config.region, lines)) for name, trunk in config.trunk.items())
    return tuple(Advice(key=f"trunk.{name}", says=says) for name, says in found if says is not None)


def of_texts(texts: Iterable[Texted], config: Config) -> tuple[Advice, ...]:
    """Of each line that the configuration has."""
    by_line: dict[str, list[Texted]] = defaultdict(list)
    for text in texts:
        by_line[text.line].append(text)
    found = ((name, of_wait(by_line[name], line.text.wait)) for name, line in config.line.items())
    return tuple(Advice(key=f"line.{name}.text.wait", says=says) for name, says in found if says is not None)


def of_replay(replayed: Iterable[Replayed], recorded: Iterable[Recorded]) -> Iterator[Texted]:
    """The texts that would have gone, each with when its caller was answered next."""
    answered: dict[tuple[E164 | None, str | None], list[Recorded]] = defaultdict(list)
    for one in recorded:
        if one.call.outcome in ANSWERED:
            answered[one.call.caller, one.line].append(one)
    for text in replayed:
        of = text.recorded
        if text.went_at is None:
            continue
        after = (
            other.call.missed_at
            for other in answered[of.call.caller, of.line]
            if other.call.arrived_at > of.call.arrived_at and other.call.missed_at > text.went_at
        )
        yield Texted(
            line=of.line or "", missed_at=of.call.missed_at, went_at=text.went_at, answered_at=min(after, default=None)
        )
