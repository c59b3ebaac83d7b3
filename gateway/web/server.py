"""The HTTP server: `/healthz`, `/readyz`, `/metrics`, and the status that the command line asks for.

`/healthz` says that the process lives; `/readyz` answers 200 when a call would be taken and journalled. Both are for monitors,
ask for no password and by whatever name, and show nothing that anybody else wrote; webhooks have signatures. Everything else
wants to be called by a name that is ours, and the password where the configuration names one; the command line shows the token
of the data directory in its place.
"""

import asyncio
import base64
import hmac
import os
import socket
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from contextlib import asynccontextmanager, contextmanager

from aiohttp import hdrs, web
from aiohttp.typedefs import Handler, Middleware
from prometheus_client import CONTENT_TYPE_LATEST

from config.model import Web
from config.values import Place
from gateway.actions import Actions
from gateway.process import metrics
from gateway.process.data_dir import TOKEN_HEADER, CannotStart
from gateway.process.descriptors import raise_limit
from gateway.process.status import Reporter
from gateway.web import api, bodies, faults, hooks
from gateway.web.door import ConnectionLimits, Door, in_turns
from gateway.web.hosts import Hosts

USER = "textback"
IDLE_AT_MOST_S = 75.0
"""Between two requests on one connection: longer than a reverse proxy keeps one."""
WAIT_AT_MOST = 128
"""Connections that are not taken yet."""
LINGER_S = 2.0
"""What is still sent after the answer is read and dropped for so long, so that the answer arrives."""
Answer = Callable[[web.BaseRequest], Awaitable[web.StreamResponse]]
_OPEN = frozenset({"/healthz", "/readyz"})
_REPORTER: web.AppKey[Reporter] = web.AppKey("reporter", Reporter)


def application(reporter: Reporter, actions: Actions, settings: Web, token: str) -> web.Application:
    """The routes, behind the password where there is one; what changes something wants the token besides."""
    guards = [_name_asker(Hosts.of(settings.listen.host, settings.public_url)), _token_checker(token)]
    if settings.password is not None:
        guards.append(_password_asker(settings.password.get_secret_value(), token))
    app = web.Application(middlewares=[faults.told, in_turns, *guards], client_max_size=bodies.AT_MOST)
    app[_REPORTER] = reporter
    api.add_to(app, actions, token)
    app.add_routes(
        [
            web.get("/healthz", _healthz),
            web.get("/readyz", _readyz),
            web.get("/api/v1/status", _status),
            web.get("/metrics", _metrics),
            web.post("/api/v1/reload", api.guarded(_reload)),
        ]
    )
    return app


@contextmanager
def listening(place: Place) -> Iterator[socket.socket]:
    """The port, had before anything is answered there: who connects meanwhile waits. `CannotStart` where it cannot be had."""
    family = socket.AF_INET6 if ":" in place.host else socket.AF_INET
    try:
        listener = socket.create_server((place.host, place.port), family=family, backlog=WAIT_AT_MOST)
    except OSError as error:
        raise CannotStart(
            f"cannot listen on {place} for the pages: {os.strerror(error.errno or 0)}; "
            "stop the program that has the port, or change web.listen in the configuration"
        ) from error
    with listener:
        yield listener


@asynccontextmanager
async def serving(app: web.Application, listener: socket.socket) -> AsyncIterator[None]:
    """Answer there until the context is left; then take no more connections, answer what was asked, close."""
    runner = web.AppRunner(
        app,
        access_log=None,
        logger=faults.logger(),
        shutdown_timeout=2.0,
        keepalive_timeout=IDLE_AT_MOST_S,
        lingering_time=LINGER_S,
    )
    await runner.setup()
    try:
        assert runner.server is not None
        runner.server.request_handler = _expecting_little(runner.server.request_handler)
        door = Door(runner.server, ConnectionLimits.within(raise_limit()))
        server = await asyncio.get_running_loop().create_server(door, sock=listener, backlog=WAIT_AT_MOST)
        try:
            yield
        finally:
            server.close()
    finally:
        await runner.cleanup()


def _expecting_little(answer: Answer) -> Answer:
    """417 (RFC 9110 §10.1.1) in place of aiohttp's, which repeats what was expected, and fails where that is no text."""

    async def answer_or_not(request: web.BaseRequest) -> web.StreamResponse:
        if request.headers.get(hdrs.EXPECT, "100-continue").lower() != "100-continue":
            return web.Response(status=417, text="nothing but 100-continue may be expected\n")
        return await answer(request)

    return answer_or_not


async def _healthz(_: web.Request) -> web.Response:
    return web.json_response({"alive": True})


async def _readyz(request: web.Request) -> web.Response:
    reporter = request.app[_REPORTER]
    readiness, status = reporter.readiness(), reporter.status()
    body = {
        "ready": readiness.is_ready,
        "why_not": list(readiness.why_not),
        "trunks": status["trunks"],
        "bridges": {name: {"up": one["up"], "paused": one["paused"]} for name, one in status["bridges"].items()},
        "config_hash": status["config_hash"],
        "reload_failed": bool(status["reload_error"]),
    }
    return web.json_response(body, status=200 if readiness.is_ready else 503)


async def _status(request: web.Request) -> web.Response:
    await request.app[_REPORTER].count()
    return web.json_response(request.app[_REPORTER].status())


async def _reload(request: web.Request) -> dict[str, object]:
    return await request.app[_REPORTER].reload()


async def _metrics(request: web.Request) -> web.Response:
    await request.app[_REPORTER].count()
    return web.Response(body=metrics.exposition(request.app[_REPORTER].status()), headers={"Content-Type": CONTENT_TYPE_LATEST})


def _is_open(request: web.Request) -> bool:
    return request.path in _OPEN or request.path.startswith(hooks.PREFIX)


def _name_asker(hosts: Hosts) -> Middleware:
    says = "this name is not answered here; ask by address, or set web.public_url to the name in front of the gateway"

    @web.middleware
    async def ask(request: web.Request, handler: Handler) -> web.StreamResponse:
        names = request.headers.getall(hdrs.HOST, [])
        if _is_open(request) or (len(names) == 1 and hosts.knows(names[0])):
            return await handler(request)
        return web.json_response({"error": says}, status=421)

    return ask


def _token_checker(token: str) -> Middleware:
    """A command that shows another gateway's token means that one, and is not told how this one is."""

    @web.middleware
    async def check(request: web.Request, handler: Handler) -> web.StreamResponse:
        if TOKEN_HEADER not in request.headers or _shows(request, TOKEN_HEADER, token):
            return await handler(request)
        return web.json_response({"error": "this is not the token of this gateway's data directory"}, status=403)

    return check


def _password_asker(password: str, token: str) -> Middleware:
    expected = {hdrs.AUTHORIZATION: basic(password), TOKEN_HEADER: token}

    @web.middleware
    async def ask(request: web.Request, handler: Handler) -> web.StreamResponse:
        if _is_open(request) or any(_shows(request, header, secret) for header, secret in expected.items()):
            return await handler(request)
        return web.Response(status=401, headers={"WWW-Authenticate": 'Basic realm="Textback"'}, text="Password, please.\n")

    return ask


def _shows(request: web.Request, header: str, secret: str) -> bool:
    return hmac.compare_digest(request.headers.get(header, "").encode(errors="replace"), secret.encode())


def basic(password: str) -> str:
    """The Authorization header that the server wants (RFC 7617)."""
    return "Basic " + base64.b64encode(f"{USER}:{password}".encode()).decode()
