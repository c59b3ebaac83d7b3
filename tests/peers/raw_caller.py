"""A SIP caller that sends exactly what it is told to, over one socket: what SIPp's scenarios would not send."""

import itertools
import socket
from dataclasses import dataclass
from typing import Self

from tests.peers.gateway import PATIENCE_S

_numbers = itertools.count(1)


@dataclass(frozen=True, kw_only=True)
class Response:
    """What came back: its status, the request's method, and its headers by their lower-case names (the last of each)."""

    status: int
    method: str
    headers: dict[str, str]


class RawCaller:
    """One call. Every request of it but ACK and CANCEL has its own branch and CSeq."""

    def __init__(self, port: int, *, transport: str = "udp", caller: str = "+14155550123") -> None:
        kind = socket.SOCK_STREAM if transport == "tcp" else socket.SOCK_DGRAM
        self._socket = socket.socket(socket.AF_INET, kind)
        self._socket.settimeout(PATIENCE_S)
        self._socket.bind(("127.0.0.1", 0))
        self._socket.connect(("127.0.0.1", port))
        self._stream = self._socket.makefile("rb") if transport == "tcp" else None
        self._transport = transport.upper()
        self._caller = caller
        self._at = f"127.0.0.1:{self._socket.getsockname()[1]}"
        self.call_id = f"raw-{next(_numbers)}-{self._at}"
        self._to_tag = ""
        self._cseq = 0
        self.seen: list[int] = []
        """The statuses that the first INVITE got, in order."""

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        if self._stream:
            self._stream.close()
        self._socket.close()

    def send(
        self, method: str = "INVITE", *headers: str, body: str = "", content_type: str = "application/sdp", of: int = 0
    ) -> bytes:
        """Send a request, within the dialog once there is one; `of` is the CSeq of the INVITE that a CANCEL or an ACK is for."""
        if not of:
            self._cseq += 1
        number = of or self._cseq
        tag = f";tag={self._to_tag}" if self._to_tag and method != "CANCEL" else ""
        octets = body.replace("\n", "\r\n").encode()
        lines = [
            f"{method} sip:+14155550100@127.0.0.1 SIP/2.0",
            f"Via: SIP/2.0/{self._transport} {self._at};branch=z9hG4bK-{self.call_id}-{number}",
            f"From: <sip:{self._caller}@127.0.0.1>;tag=raw",
            f"To: <sip:+14155550100@127.0.0.1>{tag}",
            f"Call-ID: {self.call_id}",
            f"CSeq: {number} {method}",
            f"Contact: <sip:raw@{self._at}>",
            "Max-Forwards: 70",
            *headers,
            *([f"Content-Type: {content_type}"] if body else []),
            f"Content-Length: {len(octets)}",
        ]
        sent = "\r\n".join([*lines, "", ""]).encode() + octets
        self.repeat(sent)
        return sent

    def skip_to(self, number: int) -> None:
        """The next request has this CSeq."""
        self._cseq = number - 1

    def repeat(self, sent: bytes) -> None:
        """The same octets again."""
        self._socket.sendall(sent)

    def receive(self) -> Response:
        """The next response."""
        text = self._head().decode()
        start, *lines = text.split("\r\n")
        headers = {name.strip().lower(): value.strip() for name, _, value in (line.partition(":") for line in lines)}
        number, _, method = headers["cseq"].partition(" ")
        status = int(start.split(" ")[1])
        if method == "INVITE" and number == "1":
            self.seen.append(status)
            self._to_tag = headers["to"].rpartition(";tag=")[2] if ";tag=" in headers["to"] else self._to_tag
        if method == "INVITE" and status >= 300:
            self.send("ACK", of=int(number))
        return Response(status=status, method=method, headers=headers)

    def until(self, status: int, method: str = "INVITE") -> Response:
        """The next response of this status, or another final one to this method."""
        while True:
            response = self.receive()
            if response.method == method and (response.status == status or response.status >= 200):
                return response

    def _head(self) -> bytes:
        if self._stream is None:
            return self._socket.recv(65536).partition(b"\r\n\r\n")[0]
        lines = list(iter(self._stream.readline, b"\r\n"))
        length = next(int(line.partition(b":")[2]) for line in lines if line.lower().startswith(b"content-length"))
        self._stream.read(length)
        return b"".join(lines).rstrip(b"\r\n")
