"""pjsua2's call object, and what its owner hears of it. Used by the owner thread only."""

from typing import Any, Protocol

import pjsua2 as pj

from sip.faults import guarded, say

OUT_OF_ORDER = 503
RETRY_AFTER_S = 5
"""With each 503 (RFC 3261 §20.33): a gateway that starts again is there by then."""


class LegEvents(Protocol):
    """What the owner is told about a leg, always on the owner thread."""

    def cancelled(self, key: str, raw: str) -> None:
        """A CANCEL came, whole. It may cross a final response; `ended` tells whether it counted."""

    def ended(self, key: str, status: int) -> None:
        """The dialog is over, with the INVITE's final status, or 200 after a BYE. The leg may be dropped now, not earlier."""


class Leg(pj.Call):  # type: ignore[misc]
    """One dialog with a peer, that of an INVITE which came in.

    It knows its owner's key and nothing else: pjsua2 gives the number of a call that is over to a new one.
    """

    def __init__(self, account: Any, call_id: int, key: str, owner: LegEvents) -> None:
        super().__init__(account, call_id)
        self._key, self._owner = key, owner

    @guarded
    def onCallTsxState(self, prm: Any) -> None:  # noqa: N802
        """A CANCEL comes before the dialog's end, and alone carries the Reason."""
        event = prm.e.body.tsxState
        if event.type == pj.PJSIP_EVENT_RX_MSG and event.tsx.method == "CANCEL":
            self._owner.cancelled(self._key, event.src.rdata.wholeMsg)

    @guarded
    def onCallState(self, prm: Any) -> None:  # noqa: N802
        """The dialog's end."""
        info = self.getInfo()
        if info.state == pj.PJSIP_INV_STATE_DISCONNECTED:
            self._owner.ended(self._key, info.lastStatusCode)

    def respond(self, status: int, phrase: str = "") -> None:
        """Send a provisional or final response to the INVITE; where the dialog is over already, this is only told."""
        parameters = pj.CallOpParam()
        parameters.statusCode = status
        if phrase:
            parameters.reason = phrase
        if status == OUT_OF_ORDER:
            parameters.txOption.headers.append(_retry_after())
        try:
            self.answer(parameters)
        except pj.Error as error:
            say(f"response {status} not sent: {error.reason}")


def _retry_after() -> Any:
    header = pj.SipHeader()
    header.hName, header.hValue = "Retry-After", str(RETRY_AFTER_S)
    return header
