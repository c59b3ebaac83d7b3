"""`python -m sip.trial` places one real SIP call and reports the responses: for `textback call-test` and the demo.

Reads one JSON object from standard input, `{uri, from_uri, bind, transport, token, hang_up_after,
give_up_after}` (`udp` or `tcp`; seconds; `hang_up_after` null: wait for the far end), so that the token is in no process list.
Writes JSON lines: `{"event": "ringing" | "answered" | "ended", "status": 180, "after": 0.004, "call_id": "…"}`;
`after` is seconds since the INVITE.
"""

import json
import os
import sys
import time
from typing import Any

import pjsua2 as pj

from sip.faults import guarded
from sip.stack.endpoint import TRANSPORTS
from sip.wire.headers import CALL_TEST_HEADER

POLL_MS = 5


class _Call(pj.Call):  # type: ignore[misc]
    def __init__(self, account: Any, heard: "CallProgress") -> None:
        super().__init__(account)
        self._heard = heard

    @guarded
    def onCallState(self, prm: Any) -> None:  # noqa: N802
        info = self.getInfo()
        self._heard.state(info.state, info.lastStatusCode, info.callIdString)


class CallProgress:
    """The responses to the INVITE, written as they come."""

    def __init__(self, out: Any) -> None:
        self._out = out
        self._began = time.monotonic()
        self.is_over = False

    def state(self, state: int, status: int, call_id: str) -> None:
        """pjsua2 says that the INVITE's state changed."""
        names = {
            pj.PJSIP_INV_STATE_EARLY: "ringing",
            pj.PJSIP_INV_STATE_CONFIRMED: "answered",
            pj.PJSIP_INV_STATE_DISCONNECTED: "ended",
        }
        if state in names:
            self.tell(names[state], status, call_id)
        self.is_over = self.is_over or state == pj.PJSIP_INV_STATE_DISCONNECTED

    def tell(self, event: str, status: int, call_id: str) -> None:
        """Write one line."""
        after = round(time.monotonic() - self._began, 4)
        print(json.dumps({"event": event, "status": status, "after": after, "call_id": call_id}), file=self._out, flush=True)

    @property
    def seconds(self) -> float:
        """Since the INVITE."""
        return time.monotonic() - self._began


def main() -> int:
    """Place the call; 0 whatever became of it, 1 when it could not be placed."""
    out = os.fdopen(os.dup(1), "w")
    os.dup2(os.open(os.devnull, os.O_WRONLY), 1)  # what the stack prints must not stand among the lines
    wanted = json.loads(sys.stdin.readline())
    heard = CallProgress(out)
    try:
        endpoint, account = _open(wanted)
        call = _Call(account, heard)
        call.makeCall(wanted["uri"], _parameters(wanted["token"]))
    except pj.Error as error:
        print(f"the call cannot be placed: {error.reason}", file=sys.stderr)
        return 1
    _listen(endpoint, call, heard, wanted)
    del call
    account.shutdown()
    endpoint.libDestroy()
    return 0


def _open(wanted: dict[str, Any]) -> tuple[Any, Any]:
    endpoint = pj.Endpoint()
    endpoint.libCreate()
    settings = pj.EpConfig()
    settings.uaConfig.threadCnt = 0
    settings.uaConfig.mainThreadOnly = True
    settings.logConfig.level = settings.logConfig.consoleLevel = 0
    endpoint.libInit(settings)
    transport = pj.TransportConfig()
    transport.boundAddress = wanted["bind"]
    endpoint.transportCreate(TRANSPORTS[wanted["transport"], ":" in wanted["bind"]], transport)
    endpoint.libStart()
    endpoint.audDevManager().setNoDev()
    account = pj.Account()
    account.create(_account_settings(wanted))
    return endpoint, account


def _account_settings(wanted: dict[str, Any]) -> Any:
    settings = pj.AccountConfig()
    settings.idUri = wanted["from_uri"]
    media = settings.mediaConfig
    media.transportConfig.boundAddress = wanted["bind"]
    media.ipv6Use = pj.PJSUA_IPV6_ENABLED_USE_IPV6_ONLY if ":" in wanted["bind"] else pj.PJSUA_IPV6_DISABLED
    return settings


def _parameters(token: str) -> Any:
    parameters = pj.CallOpParam(True)
    parameters.opt.audioCount = 1
    parameters.opt.videoCount = 0
    header = pj.SipHeader()
    header.hName, header.hValue = CALL_TEST_HEADER, token
    headers = pj.SipHeaderVector()
    headers.append(header)
    parameters.txOption.headers = headers
    return parameters


def _listen(endpoint: Any, call: _Call, heard: CallProgress, wanted: dict[str, Any]) -> None:
    hang_up_after, give_up_after = wanted["hang_up_after"], wanted["give_up_after"]
    has_hung_up = False
    while not heard.is_over and heard.seconds < give_up_after + 5:
        endpoint.libHandleEvents(POLL_MS)
        is_due = heard.seconds >= (hang_up_after if hang_up_after is not None else give_up_after)
        if is_due and not has_hung_up and not heard.is_over:
            has_hung_up = True
            call.hangup(pj.CallOpParam())


if __name__ == "__main__":
    sys.exit(main())
