"""What a bridge refuses or fails to deliver by its own fault: said once, and once more when texts have gone meanwhile."""

from gateway.core import facts
from gateway.core.facts import Fact, Publish
from gateway.core.facts.surroundings import Fault
from gateway.store import undeliverable
from sms.text import ReceiptState, Refusal

CURES = {
    Fault.REFUSES_TEXTS: (
        "see to it at the provider: the sender, where the account may send, its funds; or correct this bridge's settings. "
        "The next bridge has the text; without one it is offered again until it expires"
    ),
    Fault.REFUSES_NUMBERS: (
        "it has refused several numbers and accepted none in between, which is likelier its fault than theirs: "
        "look at dest_ton and dest_npi, and ask the carrier for the account's routes; no number is remembered as dead"
    ),
    Fault.DOES_NOT_DELIVER: (
        "it accepts texts that are then not delivered because of the account or the sender: see to these at the provider"
    ),
}


class BridgeFaults:
    """A listener: from what bridges said of texts it makes out that a bridge is at fault, and publishes that."""

    def __init__(self, publish: Publish) -> None:
        self._publish = publish
        self._refused: set[tuple[str, str | None, str]] = set()
        """Bridge, line and code of what was said."""
        self._undelivered: set[tuple[str, str]] = set()
        """Bridge and code of what was said: the texts were accepted, so no other bridge gets them."""
        self._unrouted: dict[str, set[str]] = {}
        """The numbers that each bridge has had no route to since it last accepted a text."""

    def hear(self, fact: Fact) -> None:
        """That an account is refused as a whole the bridge says itself, when it pauses."""
        match fact:
            case facts.TextAccepted(submit=submit):
                self._unrouted.pop(submit.bridge, None)
                self._refused = {one for one in self._refused if one[:2] != (submit.bridge, submit.of.line)}
            case facts.TextRefused(kind=Refusal.CONFIGURATION, is_account=False):
                self._refuses_texts(fact)
            case facts.TextRefused(kind=Refusal.NO_ROUTE):
                self._has_no_route(fact)
            case facts.TextRefused(numbers_refused=undeliverable.RUN):
                self._publish(_refusing(fact, Fault.REFUSES_NUMBERS))
            case facts.ReceiptArrived():
                self._receipt(fact)
            case _:
                pass

    def _refuses_texts(self, refused: facts.TextRefused) -> None:
        known = (refused.submit.bridge, refused.submit.of.line, refused.code)
        if known not in self._refused:
            self._refused.add(known)
            self._publish(_refusing(refused, Fault.REFUSES_TEXTS))

    def _has_no_route(self, refused: facts.TextRefused) -> None:
        numbers = self._unrouted.setdefault(refused.submit.bridge, set())
        is_another = refused.submit.to not in numbers
        numbers.add(refused.submit.to)
        if is_another and len(numbers) == undeliverable.RUN:
            self._publish(_refusing(refused, Fault.REFUSES_NUMBERS))

    def _receipt(self, receipt: facts.ReceiptArrived) -> None:
        known = (receipt.bridge, receipt.code)
        if receipt.state == ReceiptState.DELIVERED:
            self._undelivered = {one for one in self._undelivered if one[0] != receipt.bridge}
        elif receipt.is_bridge_fault and known not in self._undelivered:
            self._undelivered.add(known)
            fault = Fault.DOES_NOT_DELIVER
            self._publish(
                facts.BridgeFault(
                    at=receipt.at, bridge=receipt.bridge, fault=fault, code=receipt.code, detail="", cure=CURES[fault]
                )
            )


def _refusing(refused: facts.TextRefused, fault: Fault) -> facts.BridgeFault:
    return facts.BridgeFault(
        at=refused.at,
        bridge=refused.submit.bridge,
        fault=fault,
        code=refused.code,
        detail=refused.detail,
        cure=CURES[fault],
        submit=refused.submit,
    )
