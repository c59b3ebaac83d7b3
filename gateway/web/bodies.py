"""A request's body, which a stranger may make large, slow, or never end."""

import asyncio
import json
from typing import Any

from aiohttp import web

from gateway.web.door import waiting_for

AT_MOST = 64 * 1024
WITHIN_S = 10.0


async def body_of(request: web.Request) -> bytes:
    """The whole body. Answers 413 where it is too large, 408 where it does not come in time, 400 where it breaks off."""
    if (request.content_length or 0) > AT_MOST:
        raise web.HTTPRequestEntityTooLarge(max_size=AT_MOST, actual_size=request.content_length or 0)
    try:
        with waiting_for(request):
            async with asyncio.timeout(WITHIN_S):
                return await request.read()
    except TimeoutError:
        raise web.HTTPRequestTimeout(text=f"the body did not come within {WITHIN_S:g} s\n") from None
    except (web.RequestPayloadError, ConnectionError):
        raise web.HTTPBadRequest(text="the body cannot be read\n") from None


async def json_object(request: web.Request) -> dict[str, Any]:
    """The body as a JSON object; `ValueError` where it is none."""
    try:
        found = json.loads(await body_of(request))
    except RecursionError:
        raise ValueError("the JSON is nested too deep") from None
    if not isinstance(found, dict):
        raise ValueError("the body must be a JSON object")
    return found
