"""pjsua2's accounts: a call arrives at the one whose Contact is ours towards its caller. Used by the owner thread only.

Left to itself, pjsua derives our Contact from the transport that the caller's Contact names, which is UDP where it names
none, and rejects the INVITE with 500, without telling us, where we do not listen on that. So the Contact of every account is
given.
"""

import re
from collections.abc import Callable
from typing import Any

import pjsua2 as pj

from sip.faults import guarded
from sip.protocol import Start
from sip.stack.listeners import Contact, contact, listener

try:
    from pjsua2_build import MAX_ACCOUNTS

    IPV6 = pj.PJSUA_IPV6_ENABLED
except ImportError:  # the ready-made wheel, which an account with IPv6 would end
    MAX_ACCOUNTS, IPV6 = 8, pj.PJSUA_IPV6_DISABLED

_VIA = re.compile(r"^(?:via|v)[ \t]*:[ \t]*SIP[ \t]*/[ \t]*2\.0[ \t]*/[ \t]*(\w+)", re.IGNORECASE | re.MULTILINE)
_OFFERED = re.compile(r"^c=IN IP([46])", re.MULTILINE)


class _Account(pj.Account):  # type: ignore[misc]
    """Where calls of one Contact arrive."""

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


class Accounts:
    """Made as calls need them; there are as many as this machine has addresses that are called, for each transport."""

    def __init__(self, start: Start, incoming: Callable[[Any, Any], None]) -> None:
        self._start = start
        self._incoming = incoming
        self._listeners = [listener(listen) for listen in start.listen]
        self._accounts: dict[tuple[Contact, str], _Account] = {}

    def open(self) -> None:
        """The account that is there in any case: no call is without one."""
        first = self._listeners[0]
        self._account(contact([first], first.transport, first.host, self._start.public_address), "")

    def close(self) -> None:
        """Take them down."""
        while self._accounts:
            _, account = self._accounts.popitem()
            account.shutdown()

    def choose(self, source: str, raw: str) -> int:
        """The id of the account for a request out of its source, `host:port` or `[host]:port`, and its text."""
        via = _VIA.search(raw)
        transport = "tcp" if via and via[1].lower() == "tcp" else "udp"
        host = source.rpartition(":")[0].strip("[]")
        ours = contact(self._listeners, transport, host, self._start.public_address)
        account_id: int = self._account(ours, self._media_address(ours, raw)).getId()
        return account_id

    def _media_address(self, ours: Contact, raw: str) -> str:
        """What RTP is bound to: the address that we listen on, unless media is offered in the other family."""
        families = set(_OFFERED.findall(raw))
        mine = "6" if ":" in ours.host else "4"
        bound = {one.host for one in self._listeners if not one.is_wildcard}
        return ours.host if ours.host in bound and families <= {mine} else ""

    def _account(self, ours: Contact, media_address: str) -> _Account:
        key = (ours, media_address)
        if key in self._accounts or len(self._accounts) >= MAX_ACCOUNTS - 1:
            return self._accounts.get(key) or next(iter(self._accounts.values()))
        account = _Account(self._incoming)
        account.create(self._settings(ours, media_address))
        self._accounts[key] = account
        return account

    def _settings(self, ours: Contact, media_address: str) -> Any:
        settings = pj.AccountConfig()
        settings.idUri = "sip:textback@localhost"
        settings.sipConfig.contactForced = str(ours)
        settings.mediaConfig.ipv6Use = IPV6
        media = settings.mediaConfig.transportConfig
        media.port = self._start.rtp_first
        media.portRange = self._start.rtp_last - self._start.rtp_first
        media.boundAddress = media_address
        media.publicAddress = ours.host if ours.host == self._start.public_address else ""
        return settings
