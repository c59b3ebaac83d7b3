"""What the gateway knows beyond its configuration file: calendars and contacts, each with its last good copy."""

from collections.abc import Mapping
from datetime import datetime

import structlog

from config.model import E164, Config
from gateway import contacts
from gateway.calendars import Calendars
from gateway.core.case import Contact
from gateway.directory import Directory

MEANWHILE = "the last good copy counts"


class Knowledge:
    """Makes directories. A file that is broken or gone is said once, and its last good copy counts meanwhile."""

    def __init__(self) -> None:
        self._calendars = Calendars()
        self._contacts: Mapping[E164, Contact] = {}
        self._contacts_stamp: tuple[str, str, int, int] | None = None
        """The file, the region that its numbers were read for, and when and how large it was written."""
        self._complaint = ""
        self._log = structlog.get_logger()

    def directory(self, config: Config, now: datetime) -> Directory:
        """The configuration with everything that belongs to it, as things are now."""
        return Directory(config, self._calendars.office_hours(config, now), self._read_contacts(config))

    def _read_contacts(self, config: Config) -> Mapping[E164, Contact]:
        if config.contacts is None:
            self._contacts, self._contacts_stamp = {}, None
            return self._contacts
        path = config.path.parent / config.contacts.file
        try:
            status = path.stat()
            stamp = (str(path), config.region, status.st_mtime_ns, status.st_size)
            if stamp != self._contacts_stamp:
                read = contacts.read(path, config.region)
                self._contacts, self._contacts_stamp = read.by_number, stamp
                for line, says in read.problems:
                    self._log.warning("contact_unusable", file=str(path), line=line, detail=says)
                self._log.info("contacts_read", file=str(path), contacts=len(read.by_number))
            self._complaint = ""
        except OSError as error:
            if self._complaint != str(error):
                self._complaint = str(error)
                self._log.warning("contacts_unreadable", file=str(path), detail=error.strerror, meanwhile=MEANWHILE)
        return self._contacts
