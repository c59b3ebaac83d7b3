"""What a provider's API is made of, as values: a request to send, the answer to it, and a call back. PURE.

A provider is a small file of functions over these; `client.py` performs the requests, the gateway's web server takes the calls.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Protocol

from sms.text import Outcome, Receipt, Reply, Text


@dataclass(frozen=True, slots=True, kw_only=True)
class Request:
    """A POST; texts are never sent by another method, because those are repeated without asking."""

    url: str
    headers: Mapping[str, str]
    body: bytes


@dataclass(frozen=True, slots=True, kw_only=True)
class Answer:
    """What the provider answered."""

    status: int
    headers: Mapping[str, str]
    body: bytes


@dataclass(frozen=True, slots=True, kw_only=True)
class Hook:
    """A provider's call to one of our webhooks. `url` is the public one, as the provider knows it."""

    url: str
    headers: Mapping[str, str]
    """Names in lower case."""
    body: bytes
    at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class HookAnswer:
    """What the provider wants to hear when it was stored."""

    status: int = 200
    content_type: str = "text/plain"
    body: str = ""


class Provider(Protocol):
    """One provider's API."""

    def request(self, text: Text) -> Request:
        """The request that sends a text."""

    def outcome(self, answer: Answer) -> Outcome:
        """What an answer means for the text."""

    def is_genuine(self, hook: Hook) -> bool:
        """Does the provider's signature hold? Compared in constant time; nothing else is read before."""

    def read(self, hook: Hook, bridge: str) -> Receipt | Reply | None:
        """What a genuine call says; None where it says nothing of interest. `ValueError` where it cannot be read."""

    hook_answer: HookAnswer
