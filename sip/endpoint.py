"""pjsua2's endpoint: how the stack is set up, opened, polled and closed. Used by the owner thread only."""

from collections.abc import Callable
from typing import Any

import pjsua2 as pj

from sip.descriptors import raise_descriptor_limit
from sip.faults import guarded
from sip.protocol import Ready, Start

try:
    from pjsua2_build import MAX_CALLS
except ImportError:  # the ready-made wheel
    MAX_CALLS = 4

SPARE_SLOTS = 1
"""A call more than is rung still needs a slot to be told that we are busy."""
SPARE_RTP_PORTS = 8
"""pjsua2 opens two sockets for every INVITE, also for those that are only told that we are busy."""

_TRANSPORTS = {"udp": pj.PJSIP_TRANSPORT_UDP, "tcp": pj.PJSIP_TRANSPORT_TCP}
_TRANSPORTS6 = {"udp": pj.PJSIP_TRANSPORT_UDP6, "tcp": pj.PJSIP_TRANSPORT_TCP6}


class StackError(Exception):
    """The stack cannot start; the sentence says why and what to do."""

    def __init__(self, says: str, *, is_port_taken: bool = False) -> None:
        super().__init__(says)
        self.is_port_taken = is_port_taken


class _Account(pj.Account):  # type: ignore[misc]
    """The one account that every peer's call arrives at."""

    def __init__(self, incoming: Callable[[Any, Any], None]) -> None:
        super().__init__()
        self._incoming = incoming

    @guarded
    def onIncomingCall(self, prm: Any) -> None:  # noqa: N802
        self._incoming(self, prm)

    @guarded
    def onIncomingSubscribe(self, prm: Any) -> None:  # noqa: N802
        """Nobody subscribes to anything here."""
        prm.code = 403
        prm.reason = "Forbidden"


class Endpoint:
    """The SIP stack with its listening sockets."""

    def __init__(self, start: Start, incoming: Callable[[Any, Any], None]) -> None:
        self._start = start
        ports = (start.rtp_last - start.rtp_first + 1) // 2 - SPARE_RTP_PORTS
        self.max_calls = max(1, min(start.max_calls, MAX_CALLS - SPARE_SLOTS, ports))
        """How many calls are rung at once, after what the stack and the ports allow."""
        self._endpoint = pj.Endpoint()
        self._account = _Account(incoming)

    def open(self) -> Ready:
        """Listen on every address; `StackError` where one cannot be had."""
        raise_descriptor_limit()
        self._endpoint.libCreate()
        self._endpoint.libInit(_settings())
        for listen in self._start.listen:
            self._listen(listen)
        self._endpoint.libStart()
        self._endpoint.audDevManager().setNoDev()
        self._account.create(self._account_settings())
        return Ready(
            stack=f"pjsua2 {self._endpoint.libVersion().full}",
            capacity=MAX_CALLS,
            max_calls=self.max_calls,
            listen=self._start.listen,
        )

    def poll(self, milliseconds: int) -> None:
        """Let the stack work; sleeps so long at the most."""
        self._endpoint.libHandleEvents(milliseconds)

    def close(self) -> None:
        """Take the stack down; every call object must have been dropped before."""
        self._account.shutdown()
        del self._account
        self._endpoint.libDestroy(pj.PJSUA_DESTROY_NO_RX_MSG)

    def _listen(self, listen: str) -> None:
        kind, _, place = listen.partition(":")
        host, _, port = place.rpartition(":")
        settings = pj.TransportConfig()
        settings.port = int(port)
        settings.boundAddress = host.strip("[]")
        if self._start.public_address:
            settings.publicAddress = self._start.public_address
        try:
            kinds = _TRANSPORTS6 if ":" in settings.boundAddress else _TRANSPORTS
            self._endpoint.transportCreate(kinds[kind], settings)
        except pj.Error as error:
            raise StackError(
                f"cannot listen on {listen}: {error.reason}; "
                "stop the program that has the port, or change sip.listen in the configuration",
                is_port_taken="in use" in error.reason,
            ) from None

    def _account_settings(self) -> Any:
        settings = pj.AccountConfig()
        settings.idUri = "sip:textback@localhost"
        transport = settings.mediaConfig.transportConfig
        transport.port = self._start.rtp_first
        transport.portRange = self._start.rtp_last - self._start.rtp_first
        host = self._start.listen[0].partition(":")[2].rpartition(":")[0].strip("[]")
        if host not in ("0.0.0.0", "::", ""):  # noqa: S104 — compared, not bound
            transport.boundAddress = host
        if self._start.public_address:
            transport.publicAddress = self._start.public_address
        if ":" in host:
            settings.mediaConfig.ipv6Use = pj.PJSUA_IPV6_ENABLED
        return settings


def _settings() -> Any:
    settings = pj.EpConfig()
    settings.uaConfig.threadCnt = 0
    settings.uaConfig.mainThreadOnly = True
    settings.uaConfig.maxCalls = MAX_CALLS
    settings.uaConfig.userAgent = "Textback"
    settings.logConfig.level = 0
    settings.logConfig.consoleLevel = 0
    return settings
