"""`[trunk.NAME]`: where calls come from."""

from datetime import timedelta
from typing import Annotated, Any, Literal

from pydantic import BaseModel, Field, SecretStr, model_validator

from config.addresses import SipAddress
from config.checked import checked
from config.providers import STRICT, Word
from config.rewriting import ENTRIES, InternationalPrefix, NationalPrefix, Replace, Strip
from config.values import OneOrMore, Peer, SomeTime
from config.written import Misplaced, written

NO_ANSWER = {
    408: "nobody answered in time",
    480: "unavailable, the default",
    486: "busy",
}
"""What a call may be told that has rung to the end of its plan. No 6xx: it ends the phones that ring beside the gateway too
(RFC 3261 §16.7). No other 5xx: it says that the gateway is at fault, and the PBX may try the next one."""
NO_ROOM = {
    480: "unavailable",
    486: "busy, the default",
    503: "out of service, which has some PBXs try another trunk",
}
"""What a call may be told for which there is no room."""


def _status(known: dict[int, str]) -> Any:
    def read(value: Any) -> int:
        if isinstance(value, int) and not isinstance(value, bool) and value in known:
            return value
        *most, last = (f"{status} ({what})" for status, what in known.items())
        raise ValueError(f"{written(value)} must be {', '.join(most)} or {last}, without quotes")

    return checked(read)


class Trunk(BaseModel):
    """A peer (`peers`) or an account that the gateway registers (`registrar`)."""

    model_config = STRICT
    name: Annotated[str, Field(min_length=1, max_length=64)]
    peers: tuple[Peer, ...] = ()
    answered_elsewhere: Literal["trust", "ignore"] = "trust"
    default_line: str | None = None
    strip: Annotated[tuple[Strip, ...], OneOrMore, Field(max_length=ENTRIES)] = ()
    """What is taken away before a number, where a number is left then."""
    replace: Annotated[tuple[Replace, ...], OneOrMore, Field(max_length=ENTRIES)] = ()
    national_prefix: NationalPrefix = None
    """Stands before numbers of `region`; None: as the region's own people dial."""
    international_prefix: InternationalPrefix = None
    """Stands before a country code; None: 00, and as the region's own people dial. Empty: nothing does, not even a plus."""
    no_answer: Annotated[int, _status(NO_ANSWER)] = 480
    busy_answer: Annotated[int, _status(NO_ROOM)] = 486
    registrar: SipAddress | None = None
    username: Word | None = None
    password: SecretStr | None = None
    transport: Literal["udp", "tcp", "tls"] = "udp"
    proxy: SipAddress | None = None
    expires: SomeTime = timedelta(hours=1)

    @model_validator(mode="after")
    def _one_kind(self) -> "Trunk":
        if bool(self.peers) == bool(self.registrar):
            raise Misplaced(
                "peers" if "peers" in self.model_fields_set and not self.registrar else "",
                'needs either peers = ["192.0.2.10"] (a PBX or carrier that sends calls by its address) '
                'or registrar = "sip:…" (an account)',
            )
        return self
