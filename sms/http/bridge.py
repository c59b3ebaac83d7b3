"""A bridge over a provider's HTTP API: one request a text, one outcome, and a pause where our account is refused."""

import asyncio
import contextlib
import random
from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, datetime
from ipaddress import IPv6Address, ip_address, ip_network

import structlog

from config.bridges import Expiring, Http
from sms.http.client import HttpClient
from sms.http.exchange import CanLookUp, Hook, HookResponse, Provider, Response
from sms.masking import without_numbers
from sms.pacing import Pacing
from sms.text import Health, NotSent, Outcome, Receipt, Refusal, Refused, Sink, Text, Unknown

PAUSE_FIRST_S = 30.0
PAUSE_MOST_S = 600.0
LAST_ANSWERS_WITHIN_S = 4.0
NOT_RUNNING = "the bridge is not running"
LOOK_UP_AT_ONCE = 4
LOOK_UP_AFTER_S = (5.0, 30.0, 120.0)
"""A provider that can be asked for a text whose answer was lost is asked so long after it, until it has the text."""


class HookRefused(Exception):
    """A call to a webhook that is not the provider's, or cannot be read; `status` is the answer to it."""

    def __init__(self, status: int, says: str) -> None:
        super().__init__(without_numbers(says))
        self.status = status


class HttpBridge:
    """One `[sms.NAME]` of a provider's kind. `reached_at` is the address in front of our webhooks' paths."""

    def __init__(
        self,
        name: str,
        settings: Http,
        provider: Provider,
        reached_at: str,
        *,
        look_up_after: Sequence[float] = LOOK_UP_AFTER_S,
    ) -> None:
        self.name = name
        self._provider = provider
        self._reached_at = reached_at
        self._look_up_after = look_up_after
        self._window = settings.window
        self._tells_validity = not isinstance(settings, Expiring) or settings.validity
        self._hook_from = tuple(ip_network(one) for one in settings.hook_from)
        self._client = HttpClient(
            connect_s=settings.connect_timeout.total_seconds(), answer_s=settings.response_timeout.total_seconds()
        )
        self._pacing = Pacing(settings.per_second, self._changed)
        self._sink: Sink | None = None
        self._tasks: asyncio.TaskGroup | None = None
        """There while the bridge runs."""
        self._looks = asyncio.Semaphore(LOOK_UP_AT_ONCE)
        self._under_way = 0
        self._is_idle = asyncio.Event()
        self._paused_until = 0.0
        self._pause = PAUSE_FIRST_S
        self._detail = ""
        self._log = structlog.get_logger().bind(bridge=name)

    async def run(self, sink: Sink) -> None:
        """There is no link to keep up; at the end wait for the answers under way."""
        self._sink = sink
        try:
            async with asyncio.TaskGroup() as self._tasks:
                self._changed()
                await asyncio.Event().wait()
        finally:
            self._tasks = None
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(LAST_ANSWERS_WITHIN_S):
                    await self._until_idle()
            await self._client.close()

    def room(self) -> int:
        """Free places in the window, as the pace allows; none while paused."""
        if self._tasks is None or self._is_paused():
            return 0
        return self._pacing.room(self._window - self._under_way)

    def health(self) -> Health:
        """Up unless the account was refused; that a provider is out of reach shows in the detail."""
        is_paused = self._is_paused()
        detail = self._detail if self._tasks is not None else NOT_RUNNING
        return Health(up=self._tasks is not None and not is_paused, paused=is_paused, detail=detail)

    async def submit(self, text: Text) -> Outcome:
        """One request, at once."""
        if self._tasks is None or self._is_paused():
            return NotSent(detail=self.health().detail)
        if self._under_way >= self._window or not self._pacing.take():
            return NotSent(detail="no room: the window is full, or the pace does not allow it now")
        self._under_way += 1
        since = datetime.now(UTC)
        try:
            offered = text if self._tells_validity else replace(text, validity=None)
            response = await self._client.perform(self._provider.request(offered))
        finally:
            self._under_way -= 1
            if not self._under_way:
                self._is_idle.set()
            self._changed()
        outcome = self._read(response) if isinstance(response, Response) else response
        self._learn(outcome)
        if isinstance(outcome, Unknown):
            self.ask(text, since)
        return outcome

    def ask(self, text: Text, since: datetime) -> None:
        """Look a text up whose answer was lost, where the provider can."""
        if isinstance(self._provider, CanLookUp) and self._tasks is not None:
            self._tasks.create_task(self._look_up(self._provider, text, since), name=f"look-up {text.key}")

    def admit(self, source: str) -> None:
        """`HookRefused` where an address may not call at all: to be asked before a call is read."""
        if self._hook_from and not self._may_call(source):
            raise HookRefused(403, "this address may not call")

    async def hook(self, hook: Hook) -> HookResponse:
        """Take a provider's call, whose `url` is still its path: verified, stored, then answered. `HookRefused` where it is not
        to be believed."""
        self.admit(hook.source)
        hook = replace(hook, url=self._reached_at + hook.url)
        if not self._provider.is_genuine(hook):
            raise HookRefused(
                403, "neither its signature nor the end of its address is right, or nothing is configured to verify it by"
            )
        if self._sink is None:
            raise HookRefused(503, NOT_RUNNING)
        try:
            found = self._provider.read(hook, self.name)
        except ValueError as error:
            raise HookRefused(400, str(error)) from None
        for one in found:
            if isinstance(one, Receipt):
                await self._sink.receipt(one)
            else:
                await self._sink.reply(one)
        return self._provider.hook_answer

    def _may_call(self, source: str) -> bool:
        try:
            address = ip_address(source)
        except ValueError:
            return False
        if isinstance(address, IPv6Address) and address.ipv4_mapped is not None:
            address = address.ipv4_mapped
        return any(address in network for network in self._hook_from)

    async def _until_idle(self) -> None:
        while self._under_way:
            self._is_idle.clear()
            await self._is_idle.wait()

    def _read(self, response: Response) -> Outcome:
        try:
            return self._provider.outcome(response)
        except Exception:
            self._log.exception("answer_unreadable", status=response.status, effect="its text is unknown")
            return Unknown(detail=f"the provider's answer {response.status} cannot be read")

    async def _look_up(self, provider: CanLookUp, text: Text, since: datetime) -> None:
        """Ask whether the provider has a text whose answer was lost. That it has not says nothing: it may still come."""
        for seconds in self._look_up_after:
            await asyncio.sleep(seconds)
            try:
                if await self._is_found(provider, text, since):
                    return
            except Exception:
                self._log.exception("look_up_failed", effect="the text stays unknown")

    async def _is_found(self, provider: CanLookUp, text: Text, since: datetime) -> bool:
        async with self._looks:
            response = await self._client.perform(provider.look_up(text, since))
        outcome = provider.found(response, text, since) if isinstance(response, Response) else None
        if outcome is None or self._sink is None:
            return False
        await self._sink.late(text.key, outcome)
        return True

    def _learn(self, outcome: Outcome) -> None:
        """Pause where the account itself was refused; slow down where we are too fast."""
        if isinstance(outcome, Refused) and outcome.kind is Refusal.TEMPORARY:
            self._pacing.slow_down()
        if isinstance(outcome, Refused) and outcome.is_account:
            self._pause_for(outcome)
            return
        self._detail = _trouble(outcome)
        if not isinstance(outcome, NotSent):
            self._pause = PAUSE_FIRST_S

    def _pause_for(self, refused: Refused) -> None:
        if self._pause == PAUSE_FIRST_S:
            self._log.error("bridge_paused", detail=refused.detail, cure="correct this bridge's account or its secret")
        seconds = self._pause * random.uniform(0.75, 1.0)  # noqa: S311 — jitter
        loop = asyncio.get_running_loop()
        self._paused_until = loop.time() + seconds
        self._pause = min(self._pause * 2, PAUSE_MOST_S)
        self._detail = f"the account was refused: {refused.detail}"
        loop.call_later(seconds + 0.01, self._changed)

    def _is_paused(self) -> bool:
        return asyncio.get_running_loop().time() < self._paused_until

    def _changed(self) -> None:
        if self._sink is not None:
            self._sink.bridge_changed(self.name)


def _trouble(outcome: Outcome) -> str:
    """What the last text says of the bridge; empty where it is well."""
    match outcome:
        case NotSent(detail=detail):
            return detail
        case Refused(kind=Refusal.CONFIGURATION, detail=detail):
            return f"the last text was refused: {detail}"
        case _:
            return ""
