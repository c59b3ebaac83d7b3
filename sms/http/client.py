"""Performs requests, and says what is certain about those that failed (aiohttp; timeouts, no redirects, TLS verified)."""

import aiohttp

from sms.http.exchange import Request, Response
from sms.text import NotSent, Unknown

LARGEST_ANSWER = 1_000_000
KEEP_ALIVE_S = 4.0
"""A connection that the provider may have closed leaves a text unknown, so none is kept for long."""
USER_AGENT = "Textback"


class HttpClient:
    """One session for one bridge. Proxies come from the environment."""

    def __init__(self, *, connect_s: float, answer_s: float) -> None:
        self._timeout = aiohttp.ClientTimeout(total=connect_s + answer_s, sock_connect=connect_s, sock_read=answer_s)
        self._session: aiohttp.ClientSession | None = None

    async def perform(self, request: Request) -> Response | NotSent | Unknown:
        """The answer; or `NotSent` where no octet of the request can have arrived; or `Unknown`."""
        if self._session is None:
            connector = aiohttp.TCPConnector(limit=0, keepalive_timeout=KEEP_ALIVE_S)  # the window is the limit
            self._session = aiohttp.ClientSession(timeout=self._timeout, trust_env=True, connector=connector)
        try:
            async with self._session.request(
                request.method,
                request.url,
                data=request.body or None,
                headers={"User-Agent": USER_AGENT, **request.headers},
                allow_redirects=False,
            ) as response:
                return Response(status=response.status, headers=dict(response.headers), body=await _body(response))
        except (aiohttp.ClientConnectorError, aiohttp.ConnectionTimeoutError, aiohttp.InvalidURL) as error:
            return NotSent(detail=f"the provider cannot be reached: {_in_words(error)}")
        except (aiohttp.ClientError, TimeoutError, OSError) as error:
            return Unknown(detail=f"no answer from the provider: {_in_words(error)}")

    async def close(self) -> None:
        """Close the connections."""
        if self._session is not None:
            await self._session.close()
            self._session = None


async def _body(response: aiohttp.ClientResponse) -> bytes:
    """All of it, in however many pieces it comes, up to a size that no answer has."""
    body = b""
    async for piece in response.content.iter_any():
        body += piece
        if len(body) > LARGEST_ANSWER:
            break
    return body


def _in_words(error: Exception) -> str:
    """The kind of the error and the system's words; never the request, which holds secrets and a number."""
    if isinstance(error, aiohttp.ClientConnectorCertificateError):
        return "its certificate is not trusted"
    words = getattr(error, "strerror", None) or getattr(getattr(error, "os_error", None), "strerror", None)
    return f"{type(error).__name__}{f' ({words})' if words else ''}"
