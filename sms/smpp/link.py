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
TAKEN_MOST_S = 15.0
"""While the system_id is bound already it is tried again at least so often."""
TAKEN_FOR_S = 60.0
"""A bind of our own that has not ended yet is forgotten within seconds: after so long somebody else has it."""
LAST_ANSWERS_WITHIN_S = 4.0
STOPPED = "the bridge was stopped"
_MAY_MEAN = "the system_id may be already bound, or this machine's address not allowed"


class BindRefused(Exception):
    """The SMSC does not let us in."""

    def __init__(self, code: int) -> None:
        super().__init__(status.in_words(code))
        self.is_for_good = code in status.BIND_REFUSED_FOR_GOOD
        self.is_taken = code == status.ALREADY_BOUND


class BindUnanswered(LinkDown):
    """The link ended while we waited to be let in."""


class Link:
    """The way to one SMSC. `session` is there while it is bound; `detail` is a sentence for people, never a secret."""

    def __init__(
        self,
        name: str,
        settings: Smpp,
        *,
        deliver: Callable[[Pdu], Awaitable[int]],
        changed: Callable[[], None],
        taken_for_s: float = TAKEN_FOR_S,
    ) -> None:
        self._settings = settings
        self._deliver, self._changed = deliver, changed
        self._session: Session | None = None
        self._taken_for_s = taken_for_s
        self._taken_since: float | None = None
        self.is_paused = False
        self._detail = "not connected yet"
        self._log = structlog.get_logger().bind(bridge=name)

    @property
    def detail(self) -> str:
        """How the link is, or why it is not."""
        if self._session is not None and self._session.is_down:
            return self._session.why_down
        return self._detail

    @property
    def session(self) -> Session | None:
        """The bound session, or None while there is none."""
        return None if self._session is None or self._session.is_down else self._session

    async def run(self) -> None:
        """Bind, and bind again whenever the link ends; after cancellation say goodbye."""
        pause = RECONNECT_FIRST_S
        try:
            while True:
                pause = await self._once(pause)
                self._changed()
                await asyncio.sleep(pause * random.uniform(0.75, 1.0))  # noqa: S311 — jitter
                pause = min(pause * 2, self._pause_most())
        finally:
            self._detail = STOPPED

    async def _once(self, pause: float) -> float:
        """Bind and live until the link ends; how long to wait before the next time."""
        bound_at = None
        try:
            session = await self._connected()
            bound_at = asyncio.get_running_loop().time()
            await self._live(session)
        except BindRefused as error:
            return self._after_refusal(error, pause)
        except BindUnanswered as error:
            return self._after_taken(pause) if self._taken_since is not None else self._after_loss(str(error), pause, bound_at)
        except (LinkDown, OSError, TimeoutError, ssl.SSLError) as error:
            return self._after_loss(_in_words(error), pause, bound_at)
        except Exception:
            self._log.exception("bridge_failed", effect="texts under way are unknown; it binds again")
            return self._after_loss("the bridge itself failed, as the log says; it binds again", pause, bound_at)
        return pause

    async def _connected(self) -> Session:
        """A session that is not bound yet. Its tasks run in `_live`; until then nothing reads."""
        settings = self._settings
        async with asyncio.timeout(settings.connect_timeout.total_seconds()):
            reader, writer = await asyncio.open_connection(settings.host, settings.port, ssl=self._tls())
        return Session(
            reader,
            writer,
            timeouts=Timeouts(response=settings.response_timeout, enquire_link=settings.enquire_link),
            deliver=self._deliver,
            alive=self._changed,
        )

    async def _live(self, session: Session) -> None:
        ended: BindRefused | LinkDown | None = None
        async with asyncio.TaskGroup() as tasks:
            running = tasks.create_task(_until_down(session), name="smpp-session")
            try:
                await self._bind(session)
                self._is_up(session)
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

    def _is_up(self, session: Session) -> None:
        self._session, self.is_paused, self._taken_since = session, False, None
        self._detail = f"bound to {self._settings.host}:{self._settings.port} as {self._settings.system_id}"
        self._log.info("bridge_up", detail=self._detail)
        self._changed()

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
            response = await session.request_bind(sequence, written)
        except NoAnswer:
            raise LinkDown("the SMSC did not answer the bind") from None
        except LinkDown as error:
            raise BindUnanswered(f"{error} instead of answering the bind: {_MAY_MEAN}") from None
        if response.status != pdu.ESME_ROK:
            raise BindRefused(response.status)

    async def _goodbye(self, session: Session) -> None:
        """No new texts; wait for what is under way, then unbind."""
        self._session, self._detail = None, STOPPED
        until = asyncio.get_running_loop().time() + LAST_ANSWERS_WITHIN_S
        while session.is_busy and not session.is_down and asyncio.get_running_loop().time() < until:
            await asyncio.sleep(0.02)
        await session.unbind()

    # --- after a link that ended ---

    def _pause_most(self) -> float:
        if self._taken_since is not None:
            return TAKEN_MOST_S
        return PAUSE_MOST_S if self.is_paused else self._settings.reconnect_most.total_seconds()

    def _after_refusal(self, error: BindRefused, pause: float) -> float:
        if error.is_taken:
            return self._after_taken(pause)
        self._taken_since = None
        self._detail = f"the bind was refused: {error}"
        if not error.is_for_good:
            self._log.warning("bridge_down", detail=self._detail, retry_in_s=round(pause, 1))
            return pause
        if not self.is_paused:
            self._log.error("bridge_paused", detail=str(error), cure="correct this bridge's system_id or password")
            pause = PAUSE_FIRST_S
        self.is_paused = True
        return pause

    def _after_taken(self, pause: float) -> float:
        """Our own bind of before, which the SMSC has not let go of yet; if it lasts, another program's. An SMSC that has said
        so may then only hang up."""
        now, error = asyncio.get_running_loop().time(), status.in_words(status.ALREADY_BOUND)
        if self._taken_since is None:
            self._taken_since, self.is_paused, pause = now, False, RECONNECT_FIRST_S
            self._detail = f"the bind was refused: {error}; by a bind that has not ended yet, or by another program"
            self._log.warning("bridge_down", detail=self._detail, retry_in_s=pause)
        if now - self._taken_since >= self._taken_for_s and not self.is_paused:
            self.is_paused = True
            self._detail = f"the bind was refused: {error}; another program uses this system_id"
            cure = "stop the other program, or have the carrier allow a second bind"
            self._log.error("bridge_paused", detail=self._detail, cure=cure, retry_in_s=TAKEN_MOST_S)
        return pause

    def _after_loss(self, detail: str, pause: float, bound_at: float | None) -> float:
        if bound_at is not None and asyncio.get_running_loop().time() - bound_at > RECONNECT_FIRST_S:
            pause = RECONNECT_FIRST_S
        if self._taken_since is not None:
            self._taken_since, self.is_paused = None, False
        if detail != self._detail and not self.is_paused:
            self._log.warning("bridge_down", detail=detail, retry_in_s=round(pause, 1))
        if not self.is_paused:
            self._detail = detail
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
