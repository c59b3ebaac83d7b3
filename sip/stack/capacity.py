"""How many calls can ring at once, after what the stack, its ports and the open files allow."""

from dataclasses import dataclass

from sip.stack.descriptors import calls_by_descriptors

try:
    from pjsua2_build import MAX_CALLS as _BUILT_FOR
except ImportError:  # the ready-made wheel
    _BUILT_FOR = 4

MAX_CALLS: int = _BUILT_FOR
SPARE_SLOTS = 1
"""A call more than is rung still needs a slot to be rejected with 486."""
RTP_PORTS_A_CALL = 2
SPARE_RTP_PORTS = 16
"""The stack opens two sockets for every INVITE, also for those that are only rejected."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Capacity:
    """Calls at once, by each of what they need."""

    by_stack: int
    by_ports: int
    by_descriptors: int

    @property
    def calls(self) -> int:
        """At least one is rung."""
        return max(1, min(self.by_stack, self.by_ports, self.by_descriptors))


def capacity(rtp_first: int, rtp_last: int, descriptor_limit: int) -> Capacity:
    """Of a range of ports, both ends included, and a limit of open files."""
    return Capacity(
        by_stack=MAX_CALLS - SPARE_SLOTS,
        by_ports=(rtp_last - rtp_first + 1 - SPARE_RTP_PORTS) // RTP_PORTS_A_CALL,
        by_descriptors=calls_by_descriptors(descriptor_limit),
    )
