"""What the gateway knows beside its configuration, as commands see it: the files as they are, or their last good copies."""

from datetime import datetime

from config.model import Config
from gateway.cli.say import complain
from gateway.office.directory import Directory
from gateway.office.knowledge import Knowledge


def directory_now(config: Config, now: datetime) -> Directory:
    """With a line on standard error for each file that cannot be used."""
    directory = Knowledge(tells=False).directory(config, now)
    for fault in directory.faults:
        complain(f"textback: {fault.file} {fault.detail}; meanwhile {fault.meanwhile}")
    return directory
