"""What people read of what they have asked for, by whichever way they asked."""

from config.model import E164
from gateway.store.consent import Entry
from gateway.store.optouts import OptedOut


def opted_out(number: E164, done: OptedOut) -> str:
    """After an opt-out."""
    again = " (and was opted out already)" if done.was_out_since else ""
    cancelled = (
        f"; {texts(done.cancelled)} that waited {'is' if done.cancelled == 1 else 'are'} cancelled" if done.cancelled else ""
    )
    under_way = f"; {texts(done.under_way)} under way may still arrive" if done.under_way else ""
    return f"{number} gets no more texts{again}{cancelled}{under_way}"


def opted_in(number: E164, undone: Entry) -> str:
    """After an opt-out was taken back."""
    provider = undone.source.partition(":")
    own_list = f"; the provider of {provider[2]} keeps a list of its own, which START from that phone alone clears"
    return f"{number} gets texts again{own_list if provider[0] == 'bridge' else ''}"


def not_opted_out(number: E164) -> str:
    """Where there is nothing to take back."""
    return f"{number} is not opted out; textback optout list shows who is"


def texts(count: int) -> str:
    """So many: `1 text`, `2 texts`."""
    return f"{count} text{'' if count == 1 else 's'}"
