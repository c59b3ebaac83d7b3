"""Asterisk's cases as a table: which extension is called, what the PBX tells, what the journal says."""

import re
from dataclasses import dataclass, replace

from tests.pbx import transfers
from tests.pbx.seen import Journalled, Seen
from tests.peers.handset import OFFER, Final

G729 = OFFER.replace("RTP/AVP 0\r\na=rtpmap:0 PCMU/8000", "RTP/AVP 18 0\r\na=rtpmap:18 G729/8000\r\na=rtpmap:0 PCMU/8000")
VIDEO = f"{OFFER}m=video 18002 RTP/AVP 97\r\na=rtpmap:97 H264/90000\r\n"


@dataclass(frozen=True, kw_only=True)
class Case:
    """One call to an extension of extensions.conf, and what is to come of it."""

    name: str
    exten: str
    told: str
    """The caller's final status, DIALSTATUS, HANGUPCAUSE."""
    journal: tuple[Journalled, ...] = ()
    old_told: str = ""
    """chan_sip's, where it is another."""
    old_journal: tuple[Journalled, ...] = ()
    """And its calls, where more than their Reason is another."""
    is_of_pjsip: bool = False
    """chan_sip has no such thing."""
    is_untrue: bool = False
    is_untrue_of_old: bool = False
    says_why: bool = True
    """Its CANCEL has the Reason of the journal; FollowMe's has it at times."""
    hang_up_after: float | None = None
    stays: float = 1
    body: str = OFFER

    def told_by(self, *, is_old: bool) -> str:
        """With chan_sip or with PJSIP."""
        return (self.old_told if is_old else "") or self.told

    def journal_of(self, *, is_old: bool) -> tuple[Journalled, ...]:
        """chan_sip has no Q.850 in its CANCELs."""
        if is_old and self.old_journal:
            return self.old_journal
        is_silent = is_old or not self.says_why
        return tuple(
            replace(call, said=re.sub(r"(; )?Q\.850;cause=\d+", "", call.said)) if is_silent else call for call in self.journal
        )

    def compared(self, seen: Seen) -> Seen:
        """What was seen, without what is now so and now so."""
        return seen if self.says_why else replace(seen, journal=tuple(replace(call, said="") for call in seen.journal))


def taken(line: str = "group") -> Journalled:
    """Another phone answered, and Asterisk says so."""
    said = 'SIP;cause=200;text="Call completed elsewhere"; Q.850;cause=26'
    return Journalled(line=line, outcome="answered_elsewhere", reason="not_missed", said=said)


def abandoned(cause: int, *, line: str = "group", reason: str = "missed_call") -> Journalled:
    """Asterisk cancelled, for whatever cause."""
    said = f"Q.850;cause={cause}"
    return Journalled(line=line, outcome="abandoned", reason=reason, said=said, texted=reason == "missed_call")


def unanswered(line: str, diverted: str = "") -> Journalled:
    """We ended the ring, with 480."""
    return Journalled(line=line, outcome="no_answer", reason="missed_call", texted=True, diverted=diverted)


AGAIN = abandoned(0, reason="already_texted")
OUT_OF_TIME, HUNG_UP = abandoned(0), abandoned(127)
NO_LINE = Journalled(line=None, outcome="refused", reason="no_line", said="SIP;cause=404")

GROUPS = (
    Case(name="group, a phone answers", exten="office", told="200 ANSWER", journal=(taken(),)),
    Case(name="group, a phone declines", exten="group-declined", told="403 NOANSWER 21", journal=(OUT_OF_TIME,)),
    Case(name="group, a phone is busy", exten="group-busy", told="486 NOANSWER 17", journal=(OUT_OF_TIME,)),
    Case(name="group, the caller hangs up", exten="group-rings", hang_up_after=1, told="487 CANCEL 127", old_told="487 CANCEL 0", journal=(HUNG_UP,)),
    Case(name="group, the time runs out", exten="group-rings", told="603 NOANSWER 16", journal=(OUT_OF_TIME,)),
    Case(name="group with Dial(…,c), the caller hangs up", exten="group-c", hang_up_after=1, told="487 CANCEL 127", old_told="487 CANCEL 0", journal=(taken(),), is_untrue=True),
    Case(name="group with Dial(…,c), the time runs out", exten="group-c", told="603 NOANSWER 16", journal=(taken(),), is_untrue=True),
    Case(name="group of a line that says ringing, a phone answers", exten="group-ringing", told="200 ANSWER", journal=(unanswered("front-desk"),), is_untrue=True),
)  # fmt: skip
LOCAL = (
    Case(name="group through Local (FreePBX), a phone answers", exten="local-taken", told="200 ANSWER", journal=(taken(),)),
    Case(name="group through Local (FreePBX), the caller hangs up", exten="local-rings", hang_up_after=1, told="487 CANCEL 127", old_told="487 CANCEL 0", journal=(HUNG_UP,)),
    Case(name="group through Local (FreePBX), the time runs out", exten="local-rings", told="603 NOANSWER 16", journal=(abandoned(16),)),
    Case(name="queue through Local (FreePBX), an agent answers", exten="queue-local", told="200 -", journal=(taken(),)),
    Case(name="group, a colleague picks up", exten="picked", told="200 ANSWER", journal=(taken(),)),
    Case(name="the colleague", exten="pickup", told="200 -", journal=()),
)  # fmt: skip
ONE_AFTER_THE_OTHER = (
    Case(name="a phone first, then the gateway", exten="then-gateway", told="480 NOANSWER 19", old_told="480 BUSY 19", journal=(unanswered("forwarded"),)),
    Case(name="a phone's 302 to the gateway", exten="forwards", told="480 NOANSWER 19, NOANSWER 19", old_told="480 BUSY 19, NOANSWER 19", journal=(unanswered("forwarded", "forwards (unknown)"),), old_journal=(unanswered("forwarded", "104 (unconditional)"),)),
    Case(name="the gateway alone", exten="alone", told="480 NOANSWER 19", old_told="480 BUSY 19", journal=(unanswered("front-desk"),)),
    Case(name="a number of no line", exten="no-line", told="404 CHANUNAVAIL 1", journal=(NO_LINE,)),
)  # fmt: skip
QUEUES = (
    Case(name="queue, nobody answers", exten="queue", told="603 -", journal=(OUT_OF_TIME, AGAIN, AGAIN)),
    Case(name="queue, the caller hangs up in the second round", exten="queue-left", hang_up_after=4, told="487 -", journal=(OUT_OF_TIME, AGAIN)),
    Case(name="queue, an agent answers in the second round", exten="queue-taken", told="200 -", journal=(OUT_OF_TIME, taken()), is_untrue=True),
    Case(name="the same, and the line has a wait", exten="queue-waits", told="200 -", journal=(abandoned(0, line="queue", reason="resolved"), taken("queue"))),
    Case(name="FollowMe, the caller hangs up", exten="follow-rings", stays=3, told="200 -", says_why=False, journal=(HUNG_UP,)),
    Case(name="FollowMe, another number answers", exten="follow-taken", stays=4, told="200 -", says_why=False, journal=(HUNG_UP,), is_untrue=True),
)  # fmt: skip
TRANSFERS = (
    Case(name="blind transfer to the gateway", exten="blind", stays=5, told="200 NOANSWER 19", old_told="200 BUSY 19", journal=(unanswered("front-desk"),)),
    Case(name="semi-attended transfer to the group", exten="attended", stays=6, told="200 NOANSWER 16", journal=(abandoned(0),), old_journal=(replace(abandoned(0, reason="not_a_number"), said=""),), is_untrue_of_old=True),
)  # fmt: skip
OFFERS = tuple(
    Case(name=f"offer: {words}", exten=f"offers-{endpoint}", body=body, told="603 NOANSWER 16", journal=(OUT_OF_TIME,), is_of_pjsip=True)
    for words, endpoint, body in (
        ("SRTP by SDES", "sdes", OFFER), ("SRTP by DTLS", "dtls", OFFER), ("G.729 alone", "g729", G729), ("video", "video", VIDEO), ("WebRTC", "webrtc", OFFER), ("audio, 100rel required", "reliable", OFFER), ("audio, timers required", "timers", OFFER), ("audio, over TCP", "over-tcp", OFFER),
    )
)  # fmt: skip
STATUSES = {
    480: ("480 NOANSWER 19", "480 BUSY 19"),
    486: ("486 BUSY 17", "486 BUSY 17"),
    408: ("408 CHANUNAVAIL 18", "408 CHANUNAVAIL 18"),
    404: ("404 CHANUNAVAIL 1", "404 CHANUNAVAIL 1"),
    503: ("503 CONGESTION 34", "503 CONGESTION 34"),
    487: ("500 CHANUNAVAIL 127", "603 NOANSWER 16"),
    603: ("403 CHANUNAVAIL 21", "403 BUSY 21"),
}
"""What PJSIP and chan_sip make of each."""
ANSWERS = tuple(
    Case(name=f"{status} {when.replace('-', ' ')}", exten=f"status-{when}-{status}", told=told, old_told=old)
    for when in ("at-once", "after-ring")
    for status, (told, old) in STATUSES.items()
)
CASES = (*GROUPS, *LOCAL, *ONE_AFTER_THE_OTHER, *QUEUES, *TRANSFERS, *OFFERS, *ANSWERS)
PHONES = {
    "101": Final(status=200, after=1),
    "102": Final(status=603, after=0.5),
    "103": Final(),
    "104": Final(status=302, after=0.3, headers=("Contact: <sip:voicemail@127.0.0.1>",)),
    "105": Final(status=486, after=0.2),
    "106": Final(status=200, after=1, lets_pass=1),
    "107": Final(status=200, after=0.3, then=transfers.blind),
    "108": Final(status=200, after=0.3, then=transfers.semi_attended),
    "109": Final(status=200, after=3),
    **{f"at-once-{status}": Final(status=status, after=0) for status in STATUSES},
    **{f"after-ring-{status}": Final(status=status, after=0.5) for status in STATUSES},
}
"""What each does: extensions.conf says which is dialled."""
