"""Where a caller is, for the quiet hours: numbers that say where they lie, and those that say their country and no more."""

from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime, time, timedelta
from zoneinfo import ZoneInfo

import phonenumbers
import pytest

from config.model import E164, Consent, Span
from gateway.core.case import Case, History, Policy, Traffic
from gateway.core.decision import Hold, decide
from gateway.core.phone import region_of
from gateway.core.quiet import quiet_until
from gateway.core.zones import Home, says_only_its_country, zones_for, zones_of
from tests.core.test_decision import call, line

NIGHT = Span(start=time(21), end=time(8))
WINTER, SUMMER = datetime(2027, 1, 12, tzinfo=UTC), datetime(2027, 7, 13, tzinfo=UTC)
MOST_BETWEEN_PEOPLE = timedelta(hours=3)
"""New York and Los Angeles, Sydney and Perth."""


def office(region: str, timezone: str, number: str) -> Policy:
    """A line there, with quiet hours at night."""
    own = line().model_copy(update={"timezone": timezone, "number": E164(number)})
    everywhere = frozenset(phonenumbers.SUPPORTED_REGIONS)
    return Policy(
        line=own,
        own_numbers=frozenset({own.number}),
        regions=everywhere,
        home_region=region,
        consent=Consent(quiet_hours="21:00-08:00"),
    )


SYDNEY = office("AU", "Australia/Sydney", "+61299999999")
CHICAGO = office("US", "America/Chicago", "+14155550100")
LONDON = office("GB", "Europe/London", "+442079460018")


@pytest.mark.parametrize(
    ("at", "caller", "clock", "held_until"),
    [
        (SYDNEY, "+61412345678", "2026-11-24T08:30 Australia/Sydney", None),
        (SYDNEY, "+61412345678", "2026-11-24T07:30 Australia/Sydney", "2026-11-24T08:00 Australia/Sydney"),
        (SYDNEY, "+61412345678", "2026-11-24T20:30 Australia/Sydney", None),
        (SYDNEY, "+642112345678", "2026-11-24T20:30 Australia/Sydney", "2026-11-25T08:00 Pacific/Auckland"),
        (LONDON, "+61412345678", "2026-11-24T08:30 Australia/Sydney", "2026-11-24T08:00 Australia/Perth"),
        (LONDON, "+34612345678", "2026-11-24T08:30 Europe/Madrid", None),
        (LONDON, "+353850123456", "2026-11-24T08:30 Europe/Dublin", None),
        (LONDON, "+79123456789", "2026-11-24T20:30 Europe/Moscow", "2026-11-25T08:00 Europe/Moscow"),
        (CHICAGO, "+12684641234", "2026-11-24T08:30 America/Antigua", None),
        (CHICAGO, "+16847331234", "2026-11-24T08:30 America/Chicago", "2026-11-24T08:00 Pacific/Pago_Pago"),
        (CHICAGO, "+12085550123", "2026-11-24T08:30 America/Boise", "2026-11-24T08:00 America/Los_Angeles"),
        (CHICAGO, "+14155550123", "2026-11-24T08:30 America/Chicago", "2026-11-24T08:00 America/Los_Angeles"),
    ],
)
def test_text_is_held_while_it_is_night_for_people_there(at: Policy, caller: str, clock: str, held_until: str | None) -> None:
    now = instant(clock)
    of = replace(call(), caller=E164(caller), arrived_at=now, missed_at=now)
    decision = decide(Case(call=of, history=History(), traffic=Traffic(), policy=at, now=now))
    assert (decision.until if isinstance(decision, Hold) else None) == (instant(held_until) if held_until else None)


def instant(clock: str) -> datetime:
    """`2026-11-24T08:30 Australia/Sydney` as an instant."""
    at, zone = clock.split(" ")
    return datetime.fromisoformat(at).replace(tzinfo=ZoneInfo(zone)).astimezone(UTC)


def test_clock_of_an_office_that_is_not_kept_in_its_country_says_nothing_of_callers_there() -> None:
    mobile = E164("+61412345678")
    for timezone in ("Europe/London", "America/Chicago"):
        found = zones_for(mobile, Home(countries=frozenset({"AU"}), timezone=timezone), SUMMER)
        assert found == ("Australia/Sydney", "Australia/Brisbane", "Australia/Perth")
    for timezone in ("Australia/Melbourne", "Australia/Perth"):
        assert zones_for(mobile, Home(countries=frozenset({"AU"}), timezone=timezone), SUMMER) == (timezone,)


def examples() -> Iterator[E164]:
    """A number of every kind of every region, and a mobile of every area that has its own zones."""
    kinds = [value for name, value in vars(phonenumbers.PhoneNumberType).items() if name.isupper() and isinstance(value, int)]
    for region in sorted(phonenumbers.SUPPORTED_REGIONS):
        for kind in kinds:
            if found := phonenumbers.example_number_for_type(region, kind):
                yield E164(phonenumbers.format_number(found, phonenumbers.PhoneNumberFormat.E164))


def spread(zones: tuple[str, ...], now: datetime) -> timedelta:
    """How far the clocks of some zones are apart."""
    offsets = [now.astimezone(ZoneInfo(zone)).utcoffset() or timedelta(0) for zone in zones]
    return max(offsets) - min(offsets)


def offsets(zones: tuple[str, ...], now: datetime) -> set[timedelta | None]:
    """What the clocks of some zones show beside UTC."""
    return {now.astimezone(ZoneInfo(zone)).utcoffset() for zone in zones}


@pytest.mark.parametrize("season", [WINTER, SUMMER])
def test_nobody_waits_longer_than_the_night_of_the_people_there(season: datetime) -> None:
    """Every region, every hour, an office in Chicago: the night lasts 11 hours, and a country is as wide as its people live."""
    numbers = set(examples())
    assert len({region_of(number) for number in numbers}) > 200
    for number in numbers:
        zones = zones_for(number, Home(countries=frozenset({"US"}), timezone="America/Chicago"), season)
        wide = spread(zones, season)
        assert wide <= MOST_BETWEEN_PEOPLE, (number, zones)
        for hour in range(24):
            until = quiet_until(season + timedelta(hours=hour), NIGHT, zones)
            assert until is None or until - (season + timedelta(hours=hour)) <= timedelta(hours=11) + wide, (number, zones)


@pytest.mark.parametrize("season", [WINTER, SUMMER])
def test_people_are_where_their_number_may_lie(season: datetime) -> None:
    """What the zones are narrowed to is among those that the number may lie in, by the clock; an area's zones all stay."""
    for number in examples():
        all_zones = zones_of(number)
        zones = zones_for(number, Home(countries=frozenset(), timezone="Europe/London"), season)
        if all_zones:
            assert offsets(zones, season) <= offsets(all_zones, season), (number, zones)
            assert set(zones) == set(all_zones) or says_only_its_country(number)


def test_number_of_no_country_is_where_the_office_is() -> None:
    assert zones_for(E164("+870773111632"), Home(countries=frozenset({"US"}), timezone="America/Chicago"), WINTER) == (
        "America/Chicago",
    )
