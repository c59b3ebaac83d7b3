"""Which INVITEs become calls: those that come from a trunk and are well formed. The others are counted and rejected."""

import secrets

from config.reserved import CALL_TEST
from sip.protocol import Start, Trunk
from sip.stack.listeners import listener
from sip.wire import headers
from sip.wire.admission import Admission, IpAddress, address_of
from sip.wire.headers import SipMessage

_TOLD_AT_MOST = 512
"""Characters of what was malformed."""


class Screening:
    """The trunks of the moment, and what was rejected since the start."""

    def __init__(self, start: Start) -> None:
        self._admission = Admission(start.trunks)
        self._call_test = Trunk(name=CALL_TEST, peers=())
        self._token = start.call_test_token
        self._own_hosts = {listener(listen).host for listen in start.listen}
        self.strangers = 0
        """Requests from no trunk."""
        self.malformed = 0
        """Requests from a trunk that are unfit to ring, or could not be read."""
        self.last_stranger = self.last_malformed = ""

    def use(self, trunks: tuple[Trunk, ...]) -> None:
        """Calls come from these trunks from now on."""
        self._admission = Admission(trunks)

    def is_known(self, host: str) -> bool:
        """Does an address belong to a trunk?"""
        return self._admission.trunk_of(address_of(f"[{host}]:0")) is not None

    def screen(self, source: str, invite: SipMessage) -> Trunk | int:
        """The trunk that an INVITE comes from, or the status that it is rejected with."""
        trunk = self.trunk_of(source, invite)
        if trunk is None:
            return 403
        fault = headers.fault(invite)
        if fault is not None:
            self.count_malformed(trunk, source, fault)
            return 400
        return trunk

    def count_malformed(self, trunk: Trunk, source: str, fault: str) -> None:
        """Something out of a trunk was unfit."""
        self.malformed += 1
        self.last_malformed = f"{trunk.name} ({source}): {fault}"[:_TOLD_AT_MOST]

    def trunk_of(self, source: str, request: SipMessage) -> Trunk | None:
        """The trunk that a request comes from; None, and counted, where it comes from none."""
        trunk = self._trunk_at(address_of(source), request)
        if trunk is None:
            self.strangers += 1
            self.last_stranger = source
        return trunk

    def _trunk_at(self, address: IpAddress | None, invite: SipMessage) -> Trunk | None:
        if self._token and address is not None and (address.is_loopback or str(address) in self._own_hosts):
            shown = headers.header(invite, headers.CALL_TEST_HEADER) or ""
            if secrets.compare_digest(shown.encode(errors="replace"), self._token.encode()):
                return self._call_test
        return self._admission.trunk_of(address)
