"""How the gateway of a configuration is started and reloaded here: by systemd where it is a service. Loads next to nothing."""

import shlex
from pathlib import Path

from config.places import SEARCHED, is_there

UNIT = Path("/etc/systemd/system/textback.service")
BOOTED = Path("/run/systemd/system")
"""There where systemd runs (sd_booted(3))."""


def how_to_start(named: Path | None) -> str:
    """The command; None: the file that is found without a name."""
    return _command(named, by_systemd="systemctl start textback", by_hand="run")


def how_to_reload(named: Path | None) -> str:
    """The command that has the gateway load it again."""
    return _command(named, by_systemd="systemctl reload textback", by_hand="reload")


def _command(named: Path | None, *, by_systemd: str, by_hand: str) -> str:
    found = next((path for path in SEARCHED if is_there(path)), None)
    if _is_of_a_service(named or found or SEARCHED[0]):
        return by_systemd
    return f"textback {by_hand}" if named in {None, found} else f"textback -c {shlex.quote(str(named))} {by_hand}"


def _is_of_a_service(path: Path) -> bool:
    """The unit says of which configuration it runs the gateway."""
    try:
        unit = UNIT.read_text() if BOOTED.is_dir() else ""
    except OSError:
        return False
    return any(f" -c {path.absolute()} " in line for line in unit.splitlines() if line.startswith("ExecStart="))
