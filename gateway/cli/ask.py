"""Asking the gateway that runs on this machine, over its own HTTP; no proxy, whatever the environment says."""

import json
import urllib.error
import urllib.request
from http.client import BAD_REQUEST
from typing import Any

from config.model import Config
from gateway.trial_call import TOKEN_FILE
from gateway.web.api import TOKEN_HEADER
from gateway.web.server import basic

ASK_WITHIN_S = 15.0
"""Longer than the gateway itself waits for a database that is locked."""


class NoAnswer(Exception):
    """Nobody answers, or not as a gateway would; the sentence says what to do."""

    status = 1
    """The exit status of a command that ends by it."""


class Misused(NoAnswer):
    """The gateway says that what was asked makes no sense."""

    status = 2


def get(config: Config, path: str) -> dict[str, Any]:
    """A JSON answer."""
    return _answer(config, urllib.request.Request(_url(config, path)))  # noqa: S310 — http to this machine


def post(config: Config, path: str, body: dict[str, Any] | None = None) -> dict[str, Any]:
    """Have something done; `NoAnswer` with the gateway's own sentence where it will not."""
    request = urllib.request.Request(_url(config, path), data=json.dumps(body or {}).encode(), method="POST")  # noqa: S310
    request.add_header(TOKEN_HEADER, _token(config))
    request.add_header("Content-Type", "application/json")
    return _answer(config, request)


def _answer(config: Config, request: urllib.request.Request) -> dict[str, Any]:
    place = config.web.listen
    if config.web.password is not None:
        request.add_header("Authorization", basic(config.web.password.get_secret_value()))
    try:
        opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))
        with opener.open(request, timeout=ASK_WITHIN_S) as answer:
            found: dict[str, Any] = json.load(answer)
            return found
    except urllib.error.HTTPError as error:
        raise (Misused if error.code == BAD_REQUEST else NoAnswer)(_said(error, place)) from None
    except (OSError, ValueError) as error:
        if isinstance(error, TimeoutError) or isinstance(getattr(error, "reason", None), TimeoutError):
            raise NoAnswer(
                f"the gateway at {place} has not answered within {ASK_WITHIN_S:g} s; what was asked may be done yet"
            ) from None
        raise NoAnswer(f"no gateway answers at {place}; start it with textback run") from None


def _said(error: urllib.error.HTTPError, place: object) -> str:
    try:
        return str(json.load(error)["error"])
    except (ValueError, KeyError, TypeError, OSError):
        why = "is its password_file another one?" if error.code == 401 else "is it of another version?"
        return f"the gateway at {place} answered {error.code}; {why}"


def _url(config: Config, path: str) -> str:
    place = config.web.listen
    host = {"0.0.0.0": "127.0.0.1", "::": "::1"}.get(place.host, place.host)  # noqa: S104 — compared, not bound
    return f"http://{f'[{host}]' if ':' in host else host}:{place.port}{path}"


def _token(config: Config) -> str:
    path = config.data_dir / TOKEN_FILE
    try:
        return path.read_text()
    except FileNotFoundError:
        raise NoAnswer(f"no gateway runs on {config.data_dir}; start it first (textback run)") from None
    except OSError as error:
        raise NoAnswer(f"{path} cannot be read: {error.strerror}; run this as the gateway's user") from None
