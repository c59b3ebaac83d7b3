"""`validity_period` (SMPP 3.4 §7.1.1): how long an SMSC may try to deliver a text. PURE."""

from datetime import UTC, timedelta
from typing import Literal

from sms.text import Validity

How = Literal["relative", "absolute", "none"]

LEAST, MOST = timedelta(minutes=1), timedelta(days=30)
"""An SMSC counts in minutes at best (3GPP TS 23.040 §9.2.3.12 in five of them), and some take no more than a month."""


def written(validity: Validity | None, how: How) -> str:
    """`YYMMDDhhmmsstnnp`: so long from now by the SMSC's own clock (R), or an instant in UTC; empty: the SMSC's own."""
    if validity is None or how == "none":
        return ""
    clamped = validity.within(LEAST, MOST)
    if how == "absolute":
        return f"{clamped.until.astimezone(UTC):%y%m%d%H%M%S}000+"
    minutes, seconds = divmod(clamped.seconds, 60)
    hours, minutes = divmod(minutes, 60)
    days, hours = divmod(hours, 24)
    return f"0000{days:02}{hours:02}{minutes:02}{seconds:02}000R"
