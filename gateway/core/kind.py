"""What a text is, in one word; whom it counts for and what it waits for follow from it."""

from enum import StrEnum


class TextKind(StrEnum):
    """Why a text goes."""

    MISSED_CALL = "missed_call"
    """To the caller of a call that was missed."""
    TEST = "test"
    """Asked for by a person, to see a line's message on a phone."""
    CONFIRMATION = "confirmation"
    """Our reply to STOP, START or HELP."""

    @property
    def counts(self) -> bool:
        """Is it one of the texts that a caller gets so often at most, that the limits bound, and that its variants follow?"""
        return self is TextKind.MISSED_CALL

    @property
    def keeps_quiet_hours(self) -> bool:
        """Does it wait for the morning where its recipient is? What somebody has just asked for goes at any hour."""
        return self is TextKind.MISSED_CALL

    @property
    def goes_first(self) -> bool:
        """Does it go before texts that fell due earlier?"""
        return self is TextKind.CONFIRMATION

    @property
    def goes_after_opt_out(self) -> bool:
        """May it go to who has opted out? The confirmation of the opt-out itself may, and the help that was asked for."""
        return self is TextKind.CONFIRMATION


COUNTED = frozenset(kind for kind in TextKind if kind.counts)
"""The kinds that count."""
