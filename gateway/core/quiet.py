"""Quiet hours in the caller's own time zone. PURE.

Where a caller may be in several zones (`zones.py`), all of them must allow a text.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta

from config.model import E164, QUIET_HOURS, Consent, Span
from gateway.core.phone import region_of
from gateway.core.schedule import local, zone
from gateway.core.zones import Home, zones_for, zones_of


def quiet_hours_for(caller: E164, consent: Consent) -> Span | None:
    """The quiet hours that hold for a caller: the configuration's, else those of the caller's country; None: none do."""
    if consent.quiet_hours == "off" or consent.when_quiet == "send":
        return None
    return consent.quiet_hours or QUIET_HOURS.get(region_of(caller))


def why_never_quiet(consent: Consent, region: str) -> tuple[str, str]:
    """Why no quiet hours hold for a caller of a region, in words, and the key that says so."""
    if consent.quiet_hours == "off":
        return "quiet hours are off", "consent.quiet_hours"
    if consent.when_quiet == "send":
        return 'sent at any hour: when_quiet = "send"', "consent.when_quiet"
    return f"no quiet hours are known for {region}, and none are set", "consent.quiet_hours"


@dataclass(frozen=True, slots=True, kw_only=True)
class Quiet:
    """What is asked of a text that has waited in the queue: the quiet hours may have begun meanwhile."""

    consent: Consent
    homes: Mapping[str, Home] = field(default_factory=dict)
    """Of each line."""

    def holds_for(self, caller: E164, line: str, now: datetime) -> bool:
        """Is it quiet now where the caller is?"""
        quiet = quiet_hours_for(caller, self.consent)
        home = self.homes.get(line)
        zones = zones_for(caller, home, now) if home else zones_of(caller) or ("UTC",)
        return quiet is not None and quiet_until(now, quiet, zones) is not None


NEVER = Quiet(consent=Consent(quiet_hours="off"))


def quiet_until(now: datetime, quiet: Span, zones: tuple[str, ...]) -> datetime | None:
    """When the first moment comes at which it is quiet nowhere; None where that is now (or never)."""
    at = now
    for _ in range(4 * len(zones) + 1):
        ends = [end for name in zones if (end := _end_of_quiet(at, quiet, name)) is not None]
        if not ends:
            return None if at == now else at
        at = max(ends)
    return None


def _end_of_quiet(at: datetime, quiet: Span, timezone: str) -> datetime | None:
    """The end of the quiet hours that hold an instant in one zone, or None where it is not quiet then."""
    clock = local(at, timezone).time()
    runs_past_midnight = quiet.end <= quiet.start
    is_quiet = clock >= quiet.start or clock < quiet.end if runs_past_midnight else quiet.start <= clock < quiet.end
    if not is_quiet:
        return None
    day = local(at, timezone).date()
    if runs_past_midnight and clock >= quiet.start:
        day += timedelta(days=1)
    end = datetime.combine(day, quiet.end, zone(timezone))
    return max(end.astimezone(UTC), end.replace(fold=1).astimezone(UTC), at + timedelta(minutes=1))
