"""What goes wrong while a request is answered: a fault of ours is one line in the log, and tells the caller nothing.

What strangers send malformed is answered with 400 and not logged.
"""

import logging

import structlog
from aiohttp import web
from aiohttp.http_exceptions import HttpProcessingError
from aiohttp.typedefs import Handler

SAYS = "a fault of the gateway's own; its log has it"
_OF_THE_CALLER = (HttpProcessingError, web.RequestPayloadError, ConnectionError)
_SECRETS = frozenset({"secret"})
"""Parts of a path that are not to be shown."""


@web.middleware
async def told(request: web.Request, handler: Handler) -> web.StreamResponse:
    """The outermost middleware: 500 in JSON for what no handler expected."""
    try:
        return await handler(request)
    except web.HTTPException:
        raise
    except Exception:
        structlog.get_logger().exception("request_failed", method=request.method, path=shown_path(request))
        return web.json_response({"error": SAYS}, status=500)


def shown_path(request: web.Request) -> str:
    """The path for the log: without its query, and `…` for a secret in it; of a path that is none of ours, nothing."""
    resource = request.match_info.route.resource
    if resource is None:
        return "(none of ours)"
    parts = {name: "…" if name in _SECRETS else value for name, value in request.match_info.items()}
    return resource.canonical.format(**parts)


def logger() -> logging.Logger:
    """For aiohttp's own words about requests that never reached a handler, or whose answer could not be written."""
    own = logging.getLogger("textback.web")
    own.filters = [_passed_on]
    return own


def _passed_on(record: logging.LogRecord) -> bool:
    error = record.exc_info[1] if record.exc_info else None
    if record.levelno >= logging.WARNING and not isinstance(error, _OF_THE_CALLER):
        structlog.get_logger().error("request_failed", why=record.getMessage(), exc_info=error)
    return False
