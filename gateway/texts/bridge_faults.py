"""What a bridge refuses by its own fault: told once in the log, and once more when texts have gone meanwhile."""

from collections.abc import Iterator
from dataclasses import dataclass

from gateway.store import undeliverable
from gateway.store.queue import Claimed
from sms.text import Accepted, Outcome, Refusal, Refused

_REFUSES_TEXTS = (
    "see to it at the provider: the sender, where the account may send, its funds; or correct this bridge's settings. "
    "The next bridge has the text; without one it is offered again until it expires"
)
_REFUSES_NUMBERS = (
    "it has refused several numbers and accepted none in between, which is likelier its fault than theirs: "
    "look at dest_ton and dest_npi, and ask the carrier for the account's routes; no number is remembered as dead"
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Fault:
    """One error line."""

    event: str
    code: str
    detail: str
    cure: str


class BridgeFaults:
    """Remembers what was told of each bridge."""

    def __init__(self) -> None:
        self._told: set[tuple[str, str, str]] = set()
        """Bridge, line and code."""
        self._unrouted: dict[str, set[str]] = {}
        """The numbers that each bridge has had no route to since it last accepted a text."""

    def seen(self, text: Claimed, outcome: Outcome, numbers_refused: int) -> Iterator[Fault]:
        """What an outcome gives to tell. `numbers_refused`: how many numbers the bridge has called dead without accepting one.
        That an account is refused as a whole the bridge tells itself, when it pauses."""
        match outcome:
            case Accepted():
                self._unrouted.pop(text.bridge, None)
                self._told = {one for one in self._told if one[:2] != (text.bridge, text.line)}
            case Refused(kind=Refusal.CONFIGURATION, is_account=False):
                yield from self._once(text, outcome)
            case Refused(kind=Refusal.NO_ROUTE):
                numbers = self._unrouted.setdefault(text.bridge, set())
                is_another = text.recipient not in numbers
                numbers.add(text.recipient)
                if is_another and len(numbers) == undeliverable.RUN:
                    yield _refuses_numbers(outcome)
            case Refused() if numbers_refused == undeliverable.RUN:
                yield _refuses_numbers(outcome)

    def _once(self, text: Claimed, refused: Refused) -> Iterator[Fault]:
        told = (text.bridge, text.line, refused.code)
        if told not in self._told:
            self._told.add(told)
            yield Fault(event="bridge_refuses_texts", code=refused.code, detail=refused.detail, cure=_REFUSES_TEXTS)


def _refuses_numbers(refused: Refused) -> Fault:
    return Fault(event="bridge_refuses_numbers", code=refused.code, detail=refused.detail, cure=_REFUSES_NUMBERS)
