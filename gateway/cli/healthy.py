"""`textback healthy`: does a gateway answer here? For the health checks of containers: one line, exit status 0 or 1.

It runs every few seconds and therefore loads next to nothing. Of the configuration it reads `web.listen` alone, as the gateway
took it: whatever becomes of the file meanwhile, the gateway goes on with the one that it has. It needs no secret.
"""

import http.client
from pathlib import Path
from typing import Any

from config import glimpse
from config.places import SEARCHED, WEB_LISTEN
from gateway.cli.say import complain, say, say_json
from gateway.cli.starting import how_to_start
from gateway.process import running
from gateway.process.data_dir import LAST_GOOD

IN_WORDS = "ask whether a gateway answers here, for health checks"
ANSWER_WITHIN_S = 4.0
LOCAL = {"0.0.0.0": "127.0.0.1", "::": "::1", "localhost": "127.0.0.1"}  # noqa: S104 — compared, not bound
"""Where this machine reaches a gateway that listens on every address."""


def add_to(commands: Any) -> None:
    """The command's parser."""
    parser = commands.add_parser("healthy", help=IN_WORDS, description=f"{IN_WORDS.capitalize()}.")
    parser.add_argument("--json", action="store_true", help="as JSON, for programs")
    parser.set_defaults(command=lambda options: healthy(options.config, as_json=options.json))


def healthy(named: str | None, *, as_json: bool = False) -> int:
    """0 where `/healthz` answers 200, else 1; `named` is the configuration's file."""
    where, is_healthy, says = _asked(named)
    if as_json:
        say_json({"healthy": is_healthy, "where": where, "says": says})
    elif is_healthy:
        say(says)
    else:
        complain(f"textback: {says}")
    return 0 if is_healthy else 1


def _asked(named: str | None) -> tuple[str, bool, str]:
    """Where was asked, does a gateway answer there, and the sentence about it."""
    place = _place(_listen(named))
    where = f"[{place[0]}]:{place[1]}" if ":" in place[0] else f"{place[0]}:{place[1]}"
    try:
        status = _status(*place)
    except (OSError, http.client.HTTPException) as error:
        start = how_to_start(None if named is None else Path(named))
        return where, False, f"no gateway answers at {where} ({error}); look at its log, or start it with {start}"
    if status == http.HTTPStatus.OK:
        return where, True, f"the gateway at {where} answers"
    return where, False, f"{where} answers {status}, as no gateway does; does another program listen there?"


def _status(host: str, port: int) -> int:
    connection = http.client.HTTPConnection(host, port, timeout=ANSWER_WITHIN_S)
    try:
        connection.request("GET", "/healthz")
        return connection.getresponse().status
    finally:
        connection.close()


def _listen(named: str | None) -> str:
    """As the configuration says that the gateway took, else its file; where it cannot be read only the usual place is known."""
    paths = [Path(named)] if named is not None else SEARCHED
    path = next((path for path in paths if path.exists()), None)
    if path is None:
        return WEB_LISTEN
    data_dir = running.data_dir_of(path)
    read = [data_dir / LAST_GOOD] if data_dir else []
    return next(filter(None, (glimpse.value(glimpse.content(one), "listen", "web") for one in (*read, path))), WEB_LISTEN)


def _place(listen: str) -> tuple[str, int]:
    host, _, port = listen.rpartition(":")
    if not (host and port.isdecimal() and int(port) <= 65535):
        return _place(WEB_LISTEN)
    host = host.strip("[]")
    return LOCAL.get(host, host), int(port)
