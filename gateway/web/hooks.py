"""`/hooks/BRIDGE/receipt` and `/hooks/BRIDGE/inbound`: where providers call. Each call is verified, stored, then answered."""

from collections.abc import Mapping
from datetime import UTC, datetime

import structlog
from aiohttp import web

from gateway.store.database import StoreError
from sms.http.bridge import HookRefused, HttpBridge
from sms.http.exchange import Hook
from sms.text import Bridge

PREFIX = "/hooks/"
_BRIDGES: web.AppKey[Mapping[str, Bridge]] = web.AppKey("bridges", Mapping)
_PUBLIC_URL: web.AppKey[str] = web.AppKey("public_url", str)


def add_to(app: web.Application, bridges: Mapping[str, Bridge], public_url: str) -> None:
    """The routes."""
    app[_BRIDGES], app[_PUBLIC_URL] = bridges, public_url.rstrip("/")
    app.add_routes([web.post(PREFIX + "{bridge}/{what:receipt|inbound}", _hook)])


async def _hook(request: web.Request) -> web.Response:
    bridge = request.app[_BRIDGES].get(request.match_info["bridge"])
    if not isinstance(bridge, HttpBridge):
        return web.Response(status=404, text="no such bridge\n")
    hook = Hook(
        url=request.app[_PUBLIC_URL] + request.path_qs,
        headers={name.lower(): value for name, value in request.headers.items()},
        body=await request.read(),
        at=datetime.now(UTC),
    )
    try:
        answer = await bridge.hook(hook)
    except HookRefused as error:
        structlog.get_logger().warning("hook_refused", bridge=bridge.name, status=error.status, why=str(error))
        return web.Response(status=error.status, text=f"{error}\n")
    except StoreError:
        return web.Response(status=503, text="it could not be stored; call again\n")
    return web.Response(status=answer.status, content_type=answer.content_type, text=answer.body)
