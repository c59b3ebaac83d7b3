"""What changes something, as HTTP: texts, calls, numbers, and test texts.

Each wants the token that stands in the data directory (`X-Textback-Token`), so that no web page which an admin happens to look
at can do it from their browser.
"""

import hmac
from collections.abc import Awaitable, Callable
from dataclasses import asdict
from datetime import datetime
from typing import Any

from aiohttp import web

from config.values import number
from gateway.actions import ActionRefused, Actions, WrongUse
from gateway.process.data_dir import TOKEN_HEADER
from gateway.store.database import StoreError
from gateway.web.bodies import json_object

_ACTIONS: web.AppKey[Actions] = web.AppKey("actions", Actions)
_TOKEN: web.AppKey[str] = web.AppKey("token", str)

Act = Callable[[Actions, web.Request], Awaitable[dict[str, object]]]
Answer = Callable[[web.Request], Awaitable[web.Response]]


def add_to(app: web.Application, actions: Actions, token: str) -> None:
    """The routes."""
    app[_ACTIONS], app[_TOKEN] = actions, token
    app.add_routes(
        [
            web.post("/api/v1/texts/release", _guarded(_release_held)),
            web.post("/api/v1/texts/drop", _guarded(_drop_held)),
            web.post("/api/v1/texts/{id:[0-9]{1,18}}/release", _guarded(_release)),
            web.post("/api/v1/texts/{id:[0-9]{1,18}}/drop", _guarded(_drop)),
            web.post("/api/v1/texts/{id:[0-9]{1,18}}/resend", _guarded(_resend)),
            web.post("/api/v1/texts/{id:[0-9]{1,18}}/settle", _guarded(_settle)),
            web.post("/api/v1/calls/{id:[0-9]{1,18}}/done", _guarded(_done)),
            web.post("/api/v1/numbers/forget", _guarded(_forget_number)),
            web.post("/api/v1/optouts/add", _guarded(_opt_out)),
            web.post("/api/v1/optouts/remove", _guarded(_opt_in)),
            web.post("/api/v1/send-test", _guarded(_send_test)),
        ]
    )


def _guarded(act: Act) -> Answer:
    return guarded(lambda request: act(request.app[_ACTIONS], request))


def guarded(act: Callable[[web.Request], Awaitable[dict[str, object]]]) -> Answer:
    """403 without the token, 409 with a sentence where it cannot be done, 400 where the request makes no sense, 503 where the
    database cannot be written."""

    async def answer(request: web.Request) -> web.Response:
        shown = request.headers.get(TOKEN_HEADER, "")
        if not hmac.compare_digest(shown.encode(errors="replace"), request.app[_TOKEN].encode()):
            return web.json_response({"error": "the token of the data directory is needed"}, status=403)
        try:
            return web.json_response(await act(request))
        except WrongUse as error:
            return web.json_response({"error": str(error)}, status=400)
        except ActionRefused as error:
            return web.json_response({"error": str(error)}, status=409)
        except StoreError as error:
            return web.json_response({"error": str(error)}, status=503)
        except KeyError as error:
            return web.json_response({"error": f"not understood: {error} is missing"}, status=400)
        except (ValueError, TypeError, OverflowError) as error:
            return web.json_response({"error": f"not understood: {error}"}, status=400)

    return answer


async def _release(actions: Actions, request: web.Request) -> dict[str, object]:
    return {"said": await actions.release(int(request.match_info["id"]))}


async def _drop(actions: Actions, request: web.Request) -> dict[str, object]:
    return {"said": await actions.drop(int(request.match_info["id"]))}


async def _release_held(actions: Actions, request: web.Request) -> dict[str, object]:
    return asdict(await actions.release_held(*_which(await json_object(request))))


async def _drop_held(actions: Actions, request: web.Request) -> dict[str, object]:
    return asdict(await actions.drop_held(*_which(await json_object(request))))


def _which(wanted: dict[str, Any]) -> tuple[str | None, datetime | None]:
    """The line and the instant that held texts are chosen by; null, or missing: any."""
    line, since = wanted.get("line"), wanted.get("since")
    if not isinstance(line, str | None) or not isinstance(since, str | None):
        raise ValueError("line and since are strings")
    at = datetime.fromisoformat(since) if since is not None else None
    if at is not None and at.tzinfo is None:
        raise ValueError(f"since: {since} has no zone")
    return line, at


async def _resend(actions: Actions, request: web.Request) -> dict[str, object]:
    return {"said": await actions.resend(int(request.match_info["id"]))}


async def _settle(actions: Actions, request: web.Request) -> dict[str, object]:
    return {"said": await actions.settle(int(request.match_info["id"]))}


async def _done(actions: Actions, request: web.Request) -> dict[str, object]:
    return {"said": await actions.done(int(request.match_info["id"]))}


async def _forget_number(actions: Actions, request: web.Request) -> dict[str, object]:
    return {"said": await actions.forget_number(number((await json_object(request))["number"]))}


async def _opt_out(actions: Actions, request: web.Request) -> dict[str, object]:
    wanted = await json_object(request)
    line, note = wanted.get("line"), wanted.get("note", "")
    if not isinstance(line, str | None) or not isinstance(note, str):
        raise ValueError("line and note are strings")
    return {"said": await actions.opt_out(number(wanted["number"]), line, note)}


async def _opt_in(actions: Actions, request: web.Request) -> dict[str, object]:
    wanted = await json_object(request)
    reason = wanted["reason"]
    if not isinstance(reason, str) or not reason.strip():
        raise ValueError("reason is a string that says why")
    return {"said": await actions.opt_in(number(wanted["number"]), reason)}


async def _send_test(actions: Actions, request: web.Request) -> dict[str, object]:
    wanted = await json_object(request)
    variant = wanted.get("variant")
    text = await actions.send_test(str(wanted["line"]), number(wanted["to"]), None if variant is None else int(variant))
    return {"text": text}
