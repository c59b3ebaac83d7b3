"""An SMSC that misbehaves on command, in the test's own event loop. Every submit_sm that reaches it is kept."""

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field

from sms.smpp import pdu
from sms.smpp.pdu import HEADER, Pdu, Splitter

Answer = Callable[["Link", Pdu], Awaitable[None]]


@dataclass
class Link:
    """One connection."""

    writer: asyncio.StreamWriter

    def send(self, command: int, status: int, sequence: int, body: bytes = b"") -> None:
        """One PDU."""
        self.writer.write(pdu.header(command, status, sequence, body))

    def answer(self, request: Pdu, status: int = 0, body: bytes = b"") -> None:
        """A response."""
        self.send(request.command | pdu.RESPONSE, status, request.sequence, body)


@dataclass
class FaultySmsc:
    """Answers like a good SMSC unless told otherwise."""

    on_bind: Answer | None = None
    on_submit: Answer | None = None
    answers_enquire_link: bool = True
    keeps: bool = True
    """Whether what is submitted is kept."""
    submitted: list[bytes] = field(default_factory=list)
    responses: list[Pdu] = field(default_factory=list)
    binds: list[Pdu] = field(default_factory=list)
    requests: list[Pdu] = field(default_factory=list)
    """All but binds and submits."""
    links: list[Link] = field(default_factory=list)
    port: int = 0

    async def start(self, port: int = 0, ssl: object = None) -> "FaultySmsc":
        """Listen on loopback."""
        self._server = await asyncio.start_server(self._serve, "127.0.0.1", port, ssl=ssl)  # type: ignore[arg-type]
        self.port = self._server.sockets[0].getsockname()[1]
        return self

    async def stop(self) -> None:
        """Close everything."""
        self._server.close()
        for link in self.links:
            link.writer.close()

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        link, splitter = Link(writer), Splitter()
        self.links.append(link)
        try:
            while chunk := await reader.read(65536):
                for one in splitter.feed(chunk):
                    await self._take(link, one)
        except OSError:
            pass
        writer.close()

    async def _take(self, link: Link, one: Pdu) -> None:
        if one.is_response:
            self.responses.append(one)
        elif one.command in (pdu.BIND_TRANSCEIVER, pdu.BIND_TRANSMITTER):
            self.binds.append(one)
            if self.on_bind:
                await self.on_bind(link, one)
            else:
                link.answer(one, 0, b"smsc\0")
        elif one.command == pdu.SUBMIT_SM:
            if self.keeps:
                self.submitted.append(one.body)
            if self.on_submit:
                await self.on_submit(link, one)
            else:
                link.answer(one, 0, f"{len(self.submitted)}\0".encode())
        else:
            self.requests.append(one)
            if one.command != pdu.ENQUIRE_LINK or self.answers_enquire_link:
                link.answer(one)


def deliver_sm(sequence: int, body: bytes, *, esm_class: int = 0, tlvs: bytes = b"", coding: int = 0) -> bytes:
    """A deliver_sm from +14155550123 to +14155550100."""
    fields = b"\0\x01\x0114155550123\0\x01\x0114155550100\0" + bytes((esm_class, 0, 0)) + b"\0\0" + bytes((0, 0, coding, 0))
    whole = fields + bytes((len(body),)) + body + tlvs
    return HEADER.pack(16 + len(whole), pdu.DELIVER_SM, 0, sequence) + whole
