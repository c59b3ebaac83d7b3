"""Asking the gateway that runs on this machine, over its own HTTP; no proxy, whatever the environment says."""

import contextlib
import json
import urllib.error
import urllib.request
from http.client import BAD_REQUEST
from typing import Any

from config.model import Config
from gateway.cli.configuration import how_to_restart, how_to_run
from gateway.process.data_dir import TOKEN_FILE, TOKEN_HEADER, one_runs

ASK_WITHIN_S = 15.0
"""Longer than the gateway itself waits for a database that is locked."""


class NoAnswer(Exception):
    """Nobody answers, or not as a gateway would; the sentence says what to do."""

    status = 1
    """The exit status of a command that ends by it."""


class Misused(NoAnswer):
    """The gateway says that what was asked makes no sense."""

    status = 2


class NobodyThere(NoAnswer):
    """No gateway runs: nothing was asked of any."""


class _Unreadable(NoAnswer):
    """The token is another user's; who only looks may do so without."""


def get(config: Config, path: str, *, within: float = ASK_WITHIN_S) -> dict[str, Any]:
    """A JSON answer. The token is shown where it can be read: a gateway with a password takes it in place of that."""
    request = urllib.request.Request(_url(config, path))  # noqa: S310 — http to this machine
    with contextlib.suppress(_Unreadable):
        request.add_header(TOKEN_HEADER, token_of(config))
    return _answer(config, request, within)


def post(config: Config, path: str, body: dict[str, Any] | None = None, *, within: float = ASK_WITHIN_S) -> dict[str, Any]:
    """Have something done; `NoAnswer` with the gateway's own sentence where it will not."""
    request = urllib.request.Request(_url(config, path), data=json.dumps(body or {}).encode(), method="POST")  # noqa: S310
    request.add_header(TOKEN_HEADER, token_of(config))
    request.add_header("Content-Type", "application/json")
    return _answer(config, request, within)


def answers(config: Config, *, within: float) -> bool:
    """Does anybody answer there at all?"""
    try:
        with _opener().open(_url(config, "/healthz"), timeout=within):
            return True
    except OSError:
        return False


def _opener() -> urllib.request.OpenerDirector:
    return urllib.request.build_opener(urllib.request.ProxyHandler({}))


def _answer(config: Config, request: urllib.request.Request, within: float) -> dict[str, Any]:
    place = config.web.listen
    try:
        with _opener().open(request, timeout=within) as answer:
            found: dict[str, Any] = json.load(answer)
            return found
    except urllib.error.HTTPError as error:
        raise (Misused if error.code == BAD_REQUEST else NoAnswer)(_said(error, config)) from None
    except (OSError, ValueError) as error:
        if isinstance(error, TimeoutError) or isinstance(getattr(error, "reason", None), TimeoutError):
            raise NoAnswer(
                f"the gateway at {place} has not answered within {within:g} s; what was asked may be done yet. If textback"
                f" healthy has no answer either: {how_to_restart(config)}"
            ) from None
        raise _nobody(config, f"no gateway answers at {place}; start it with {how_to_run(config)}") from None


def _nobody(config: Config, says: str) -> NoAnswer:
    """Nobody answers: no gateway runs, or one that is elsewhere."""
    if not one_runs(config.data_dir):
        return NobodyThere(says)
    return NoAnswer(
        f"a gateway runs on data_dir {config.data_dir} and does not answer at {config.web.listen}; it starts or stops just now,"
        " or web.listen was changed since it started (restart it)"
    )


def _said(error: urllib.error.HTTPError, config: Config) -> str:
    gateway, token = f"the gateway at {config.web.listen}", config.data_dir / TOKEN_FILE
    if error.code == 401:
        return f"{gateway} wants its token, {token}: run this as root, or as the gateway's user"
    if error.code == 403:
        return f"{gateway} is not the one that {token} is of; does another gateway have that address?"
    try:
        return str(json.load(error)["error"])
    except (ValueError, KeyError, TypeError, OSError):
        return f"{gateway} answered {error.code}; is it of another version?"


def _url(config: Config, path: str) -> str:
    place = config.web.listen
    host = {"0.0.0.0": "127.0.0.1", "::": "::1"}.get(place.host, place.host)  # noqa: S104 — compared, not bound
    return f"http://{f'[{host}]' if ':' in host else host}:{place.port}{path}"


def token_of(config: Config) -> str:
    """What proves that somebody may read the data directory; `NoAnswer` where it cannot be read."""
    path = config.data_dir / TOKEN_FILE
    try:
        return path.read_text()
    except FileNotFoundError:
        raise _nobody(config, f"no gateway runs on {config.data_dir}; start it first ({how_to_run(config)})") from None
    except OSError as error:
        raise _Unreadable(f"{path} cannot be read: {error.strerror}; run this as root, or as the gateway's user") from None
