"""When the next bridge may be tried: only where nothing was sent, and another could do better. PURE."""

from sms.text import NotSent, Outcome, Refusal, Refused


def may_try_next(outcome: Outcome) -> bool:
    """May the next bridge of the route have the text at once? Never after Unknown, nor where the number itself was refused."""
    match outcome:
        case NotSent():
            return True
        case Refused(kind=kind):
            return kind in (Refusal.TEMPORARY, Refusal.CONFIGURATION)
        case _:
            return False
