"""What a provider's API is made of, as values: a request to send, the answer to it, and a call back. PURE.

A provider is a small file of functions over these; `client.py` performs the requests, the gateway's web server takes the calls.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Literal, Protocol, runtime_checkable

from sms.text import Outcome, Receipt, Reply, Text


@dataclass(frozen=True, slots=True, kw_only=True)
class Request:
    """A POST; texts are never sent by another method, because those are repeated without asking. A GET only looks up."""

    url: str
    headers: Mapping[str, str]
    body: bytes = b""
    method: Literal["POST", "GET"] = "POST"


@dataclass(frozen=True, slots=True, kw_only=True)
class Response:
    """What the provider answered."""

    status: int
    headers: Mapping[str, str]
    body: bytes


@dataclass(frozen=True, slots=True, kw_only=True)
class Hook:
    """A provider's call to one of our webhooks."""

    url: str
    """The public one, as the provider knows it, with its query."""
    headers: Mapping[str, str]
    """Names in lower case."""
    body: bytes
    at: datetime
    what: str = "inbound"
    """`receipt` or `inbound`, as our path says."""
    secret: str = ""
    """The part of the path that only the provider knows."""
    query: Mapping[str, str] = field(default_factory=dict)
    source: str = ""
    """The address that the call comes from."""


@dataclass(frozen=True, slots=True, kw_only=True)
class HookResponse:
    """What the provider wants to hear when it was stored."""

    status: int = 200
    content_type: str = "text/plain"
    body: str = ""


class Provider(Protocol):
    """One provider's API."""

    def request(self, text: Text) -> Request:
        """The request that sends a text."""

    def outcome(self, response: Response) -> Outcome:
        """What an answer means for the text."""

    def is_genuine(self, hook: Hook) -> bool:
        """Is it the provider's call? Compared in constant time; nothing else is read before."""

    def read(self, hook: Hook, bridge: str) -> Sequence[Receipt | Reply]:
        """What a genuine call says; nothing where it says nothing of interest. `ValueError` where it cannot be read."""

    hook_answer: HookResponse


@runtime_checkable
class CanLookUp(Protocol):
    """A provider that can be asked whether it has a text whose answer was lost."""

    def look_up(self, text: Text, since: datetime) -> Request:
        """The question, of texts from an instant on."""

    def found(self, response: Response, text: Text, since: datetime) -> Outcome | None:
        """`Accepted` where it has the text beyond doubt; None where it has not, or has several that could be it."""
