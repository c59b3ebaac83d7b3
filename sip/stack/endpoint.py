"""pjsua2's endpoint: how the stack is set up, opened, polled and closed. Used by the owner thread only."""

from collections.abc import Callable
from typing import Any

import pjsua2 as pj

from sip.faults import guarded
from sip.protocol import Ready, Start
from sip.stack.accounts import Accounts
from sip.stack.capacity import MAX_CALLS, capacity
from sip.stack.descriptors import descriptor_limit, raise_descriptor_limit
from sip.stack.listeners import listener, public_of
from sip.stack.ringing import only_ring
from sip.stack.telling import StackListener, listen_in

TRANSPORTS = {
    ("udp", False): pj.PJSIP_TRANSPORT_UDP,
    ("udp", True): pj.PJSIP_TRANSPORT_UDP6,
    ("tcp", False): pj.PJSIP_TRANSPORT_TCP,
    ("tcp", True): pj.PJSIP_TRANSPORT_TCP6,
}
"""By the name in the configuration, and whether it is IPv6."""


class StackError(Exception):
    """The stack cannot start; the sentence says why and what to do."""

    def __init__(self, says: str, *, is_port_taken: bool = False) -> None:
        super().__init__(says)
        self.is_port_taken = is_port_taken


class _Stack(pj.Endpoint):  # type: ignore[misc]
    """pjsua2's own endpoint, which asks for the account of a request."""

    choose: Callable[[str, str], int]
    refused: Callable[[int, str, str], None]
    accepted = 0

    @guarded
    def onSelectAccount(self, prm: Any) -> None:  # noqa: N802
        prm.accountIndex = self.choose(prm.rdata.srcAddress, prm.rdata.wholeMsg)

    @guarded
    def onRejectedIncomingCall(self, prm: Any) -> None:  # noqa: N802
        """The stack has refused an INVITE by itself: no account hears of it."""
        self.refused(prm.statusCode, prm.rdata.srcAddress, prm.rdata.wholeMsg)

    @guarded
    def onTransportState(self, prm: Any) -> None:  # noqa: N802
        self.accepted += prm.state == pj.PJSIP_TP_STATE_CONNECTED


class Endpoint:
    """The SIP stack with its listening sockets."""

    def __init__(self, start: Start, incoming: Callable[[Any, Any], None], refused: Callable[[int, str, str], None]) -> None:
        """`refused` is told status, source and text of each INVITE that the stack refuses by itself."""
        self._start = start
        self._rings_every_offer = False
        raise_descriptor_limit()
        self.max_calls = min(start.max_calls, capacity(start.rtp_first, start.rtp_last, descriptor_limit()).calls)
        """How many calls are rung at once, after what the stack, the ports and the open files allow."""
        self._endpoint = _Stack()
        self._accounts = Accounts(start, incoming)
        self._endpoint.choose = self._accounts.choose
        self._endpoint.refused = refused

    def open(self, listener: StackListener) -> Ready:
        """Listen on every address; `StackError` where one cannot be had."""
        try:
            self._open(listener)
        except pj.Error as error:
            raise StackError(f"the SIP stack cannot start: {error.reason}") from None
        return Ready(
            stack=f"pjsua2 {self._endpoint.libVersion().full}",
            capacity=MAX_CALLS,
            max_calls=self.max_calls,
            listen=self._start.listen,
            rings_every_offer=self._rings_every_offer,
        )

    def _open(self, listener: StackListener) -> None:
        self._endpoint.libCreate()
        self._endpoint.libInit(_settings())
        self._rings_every_offer = only_ring()
        listen_in(listener)
        for listen in self._start.listen:
            self._listen(listen)
        self._endpoint.libStart()
        self._endpoint.audDevManager().setNoDev()
        self._accounts.open()

    @property
    def accepted(self) -> int:
        """TCP connections that were made to us, since start."""
        return self._endpoint.accepted

    def poll(self, milliseconds: int) -> None:
        """Let the stack work; sleeps so long at the most."""
        self._endpoint.libHandleEvents(milliseconds)

    def close(self) -> None:
        """Take the stack down; every call object must have been dropped before."""
        self._accounts.close()
        self._endpoint.libDestroy(pj.PJSUA_DESTROY_NO_RX_MSG)

    def _listen(self, listen: str) -> None:
        wanted = listener(listen)
        settings = pj.TransportConfig()
        settings.port = wanted.port
        settings.boundAddress = wanted.host
        settings.publicAddress = public_of(wanted, self._start.public_address)
        try:
            self._endpoint.transportCreate(TRANSPORTS[wanted.transport, wanted.is_v6], settings)
        except pj.Error as error:
            raise StackError(
                f"cannot listen on {listen}: {error.reason}; "
                "stop the program that has the port, or change sip.listen in the configuration",
                is_port_taken="in use" in error.reason,
            ) from None


def _settings() -> Any:
    settings = pj.EpConfig()
    settings.uaConfig.threadCnt = 0
    settings.uaConfig.mainThreadOnly = True
    settings.uaConfig.maxCalls = MAX_CALLS
    settings.uaConfig.userAgent = "Textback"
    settings.logConfig.level = 0
    settings.logConfig.consoleLevel = 0
    return settings
