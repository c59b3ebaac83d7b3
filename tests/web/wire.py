"""HTTP by hand, over a real socket: what no client library would send."""

import socket
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from tests.peers.gateway import SPOOL, RunningGateway

SECRET = "an-unguessable-secret"
KANNEL = (
    '[sms.primary]\nkind = "kannel"\nurl = "http://127.0.0.1:9/cgi-bin/sendsms"\nusername = "tester"\n'
    'password_file = "kannel.password"\nhook_secret_file = "hook.password"\n'
)
"""Its texts reach nobody; its webhooks are called with the secret at the end of the path."""
Start = Callable[..., RunningGateway]


@dataclass(frozen=True, kw_only=True)
class Answered:
    """What came back before the other side closed, or had sent all that it announced; status 0: nothing."""

    status: int
    head: str
    body: bytes


def with_hooks(gateway: Start, directory: Path, *, bridge: str = "", **settings: object) -> RunningGateway:
    """A gateway that sends by the spool and takes Kannel's calls."""
    (directory / "kannel.password").write_text("foobar")
    (directory / "hook.password").write_text(SECRET)
    return gateway(sms=SPOOL + KANNEL + bridge, **settings)


def request(path: str, *, method: str = "GET", body: bytes = b"", host: str = "127.0.0.1", more: str = "") -> bytes:
    """A request with its body, after which the connection is to be closed."""
    length = f"Content-Length: {len(body)}\r\n" if body else ""
    return f"{method} {path} HTTP/1.1\r\nHost: {host}\r\nConnection: close\r\n{length}{more}\r\n".encode() + body


def reply_of(words: str, *, sender: str = "%2B14155550123", number: str = "1") -> str:
    """The path and query of a reply as Kannel calls it in."""
    return f"/hooks/primary/inbound/{SECRET}?from={sender}&to=%2B14155550100&text={words}&id={number}"


def ask(port: int, octets: bytes, *, within: float = 5) -> Answered:
    """Send, and read the answer."""
    with socket.create_connection(("127.0.0.1", port), timeout=within) as link:
        return answer_of(link, octets)


def answer_of(link: socket.socket, octets: bytes = b"") -> Answered:
    """Send more on a connection, and read the answer."""
    got = b""
    try:
        link.sendall(octets)
        while not _is_whole(got) and (more := link.recv(65536)):
            got += more
    except (ConnectionError, BrokenPipeError):
        pass
    head, _, body = got.partition(b"\r\n\r\n")
    status = int(head.split()[1]) if head.startswith(b"HTTP/") else 0
    return Answered(status=status, head=head.decode("latin-1"), body=body)


def _is_whole(got: bytes) -> bool:
    head, end, body = got.partition(b"\r\n\r\n")
    lengths = [int(line.split(b":")[1]) for line in head.lower().split(b"\r\n") if line.startswith(b"content-length:")]
    return bool(end) and bool(lengths) and len(body) >= lengths[0]
