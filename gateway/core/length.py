"""Lengths of time in words. PURE."""

from datetime import timedelta


def length(value: timedelta) -> str:
    """A length of time as people write it, its two largest units at most: `2.9s`, `15m`, `1h 2m`, `3d`."""
    seconds = round(value.total_seconds(), 1)
    if seconds < 60:
        return f"{seconds:g}s"
    units = (
        ("d", int(seconds) // 86400),
        ("h", int(seconds) // 3600 % 24),
        ("m", int(seconds) // 60 % 60),
        ("s", int(seconds) % 60),
    )
    first = next(index for index, (_, count) in enumerate(units) if count)
    return " ".join(f"{count}{unit}" for unit, count in units[first : first + 2] if count)
