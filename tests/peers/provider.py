"""A provider's API of ours, written from the provider's documentation: keeps what it was sent, answers as told."""

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from ssl import SSLContext
from urllib.parse import parse_qsl

from aiohttp import web


@dataclass(frozen=True, kw_only=True)
class Sent:
    """One request as it arrived."""

    method: str
    path: str
    headers: dict[str, str]
    body: bytes

    @property
    def form(self) -> dict[str, str]:
        """The fields of a form."""
        return dict(parse_qsl(self.body.decode(), keep_blank_values=True, strict_parsing=True))


@dataclass
class Provider:
    """Answers `status` with `body` unless `act` does something else."""

    status: int = 201
    body: str = '{"sid": "SM1"}'
    headers: dict[str, str] = field(default_factory=dict)
    act: Callable[[web.Request], Awaitable[web.StreamResponse]] | None = None
    sent: list[Sent] = field(default_factory=list)
    url: str = ""

    async def start(self, ssl: SSLContext | None = None) -> "Provider":
        """Listen on loopback."""
        app = web.Application()
        app.router.add_route("*", "/{path:.*}", self._take)
        self._runner = web.AppRunner(app, access_log=None)
        await self._runner.setup()
        site = web.TCPSite(self._runner, "127.0.0.1", 0, ssl_context=ssl)
        await site.start()
        self.url = f"http{'s' if ssl else ''}://127.0.0.1:{self._runner.addresses[0][1]}"
        return self

    async def stop(self) -> None:
        """Close."""
        await self._runner.cleanup()

    async def _take(self, request: web.Request) -> web.StreamResponse:
        headers = {name.lower(): value for name, value in request.headers.items()}
        self.sent.append(Sent(method=request.method, path=request.path_qs, headers=headers, body=await request.read()))
        if self.act is not None:
            return await self.act(request)
        return web.Response(status=self.status, text=self.body, headers=self.headers)


async def hang_up(request: web.Request) -> web.StreamResponse:
    """Take the request and close the connection without an answer."""
    assert request.transport is not None
    request.transport.abort()
    await asyncio.sleep(0)
    return web.Response()


async def stay_silent(request: web.Request) -> web.StreamResponse:
    """Take the request and never answer."""
    await asyncio.sleep(1.5)
    return web.Response()
