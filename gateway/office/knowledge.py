"""What the gateway knows beyond its configuration file: calendars and contacts, each with its last good copy."""

from collections.abc import Iterator, Mapping
from dataclasses import replace
from datetime import datetime
from pathlib import Path
from typing import Any

import structlog

from config.model import Config
from gateway.files.last_good import Copies
from gateway.files.watched import Known, Watched
from gateway.office import contacts
from gateway.office.calendars import CalendarKnown, Calendars, office_hours
from gateway.office.contacts import Contacts
from gateway.office.directory import Directory, FileFault
from gateway.office.time_off import TimeOff

COPY_COUNTS = "its last good copy counts"
TEXTS_HELD = "texts are held until it can be read, no longer than they may be late"
HOURS_KEPT = "its days off are not known: the office is taken to keep its hours"
REST_COUNTS = "its other rows count"
STILL_COUNT = "its other rows count, and whoever is missing there and was staff or blocked before"
BY_ROWS = (REST_COUNTS, STILL_COUNT)
"""What counts of a file that can be used, but for some rows."""
PROBLEMS_LOGGED = 20


class Knowledge:
    """Makes directories. `keeps`: the running gateway, which keeps copies of good files in its data directory; commands read
    these. `tells`: what is read, and what is wrong with it, is said in the log, once."""

    def __init__(self, *, keeps: bool = False, tells: bool = True) -> None:
        self._keeps = keeps
        self._tells = tells
        self._calendars = Calendars(waits=keeps)
        self._contacts: Watched[Contacts, str] | None = None
        self._complaints: dict[str, str] = {}
        """What was said last of each file."""
        self.is_changing = False
        """A file has changed moments ago, or texts are held for it: it is to be looked at again in some seconds."""
        self._log = structlog.get_logger()

    def directory(self, config: Config, now: datetime) -> Directory:
        """The configuration with everything that belongs to it, as things are now."""
        copies = Copies(config.data_dir, keeps=self._keeps)
        calendars = self._calendars.look(config, now, copies)
        people = self._look_at_contacts(config, copies)
        looked_at: dict[Path, Known[Any]] = {file.path: file.known for file in calendars.values()}
        if people is not None:
            looked_at[contacts_of(config)] = people
        copies.keep_none_but(looked_at)
        is_missed = self._keeps and people is not None and people.value is None
        self.is_changing = is_missed or any(known.is_changing for known in looked_at.values())
        faults = tuple(_faults(config, calendars, people))
        if self._tells:
            self._tell(looked_at, faults)
        return Directory(
            config,
            office_hours(config, calendars, now),
            people.value.by_number if people and people.value else {},
            faults=faults,
            contacts_unknown=f"the contacts file {people.why_not}" if people and people.value is None else "",
        )

    def calendars(self, config: Config, now: datetime) -> dict[str, CalendarKnown]:
        """Every calendar file as it is now."""
        return self._calendars.look(config, now, Copies(config.data_dir, keeps=False))

    def contacts(self, config: Config) -> Known[Contacts] | None:
        """The contacts file as it is now; None where the configuration names none."""
        return self._look_at_contacts(config, Copies(config.data_dir, keeps=False))

    def _look_at_contacts(self, config: Config, copies: Copies) -> Known[Contacts] | None:
        if config.contacts is None:
            self._contacts = None
            return None
        path = contacts_of(config)
        if self._contacts is None or self._contacts.path != path:
            self._contacts = Watched(
                path,
                at_most=contacts.LARGEST_FILE,
                parse=contacts.read,
                doubts=contacts.doubts,
                completed=contacts.completed,
                copies=copies,
                waits=self._keeps,
            )
        return self._contacts.look(config.region)

    def _tell(self, looked_at: Mapping[Path, Known[Any]], faults: tuple[FileFault, ...]) -> None:
        """What is new since the last look."""
        for path, known in looked_at.items():
            if known.is_fresh and known.value is not None:
                self._tell_read(path, known.value)
            if known.not_kept:
                meanwhile = "a restart needs the file itself"
                self._log.warning("last_good_copy_not_kept", file=str(path), detail=known.not_kept, meanwhile=meanwhile)
        self._complain(faults)

    def _tell_read(self, path: Path, value: Contacts | TimeOff) -> None:
        is_contacts = isinstance(value, Contacts)
        for problem in value.problems[:PROBLEMS_LOGGED]:
            event = "contact_unusable" if is_contacts else "calendar_event_unusable"
            self._log.warning(event, file=str(path), line=problem.line, detail=problem.says)
        more = {"more_unusable": more} if (more := len(value.problems) - PROBLEMS_LOGGED) > 0 else {}
        if isinstance(value, Contacts):
            self._log.info("contacts_read", file=str(path), contacts=len(value.by_number), **more)
        else:
            self._log.info("calendar_read", file=str(path), days=len(value.days), closures=len(value.closures), **more)

    def _complain(self, faults: tuple[FileFault, ...]) -> None:
        for fault in faults:
            said = f"{fault.detail} {fault.meanwhile}"
            if self._complaints.get(fault.file) == said:
                continue
            event = "contacts_unreadable" if fault.key == "contacts.file" else "calendar_unusable"
            event = "contact_rows_unreadable" if fault.meanwhile in BY_ROWS else event
            tell = self._log.warning if fault.meanwhile in (COPY_COUNTS, *BY_ROWS) else self._log.error
            tell(event, file=fault.file, detail=fault.detail, meanwhile=fault.meanwhile)
        self._complaints = {fault.file: f"{fault.detail} {fault.meanwhile}" for fault in faults}


def contacts_of(config: Config) -> Path:
    """The contacts file's place."""
    assert config.contacts is not None
    return config.path.parent / config.contacts.file


def _faults(config: Config, calendars: dict[str, CalendarKnown], people: Known[Contacts] | None) -> Iterator[FileFault]:
    if people is not None and people.why_not:
        fault = FileFault(key="contacts.file", file=str(contacts_of(config)), detail=people.why_not, meanwhile=COPY_COUNTS)
        yield fault if people.value is not None else replace(fault, meanwhile=TEXTS_HELD)
    elif people is not None and people.value is not None and people.value.broken:
        yield _of_rows(str(contacts_of(config)), people.value)
    for file in calendars.values():
        if file.known.why_not:
            meanwhile = COPY_COUNTS if file.known.value is not None else HOURS_KEPT
            yield FileFault(key=file.key, file=str(file.path), detail=file.known.why_not, meanwhile=meanwhile)


def _of_rows(file: str, people: Contacts) -> FileFault:
    first, count = people.broken[0], len(people.broken)
    rows = f"{count} row{'s' * (count > 1)} that cannot be read"
    return FileFault(
        key="contacts.file",
        file=file,
        detail=f"has {rows} (line {first.line}: {first.says}); textback check names each",
        meanwhile=STILL_COUNT if people.stands_on_copy else REST_COUNTS,
    )
