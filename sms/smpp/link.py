"""One bind, kept up: connect, bind, live, and again with growing pauses; a refused account is asked later and later."""

import asyncio
import contextlib
import random
import ssl
from collections.abc import Awaitable, Callable

import structlog

from config.bridges import Smpp
from sms.smpp import pdu, status
from sms.smpp.pdu import Pdu
from sms.smpp.session import LinkDown, NoAnswer, Session, Timeouts

RECONNECT_FIRST_S = 1.0
PAUSE_FIRST_S = 15.0
"""After a bind that was refused for good: the account is asked again later and later, up to `PAUSE_MOST_S`."""
PAUSE_MOST_S = 600.0
LAST_ANSWERS_WITHIN_S = 4.0


class BindRefused(Exception):
    """The SMSC does not let us in."""

    def __init__(self, code: int) -> None:
        super().__init__(status.in_words(code))
        self.is_for_good = code in status.BIND_REFUSED_FOR_GOOD


class Link:
    """The way to one SMSC. `session` is there while it is bound; `detail` is a sentence for people, never a secret."""

    def __init__(
        self,
        name: str,
        settings: Smpp,
        *,
        deliver: Callable[[Pdu], Awaitable[int]],
        late: Callable[[Pdu], Awaitable[None]],
        changed: Callable[[], None],
        alive: Callable[[], None],
    ) -> None:
        self._settings = settings
        self._deliver, self._late, self._changed, self._alive = deliver, late, changed, alive
        self._session: Session | None = None
        self.is_paused = False
        self.detail = "not connected yet"
        self._log = structlog.get_logger().bind(bridge=name)

    @property
    def session(self) -> Session | None:
        """The bound session, or None while there is none."""
        return None if self._session is None or self._session.is_down else self._session

    async def run(self) -> None:
        """Bind, and bind again whenever the link ends; after cancellation say goodbye."""
        pause = RECONNECT_FIRST_S
        while True:
            bound_at = None
            try:
                session = await self._bound()
                bound_at = asyncio.get_running_loop().time()
                await self._live(session)
            except BindRefused as error:
                pause = self._after_refusal(error, pause)
            except (LinkDown, OSError, TimeoutError, ssl.SSLError) as error:
                pause = self._after_loss(error, pause, bound_at)
            self._changed()
            await asyncio.sleep(pause * random.uniform(0.75, 1.0))  # noqa: S311 — jitter
            pause = min(pause * 2, PAUSE_MOST_S if self.is_paused else self._settings.reconnect_most.total_seconds())

    async def _bound(self) -> Session:
        """A session whose bind has been answered with yes. Its tasks run in `_live`; until then nothing else reads."""
        settings = self._settings
        async with asyncio.timeout(settings.connect_timeout.total_seconds()):
            reader, writer = await asyncio.open_connection(settings.host, settings.port, ssl=self._tls())
        return Session(
            reader,
            writer,
            timeouts=Timeouts(response=settings.response_timeout, enquire_link=settings.enquire_link),
            deliver=self._deliver,
            late=self._late,
            alive=self._alive,
        )

    async def _live(self, session: Session) -> None:
        ended: BindRefused | LinkDown | None = None
        async with asyncio.TaskGroup() as tasks:
            running = tasks.create_task(_until_down(session), name="smpp-session")
            try:
                await self._bind(session)
                self._session, self.is_paused = session, False
                self.detail = f"bound to {self._settings.host}:{self._settings.port} as {self._settings.system_id}"
                self._log.info("bridge_up", detail=self.detail)
                self._changed()
                await asyncio.shield(running)
            except (BindRefused, LinkDown) as error:
                ended = error
            except asyncio.CancelledError:
                await self._goodbye(session)
                raise
            finally:
                self._session = None
                session.close("the link was closed")
                running.cancel()
        raise ended or LinkDown(session.why_down)

    async def _bind(self, session: Session) -> None:
        settings = self._settings
        sequence = session.next_sequence()
        written = pdu.bind(
            settings.bind,
            sequence,
            system_id=settings.system_id,
            password=settings.password.get_secret_value(),
            system_type=settings.system_type,
        )
        try:
            response = await session.request(sequence, written)
        except NoAnswer:
            raise LinkDown("the SMSC did not answer the bind") from None
        if response.status != pdu.ESME_ROK:
            raise BindRefused(response.status)

    async def _goodbye(self, session: Session) -> None:
        """Wait for answers under way, then unbind."""
        until = asyncio.get_running_loop().time() + LAST_ANSWERS_WITHIN_S
        while session.is_waiting and asyncio.get_running_loop().time() < until:
            await asyncio.sleep(0.02)
        await session.unbind()

    def _after_refusal(self, error: BindRefused, pause: float) -> float:
        if error.is_for_good:
            if not self.is_paused:
                self._log.error("bridge_paused", detail=str(error), cure="correct this bridge's system_id or password")
                pause = PAUSE_FIRST_S
            self.is_paused = True
        self.detail = f"the bind was refused: {error}"
        if not error.is_for_good:
            self._log.warning("bridge_down", detail=self.detail, retry_in_s=round(pause, 1))
        return pause

    def _after_loss(self, error: Exception, pause: float, bound_at: float | None) -> float:
        detail = _in_words(error)
        if bound_at is not None and asyncio.get_running_loop().time() - bound_at > RECONNECT_FIRST_S:
            pause = RECONNECT_FIRST_S
        if detail != self.detail and not self.is_paused:
            self._log.warning("bridge_down", detail=detail, retry_in_s=round(pause, 1))
        if not self.is_paused:
            self.detail = detail
        return pause

    def _tls(self) -> ssl.SSLContext | None:
        return ssl.create_default_context(cafile=self._settings.tls_ca) if self._settings.tls else None


async def _until_down(session: Session) -> None:
    with contextlib.suppress(LinkDown):
        await session.run()


def _in_words(error: Exception) -> str:
    if isinstance(error, ssl.SSLCertVerificationError):
        return f"the SMSC's certificate is not trusted: {error.verify_message}"
    if isinstance(error, ssl.SSLError):
        return f"TLS failed: {error.reason or error}"
    if isinstance(error, TimeoutError):
        return "the SMSC cannot be reached: no answer"
    if isinstance(error, OSError):
        return f"the SMSC cannot be reached: {error.strerror or error}"
    return str(error)
