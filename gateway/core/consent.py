"""What a caller's reply says about being texted: the opt-out words, exactly.

Words after the CTIA's list and 47 CFR 64.1200(a)(10); compared after NFKC, casefold, and with punctuation and space gone, so
that `Stop.`, `STOP ALL` and `opt-out!` count and `Stop by at 5?` does not.
"""

import unicodedata
from enum import StrEnum

_OPT_OUT = frozenset(
    ["stop", "stopall", "end", "quit", "cancel", "unsubscribe", "revoke", "optout", "remove", "arret", "td"],
)
_OPT_IN = frozenset(["start", "unstop", "yes"])


_HELP = frozenset(["help", "info"])


class Wish(StrEnum):
    """What the caller wants of us."""

    OPT_OUT = "opt_out"
    OPT_IN = "opt_in"
    HELP = "help"
    """To know who we are; it changes nothing."""


def wish(body: str) -> Wish | None:
    """The wish that a reply states in an exact word, or None."""
    word = "".join(c for c in unicodedata.normalize("NFD", unicodedata.normalize("NFKC", body).casefold()) if c.isalnum())
    if word in _OPT_OUT:
        return Wish.OPT_OUT
    if word in _OPT_IN:
        return Wish.OPT_IN
    return Wish.HELP if word in _HELP else None
