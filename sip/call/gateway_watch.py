"""Does the gateway take calls? It answers each sign of life of the agent's, and says whether it can write calls down.

`now` is seconds on the monotonic clock. Time in which the agent itself stood still does not count against the gateway.
"""

AWAY_AFTER_S = 5.0
"""A gateway that is only busy answers sooner, and its calls are rung meanwhile and told to it later."""
TURN_AT_MOST_S = 0.1
"""What one turn of the agent's may add to the silence, however late it comes."""


class GatewayWatch:
    """The newest answer, and how long ago it came."""

    def __init__(self) -> None:
        self._is_begun = False
        self._turned = 0.0
        self._silent_s = 0.0
        self._takes_calls = True

    def heard(self, *, takes_calls: bool) -> None:
        """It answered."""
        self._is_begun = True
        self._silent_s = 0.0
        self._takes_calls = takes_calls

    def turn(self, now: float) -> None:
        """The agent goes once round."""
        self._silent_s += min(max(0.0, now - self._turned), TURN_AT_MOST_S)
        self._turned = now

    @property
    def why_away(self) -> str:
        """Why no call may be begun; empty: it takes calls, or has never answered, as where a person runs the agent."""
        if self._is_begun and self._silent_s > AWAY_AFTER_S:
            return f"the gateway has not answered for {AWAY_AFTER_S:g} s; is it stopped?"
        return "" if self._takes_calls else "the gateway can write calls down nowhere"
