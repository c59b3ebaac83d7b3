"""`/hooks/BRIDGE/receipt` and `/hooks/BRIDGE/inbound`: where providers call. Each call is verified, stored, then answered.

An address that may not call is refused before its body is read. Providers that sign nothing call a path that ends in a secret,
`/hooks/BRIDGE/inbound/SECRET`; it is never logged.
"""

from collections.abc import Mapping
from datetime import UTC, datetime

import structlog
from aiohttp import web

from gateway.process.counted_warnings import CountedWarnings
from gateway.store.database import StoreError
from gateway.web.bodies import body_of
from sms.http.bridge import HookRefused, HttpBridge
from sms.http.exchange import Hook
from sms.text import Bridge

PREFIX = "/hooks/"
SAY_AGAIN_S = 60.0


class RefusedHooks:
    """Says in the log who was refused: at once, then once a minute for each bridge and status, so that no stranger fills it."""

    def __init__(self) -> None:
        self._warnings = CountedWarnings[tuple[str, int]](every=SAY_AGAIN_S)
        self._log = structlog.get_logger()

    def refused(self, bridge: str, error: HookRefused, source: str) -> None:
        """A call was refused."""
        if count := self._warnings.happened((bridge, error.status)):
            self._log.warning("hook_refused", bridge=bridge, status=error.status, why=str(error), source=source, count=count)

    def tell_overdue(self) -> None:
        """What was only counted so far, once its time has come."""
        for (bridge, status), count in self._warnings.overdue().items():
            self._log.warning("hook_refused", bridge=bridge, status=status, count=count)


_BRIDGES: web.AppKey[Mapping[str, Bridge]] = web.AppKey("bridges", Mapping)
_REFUSED: web.AppKey[RefusedHooks] = web.AppKey("refused_hooks", RefusedHooks)


def add_to(app: web.Application, bridges: Mapping[str, Bridge], refused: RefusedHooks) -> None:
    """The routes. Some providers call by GET."""
    app[_BRIDGES], app[_REFUSED] = bridges, refused
    for path in ("{bridge}/{what:receipt|inbound}", "{bridge}/{what:receipt|inbound}/{secret}"):
        app.add_routes([web.post(PREFIX + path, _hook), web.get(PREFIX + path, _hook, allow_head=False)])


async def _hook(request: web.Request) -> web.Response:
    bridge = request.app[_BRIDGES].get(request.match_info["bridge"])
    if not isinstance(bridge, HttpBridge):
        return web.Response(status=404, text="no such bridge\n")
    try:
        bridge.admit(request.remote or "")
        answer = await bridge.hook(await _hook_of(request))
    except HookRefused as error:
        request.app[_REFUSED].refused(bridge.name, error, request.remote or "")
        return web.Response(status=error.status, text=f"{error}\n")
    except StoreError:
        return web.Response(status=503, text="it could not be stored; call again\n")
    return web.Response(status=answer.status, content_type=answer.content_type, text=answer.body)


async def _hook_of(request: web.Request) -> Hook:
    return Hook(
        url=request.raw_path,
        headers={name.lower(): value for name, value in request.headers.items()},
        body=await body_of(request),
        at=datetime.now(UTC),
        what=request.match_info["what"],
        secret=request.match_info.get("secret", ""),
        query=dict(request.query),
        source=request.remote or "",
    )
