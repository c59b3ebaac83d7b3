"""How fast texts may go: the configured rate, and a pause whenever the network says that we are too fast.

Turns follow a schedule, a little slower than the rate. A turn that could not be taken in time is made up for, up to
`MADE_UP_S`, but never more than a second's worth within a second, which is what a network counts.
"""

import asyncio
from collections import deque
from collections.abc import Callable

SLOWER = 1.02
"""The schedule's distance between turns, in those of the rate: what was late is caught up with inside the rate."""
MADE_UP_S = 0.25
"""A schedule that is later than this was not late but idle: it begins anew."""
PROMISED_S = 0.25
"""So long the turns that `room` spoke of are kept from the parts that wait."""
TOGETHER_S = 0.02
"""Turns are announced so far apart at least, so that several texts are asked for at a time."""
CLOCK_S = 1e-6
"""A timer may come so much too early."""
UNLIMITED = 1_000_000
PAUSE_FIRST_S = 1.0
PAUSE_MOST_S = 30.0


class Pacing:
    """Turns on the event loop's clock: taken at once by texts, waited for by their later parts. `changed` is called when there
    is room again."""

    def __init__(self, per_second: float | None, changed: Callable[[], None]) -> None:
        self._changed = changed
        self._is_limited = per_second is not None
        rate = per_second or 1.0
        self._distance = SLOWER / rate
        self._at_most = max(1, int(rate))
        self._within = self._at_most / rate
        """So many turns in so many seconds at most."""
        self._next = 0.0
        self._taken: deque[float] = deque()
        self._waiting: deque[asyncio.Future[None]] = deque()
        self._promised, self._promised_until = 0, 0.0
        self._held_until = 0.0
        self._pause = PAUSE_FIRST_S
        self._timer: asyncio.TimerHandle | None = None

    def room(self, at_most: int) -> int:
        """How many turns `take` would give now. They are kept for it for a moment."""
        self._promised = 0
        free = max(0, min(at_most, self._free() - len(self._waiting)))
        if self._is_limited:
            self._promised, self._promised_until = free, _now() + PROMISED_S
        self._look_again()
        return free

    def take(self) -> bool:
        """Take a turn now; False where there is none."""
        if self._free() <= (0 if self._promise() else len(self._waiting)):
            return False
        self._promised = max(0, self._promise() - 1)
        self._count()
        self._look_again()
        return True

    def turn(self) -> asyncio.Future[None]:
        """A turn as soon as there is one, before any other text's; done when it is taken, cancelled where it is not wanted."""
        turn: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._waiting.append(turn)
        self._serve()
        return turn

    def seconds_held(self) -> float:
        """How long the network's own wish for a pause still holds."""
        return max(0.0, self._held_until - _now())

    def slow_down(self) -> None:
        """The network throttles: nothing goes for a while, longer each time until something is accepted."""
        if self.seconds_held():
            return
        self._held_until = _now() + self._pause
        self._pause = min(self._pause * 2, PAUSE_MOST_S)
        self._look_again()

    def went_well(self) -> None:
        """Something was accepted."""
        if not self.seconds_held():
            self._pause = PAUSE_FIRST_S

    # --- the count ---

    def _free(self) -> int:
        """Turns that could be taken now, by whomever."""
        now = _now() + CLOCK_S
        if now < self._held_until:
            return 0
        if not self._is_limited:
            return UNLIMITED
        while self._taken and self._taken[0] + self._within <= now:
            self._taken.popleft()
        if now - self._next > MADE_UP_S:
            self._next = now - MADE_UP_S if self._promise() else now
        due = int((now - self._next) / self._distance) + 1 if now >= self._next else 0
        return max(0, min(due, self._at_most - len(self._taken)))

    def _promise(self) -> int:
        return self._promised if _now() < self._promised_until else 0

    def _count(self) -> None:
        if self._is_limited:
            self._next += self._distance
            self._taken.append(_now())

    def _serve(self) -> None:
        """Give turns to those who wait, in order, but for those that were promised."""
        while self._waiting:
            if self._waiting[0].done():
                self._waiting.popleft()
            elif self._free() > self._promise():
                self._waiting.popleft().set_result(None)
                self._count()
            else:
                break
        self._look_again()

    # --- the timer ---

    def _look_again(self) -> None:
        """At the next turn that somebody may wait for."""
        if self._timer is None and (self._waiting or self._free() == 0):
            self._timer = asyncio.get_running_loop().call_at(self._next_at(), self._on_time)

    def _next_at(self) -> float:
        now = _now()
        at = max(self._held_until, now + TOGETHER_S)
        if self._is_limited:
            is_full = len(self._taken) >= self._at_most
            at = max(at, self._next, self._taken[0] + self._within if is_full else 0.0)
        return at

    def _on_time(self) -> None:
        self._timer = None
        self._serve()
        if self._free() > len(self._waiting):
            self._changed()


def _now() -> float:
    return asyncio.get_running_loop().time()
