"""The HTTP server: `/healthz`, `/readyz`, `/metrics`, and the status that the command line asks for.

`/healthz` says that the process lives; `/readyz` answers 200 when a call would be taken and journalled. Both are for monitors
and ask for no password; webhooks have signatures. Everything else wants the password where the configuration names one.
"""

import base64
import hmac
from collections.abc import Awaitable, Callable

from aiohttp import web
from aiohttp.typedefs import Middleware
from prometheus_client import CONTENT_TYPE_LATEST

from gateway import metrics
from gateway.actions import Actions
from gateway.status import Reporter
from gateway.web import api, hooks

USER = "textback"
BODY_AT_MOST = 64 * 1024
_OPEN = frozenset({"/healthz", "/readyz"})
_REPORTER: web.AppKey[Reporter] = web.AppKey("reporter", Reporter)

Answer = Callable[[web.Request], Awaitable[web.StreamResponse]]


def application(reporter: Reporter, actions: Actions, password: str | None, token: str) -> web.Application:
    """The routes, behind the password where there is one; what changes something wants the token besides."""
    app = web.Application(middlewares=[_password_asker(password)] if password else [], client_max_size=BODY_AT_MOST)
    app[_REPORTER] = reporter
    api.add_to(app, actions, token)
    app.add_routes(
        [
            web.get("/healthz", _healthz),
            web.get("/readyz", _readyz),
            web.get("/api/v1/status", _status),
            web.get("/metrics", _metrics),
        ]
    )
    return app


async def start(app: web.Application, host: str, port: int) -> web.AppRunner:
    """Listen; `OSError` where the address cannot be had."""
    runner = web.AppRunner(app, access_log=None, shutdown_timeout=2.0)
    await runner.setup()
    try:
        await web.TCPSite(runner, host, port).start()
    except OSError:
        await runner.cleanup()
        raise
    return runner


async def _healthz(_: web.Request) -> web.Response:
    return web.json_response({"alive": True})


async def _readyz(request: web.Request) -> web.Response:
    reporter = request.app[_REPORTER]
    readiness, status = reporter.readiness(), reporter.status()
    body = {
        "ready": readiness.is_ready,
        "why_not": list(readiness.why_not),
        "trunks": status["trunks"],
        "bridges": status["bridges"],
        "config_hash": status["config_hash"],
        "reload_error": status["reload_error"],
    }
    return web.json_response(body, status=200 if readiness.is_ready else 503)


async def _status(request: web.Request) -> web.Response:
    return web.json_response(request.app[_REPORTER].status())


async def _metrics(request: web.Request) -> web.Response:
    return web.Response(body=metrics.exposition(request.app[_REPORTER].status()), headers={"Content-Type": CONTENT_TYPE_LATEST})


def _password_asker(password: str) -> Middleware:
    expected = basic(password)

    @web.middleware
    async def ask(request: web.Request, handler: Answer) -> web.StreamResponse:
        shown = request.headers.get("Authorization", "")
        if (
            request.path in _OPEN
            or request.path.startswith(hooks.PREFIX)
            or hmac.compare_digest(shown.encode(errors="replace"), expected.encode())
        ):
            return await handler(request)
        return web.Response(status=401, headers={"WWW-Authenticate": 'Basic realm="Textback"'}, text="Password, please.\n")

    return ask


def basic(password: str) -> str:
    """The Authorization header that the server wants (RFC 7617)."""
    return "Basic " + base64.b64encode(f"{USER}:{password}".encode()).decode()
