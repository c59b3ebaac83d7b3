"""Values of the examples that nobody has replaced: hosts that can never exist, and a campaign that is only X."""

import re
from collections.abc import Iterator

from config.model import Config

_HOST = re.compile(r"[\w.-]+\.(?:example|invalid)(?![\w.-])", re.IGNORECASE)
"""Names that are kept for documentation (RFC 2606 §2)."""
_CAMPAIGN = re.compile(r"CX+", re.IGNORECASE)
_HOSTS_OF_BRIDGES = ("host", "url")
_HOSTS_OF_TRUNKS = ("registrar", "proxy")


def of(config: Config) -> Iterator[tuple[str, str]]:
    """A dotted key and what to write there."""
    named = [("sms", name, bridge, _HOSTS_OF_BRIDGES) for name, bridge in config.sms.items()]
    for section, name, table, keys in [*named, *(("trunk", n, trunk, _HOSTS_OF_TRUNKS) for n, trunk in config.trunk.items())]:
        for key in keys:
            if found := _HOST.search(str(getattr(table, key, None) or "")):
                yield f"{section}.{name}.{key}", f"{found[0]} is the example's placeholder; write your provider's own host"
    for name, line in config.line.items():
        if _CAMPAIGN.fullmatch(line.campaign):
            says = f"{line.campaign} is the example's placeholder; write the campaign's own id, or leave the key out"
            yield f"line.{name}.campaign", says
