"""A text as it is going to be: the message filled in, cut into segments, addressed. Every text is made here."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime

from config.model import E164, Line
from gateway.core.hours import opens_at
from gateway.core.kind import TextKind
from gateway.core.phone import region_of
from gateway.core.template import merge_fields, opening, render
from gateway.office.directory import Directory
from gateway.store.texts import NewText
from sms.segments import Segmented, segment


@dataclass(frozen=True, slots=True, kw_only=True)
class Message:
    """What a text says, before its merge fields are filled in."""

    template: str
    fields: Mapping[str, str]
    variant: int | None = None
    """Which variant's it is; None: the line's own, or of no line."""

    @property
    def segmented(self) -> Segmented:
        """As the recipient reads it, in the parts that it is sent in."""
        return segment(render(self.template, self.fields))


def message_of(
    directory: Directory, line: Line, variant: int | None, *, caller: E164, called_at: datetime, now: datetime
) -> Message:
    """The message of a line, or of one of its variants, for one caller."""
    config = directory.config
    hours = directory.hours.get(line.hours or "")
    opens = opens_at(hours, now, line.timezone) if hours else None
    contact = directory.contact(caller)
    fields = merge_fields(
        line,
        caller=caller,
        called_at=called_at,
        region=config.region,
        contact=contact.name if contact else "",
        opens=opening(opens, now, line.timezone, config.region) if opens else "",
    )
    template = line.text.message if variant is None else line.text.variant[variant].message
    return Message(template=template or line.text.message, fields=fields, variant=variant)


def draft(kind: TextKind, line: Line, to: E164, message: Message, *, now: datetime, expires_at: datetime) -> NewText:
    """A text that belongs to no call and is due at once; what else is known of one is added by `replace`."""
    segmented = message.segmented
    return NewText(
        call=None,
        kind=kind,
        line=line.name,
        recipient=to,
        region=region_of(to),
        sender=line.sender,
        body=segmented.text,
        segments=len(segmented.parts),
        variant=message.variant,
        queued_at=now,
        due_at=now,
        expires_at=expires_at,
    )
